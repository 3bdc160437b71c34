//! THE SCHEDULE: when something is due again and again. A cron expression in a zone, with a calendar if it should heed one.
//!
//! # The expression
//! Five fields: minute, hour, day of month, month, day of week; or one of `@hourly`, `@daily`, `@midnight`, `@weekly`,
//! `@monthly`, `@yearly`, `@annually`. A field is a list of `*`, numbers, names (`JAN`, `FRI`), ranges (`1-5`), each with a
//! step (`*/15`, `8-18/2`, `5/10` from 5 on). `H` is some value, always the same for the same seed ([`resolve`]). Days of
//! the month can be `L` (the last), `L-3` (three before it), `LW` (the last working day), `15W` (the working day nearest to
//! the 15th, in the same month); days of the week `5#2` (the second Friday) and `5L` (the last Friday). Working days are those
//! of the calendar, without one Monday to Friday. If both fields for days are restricted, a day that is in either counts, as
//! with every cron; `*` and `?` do not restrict.
//!
//! Sources: fields, lists, ranges and "either of both days" are POSIX (`crontab`); names, steps and macros Vixie cron; `L`,
//! `W`, `#` and `?` are written as Quartz writes them; `H` is Jenkins'; what plans are for is T/DGAG 038-2025, 7.3.1.1 (频次)
//! and 7.3.2.1.1 (巡检频率); working days, start windows and the rule for clock changes are ours: no cron has or shares them.
//!
//! # When clocks change
//! One rule. **An expression whose hour field is every hour ticks at each instant at which the wall clock shows a time that it
//! names. Any other names times of a day, and each comes exactly once: at the first instant at which the wall clock shows it or
//! more.** So a daily `30 2 * * *` comes at 03:00, the instant of the jump, on the day on which 02:30 is jumped over, and once
//! on the day on which there are two 02:30s; and an hourly or ten-minutely one goes on evenly, without a gap of an hour and
//! without a heap. Times that fall onto the same instant are one tick.
//!
//! The Kubernetes CronJob controller does otherwise; what it does, [`CronJob`] says.

mod blackout;
mod civil;
mod days;
mod expression;
mod interval;
mod kubernetes;
mod months;
mod offsets;
mod refusal;
mod spread;

use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Interval};

pub use blackout::Blackout;
pub use interval::AfterCompletion;
pub use kubernetes::{CronJob, Missed, Recent};
pub use refusal::{Field, Refusal};
pub use spread::{hash, resolve};

use days::HORIZON_MONTHS;
use expression::{ALL_HOURS, Expression};
use months::Months;
use offsets::Offsets;

/// The longest start window: what may begin at any time within a day is no schedule.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// After so long without a tick a person should be told: a year, and a day for leap years.
const QUIET: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A schedule as people write it down. Unknown keys are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The cron expression.
    pub cron: String,
    /// The IANA zone in which it is read: `Asia/Shanghai`.
    pub zone: String,
    /// What `H` and the start within a window depend on: the name of what is scheduled.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seed: String,
    /// On which days it ticks.
    #[serde(default)]
    pub days: On,
    /// When it does not tick.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blackouts: Vec<Blackout>,
    /// Within which time after a tick the work may begin; without, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_window: Option<SignedDuration>,
}

/// On which of the days that an expression names a schedule ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// On all of them.
    #[default]
    EveryDay,
    /// On those that are working days of the calendar, make-up days (调休上班) among them.
    WorkingDays,
}

/// A schedule that makes sense.
#[derive(Debug, Clone)]
pub struct Schedule {
    description: Description,
    calendar: Option<Calendar>,
    expression: Expression,
    offsets: Offsets,
    months: Months,
}

/// What a person should be told of a schedule that is silent for more than a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Quiet {
    /// A tick, but far away.
    #[error("it does not fire for over a year: next at {0}")]
    Until(Timestamp),
    /// No tick within forty years.
    #[error("it never fires")]
    ForEver,
}

impl Schedule {
    /// Reads a description; the calendar says which days are working days.
    ///
    /// # Errors
    /// Something that cannot be read or never comes, with its field.
    pub fn try_new(description: Description, calendar: Option<Calendar>) -> Result<Self, Refusal> {
        let zone = find_zone(&description.zone)?;
        let expression = Expression::parse(&resolve(&description.cron, &description.seed)?)?;
        if description.days == On::WorkingDays && calendar.is_none() {
            return Err(Refusal::NoCalendar);
        }
        for (index, blackout) in description.blackouts.iter().enumerate() {
            blackout.check(index)?;
        }
        if description.start_window.is_some_and(|window| window < SignedDuration::from_secs(1) || window > LONGEST_WINDOW) {
            return Err(Refusal::StartWindow);
        }
        Ok(Self { description, calendar, expression, offsets: Offsets::new(&zone), months: Months::default() })
    }

    /// As it was written down.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The calendar that it heeds.
    #[must_use]
    pub fn calendar(&self) -> Option<&Calendar> {
        self.calendar.as_ref()
    }

