//! THE SHIFT: a stretch of the wall clock, `08:30-12:00`; over midnight it ends on the next day, `22:00-06:00`.
//!
//! Sources: ISO 8601 for the time of day, the 24:00 that ends one included; two of them with a hyphen, over midnight if the
//! second is less, are ours: no clause has a way of writing shifts.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::wall::DAY;

/// A stretch of the wall clock, in minutes after midnight of the day on which it begins. It is at most a day long and always
/// more than nothing; it belongs to the day on which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shift {
    begin: u16,
    end: u16,
}

/// Why a text is not a shift.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a shift: {why}")]
pub struct ShiftError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Shift {
    /// The whole day.
    pub const ALL_DAY: Self = Self { begin: 0, end: DAY };

    /// Minutes after midnight at which it begins, 0 to 1439.
    #[must_use]
    pub fn begin(self) -> u16 {
        self.begin
    }

    /// Minutes after the same midnight at which it ends; more than 1440 if that is on the next day.
    #[must_use]
    pub fn end(self) -> u16 {
        self.end
    }

    /// Whether both have a minute in common, on the same day.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.begin < other.end && other.begin < self.end
    }

    /// Whether it reaches into a shift of the next day.
    #[must_use]
    pub fn reaches_into(self, next: Self) -> bool {
        self.end > next.begin + DAY
    }
}

impl FromStr for Shift {
    type Err = ShiftError;

    fn from_str(text: &str) -> Result<Self, ShiftError> {
        let refuse = |why| ShiftError { text: text.to_owned(), why };
        let (begin, end) = text.split_once('-').ok_or_else(|| refuse("write it as 08:30-12:00"))?;
        let begin = minutes(begin).ok_or_else(|| refuse("the time at which it begins is not one"))?;
        let end = minutes(end).ok_or_else(|| refuse("the time at which it ends is not one"))?;
        if begin == DAY {
            return Err(refuse("what begins at 24:00 begins at 00:00 of the next day"));
        }
        if begin == end {
            return Err(refuse("it begins and ends at the same time; the whole day is 00:00-24:00"));
        }
        Ok(Self { begin, end: if end < begin { end + DAY } else { end } })
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u16>().ok()).flatten();
    let (hour, minute) = (number(hour)?, number(minute)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY).then_some(all)
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end > DAY { self.end - DAY } else { self.end };
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.begin / 60, self.begin % 60, end / 60, end % 60)
    }
}

impl Serialize for Shift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
