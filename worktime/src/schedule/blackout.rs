//! THE BLACKOUT: time in which nothing is begun: a change freeze, a meeting that is guarded (T/DGAG 038-2025, 7.4.8).
//!
//! Sources: ours: no clause names a time in which nothing may begin; a meeting that is to be guarded is T/DGAG 038-2025,
//! 7.4.8.

use serde::{Deserialize, Serialize};

use crate::calendar::{Interval, Week, Weekday};

use super::{civil, offsets::Offsets, refusal::Refusal};

/// Time in which a schedule does not tick. A tick inside is dropped, not made up for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blackout {
    /// Once: a change freeze, an election night.
    Once(Interval),
    /// Every week, by the wall clock of the schedule's zone: office hours.
    Weekly(Week),
}

/// A stretch in whole seconds: with its beginning and without its end.
pub(super) type Stretch = (i64, i64);

impl Blackout {
    pub(super) fn check(&self, index: usize) -> Result<(), Refusal> {
        let sound = match self {
            Self::Once(interval) => interval.from < interval.until,
            Self::Weekly(week) => week.is_open(),
        };
        if sound { Ok(()) } else { Err(Refusal::Blackout { index }) }
    }

    /// The stretch of it that an instant is in.
    pub(super) fn around(&self, at: i64, offsets: &Offsets) -> Option<Stretch> {
        match self {
            Self::Once(interval) => Some(whole(*interval)),
            // A shift ends on the day after it began at the latest; one more, since a zone may jump over the date line.
            Self::Weekly(week) => {
                let today = civil_day(at, offsets);
                (today - 2..=today).flat_map(|day| shifts(week, day, offsets)).find(|stretch| holds(*stretch, at))
            }
        }
        .filter(|stretch| holds(*stretch, at))
    }

    /// The first instant of it after one and before another.
    pub(super) fn begins_between(&self, after: i64, before: i64, offsets: &Offsets) -> Option<i64> {
        match self {
            Self::Once(interval) => Some(whole(*interval).0).filter(|from| (after + 1..before).contains(from)),
            Self::Weekly(week) => (civil_day(after, offsets)..=civil_day(before, offsets))
                .flat_map(|day| shifts(week, day, offsets))
                .map(|(from, _)| from)
                .find(|from| (after + 1..before).contains(from)),
        }
    }
}

fn holds((from, until): Stretch, at: i64) -> bool {
    from <= at && at < until
}

/// The whole seconds in it.
fn whole(interval: Interval) -> Stretch {
    let up = |at: jiff::Timestamp| at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    (up(interval.from), up(interval.until))
}

fn civil_day(at: i64, offsets: &Offsets) -> i64 {
    (at + offsets.ahead_at(at)).div_euclid(civil::DAY)
}

/// Those that begin on a day.
fn shifts(week: &Week, day: i64, offsets: &Offsets) -> impl Iterator<Item = Stretch> {
    let from_monday = usize::try_from((civil::weekday(day) + 6) % 7).unwrap_or(0);
    let wall = move |minute: u16| offsets.first_at(day * civil::DAY + i64::from(minute) * 60);
    week.hours(Weekday::ALL[from_monday]).iter().map(move |shift| (wall(shift.begin()), wall(shift.end())))
}
