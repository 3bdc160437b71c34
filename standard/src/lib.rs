//! THE BOOK: T/DGAG 038—2025 as data that a program can ask. Pure: no I/O, no async, no clock.
//!
//! The files under `data/` are the source. [`Book::shipped`] gives the book as it is built in, [`Book::read`] reads one from the bytes of files and
//! refuses what does not make sense with file, line and field ([`Refused`]). Every value is [`Marked`]: the standard's own words, our translation, inferred,
//! a product default, unknown, or the organisation's; what DB4401/T 294.1/294.2—2024 would say is not known here, and what stands in for it says so.
mod book;
mod clause;
pub mod conformance;
mod mark;
pub mod procedure;
mod refer;
mod refused;
mod shipped;
mod tree;
pub mod yaml;

pub use book::Book;
pub use clause::{Clause, ClauseId, Clauses, GateKind, Level, Module, PartyCode, Strength};
pub use mark::{Mark, Marked, Status, Words};
pub use refused::Refused;
pub use shipped::FILES;
pub use tree::{Entry, Node, Value};
