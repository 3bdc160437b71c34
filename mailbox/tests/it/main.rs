//! Facts on their way, from one real database through a real broker into another.
#![expect(clippy::unwrap_used, reason = "tests panic where something is not as it must be")]

mod combined;
mod contract;
mod parked;
mod post;
mod retention;
mod seals;
mod several;
mod tampering;
mod timers;
mod travel;
mod trouble;
