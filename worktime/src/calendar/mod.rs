//! THE CALENDAR: when a service is open. [`Description`] is how people write one down (YAML, JSON); [`Calendar`] is one that
//! was found to make sense, and answers.
//!
//! Sources: the State Council for which days are holidays (《全国年节及纪念日放假办法》 and the yearly notice of its General Office, in
//! [`crate::holidays`]); ISO 8601-1 (GB/T 7408.1) for dates and times of day; the IANA database for zones; layers, and which
//! of them decides, are ours: no clause knows calendars.

mod check;
mod day;
mod description;
mod shift;
mod wall;

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

pub use check::Refusal;
pub use day::{Day, DayKind};
pub use description::{Description, Holiday, Layer, MakeUp, Override, Week, Weekday};
pub use shift::{Shift, ShiftError};

/// A stretch of time: from its first instant up to, and without, its last (as `DTSTART` and `DTEND` of RFC 5545, 3.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant that is no longer part of it.
    pub until: Timestamp,
}

/// A calendar that makes sense: it has open time and no overlapping shifts, and its zone is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    description: Description,
    zone: TimeZone,
    /// For each layer what it says about single dates.
    special: Vec<BTreeMap<Date, Special>>,
    coverage_until: Option<Date>,
}

/// What a layer says about one date; indices lead into its lists.
#[derive(Debug, Clone, PartialEq)]
enum Special {
    Holiday { name: String },
    MakeUp { name: String, follows: Weekday },
    Override { index: usize },
}

impl Calendar {
    /// Checks a description and makes a calendar of it.
    ///
    /// # Errors
    /// An unknown zone or national set, a date said twice, a range that ends before it begins, overlapping shifts, or no open
    /// time at all: each with its place.
    pub fn try_new(description: Description) -> Result<Self, Refusal> {
        check::check(description)
    }

    /// As it was written down.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Where its wall clock hangs.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The last date of which holidays and make-up days are known; none if nothing in it is ever announced. What lies later
    /// is computed from weekly hours only, and is provisional.
    #[must_use]
    pub fn coverage_until(&self) -> Option<Date> {
        self.coverage_until
    }

    /// Whether a shift begins on that date.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> bool {
        !self.day(date).shifts.is_empty()
    }

    /// The open intervals of the shifts that begin on that date, in order; one over midnight ends on the next. A shift that a
    /// change of the clocks leaves no time for is not among them.
    #[must_use]
    pub fn hours_on(&self, date: Date) -> Vec<Interval> {
        let interval = |shift: &Shift| self.interval(date, *shift);
        self.day(date).shifts.iter().map(interval).filter(|interval| interval.from < interval.until).collect()
    }

    /// All open time between two instants, cut off at both: in order, apart, and joined where shifts meet or overlap.
    #[must_use]
    pub fn open_segments(&self, from: Timestamp, until: Timestamp) -> Vec<Interval> {
        let mut segments: Vec<Interval> = Vec::new();
        if from >= until {
            return segments;
        }
        let (mut date, last) = (self.date_at(from), self.date_at(until));
        // A shift of the day before may reach into the first; two days, since a zone may jump over the date line.
        for _ in 0..2 {
            date = date.yesterday().unwrap_or(date);
        }
        loop {
            for interval in self.hours_on(date) {
                let cut = Interval { from: interval.from.max(from), until: interval.until.min(until) };
                if cut.from >= cut.until {
                    continue;
                }
                match segments.last_mut() {
                    Some(before) if before.until >= cut.from => before.until = before.until.max(cut.until),
                    _ => segments.push(cut),
                }
            }
            match date.tomorrow() {
                Ok(next) if date <= last => date = next,
                _ => return segments,
            }
        }
    }

    /// The wall clock's date at an instant.
    #[must_use]
    pub fn date_at(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The first instant of a date.
    pub(crate) fn midnight(&self, date: Date) -> Timestamp {
        wall::first_at(&self.zone, date, 0)
    }

    pub(crate) fn interval(&self, date: Date, shift: Shift) -> Interval {
        Interval { from: wall::first_at(&self.zone, date, shift.begin()), until: wall::first_at(&self.zone, date, shift.end()) }
    }
}
