//! Tickets that callers open, together: what arrives at the same time is written in the same transaction.
use chassis::{Asked, Came, Changed, Tx};
use mailbox::{Combined, Letter};
use prost::Message;
use proto::ticketing::v1 as pb;

use crate::{ticket::Ticket, tickets};

/// A ticket that a caller opens.
pub(crate) struct Opening {
    pub(crate) asked: Asked,
    pub(crate) answer: pb::Ticket,
    pub(crate) ticket: Ticket,
    pub(crate) letter: Letter,
}

/// Writes them.
pub(crate) struct Openings;

impl Combined for Openings {
    type Item = Opening;
    type Answer = Result<pb::Ticket, Changed>;

    async fn write(&self, tx: &mut Tx, items: &[Opening]) -> sqlx::Result<Vec<Self::Answer>> {
        let asked: Vec<&Asked> = items.iter().map(|opening| &opening.asked).collect();
        let came = chassis::first_of(tx, &asked).await?;
        let first: Vec<&Opening> =
            items.iter().zip(&came).filter(|(_, came)| **came == Came::First).map(|(opening, _)| opening).collect();
        tickets::open_all(tx, first.iter().map(|opening| (&opening.ticket, opening.letter.clone())).collect()).await?;
        let answers = items.iter().zip(came).map(|(opening, came)| match came {
            Came::First => Ok(opening.answer.clone()),
            Came::Before(answer) => pb::Ticket::decode(&*answer).map_err(|error| sqlx::Error::Decode(error.into()).into()),
            Came::Reused => Err(Changed::RequestIdReused(opening.asked.request_id())),
        });
        Ok(answers.collect())
    }
}
