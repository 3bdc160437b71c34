//! THE CLOCK of one promise: it starts, stands while somebody else is to be waited for, goes on, and stops. What has elapsed
//! survives every change; it is computed from what happened, and never stored.
//!
//! Sources: T/DGAG 038-2025, 7.4.1.1 (响应时限) and 7.4.2.4 (恢复时间), for that there are limits; what counts, what pauses and how a
//! target changes is ours: no clause says how time is counted.

mod due;
mod rule;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use due::{Due, Reading, Warning};
pub use rule::{Basis, Reason, Rule};

/// A clock, as it is recorded. Its fields are private since they are in order: nothing in it is before what it follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct Clock {
    rule: Rule,
    started: Timestamp,
    pauses: Vec<Pause>,
    retargets: Vec<Retarget>,
    stopped: Option<Timestamp>,
}

/// A time during which a clock stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Since when.
    pub from: Timestamp,
    /// Until when; without, it still stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: Reason,
}

/// A change of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retarget {
    /// When.
    pub at: Timestamp,
    /// How much time may pass from the start on.
    pub target: SignedDuration,
    /// Why: `priority 2 → 1`.
    pub cause: String,
}

/// Why a clock does not do as it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A target must be more than nothing, and less than a thousand years.
    #[error("target: {target:#} is not a time in which something can be done")]
    Target {
        /// What was asked.
        target: SignedDuration,
    },
    /// A percentage of nothing, or of more than tenfold.
    #[error("warnings: {percent} % is not between 1 % and 1000 %")]
    Warning {
        /// What was asked.
        percent: u16,
    },
    /// Something is before what it follows.
    #[error("at: {at} is before {last}, the last that happened")]
    Backwards {
        /// When it is said to have happened.
        at: Timestamp,
        /// What it follows.
        last: Timestamp,
    },
    /// The clock stopped.
    #[error("the clock has stopped")]
    Stopped,
    /// It stands already, for the same reason.
    #[error("the clock stands already, for this reason")]
    Paused,
    /// It does not stand.
    #[error("the clock is not standing")]
    Running,
}

impl Clock {
    /// Starts one.
    ///
    /// # Errors
    /// A target or a warning that makes no sense.
    pub fn start(rule: Rule, at: Timestamp) -> Result<Self, Refusal> {
        check_target(rule.target)?;
        if let Some(percent) = rule.warnings.iter().find(|percent| !(1..=1000).contains(*percent)) {
            return Err(Refusal::Warning { percent: *percent });
        }
        Ok(Self { rule, started: at, pauses: Vec::new(), retargets: Vec::new(), stopped: None })
    }

