//! THE CRONJOB: what the Kubernetes CronJob controller does with a schedule, predicted. It is robfig/cron v3 in a zone, its
//! oddities at clock changes included, and the controller's way of finding the tick that it works on; both followed step by
//! step from their sources (Kubernetes 1.34), and held against them in `tests/it/cronjob.rs`.
//!
//! Sources: Kubernetes, the `batch/v1` API and `pkg/controller/cronjob`; robfig/cron v3; the IANA database for the zones;
//! what is said of a long silence ([`super::Quiet`]), and the refusal of what never comes, are ours, since the controller
//! says nothing then.

mod parse;
mod spec;

use jiff::{SignedDuration, Timestamp};

use super::{Quiet, Refusal, find_zone, offsets::Offsets, quiet};

use parse::Parsed;

/// A schedule as a CronJob has it: `batch/v1`, `spec.schedule` and `spec.timeZone`.
#[derive(Debug, Clone)]
pub struct CronJob {
    parsed: Parsed,
    offsets: Offsets,
}

/// How many ticks have passed unheeded, as the controller counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// None.
    None,
    /// At most 100.
    Few,
    /// More than 100: it then says so in an event, `TooManyMissedTimes` (Kubernetes documentation, "CronJob limitations").
    Many,
}

/// What the controller finds when it looks at a CronJob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent {
    /// The tick for which it makes a Job now; none if none is due.
    pub tick: Option<Timestamp>,
    /// How many have passed.
    pub missed: Missed,
}

impl CronJob {
    /// Reads `spec.schedule` and `spec.timeZone` as the API server does, and refuses what it refuses; and also what it takes
    /// and the controller then never fires.
    ///
    /// # Errors
    /// What cannot be read or never comes, with its field.
    pub fn try_new(schedule: &str, zone: &str) -> Result<Self, Refusal> {
        let found = find_zone(zone)?;
        // There a zone is a file's name, and upper and lower case are not the same.
        if found.iana_name() != Some(zone) {
            return Err(Refusal::Zone { zone: zone.to_owned() });
        }
        let cron_job = Self { parsed: Parsed::read(schedule)?, offsets: Offsets::new(&found) };
        match &cron_job.parsed {
            // A day that is in no year is in none of these: they have every length of February.
            Parsed::Spec(spec) if !spec.ever_comes() => Err(spec.never(schedule)),
            _ => Ok(cron_job),
        }
    }

    /// The first tick after an instant; none if none comes within five years, for then the controller gives up; and none
    /// beyond a date that the zone left out whole (Apia, 2011-12-30): there the library searches for ever.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let second = after.as_second() - i64::from(after.subsec_nanosecond() < 0);
        let next = match &self.parsed {
            Parsed::Spec(spec) => spec.next(second, &self.offsets)?,
            Parsed::Every(seconds) => second.checked_add(*seconds)?,
        };
        Timestamp::from_second(next).ok()
    }

    /// All ticks from an instant on and before another, in order.
    pub fn ticks(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
        let first = self.next(from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from));
        std::iter::successors(first, |tick| self.next(*tick)).take_while(move |tick| *tick < until)
    }

    /// Whether it is silent for more than a year from now, and until when. The controller looks no farther than five years.
    #[must_use]
    pub fn quiet(&self, now: Timestamp) -> Option<Quiet> {
        quiet(now, self.next(now))
    }

    /// The tick on which the controller works now: the latest since the last one (or the CronJob's creation), not older than
    /// the starting deadline (`spec.startingDeadlineSeconds`). Its way of counting (`mostRecentScheduleTime` in
    /// `pkg/controller/cronjob/utils.go`) is rough, and so is what it finds where ticks are not evenly apart.
    #[must_use]
    pub fn recent(&self, last: Timestamp, starting_deadline: Option<SignedDuration>, now: Timestamp) -> Recent {
        let none = Recent { tick: None, missed: Missed::None };
        let earliest = match starting_deadline.and_then(|deadline| now.checked_sub(deadline).ok()) {
            Some(deadline) => last.max(deadline),
            None => last,
        };
        let Some(first) = self.next(earliest) else { return none };
        if now < first {
            return none;
        }
        // No second tick: the controller has the zero time there, which is before everything, and calls it an error.
        let Some(second) = self.next(first) else { return none };
        if now < second {
            return Recent { tick: Some(first), missed: Missed::None };
        }
        let between = second.as_second() - first.as_second();
        let passed = now.duration_since(first).as_secs() / between + 1;
        let seconds = SignedDuration::from_secs(passed.saturating_sub(2).saturating_mul(between));
        let near = first.saturating_add(seconds).unwrap_or(first);
        let tick = std::iter::successors(self.next(near), |tick| self.next(*tick)).take_while(|tick| *tick <= now).last();
        Recent { tick, missed: if passed > 100 { Missed::Many } else { Missed::Few } }
    }
}
