//! The rules of a ticket. No I/O here, and no clock: time is an argument.
mod evidence;
mod id;

use chassis::{Agency, Origin};
use jiff::Timestamp;
use sqlx::types::Json;

pub use evidence::{Confirmation, Evidence, Recheck, Resolution};
pub use id::TicketId;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "ticket_state", rename_all = "snake_case")]
pub enum State {
    /// 新建
    New,
    /// 已分配
    Assigned,
    /// 已解决: a ticket of a finding waits here for the re-check.
    Resolved,
    /// 待用户确认
    AwaitingConfirmation,
    /// 已关闭
    Closed,
}

/// How grave (product default for DB4401/T 294.2 clause 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "grade", rename_all = "snake_case")]
pub enum Grade {
    /// Ⅰ 特别重大
    I,
    /// Ⅱ 重大
    Ii,
    /// Ⅲ 较大
    Iii,
    /// Ⅳ 一般
    Iv,
}

/// What a ticket is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// In a line.
    pub title: String,
    /// In full.
    pub description: String,
    /// How grave.
    pub grade: Grade,
    /// The device concerned, by its resource name.
    pub device: Option<String>,
    /// The finding behind it, by its resource name.
    pub finding: Option<String>,
    /// Who asks.
    pub requester: String,
    /// What is known.
    pub evidence: Vec<Evidence>,
    /// Where in which trace it has its cause.
    pub origin: Option<Origin>,
}

/// A ticket, exactly as its row has it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Ticket {
    /// Whose it is.
    pub agency: Agency,
    /// Its id there.
    pub id: TicketId,
    /// In a line.
    pub title: String,
    /// In full.
    pub description: String,
    /// How grave.
    pub grade: Grade,
    /// Where it stands.
    pub state: State,
    /// The device concerned.
    pub device: Option<String>,
    /// The finding behind it.
    pub finding: Option<String>,
    /// Who asks.
    pub requester: String,
    /// Who works on it.
    pub assignee: Option<String>,
    /// What is known.
    pub evidence: Json<Vec<Evidence>>,
    /// The re-check that passed.
    pub recheck: Option<Json<Recheck>>,
    /// What was done.
    pub resolution: Option<Json<Resolution>>,
    /// The user's word.
    pub confirmation: Option<Json<Confirmation>>,
    /// Where in which trace it has its cause.
    pub origin: Option<Origin>,
    /// When it was opened.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub opened_at: Timestamp,
    /// When it last changed.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub updated_at: Timestamp,
    /// When it was closed.
    #[sqlx(try_from = "chassis::MaybeTimestamp")]
    pub closed_at: Option<Timestamp>,
    /// Raised by every change.
    pub revision: i64,
}

/// What just became true of a ticket. Saving one demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fact {
    /// It was opened.
    Opened,
    /// It was given to somebody.
    Assigned,
    /// The work is done.
    Resolved,
    /// The defect was seen again after the work was said to be done.
    RecheckFailed,
    /// The device was seen well again.
    RecheckPassed,
    /// The user was reminded that they have the word.
    ConfirmationReminded,
    /// The user confirmed.
    Confirmed,
    /// It was closed.
    Closed,
}

/// Why a ticket does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody works on it yet.
    #[error("ticket {0} is not assigned to anybody")]
    NotAssigned(TicketId),
    /// The work on it is over.
    #[error("the work on ticket {0} is over")]
    WorkIsOver(TicketId),
    /// There is nothing to confirm yet.
    #[error("ticket {0} does not await confirmation")]
    NothingToConfirm(TicketId),
    /// 7.4.1.6: the user has not confirmed.
    #[error("ticket {0} cannot be closed: its user has not confirmed the result")]
    NotConfirmed(TicketId),
    /// Somebody was faster.
    #[error("ticket {0} was changed since it was read")]
    Changed(TicketId),
}

/// Evidence kept with a ticket: what opened it and the latest; the facts have all of it.
const EVIDENCE: usize = 20;

impl Ticket {
    /// Refuses whoever decides by an older revision than this.
    pub fn unchanged_since(&self, revision: i64) -> Result<(), Refusal> {
        if revision == self.revision { Ok(()) } else { Err(Refusal::Changed(self.id)) }
    }

    /// A ticket is opened.
    pub fn open(agency: Agency, id: TicketId, call: Call, now: Timestamp) -> (Self, Fact) {
        let Call { title, description, grade, device, finding, requester, evidence, origin } = call;
        let ticket = Self {
            agency,
            id,
            title,
            description,
            grade,
            state: State::New,
            device,
            finding,
            requester,
            assignee: None,
            evidence: Json(evidence),
            recheck: None,
            resolution: None,
            confirmation: None,
            origin,
            opened_at: now,
            updated_at: now,
            closed_at: None,
            revision: 1,
        };
        (ticket, Fact::Opened)
    }

