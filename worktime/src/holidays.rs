//! THE HOLIDAYS: what states have announced, one file a year in `data/holidays/<set>/`, each with its notice. Years that have
//! not been announced are not there; nothing is extrapolated.
//!
//! Source: the State Council: 《全国年节及纪念日放假办法》 and, for each year, the notice of its General Office that is named with its
//! title, number and date ([`Notice`]); the form in which a year is kept is ours, since the notices are prose.

use jiff::civil::{Date, date};

/// What was announced for one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Year {
    /// The year. Its days may reach into the one before.
    pub year: i16,
    /// Where it says so.
    pub notices: &'static [Notice],
    /// What is to be known about the source; empty if nothing is.
    pub note: &'static str,
    /// Name, first and last day.
    pub holidays: &'static [(&'static str, Date, Date)],
    /// Days off on which people work: the holiday that each is for, and the day.
    pub make_up: &'static [(&'static str, Date)],
}

/// A notice (通知).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// Its title.
    pub title: &'static str,
    /// Its number (文号), where it was seen.
    pub number: Option<&'static str>,
    /// The date it bears (成文日期), where it was seen.
    pub issued: Option<Date>,
}

include!(concat!(env!("OUT_DIR"), "/holidays.rs"));

/// The years of a set, oldest first. `cn`: the State Council's holidays and make-up days.
#[must_use]
pub fn national(set: &str) -> Option<&'static [Year]> {
    SETS.iter().find(|(name, _)| *name == set).map(|(_, years)| *years)
}

/// The last date up to which a set is known.
#[must_use]
pub fn known_until(set: &str) -> Option<Date> {
    national(set)?.last().map(|year| date(year.year, 12, 31))
}
