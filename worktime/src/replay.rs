//! THE REPLAY: a changed policy or calendar run over what happened, before it is put in force: "breaches 41 → 12, these 29".
//!
//! Sources: T/DGAG 038-2025, 8.2, wants the service improved by what B.1 (故障处理效率) and B.2 (服务需求及时响应) show; to try a change on
//! what happened is ours: no clause says how to find a better one.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    OutOfRange, Timeline,
    clock::{Clock, Due},
    explain::Language,
    policy::{self, History, Policy},
};

/// A policy, and the open time that it counts.
#[derive(Debug, Clone, Copy)]
pub struct Regime<'a> {
    /// The promises.
    pub policy: &'a Policy,
    /// The calendar, compiled from before the first ticket until after the last deadline.
    pub timeline: &'a Timeline,
}

/// How a clock ended, or stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Outcome {
    /// 按时: it stopped in time.
    Met {
        /// When it was due, unless it never was to be.
        due: Option<Timestamp>,
    },
    /// 超时: it did not.
    Breached {
        /// When it was due.
        due: Timestamp,
    },
    /// 进行中: it runs, and is not due yet.
    Running {
        /// When it is due.
        due: Timestamp,
    },
    /// 暂停: it stands.
    Standing,
}

/// What a change would have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Clocks that both policies have.
    pub clocks: usize,
    /// Missed under the first.
    pub breaches_before: usize,
    /// Missed under the second.
    pub breaches_after: usize,
    /// Due at another time, whatever came of it.
    pub moved: usize,
    /// Where what came of it is another, by ticket as they were given.
    pub changed: Vec<Change>,
    /// Clocks that only one of the policies has: the names, and how many tickets each.
    pub unmatched: Vec<(String, usize)>,
}

/// A clock of which something else would have come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The ticket.
    pub ticket: String,
    /// The clock.
    pub clock: String,
    /// Under the first.
    pub before: Outcome,
    /// Under the second.
    pub after: Outcome,
}

/// Why tickets cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A policy does not fit a ticket.
    #[error(transparent)]
    Policy(#[from] policy::Refusal),
    /// A timeline does not reach.
    #[error("ticket `{ticket}`: {cause}")]
    OutOfRange {
        /// The ticket.
        ticket: String,
        /// The timeline's reach.
        cause: OutOfRange,
    },
}

/// Runs both over what happened, as seen at an instant.
///
/// # Errors
/// A policy that does not fit a ticket, or a timeline that does not reach.
pub fn compare(histories: &[History], before: Regime<'_>, after: Regime<'_>, now: Timestamp) -> Result<Comparison, Refusal> {
    before.policy.check()?;
    after.policy.check()?;
    let mut comparison =
        Comparison { clocks: 0, breaches_before: 0, breaches_after: 0, moved: 0, changed: Vec::new(), unmatched: Vec::new() };
    for history in histories {
        let outcomes = |regime: Regime<'_>| -> Result<Vec<(String, Outcome)>, Refusal> {
            let clocks = regime.policy.clocks(history)?;
            let outcome = |clock: Clock| {
                let refuse = |cause| Refusal::OutOfRange { ticket: history.ticket.clone(), cause };
                Ok((clock.rule().name.clone(), outcome(&clock, regime.timeline, now).map_err(refuse)?))
            };
            clocks.into_iter().map(outcome).collect()
        };
        let (first, mut second) = (outcomes(before)?, outcomes(after)?);
        for (name, before) in first {
            match second.iter().position(|(other, _)| *other == name) {
                Some(position) => {
                    let (clock, after) = second.remove(position);
                    comparison.add(&history.ticket, clock, before, after);
                }
                None => comparison.miss(name),
            }
        }
        second.into_iter().for_each(|(name, _)| comparison.miss(name));
    }
    Ok(comparison)
}

/// What came of a clock by an instant.
///
/// # Errors
/// The timeline does not reach.
pub fn outcome(clock: &Clock, timeline: &Timeline, now: Timestamp) -> Result<Outcome, OutOfRange> {
    Ok(match (clock.due(timeline)?, clock.stopped().filter(|stopped| *stopped <= now)) {
        (Due::At(due), Some(stopped)) if stopped <= due => Outcome::Met { due: Some(due) },
        (Due::At(due), None) if now < due => Outcome::Running { due },
        (Due::At(due), _) => Outcome::Breached { due },
        (Due::Standing { .. }, Some(_)) => Outcome::Met { due: None },
        (Due::Standing { .. }, None) => Outcome::Standing,
    })
}

impl Outcome {
    /// Whether the promise was broken.
    #[must_use]
    pub fn is_breach(&self) -> bool {
        matches!(self, Self::Breached { .. })
    }

    fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Met { due } => *due,
            Self::Breached { due } | Self::Running { due } => Some(*due),
            Self::Standing => None,
        }
    }

    fn word(&self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Met { .. }, Language::Zh) => "按时",
            (Self::Met { .. }, Language::En) => "met",
            (Self::Breached { .. }, Language::Zh) => "超时",
            (Self::Breached { .. }, Language::En) => "breached",
            (Self::Running { .. }, Language::Zh) => "进行中",
            (Self::Running { .. }, Language::En) => "running",
            (Self::Standing, Language::Zh) => "暂停中",
            (Self::Standing, Language::En) => "standing",
        }
    }
}

impl Comparison {
    fn add(&mut self, ticket: &str, clock: String, before: Outcome, after: Outcome) {
        self.clocks += 1;
        self.breaches_before += usize::from(before.is_breach());
        self.breaches_after += usize::from(after.is_breach());
        self.moved += usize::from(before.due() != after.due());
        if std::mem::discriminant(&before) != std::mem::discriminant(&after) {
            self.changed.push(Change { ticket: ticket.to_owned(), clock, before, after });
        }
    }

    fn miss(&mut self, name: String) {
        match self.unmatched.iter_mut().find(|(other, _)| *other == name) {
            Some((_, times)) => *times += 1,
            None => self.unmatched.push((name, 1)),
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let Self { clocks, breaches_before, breaches_after, moved, changed, unmatched } = self;
        let mut text = match language {
            Language::Zh => format!(
                "重放 {clocks} 个计时：超时 {breaches_before} → {breaches_after}，到期时间变化 {moved} 个，结果变化 {} 个\n",
                changed.len()
            ),
            Language::En => format!(
                "{clocks} clocks replayed: breaches {breaches_before} → {breaches_after}, {moved} due at another time, {} with another outcome\n",
                changed.len()
            ),
        };
        for Change { ticket, clock, before, after } in changed {
            let (before, after) = (before.word(language), after.word(language));
            writeln!(text, "{ticket}  {clock}  {before} → {after}").expect("a String takes any text");
        }
        for (clock, tickets) in unmatched {
            let line = match language {
                Language::Zh => format!("{clock}：只有一方的策略有此计时，{tickets} 个工单未比较"),
                Language::En => format!("{clock}: only one of the policies has this clock; {tickets} tickets were not compared"),
            };
            writeln!(text, "{line}").expect("a String takes any text");
        }
        text
    }
}
