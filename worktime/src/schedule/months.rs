//! THE MONTHS: the days that a schedule names, found once a month and kept; and from them the wall times.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::civil::Date;

use super::{On, Schedule, civil};

/// The first month that is kept, counted from January of the year 0: that of 2000.
const FIRST: i64 = 2000 * 12;
/// How many are: a hundred years, 5 KB.
const KEPT: usize = 100 * 12;
/// Set once a month has been looked at; there is no day 0.
const KNOWN: u32 = 1;

/// For each month the days on which there are ticks, as bits 1 to 31. What is kept here follows from the schedule alone, so
/// that nobody can tell whether it has been.
#[derive(Debug)]
pub(super) struct Months(Box<[AtomicU32]>);

impl Default for Months {
    fn default() -> Self {
        Self((0..KEPT).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Clone for Months {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The day before each month that is kept begins, and before the one after them.
static BEFORE: [i64; KEPT + 1] = {
    let mut before = [0; KEPT + 1];
    let mut month = 0;
    while month <= KEPT {
        before[month] = civil::days(2000, month as i64 + 1, 0);
        month += 1;
    }
    before
};

/// The month that a counted day is in, and the day before that began.
#[inline]
fn containing(day: i64) -> (i64, i64) {
    let since = day - BEFORE[0] - 1;
    if (0..BEFORE[KEPT] - BEFORE[0]).contains(&since) {
        // From the mean length of a month no beginning is further away than four days: this month, or the one before it.
        let guess = ((since - 4).max(0) * 48 / 1461) as usize;
        let month = guess + usize::from(BEFORE[guess + 1] < day);
        return (FIRST + month as i64, BEFORE[month]);
    }
    let (year, month, date) = civil::date(day);
    (year * 12 + month - 1, day - date)
}

/// The month of a wall time.
pub(super) fn of(wall: i64) -> i64 {
    containing(wall.div_euclid(civil::DAY)).0
}

impl Schedule {
    /// The days of a month on which there are ticks.
    #[inline]
    fn days_of(&self, month: i64) -> u64 {
        let kept = usize::try_from(month - FIRST).ok().and_then(|index| self.months.0.get(index));
        let Some(kept) = kept else { return self.find_days(month).into() };
        match kept.load(Ordering::Relaxed) {
            0 => {
                let found = self.find_days(month);
                kept.store(found | KNOWN, Ordering::Relaxed);
                found.into()
            }
            known => (known & !KNOWN).into(),
        }
    }

    fn find_days(&self, month: i64) -> u32 {
        let is_working = |day: i64| match &self.calendar {
            Some(calendar) => date(day).is_some_and(|date| calendar.is_working_day(date)),
            None => (1..=5).contains(&civil::weekday(day)),
        };
        let mut found = self.expression.days.of_month(month, is_working);
        if self.description.days == On::WorkingDays {
            let before = civil::days(month.div_euclid(12), month.rem_euclid(12) + 1, 1) - 1;
            for day in (1..=31).filter(|day| found & (1 << day) != 0).collect::<Vec<i64>>() {
                if !is_working(before + day) {
                    found &= !(1 << day);
                }
            }
        }
        found
    }

    /// The first wall time that is named, this or later, in no month after the last; in whole minutes, given as seconds.
    #[inline]
    pub(super) fn wall_from(&self, wall: i64, last: impl FnOnce() -> i64) -> Option<i64> {
        let minute = (wall + 59).div_euclid(60);
        let (day, of_day) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        let (mut month, mut before) = containing(day);
        let today = day - before;
        let time = self.time_from(of_day);
        let mut days = self.days_of(month) & (u64::MAX << today << u32::from(time.is_none()));
        if days == 0 {
            let last = last();
            while days == 0 {
                month += 1;
                if month > last {
                    return None;
                }
                days = self.days_of(month);
            }
            before = civil::days(month.div_euclid(12), month.rem_euclid(12) + 1, 0);
        }
        let found = before + i64::from(days.trailing_zeros());
        let time = if found == day { time? } else { self.time_from(0)? };
        Some((found * 1440 + time) * 60)
    }

    /// The last wall time that is named, this or earlier.
    pub(super) fn wall_until(&self, wall: i64, first: i64) -> Option<i64> {
        let minute = wall.div_euclid(60);
        let (mut day, of_day) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        let (mut month, before) = containing(day);
        let date = day - before;
        let days = self.days_of(month);
        if days & (1 << date) != 0
            && let Some(time) = self.time_until(of_day)
        {
            return Some((day * 1440 + time) * 60);
        }
        let mut earlier = days & ((1 << date) - 1);
        day = before;
        while earlier == 0 {
            month -= 1;
            if month < first {
                return None;
            }
            earlier = self.days_of(month);
            day = civil::days(month.div_euclid(12), month.rem_euclid(12) + 1, 0);
        }
        let time = self.time_until(1439)?;
        Some(((day + i64::from(earlier.ilog2())) * 1440 + time) * 60)
    }

    /// Minutes after midnight of the first time of a day that is named, this or later.
    #[inline]
    fn time_from(&self, of_day: i64) -> Option<i64> {
        let (hours, minutes) = (self.expression.hours, self.expression.minutes);
        let (hour, minute) = (of_day / 60, of_day % 60);
        let rest = minutes & (u64::MAX << minute);
        let this = hours >> hour & u64::from(rest != 0) & 1;
        let minute = if this == 0 { minutes } else { rest }.trailing_zeros();
        let hours = hours & (u64::MAX << hour << (1 - this));
        (hours != 0).then(|| i64::from(hours.trailing_zeros() * 60 + minute))
    }

    fn time_until(&self, of_day: i64) -> Option<i64> {
        let (hours, minutes) = (self.expression.hours, self.expression.minutes);
        let (hour, minute) = (of_day / 60, of_day % 60);
        if hours & (1 << hour) != 0 {
            let rest = minutes & ((2 << minute) - 1);
            if rest != 0 {
                return Some(hour * 60 + i64::from(rest.ilog2()));
            }
        }
        let rest = hours & ((1 << hour) - 1);
        (rest != 0).then(|| i64::from(rest.ilog2()) * 60 + i64::from(minutes.ilog2()))
    }
}

/// The same day for a calendar; none beyond the years that it knows.
pub(super) fn date(day: i64) -> Option<Date> {
    let (year, month, date) = civil::date(day);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(date).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_of_a_day_is_that_of_its_date_within_the_kept_years_and_beyond() {
        for day in civil::days(1899, 1, 1)..civil::days(2201, 1, 1) {
            let (year, month, date) = civil::date(day);
            assert_eq!(containing(day), (year * 12 + month - 1, day - date), "{year}-{month}-{date}");
        }
    }
}
