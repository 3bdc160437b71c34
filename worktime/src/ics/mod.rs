//! THE CALENDAR FILE: iCalendar (RFC 5545), out for every calendar and in for holidays, make-up days and hours of single dates.
//!
//! Special days are all-day events with a category of ours; what RFC 5545 has no word for stands in `X-WORKTIME-…`. Open time
//! is written as events in UTC, so that every program shows it right without a description of the zone.
//!
//! Sources: RFC 5545, of which 3.8.8.2 allows names of one's own; the categories and the `X-WORKTIME-…` are ours, since it
//! has no word for make-up days and the hours of single dates.

mod export;
mod import;

pub use export::export;
pub use import::{Import, Refusal, import};

/// Octets of a line, its end not counted (RFC 5545, 3.1).
const LINE: usize = 75;

/// What sort of special day an event is: its category.
const HOLIDAY: &str = "HOLIDAY";
const MAKE_UP: &str = "MAKE-UP";
const OVERRIDE: &str = "OVERRIDE";
const OPEN: &str = "OPEN";
/// The name of a holiday, without the words for people.
const NAME: &str = "X-WORKTIME-NAME";
/// Whose weekday's hours a make-up day has.
const FOLLOWS: &str = "X-WORKTIME-FOLLOWS";
/// The shifts of an override, separated by spaces; empty if it is closed.
const HOURS: &str = "X-WORKTIME-HOURS";