    /// It is given to somebody (7.4.1.4). `None`: it is theirs already.
    pub fn assign(&mut self, assignee: String, now: Timestamp) -> Result<Option<Fact>, Refusal> {
        match self.state {
            State::Resolved | State::AwaitingConfirmation | State::Closed => Err(Refusal::WorkIsOver(self.id)),
            State::New | State::Assigned => {
                if self.assignee.as_ref() == Some(&assignee) {
                    return Ok(None);
                }
                self.assignee = Some(assignee);
                Ok(Some(self.becomes(State::Assigned, Fact::Assigned, now)))
            }
        }
    }

    /// The work is done (7.4.1.5). With a finding behind it the re-check has the next word, else the user.
    pub fn resolve(&mut self, text: String, actor: String, now: Timestamp) -> Result<Fact, Refusal> {
        match self.state {
            State::New => Err(Refusal::NotAssigned(self.id)),
            State::Resolved | State::AwaitingConfirmation | State::Closed => Err(Refusal::WorkIsOver(self.id)),
            State::Assigned => {
                self.resolution = Some(Json(Resolution { text, actor, at: now }));
                let next = if self.finding.is_some() { State::Resolved } else { State::AwaitingConfirmation };
                Ok(self.becomes(next, Fact::Resolved, now))
            }
        }
    }

    /// The defect was seen again. That is news only where somebody said that it was mended: the ticket goes back to them.
    pub fn recheck_failed(&mut self, evidence: Evidence, now: Timestamp) -> Option<Fact> {
        match self.state {
            State::New | State::Assigned | State::AwaitingConfirmation | State::Closed => None,
            State::Resolved => {
                if self.resolution.as_ref().is_some_and(|resolution| evidence.at <= resolution.at) {
                    return None;
                }
                if self.evidence.len() >= EVIDENCE {
                    self.evidence.remove(1);
                }
                self.evidence.push(evidence);
                Some(self.becomes(State::Assigned, Fact::RecheckFailed, now))
            }
        }
    }

    /// The device was seen well again: now the user has the word. `None`: they have it already.
    pub fn recheck_passed(&mut self, recheck: Recheck, now: Timestamp) -> Option<Fact> {
        match self.state {
            State::AwaitingConfirmation | State::Closed => None,
            State::New | State::Assigned | State::Resolved => {
                self.recheck = Some(Json(recheck));
                Some(self.becomes(State::AwaitingConfirmation, Fact::RecheckPassed, now))
            }
        }
    }

    /// The user confirms the result (7.4.1.6). `None`: they have.
    pub fn confirm(&mut self, comment: String, actor: String, now: Timestamp) -> Result<Option<Fact>, Refusal> {
        match self.state {
            State::New | State::Assigned | State::Resolved => Err(Refusal::NothingToConfirm(self.id)),
            State::AwaitingConfirmation | State::Closed if self.confirmation.is_some() => Ok(None),
            State::AwaitingConfirmation | State::Closed => {
                self.confirmation = Some(Json(Confirmation { comment, actor, at: now }));
                Ok(Some(self.becomes(self.state, Fact::Confirmed, now)))
            }
        }
    }

    /// It is closed (7.4.1.6). `None`: it is already.
    pub fn close(&mut self, now: Timestamp) -> Result<Option<Fact>, Refusal> {
        match self.state {
            State::Closed => Ok(None),
            State::AwaitingConfirmation if self.confirmation.is_some() => {
                self.closed_at = Some(now);
                Ok(Some(self.becomes(State::Closed, Fact::Closed, now)))
            }
            State::New | State::Assigned | State::Resolved | State::AwaitingConfirmation => Err(Refusal::NotConfirmed(self.id)),
        }
    }

