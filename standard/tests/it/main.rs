//! THE TESTS of the book.
#![expect(clippy::unwrap_used, reason = "tests panic where something is not as it must be")]

mod acts;
mod bad;
mod clauses;
mod conformance;
mod corruption;
mod engine;
mod frozen;
mod gates;
mod own;
mod procedures;
mod random;
mod sources;
mod table;
mod tables;
mod turns;
mod waivers;
mod walk;
