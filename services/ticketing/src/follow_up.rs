//! The rules of following a ticket up: its user is told the result in time, and it is closed once they have confirmed
//! (7.4.1.6). No I/O here, and no clock.
use jiff::{SignedDuration, Timestamp};

use crate::ticket::{Fact, State, Ticket};

/// What follows a ticket up; there is one of it a ticket.
pub(crate) const TIMER: &str = "follow-up";
/// A user who has not confirmed is reminded so long after they had the word, and again (product default).
const REMIND_AFTER: SignedDuration = SignedDuration::from_hours(72);
/// A confirmed ticket that nobody closes is closed so long after (product default).
const CLOSE_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Ticket {
    /// When it is to be followed up next. `None`: somebody else has the word.
    #[must_use]
    pub fn follow_up_at(&self) -> Option<Timestamp> {
        let after = match (self.state, &self.confirmation) {
            (State::New | State::Assigned | State::Resolved | State::Closed, _) => return None,
            (State::AwaitingConfirmation, None) => REMIND_AFTER,
            (State::AwaitingConfirmation, Some(_)) => CLOSE_AFTER,
        };
        Some(self.updated_at.saturating_add(after).expect("a duration is no calendar span"))
    }

    /// Follows it up: its user is reminded, or what they confirmed is closed. `None`: it is not time, or no longer needed.
    pub fn follow_up(&mut self, now: Timestamp) -> Option<Fact> {
        self.follow_up_at().filter(|at| *at <= now)?;
        match self.confirmation {
            None => Some(self.becomes(State::AwaitingConfirmation, Fact::ConfirmationReminded, now)),
            Some(_) => self.close(now).expect("it awaits confirmation and was confirmed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ticket::{Call, Grade, TicketId};

    fn hours(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    /// A ticket whose user has the word since hour 1.
    fn awaiting() -> Ticket {
        let call = Call {
            title: "门户网站打不开".into(),
            description: String::new(),
            grade: Grade::Iii,
            device: None,
            finding: None,
            requester: "li".into(),
            evidence: Vec::new(),
            origin: None,
        };
        let (mut ticket, _) = Ticket::open("gz".parse().unwrap(), TicketId::from(Uuid::from_u128(7)), call, hours(0));
        assert_eq!(ticket.follow_up_at(), None, "nobody has said that it is done");
        ticket.assign("chen".into(), hours(0)).unwrap();
        let _ = ticket.resolve("重启".into(), "chen".into(), hours(1)).unwrap();
        ticket
    }

    #[test]
    fn a_user_who_does_not_confirm_is_reminded_every_three_days() {
        let mut ticket = awaiting();
        assert_eq!(ticket.follow_up(hours(72)), None);
        assert_eq!(ticket.follow_up(hours(73)), Some(Fact::ConfirmationReminded));
        assert_eq!(ticket.follow_up(hours(144)), None);
        assert_eq!(ticket.follow_up(hours(145)), Some(Fact::ConfirmationReminded));
        assert_eq!(ticket.state, State::AwaitingConfirmation, "7.4.1.6: silence is no confirmation");
    }

    #[test]
    fn a_confirmed_ticket_is_closed_after_a_day() {
        let mut ticket = awaiting();
        ticket.confirm(String::new(), "li".into(), hours(2)).unwrap();
        assert_eq!(ticket.follow_up(hours(25)), None);
        assert_eq!(ticket.follow_up(hours(26)), Some(Fact::Closed));
        assert_eq!((ticket.follow_up_at(), ticket.follow_up(hours(999))), (None, None));
    }
}