    /// The first tick after an instant; none if none comes within forty years.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let asked = after.as_second() - i64::from(after.subsec_nanosecond() < 0);
        // Hardly ever needed, and half of the work.
        let last = || self.month_at(asked) + HORIZON_MONTHS;
        let mut after = asked;
        loop {
            let tick = self.tick_after(after, last)?;
            match self.blackout(tick) {
                None => return Timestamp::from_second(tick).ok(),
                Some((_, until)) if self.month_at(until) > last() => return None,
                Some((_, until)) => after = until - 1,
            }
        }
    }

    /// The last tick before an instant; none if there was none within forty years.
    #[must_use]
    pub fn previous(&self, before: Timestamp) -> Option<Timestamp> {
        let mut before = before.as_second() + i64::from(before.subsec_nanosecond() > 0);
        let first = self.month_at(before) - HORIZON_MONTHS;
        loop {
            let tick = self.tick_before(before, first)?;
            match self.blackout(tick) {
                None => return Timestamp::from_second(tick).ok(),
                Some((from, _)) if self.month_at(from) < first => return None,
                Some((from, _)) => before = from,
            }
        }
    }

    /// All ticks from an instant on and before another, in order.
    pub fn ticks(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
        let first = self.next(from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from));
        std::iter::successors(first, |tick| self.next(*tick)).take_while(move |tick| *tick < until)
    }

    /// Whether it is silent for more than a year from now, and until when. A person who wrote it probably meant something else.
    #[must_use]
    pub fn quiet(&self, now: Timestamp) -> Option<Quiet> {
        quiet(now, self.next(now))
    }

    /// The time in which the work of a tick may begin: the start window, cut where a blackout begins or the next tick comes.
    /// Without a start window it is one second.
    #[must_use]
    pub fn window(&self, tick: Timestamp) -> Interval {
        let long = self.description.start_window.unwrap_or(SignedDuration::from_secs(1));
        let mut until = tick.saturating_add(long).unwrap_or(Timestamp::MAX);
        if let Some(next) = self.next(tick) {
            until = until.min(next);
        }
        for blackout in &self.description.blackouts {
            let begins = blackout.begins_between(tick.as_second(), until.as_second(), &self.offsets);
            until = begins.and_then(|begins| Timestamp::from_second(begins).ok()).unwrap_or(until);
        }
        Interval { from: tick, until }
    }

    /// When within the window of a tick the work should begin: a whole second, always the same for the same seed and tick, so
    /// that schedules of one hour do not all begin at once.
    #[must_use]
    pub fn start(&self, tick: Timestamp) -> Timestamp {
        let Interval { until, .. } = self.window(tick);
        let seconds = u64::try_from(until.as_second() - tick.as_second()).unwrap_or(0).max(1);
        let spread = spread::below(seconds, &self.description.seed, &tick.to_string());
        tick.saturating_add(SignedDuration::from_secs(i64::try_from(spread).unwrap_or(0))).unwrap_or(tick)
    }

    fn blackout(&self, tick: i64) -> Option<blackout::Stretch> {
        self.description.blackouts.iter().find_map(|blackout| blackout.around(tick, &self.offsets))
    }

    fn month_at(&self, at: i64) -> i64 {
        months::of(at + self.offsets.ahead_at(at))
    }

    fn follows_the_wall_clock(&self) -> bool {
        self.expression.hours == ALL_HOURS
    }

    fn tick_after(&self, after: i64, last: impl Fn() -> i64 + Copy) -> Option<i64> {
        let mut stretch = self.offsets.stretch(after);
        if !self.follows_the_wall_clock() {
            let wall = self.wall_from(self.offsets.shown(after, stretch) + 1, last)?;
            return Some(self.offsets.first_from(wall, stretch));
        }
        let mut from = after + 1;
        loop {
            let wall = self.wall_from(from + self.offsets.ahead(stretch), last)?;
            let at = wall - self.offsets.ahead(stretch);
            if at < self.offsets.end(stretch) {
                return Some(at);
            }
            from = self.offsets.end(stretch);
            stretch += 1;
        }
    }

    fn tick_before(&self, before: i64, first: i64) -> Option<i64> {
        let mut stretch = self.offsets.stretch(before - 1);
        if !self.follows_the_wall_clock() {
            let wall = self.wall_until(self.offsets.shown(before - 1, stretch), first)?;
            return Some(self.offsets.first_at(wall));
        }
        let mut until = before - 1;
        loop {
            let wall = self.wall_until(until + self.offsets.ahead(stretch), first)?;
            let at = wall - self.offsets.ahead(stretch);
            if at >= self.offsets.start(stretch) {
                return Some(at);
            }
            until = self.offsets.start(stretch) - 1;
            stretch -= 1;
        }
    }
}

/// A zone of the database that jiff brings along: the same answer on every machine. What has no name in it is none, as
/// `Etc/Unknown`.
fn find_zone(name: &str) -> Result<TimeZone, Refusal> {
    let found = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| zone.iana_name().is_some());
    found.ok_or_else(|| Refusal::Zone { zone: name.to_owned() })
}

/// What there is to say of a next tick that is far away, or is not.
fn quiet(now: Timestamp, next: Option<Timestamp>) -> Option<Quiet> {
    match next {
        None => Some(Quiet::ForEver),
        Some(next) if next.duration_since(now) > QUIET => Some(Quiet::Until(next)),
        Some(_) => None,
    }
}
