//! THE CLOCK: time as an operations service lives it. Calendars with several shifts a day, holidays and 调休 make-up days;
//! clocks that pause; deadlines that can be explained with a finger; schedules. Pure: no I/O, no async, and nobody in here
//! asks what time it is.
//!
//! | to ask | look into |
//! | --- | --- |
//! | when is the service open, and who says so | [`calendar`], [`holidays`] |
//! | what has elapsed, when is it due, when does it warn | [`clock`], over a [`Timeline`] |
//! | why | [`explain`] |
//! | which clocks does a ticket have | [`policy`] |
//! | what would another policy have done | [`replay`] |
//! | calendar files (RFC 5545) | [`ics`] |
//!
//! ```
//! use jiff::{SignedDuration, Timestamp};
//! use worktime::{Calendar, Clock, Timeline, clock::{Basis, Due, Rule}};
//!
//! let calendar = Calendar::try_new(serde_json::from_str(
//!     r#"{"zone": "Asia/Shanghai", "layers": [{"name": "市", "national": "cn", "weeks": [{
//!         "monday": ["08:30-12:00", "14:00-17:30"], "wednesday": ["08:30-12:00", "14:00-17:30"]}]}]}"#,
//! )?)?;
//! let at = |text: &str| text.parse::<Timestamp>();
//! let timeline = Timeline::compile(&calendar, at("2026-09-01T00:00+08:00")?, at("2026-12-31T00:00+08:00")?);
//! // Two hours, from half an hour before the National Day on; the first working day after it is a make-up Saturday.
//! let rule = Rule::new("处理", Basis::WorkingTime, SignedDuration::from_hours(2));
//! let clock = Clock::start(rule, at("2026-09-30T17:00+08:00")?)?;
//! assert_eq!(clock.due(&timeline)?, Due::At(at("2026-10-10T10:00+08:00")?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A page with pictures is `docs/worktime.md`; a command is the package `worktime-command`.
//!
//! Sources: T/DGAG 038-2025 demands time limits (7.4.1.1, 7.4.2.4) and plans with a frequency (7.3.2.1.1); how time is
//! counted is ours, since it says nothing of that. Where a rule is somebody else's, its place says whose: a clause, the State
//! Council, an RFC, POSIX, Kubernetes.
//!
//! Instants are [`jiff::Timestamp`]s and count in whole microseconds, as PostgreSQL keeps them. Zones are those of the IANA
//! database that jiff brings along, so that every machine gives the same answer.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod clock;
pub mod explain;
pub mod holidays;
pub mod ics;
pub mod policy;
pub mod replay;
pub mod schedule;
mod timeline;

pub use calendar::{Calendar, Interval};
pub use clock::Clock;
pub use schedule::Schedule;
pub use timeline::{OutOfRange, Timeline};
