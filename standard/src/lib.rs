//! THE BOOK: T/DGAG 038—2025 as data that a program can ask. Pure: no I/O, no async, no clock.
//!
//! The files under `data/` are the source. [`Book::shipped`] gives the book as it is built in, [`Book::read`] reads one from the bytes of files and
//! refuses what does not make sense with file, line and field ([`Refused`]); [`Own`] lays an organisation's values over it. Every value is [`Marked`]: the
//! standard's own words, our translation, inferred, a product default, unknown, or the organisation's; what DB4401/T 294.1/294.2—2024 would say is not known here, and what stands in for it says so.
//!
//! Sources: T/DGAG 038-2025, 4 to 8, A and B; DB4401/T 294.1 and 294.2, to which it refers, would say more and are not known;
//! what the book has where the text says nothing, and the form of it all, are ours, and the values marked so.
mod book;
mod check;
mod clause;
pub mod conformance;
pub mod devices;
mod difference;
pub mod documents;
pub mod emergency;
pub mod evaluation;
pub mod incidents;
mod keys;
pub mod ledger;
mod lookup;
mod mark;
mod own;
mod parts;
pub mod people;
pub mod procedure;
mod quantity;
mod refer;
mod refused;
pub mod remote;
pub mod repair;
pub mod services;
mod shipped;
pub mod tickets;
pub mod times;
mod tree;
pub mod words;
pub mod yaml;

pub use book::Book;
pub use clause::{Clause, ClauseId, Clauses, GateKind, Level, Module, PartyCode, Strength};
pub use difference::{Difference, Side};
pub use keys::{Key, Keys};
pub use lookup::RepairCase;
pub use mark::{Mark, Marked, Status, Words};
pub use own::Own;
pub use parts::Parts;
pub use quantity::{Count, Hours, Lasting, Minutes, Months, Percent, Seconds, Workdays, Years};
pub use refer::{
    Activity, Automation, CalendarCode, Computable, DeviceClass, DirectionCode, Frequency, IncidentCategory, IncidentGrade,
    InputId, MetricId, OperatorCode, QualificationCode, RepairGroup, ReportCode, Scalar, ServiceGroup, SourceId, StaffClass,
    StatisticCode, TablePath, TicketGrade, UnitCode, WorkflowCode,
};
pub use refused::Refused;
pub use shipped::FILES;
pub use tree::{Entry, Node, Value};
