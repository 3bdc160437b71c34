//! THE CLOCK: time as an operations service lives it. Calendars with several shifts a day, holidays and 调休 make-up days;
//! clocks that pause; deadlines that can be explained with a finger; schedules. Pure: no I/O, no async, and nobody in here
//! asks what time it is.
//!
//! Instants are [`jiff::Timestamp`]s and count in whole microseconds, as PostgreSQL keeps them. Zones are those of the IANA
//! database that jiff brings along, so that every machine gives the same answer.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod clock;
pub mod explain;
pub mod holidays;
pub mod policy;
pub mod replay;
pub mod schedule;
mod timeline;

pub use calendar::{Calendar, Interval};
pub use clock::Clock;
pub use schedule::Schedule;
pub use timeline::{OutOfRange, Timeline};
