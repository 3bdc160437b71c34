//! WHEN: what has elapsed on a clock, when it is due, and when it warns. Exact to the microsecond; one pass over the pauses.
//!
//! Sources: T/DGAG 038-2025, 7.4.1.1 and 7.4.2.4, for the limits; when one is missed, what a pause takes off, how a change of
//! target counts and that there are warnings is ours: no clause says how time is counted.

use jiff::{SignedDuration, Timestamp};

use super::{Basis, Clock};
use crate::timeline::{OutOfRange, Timeline, instant, micros};

/// When something falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At this instant, if nothing more happens.
    At(Timestamp),
    /// Not while the clock stands; afterwards this much may still pass.
    Standing {
        /// Always more than nothing.
        remaining: SignedDuration,
    },
}

/// What a clock shows at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What it has counted.
    pub elapsed: SignedDuration,
    /// What may still pass; negative after the target.
    pub remaining: SignedDuration,
    /// When it is due.
    pub due: Due,
    /// Whether it was missed: the due instant has come, and the clock had not stopped by then.
    pub is_breached: bool,
}

/// A warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// At which percentage of the target.
    pub percent: u16,
    /// When.
    pub due: Due,
}

impl Clock {
    /// When it is due: the instant since which more has elapsed than the target in force at each time. So a change of target
    /// cannot be missed before it was made, and cannot undo a miss unless it leaves time. Held until the service opens if the
    /// rule says so. A stopped clock answers as if it had gone on.
    ///
    /// # Errors
    /// The timeline does not reach that far.
    pub fn due(&self, timeline: &Timeline) -> Result<Due, OutOfRange> {
        self.held(timeline, 100)
    }

    /// When it warns: as it is due, for the rule's percentages of the target.
    ///
    /// # Errors
    /// The timeline does not reach that far.
    pub fn warnings(&self, timeline: &Timeline) -> Result<Vec<Warning>, OutOfRange> {
        let warning = |percent: &u16| Ok(Warning { percent: *percent, due: self.held(timeline, *percent)? });
        self.rule.warnings.iter().map(warning).collect()
    }

    /// What it had counted by an instant. Pauses are taken as far as they had come by then.
    ///
    /// # Errors
    /// The timeline does not reach that far.
    pub fn elapsed(&self, timeline: &Timeline, at: Timestamp) -> Result<SignedDuration, OutOfRange> {
        let at = micros(self.stopped.map_or(at, |stopped| stopped.min(at)));
        let start = micros(self.started);
        if at <= start {
            return Ok(SignedDuration::ZERO);
        }
        let mut elapsed = self.counted(timeline, start, at)?;
        for pause in &self.pauses {
            let from = micros(pause.from);
            if from >= at {
                break;
            }
            let until = pause.until.map_or(at, |until| micros(until).min(at));
            elapsed -= self.counted(timeline, from, until)?;
        }
        Ok(SignedDuration::from_micros(elapsed))
    }

    /// What it shows at an instant, of what is recorded.
    ///
    /// # Errors
    /// The timeline does not reach that far.
    pub fn read(&self, timeline: &Timeline, at: Timestamp) -> Result<Reading, OutOfRange> {
        let elapsed = self.elapsed(timeline, at)?;
        let due = self.due(timeline)?;
        let by = self.stopped.map_or(at, |stopped| stopped.min(at));
        // One that stopped at the very instant at which it was due, was in time.
        let is_breached = match due {
            Due::At(due) => by > due || (by == due && self.stopped.is_none_or(|stopped| stopped > at)),
            Due::Standing { .. } => false,
        };
        Ok(Reading { elapsed, remaining: self.target() - elapsed, due, is_breached })
    }

    fn held(&self, timeline: &Timeline, percent: u16) -> Result<Due, OutOfRange> {
        match self.reached(timeline, percent)? {
            Due::At(at) if self.rule.hold_to_service_hours => timeline.hold(at).map(Due::At),
            due => Ok(due),
        }
    }

    /// Since when so much of the target in force at each time has been counted.
    pub(crate) fn reached(&self, timeline: &Timeline, percent: u16) -> Result<Due, OutOfRange> {
        let mut target = self.target();
        for (index, retarget) in self.retargets.iter().enumerate().rev() {
            let elapsed = micros_of(self.elapsed(timeline, retarget.at)?);
            if elapsed < part(target, percent) {
                break;
            }
            target = if index == 0 { self.rule.target } else { self.retargets[index - 1].target };
            if elapsed < part(target, percent) {
                // There was time left, and the change took it.
                return Ok(Due::At(retarget.at));
            }
        }
        let amount = part(target, percent);
        let reached = match self.rule.basis {
            Basis::AroundTheClock => self.reach(amount, Some, Some),
            Basis::WorkingTime => self.reach(amount, |at| timeline.open(at), |open| timeline.reached(open)),
        };
        Ok(match reached.ok_or_else(|| timeline.out_of_range())? {
            Reached::At(at) => Due::At(instant(at)),
            Reached::Standing { remaining } => Due::Standing { remaining: SignedDuration::from_micros(remaining) },
        })
    }

    /// The first instant at which so much has been counted; none outside the timeline. `count` gives what is countable before an
    /// instant, `find` the first instant before which so much is countable.
    #[inline]
    fn reach(&self, amount: i64, count: impl Fn(i64) -> Option<i64>, find: impl Fn(i64) -> Option<i64>) -> Option<Reached> {
        // What must be countable before the instant: pauses put it off.
        let mut goal = count(micros(self.started))?.saturating_add(amount);
        for pause in &self.pauses {
            let before = count(micros(pause.from))?;
            if before >= goal {
                break;
            }
            match pause.until {
                Some(until) => goal = goal.saturating_add(count(micros(until))? - before),
                None => return Some(Reached::Standing { remaining: goal - before }),
            }
        }
        find(goal).map(Reached::At)
    }

    /// Countable time between two instants.
    fn counted(&self, timeline: &Timeline, from: i64, until: i64) -> Result<i64, OutOfRange> {
        match self.rule.basis {
            Basis::AroundTheClock => Ok(until - from),
            Basis::WorkingTime => {
                let before = |at| timeline.open(at).ok_or_else(|| timeline.out_of_range());
                Ok(before(until)? - before(from)?)
            }
        }
    }
}

enum Reached {
    At(i64),
    Standing { remaining: i64 },
}

/// A percentage, rounded up: a warning is not early.
fn part(target: SignedDuration, percent: u16) -> i64 {
    let target = micros_of(target);
    if percent == 100 {
        return target;
    }
    i64::try_from((i128::from(target) * i128::from(percent) + 99) / 100).unwrap_or(i64::MAX)
}

fn micros_of(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
