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
    /// In a box: it is moved along the line.
    type Item = Box<Opening>;
    type Answer = Came;

    async fn write(&self, stroke: Stroke<'_>, items: &[Box<Opening>]) -> sqlx::Result<Vec<Came>> {
        let asked: Vec<&Asked> = items.iter().map(|opening| &opening.asked).collect();
        let mut firsts = Firsts::among(stroke, &asked);
        let opened: Vec<&Opening> =
            items.iter().map(|opening| &**opening).filter(|opening| firsts.may_be(&opening.asked)).collect();
        tickets::open_firsts(&mut firsts, &opened.iter().map(|opening| (&opening.asked, &opening.ticket)).collect::<Vec<_>>());
        let told: Vec<_> = opened.iter().map(|opening| (&opening.asked, &opening.letter, opening.ticket.opened_at)).collect();
        mailbox::post_firsts(&mut firsts, &told);
        firsts.write().await
    }
}

impl Opening {
    /// What its caller is answered.
    pub(crate) fn answered(self, came: Came) -> Result<pb::Ticket, Changed> {
        match came {
            Came::First => Ok(self.answer),
            Came::Before(answer) => pb::Ticket::decode(&*answer).map_err(|error| sqlx::Error::Decode(error.into()).into()),
            Came::Reused => Err(Changed::RequestIdReused(self.asked.request_id())),
        }
    }
}
