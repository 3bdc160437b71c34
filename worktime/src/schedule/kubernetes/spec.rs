//! THE SPEC of robfig/cron v3: its search for the next tick, with the same results where clocks change. What it walks through
//! minute by minute is crossed in one step where no clock change lies between.

use super::super::{
    civil::{self, DAY},
    offsets::Offsets,
    refusal::{Field, Refusal},
};

/// Set in a field that has a star, which does not restrict.
pub(super) const STAR: u64 = 1 << 63;
/// It gives up after so many years.
const YEARS: i64 = 5;

/// Bits for each field; the second is 0.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) minutes: u64,
    pub(super) hours: u64,
    pub(super) dates: u64,
    pub(super) months: u64,
    pub(super) weekdays: u64,
}

/// An instant and what the wall clock shows then.
#[derive(Clone, Copy)]
struct Seen {
    at: i64,
    wall: i64,
    year: i64,
    month: i64,
    day: i64,
}

impl Seen {
    fn new(at: i64, offsets: &Offsets) -> Self {
        let wall = at + offsets.ahead_at(at);
        let (year, month, day) = civil::date(wall.div_euclid(DAY));
        Self { at, wall, year, month, day }
    }

    fn hour(self) -> i64 {
        self.wall.rem_euclid(DAY) / 3600
    }

    fn minute(self) -> i64 {
        self.wall.rem_euclid(3600) / 60
    }

    fn second(self) -> i64 {
        self.wall.rem_euclid(60)
    }

    /// Go's `time.Date`: of a wall time that does not exist or comes twice it gives one or the other, by this rule.
    fn dated(year: i64, month: i64, day: i64, of_day: i64, offsets: &Offsets) -> Self {
        let wall = civil::days(year, month, day) * DAY + of_day;
        let first = wall - offsets.ahead_at(wall);
        Self::new(wall - offsets.ahead_at(first), offsets)
    }

    /// So many steps on, if no clock changes on the way; else one.
    fn on(self, step: i64, steps: u32, offsets: &Offsets) -> Self {
        let far = self.at + step * i64::from(steps);
        let clear = offsets.stretch(self.at) == offsets.stretch(far);
        Self::new(if clear { far } else { self.at + step }, offsets)
    }
}

/// Steps from a value to the next that is named, or to the end of the field.
fn steps(bits: u64, value: i64, size: i64) -> u32 {
    let end = u32::try_from(size - value).unwrap_or(1);
    ((bits & !STAR) >> value).trailing_zeros().clamp(1, end)
}

impl Spec {
    fn day_matches(&self, seen: Seen) -> bool {
        let date = self.dates & (1 << seen.day) != 0;
        let weekday = self.weekdays & (1 << civil::weekday(seen.wall.div_euclid(DAY))) != 0;
        if (self.dates | self.weekdays) & STAR != 0 { date && weekday } else { date || weekday }
    }

    /// The first tick after a second.
    pub(super) fn next(&self, after: i64, offsets: &Offsets) -> Option<i64> {
        let mut seen = Seen::new(after + 1, offsets);
        let mut added = false;
        let limit = seen.year + YEARS;
        'wrap: loop {
            if seen.year > limit {
                return None;
            }
            while self.months & (1 << seen.month) == 0 {
                if !added {
                    added = true;
                    seen = Seen::dated(seen.year, seen.month, 1, 0, offsets);
                }
                seen = Seen::dated(seen.year, seen.month + 1, seen.day, seen.wall.rem_euclid(DAY), offsets);
                if seen.month == 1 {
                    continue 'wrap;
                }
            }
            while !self.day_matches(seen) {
                if !added {
                    added = true;
                    seen = Seen::dated(seen.year, seen.month, seen.day, 0, offsets);
                }
                let before = seen.at;
                seen = Seen::dated(seen.year, seen.month, seen.day + 1, seen.wall.rem_euclid(DAY), offsets);
                // A day that a zone leaves out whole, as Apia did 2011-12-30, is one that the library never gets past.
                if seen.at <= before {
                    return None;
                }
                // Midnight does not exist everywhere every day.
                match seen.hour() {
                    0 => {}
                    hour @ 13.. => seen = Seen::new(seen.at + (24 - hour) * 3600, offsets),
                    hour => seen = Seen::new(seen.at - hour * 3600, offsets),
                }
                if seen.day == 1 {
                    continue 'wrap;
                }
            }
            while self.hours & (1 << seen.hour()) == 0 {
                if !added {
                    added = true;
                    seen = Seen::dated(seen.year, seen.month, seen.day, seen.hour() * 3600, offsets);
                }
                seen = seen.on(3600, steps(self.hours, seen.hour(), 24), offsets);
                if seen.hour() == 0 {
                    continue 'wrap;
                }
            }
            while self.minutes & (1 << seen.minute()) == 0 {
                if !added {
                    added = true;
                    seen = Seen::new(seen.at - seen.at.rem_euclid(60), offsets);
                }
                seen = seen.on(60, steps(self.minutes, seen.minute(), 60), offsets);
                if seen.minute() == 0 {
                    continue 'wrap;
                }
            }
            while seen.second() != 0 {
                added = true;
                seen = seen.on(1, u32::try_from(60 - seen.second()).unwrap_or(1), offsets);
                if seen.second() == 0 {
                    continue 'wrap;
                }
            }
            return Some(seen.at);
        }
    }

    /// Whether there is such a day in any year.
    pub(super) fn ever_comes(&self) -> bool {
        let times = self.minutes & !STAR != 0 && self.hours & !STAR != 0;
        let mut days = civil::days(2000, 1, 1)..civil::days(2029, 1, 1);
        times
            && days.any(|counted| {
                let (year, month, day) = civil::date(counted);
                let seen = Seen { at: 0, wall: counted * DAY, year, month, day };
                self.months & (1 << month) != 0 && self.day_matches(seen)
            })
    }

    /// The refusal of one that never comes: the field that is empty, or asks for a day that the months do not have.
    pub(super) fn never(&self, text: &str) -> Refusal {
        let sets = [self.minutes, self.hours, self.dates, self.months, self.weekdays];
        let empty = Field::ALL.into_iter().zip(sets).find(|(_, bits)| bits & !STAR == 0);
        let field = empty.map_or(Field::DayOfMonth, |(field, _)| field);
        Refusal::Never { field, text: text.to_owned() }
    }
}
