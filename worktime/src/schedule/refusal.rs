//! THE REFUSAL: why something is not a schedule, and in which of its fields.
//!
//! Sources: POSIX (`crontab`) for the fields and their bounds; Vixie cron for names and the 7 that is Sunday; the IANA
//! database for zones; what is refused besides (start window, blackouts, intervals, what never comes) is ours: no clause and
//! no cron has it.

use std::fmt;

/// A field of a cron expression (POSIX, `crontab`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12, or `JAN` to `DEC`.
    Month,
    /// 0 to 7, of which both ends are Sunday, or `SUN` to `SAT`.
    DayOfWeek,
}

impl Field {
    /// All of them, as they are written.
    pub const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::DayOfMonth, Self::Month, Self::DayOfWeek];
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    /// The least and the greatest number in it; Sunday is 0 here.
    #[must_use]
    pub fn bounds(self) -> (u8, u8) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 6),
        }
    }

    /// The number that a name stands for, whatever its case.
    pub(super) fn named(self, text: &str) -> Option<u8> {
        let (names, first) = match self {
            Self::Month => (&Self::MONTHS[..], 1),
            Self::DayOfWeek => (&Self::WEEKDAYS[..], 0),
            _ => return None,
        };
        names.iter().zip(first..).find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| number)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

/// Why something is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not five fields.
    #[error("cron: five fields are needed (minute, hour, day of month, month, day of week), and there are {found}")]
    Fields {
        /// How many there are.
        found: usize,
    },
    /// No such macro.
    #[error("cron: there is no `{text}`; there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually")]
    Macro {
        /// What was written.
        text: String,
    },
    /// A field cannot be read.
    #[error("cron, {field}: `{text}` {why}")]
    Field {
        /// Which.
        field: Field,
        /// The part of it.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// It makes sense, but there is no such day.
    #[error("cron, {field}: `{text}` never comes, as 31 February never does")]
    Never {
        /// The field that asks for too much.
        field: Field,
        /// The expression.
        text: String,
    },
    /// Not in the IANA database.
    #[error("zone: `{zone}` is not an IANA zone, e.g. Asia/Shanghai")]
    Zone {
        /// What was written.
        zone: String,
    },
    /// Working days are asked for, and nobody says which they are.
    #[error("days: working days need a calendar")]
    NoCalendar,
    /// A start window of no length, or of more than a day.
    #[error("start_window: more than nothing and at most 24 h")]
    StartWindow,
    /// A blackout that ends before it begins.
    #[error("blackouts[{index}]: it ends before it begins, or has no shift")]
    Blackout {
        /// Which, from 0.
        index: usize,
    },
    /// No days, or more than ten years of them.
    #[error("days: an interval after completion has 1 to 3660 days")]
    Interval,
}

impl Refusal {
    pub(super) fn field(field: Field, text: &str, why: impl Into<String>) -> Self {
        Self::Field { field, text: text.to_owned(), why: why.into() }
    }
}