    /// Lets it stand. One that stands for another reason goes on to stand for this one.
    ///
    /// # Errors
    /// It stopped, stands for this reason already, or something happened later.
    pub fn pause(&mut self, at: Timestamp, reason: Reason) -> Result<(), Refusal> {
        self.follows(at)?;
        if let Some(pause) = self.open_pause() {
            if pause.reason == reason {
                return Err(Refusal::Paused);
            }
            pause.until = Some(at);
        }
        self.pauses.push(Pause { from: at, until: None, reason });
        Ok(())
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It stopped, does not stand, or something happened later.
    pub fn resume(&mut self, at: Timestamp) -> Result<(), Refusal> {
        self.follows(at)?;
        self.open_pause().ok_or(Refusal::Running)?.until = Some(at);
        Ok(())
    }

    /// Changes its target; what has elapsed stays.
    ///
    /// # Errors
    /// It stopped, the target makes no sense, or something happened later.
    pub fn retarget(&mut self, at: Timestamp, target: SignedDuration, cause: impl Into<String>) -> Result<(), Refusal> {
        check_target(target)?;
        self.follows(at)?;
        self.retargets.push(Retarget { at, target, cause: cause.into() });
        Ok(())
    }

    /// Stops it: what it waited for has happened. A pause ends with it.
    ///
    /// # Errors
    /// It stopped before, or something happened later.
    pub fn stop(&mut self, at: Timestamp) -> Result<(), Refusal> {
        self.follows(at)?;
        if let Some(pause) = self.open_pause() {
            pause.until = Some(at);
        }
        self.stopped = Some(at);
        Ok(())
    }

    /// Lets a stopped one go on: the ticket was reopened, for it is closed only once the user confirms (T/DGAG 038-2025,
    /// 7.4.1.6). The time between does not count.
    ///
    /// # Errors
    /// It has not stopped, or it did so later.
    pub fn reopen(&mut self, at: Timestamp) -> Result<(), Refusal> {
        let stopped = self.stopped.ok_or(Refusal::Running)?;
        if at < stopped {
            return Err(Refusal::Backwards { at, last: stopped });
        }
        self.pauses.push(Pause { from: stopped, until: Some(at), reason: Reason::Stopped });
        self.stopped = None;
        Ok(())
    }

    /// What it counts, with the target that it began with.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The target in force.
    #[must_use]
    pub fn target(&self) -> SignedDuration {
        self.retargets.last().map_or(self.rule.target, |retarget| retarget.target)
    }

    /// When it started.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// When it stopped.
    #[must_use]
    pub fn stopped(&self) -> Option<Timestamp> {
        self.stopped
    }

    /// The times during which it stood, in order and apart.
    #[must_use]
    pub fn pauses(&self) -> &[Pause] {
        &self.pauses
    }

    /// The changes of its target, in order.
    #[must_use]
    pub fn retargets(&self) -> &[Retarget] {
        &self.retargets
    }

    /// The pause that lasts.
    #[must_use]
    pub fn standing(&self) -> Option<&Pause> {
        self.pauses.last().filter(|pause| pause.until.is_none())
    }

    fn open_pause(&mut self) -> Option<&mut Pause> {
        self.pauses.last_mut().filter(|pause| pause.until.is_none())
    }

    fn follows(&self, at: Timestamp) -> Result<(), Refusal> {
        if self.stopped.is_some() {
            return Err(Refusal::Stopped);
        }
        let paused = self.pauses.last().map(|pause| pause.until.unwrap_or(pause.from));
        let retargeted = self.retargets.last().map(|retarget| retarget.at);
        let last = [Some(self.started), paused, retargeted].into_iter().flatten().max().unwrap_or(self.started);
        if at < last { Err(Refusal::Backwards { at, last }) } else { Ok(()) }
    }
}

fn check_target(target: SignedDuration) -> Result<(), Refusal> {
    let longest = SignedDuration::from_hours(1000 * 366 * 24);
    if target >= SignedDuration::from_micros(1) && target < longest { Ok(()) } else { Err(Refusal::Target { target }) }
}

/// As it is written down; what is read goes through the same doors as what happens.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    rule: Rule,
    started: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pauses: Vec<Pause>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retargets: Vec<Retarget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<Timestamp>,
}

impl From<Clock> for Record {
    fn from(Clock { rule, started, pauses, retargets, stopped }: Clock) -> Self {
        Self { rule, started, pauses, retargets, stopped }
    }
}

impl TryFrom<Record> for Clock {
    type Error = Refusal;

    fn try_from(record: Record) -> Result<Self, Refusal> {
        let mut clock = Self::start(record.rule, record.started)?;
        let mut last = record.started;
        for pause in &record.pauses {
            for at in [Some(pause.from), pause.until].into_iter().flatten() {
                if at < last {
                    return Err(Refusal::Backwards { at, last });
                }
                last = at;
            }
        }
        // Only the last may still last.
        if record.pauses.iter().rev().skip(1).any(|pause| pause.until.is_none()) {
            return Err(Refusal::Paused);
        }
        let mut changed = record.started;
        for retarget in &record.retargets {
            check_target(retarget.target)?;
            if retarget.at < changed {
                return Err(Refusal::Backwards { at: retarget.at, last: changed });
            }
            changed = retarget.at;
        }
        if let Some(at) = record.stopped {
            let last = last.max(changed);
            if at < last {
                return Err(Refusal::Backwards { at, last });
            }
            if record.pauses.last().is_some_and(|pause| pause.until.is_none()) {
                return Err(Refusal::Paused);
            }
        }
        clock.pauses = record.pauses;
        clock.retargets = record.retargets;
        clock.stopped = record.stopped;
        Ok(clock)
    }
}
