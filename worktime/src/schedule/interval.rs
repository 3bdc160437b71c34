//! THE INTERVAL: due so many days after it was last done, as maintenance is (T/DGAG 038-2025, 7.3.1). No cron says this.
//!
//! Sources: T/DGAG 038-2025, 7.3.1.1 (频次) and 7.3.1.4 (调整检查和保养计划); that the days count from when it was done is ours: the
//! clauses do not say from when.

use jiff::Timestamp;

use crate::calendar::{Calendar, Shift};

use super::{Blackout, On, Refusal, civil, find_zone, months, offsets::Offsets};

/// Due every so many days, counted from the day on which the work was completed, at the beginning of a shift's time of day.
#[derive(Debug, Clone)]
pub struct AfterCompletion {
    days: u16,
    minute: u16,
    on: On,
    calendar: Option<Calendar>,
    blackouts: Vec<Blackout>,
    offsets: Offsets,
}

/// The longest interval in days: ten years.
const LONGEST: u16 = 3660;
/// How far a day off or a blackout may move it, in days: forty years, as with every schedule.
const FARTHEST: i64 = 40 * 366;

impl AfterCompletion {
    /// Every so many days, in a zone, at a time: that at which a shift begins (`09:00-17:00` means nine o'clock). On working
    /// days only, it moves on to the first that is one; a blackout moves it on by days, too.
    ///
    /// # Errors
    /// No days or more than ten years of them, an unknown zone, a blackout that makes no sense, working days without a calendar.
    pub fn try_new(
        days: u16,
        at: Shift,
        zone: &str,
        on: On,
        calendar: Option<Calendar>,
        blackouts: Vec<Blackout>,
    ) -> Result<Self, Refusal> {
        if !(1..=LONGEST).contains(&days) {
            return Err(Refusal::Interval);
        }
        if on == On::WorkingDays && calendar.is_none() {
            return Err(Refusal::NoCalendar);
        }
        for (index, blackout) in blackouts.iter().enumerate() {
            blackout.check(index)?;
        }
        Ok(Self { days, minute: at.begin(), on, calendar, blackouts, offsets: Offsets::new(&find_zone(zone)?) })
    }

    /// When it is due again; none if days off or blackouts leave no time for it within forty years.
    #[must_use]
    pub fn next(&self, completed: Timestamp) -> Option<Timestamp> {
        let second = completed.as_second() - i64::from(completed.subsec_nanosecond() < 0);
        let today = (second + self.offsets.ahead_at(second)).div_euclid(civil::DAY);
        let first = today + i64::from(self.days);
        (first..first + FARTHEST).filter(|day| self.is_possible(*day)).find_map(|day| {
            let at = self.offsets.first_at(day * civil::DAY + i64::from(self.minute) * 60);
            let free = self.blackouts.iter().all(|blackout| blackout.around(at, &self.offsets).is_none());
            if free { Timestamp::from_second(at).ok() } else { None }
        })
    }

    fn is_possible(&self, day: i64) -> bool {
        match (&self.calendar, self.on) {
            (Some(calendar), On::WorkingDays) => months::date(day).is_some_and(|date| calendar.is_working_day(date)),
            _ => true,
        }
    }
}
