//! Tickets that callers open, together: what arrives at the same time is written in the same transaction.
use chassis::{Asked, Came, Changed, Firsts, Stroke};
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

    async fn write(&self, stroke: Stroke<'_>, items: &[Opening]) -> sqlx::Result<Vec<Self::Answer>> {
        let asked: Vec<&Asked> = items.iter().map(|opening| &opening.asked).collect();
        let mut firsts = Firsts::among(stroke, &asked);
        let opened: Vec<&Opening> = items.iter().filter(|opening| firsts.may_be(&opening.asked)).collect();
        tickets::open_firsts(&mut firsts, &opened.iter().map(|opening| (&opening.asked, &opening.ticket)).collect::<Vec<_>>());
        let told: Vec<_> = opened.iter().map(|opening| (&opening.asked, &opening.letter, opening.ticket.opened_at)).collect();
        mailbox::post_firsts(&mut firsts, &told);
        let came = firsts.write().await?;
        let answers = items.iter().zip(came).map(|(opening, came)| match came {
            Came::First => Ok(opening.answer.clone()),
            Came::Before(answer) => pb::Ticket::decode(&*answer).map_err(|error| sqlx::Error::Decode(error.into()).into()),
            Came::Reused => Err(Changed::RequestIdReused(opening.asked.request_id())),
        });
        Ok(answers.collect())
    }
}