    pub(crate) fn becomes(&mut self, state: State, fact: Fact, now: Timestamp) -> Fact {
        self.state = state;
        self.updated_at = now;
        self.revision += 1;
        fact
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn ticket(finding: bool) -> Ticket {
        let call = Call {
            title: "门户网站打不开".into(),
            description: String::new(),
            grade: Grade::Iii,
            device: None,
            finding: finding.then(|| "agencies/gz/findings/7".into()),
            requester: "li".into(),
            evidence: Vec::new(),
            origin: None,
        };
        Ticket::open("gz".parse().unwrap(), uuid::Uuid::from_u128(7).into(), call, NOW).0
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn evidence(seconds: i64) -> Evidence {
        Evidence { at: at(seconds), source: "agencies/gz/runs/2".into(), text: "连接被拒绝".into() }
    }

    fn recheck() -> Recheck {
        Recheck { run: "agencies/gz/runs/3".into(), at: at(90) }
    }

    #[test]
    fn a_ticket_is_closed_only_after_its_user_confirmed() {
        let mut ticket = ticket(false);
        assert_eq!(ticket.close(NOW), Err(Refusal::NotConfirmed(ticket.id)));
        ticket.assign("chen".into(), NOW).unwrap();
        assert_eq!(ticket.resolve("重启".into(), "chen".into(), NOW), Ok(Fact::Resolved));
        assert_eq!(ticket.close(NOW), Err(Refusal::NotConfirmed(ticket.id)));
        assert_eq!(ticket.confirm(String::new(), "li".into(), NOW), Ok(Some(Fact::Confirmed)));
        assert_eq!(ticket.close(NOW), Ok(Some(Fact::Closed)));
        assert_eq!(ticket.close(NOW), Ok(None));
    }

    #[test]
    fn a_ticket_of_a_finding_waits_for_the_re_check() {
        let mut ticket = ticket(true);
        ticket.assign("chen".into(), NOW).unwrap();
        assert_eq!(ticket.resolve("换网线".into(), "chen".into(), at(60)), Ok(Fact::Resolved));
        assert_eq!(ticket.state, State::Resolved);
        assert_eq!(ticket.confirm(String::new(), "li".into(), NOW), Err(Refusal::NothingToConfirm(ticket.id)));
        assert_eq!(ticket.recheck_passed(recheck(), at(91)), Some(Fact::RecheckPassed));
        assert_eq!(ticket.state, State::AwaitingConfirmation);
        assert_eq!(ticket.recheck_passed(recheck(), at(92)), None);
    }

    #[test]
    fn a_defect_seen_again_after_the_work_goes_back_to_its_engineer() {
        let mut ticket = ticket(true);
        assert_eq!(ticket.recheck_failed(evidence(10), at(10)), None, "nobody has said it was mended");
        ticket.assign("chen".into(), NOW).unwrap();
        assert_eq!(ticket.resolve("换网线".into(), "chen".into(), at(60)), Ok(Fact::Resolved));
        assert_eq!(ticket.recheck_failed(evidence(59), at(61)), None, "seen before the work was done");
        assert_eq!(ticket.recheck_failed(evidence(61), at(62)), Some(Fact::RecheckFailed));
        assert_eq!((ticket.state, ticket.assignee.as_deref()), (State::Assigned, Some("chen")));
    }

    #[test]
    fn nobody_resolves_what_nobody_was_given() {
        let mut ticket = ticket(false);
        assert_eq!(ticket.resolve("x".into(), "chen".into(), NOW), Err(Refusal::NotAssigned(ticket.id)));
    }

    #[test]
    fn giving_it_to_the_same_engineer_again_changes_nothing() {
        let mut ticket = ticket(false);
        ticket.assign("chen".into(), NOW).unwrap();
        let before = ticket.clone();
        assert_eq!(ticket.assign("chen".into(), at(60)), Ok(None));
        assert_eq!(ticket, before);
        assert_eq!(ticket.assign("wu".into(), at(60)), Ok(Some(Fact::Assigned)));
    }

    proptest! {
        /// Whatever is asked in whatever order: what the schema checks holds, every change raises the revision by one and
        /// tells a fact, and what is refused changes nothing.
        #[test]
        fn no_order_of_calls_breaks_a_ticket(finding: bool, calls in proptest::collection::vec(0..6_u8, 0..40)) {
            let mut ticket = ticket(finding);
            for (second, call) in (1..).zip(calls) {
                let before = ticket.clone();
                let now = at(second);
                let fact = match call {
                    0 => ticket.assign("chen".into(), now).unwrap_or(None),
                    1 => ticket.resolve("x".into(), "chen".into(), now).ok(),
                    2 => ticket.recheck_failed(evidence(second), now),
                    3 => ticket.recheck_passed(recheck(), now),
                    4 => ticket.confirm(String::new(), "li".into(), now).unwrap_or(None),
                    _ => ticket.close(now).unwrap_or(None),
                };
                match fact {
                    Some(_) => prop_assert_eq!((ticket.revision, ticket.updated_at), (before.revision + 1, now)),
                    None => prop_assert_eq!(&ticket, &before),
                }
                prop_assert_eq!(ticket.state == State::Closed, ticket.closed_at.is_some());
                prop_assert!(ticket.state != State::Closed || ticket.confirmation.is_some());
                prop_assert!(!matches!(ticket.state, State::Assigned | State::Resolved) || ticket.assignee.is_some());
                prop_assert!(ticket.evidence.len() <= EVIDENCE);
            }
        }
    }
}
