//! Ticketing on a real database and a real broker, through its doors.
#![expect(clippy::unwrap_used, reason = "tests panic where something is not as it must be")]

mod answers;
mod bad_input;
mod desk;
mod doors;
mod follow_up;
mod reactions;
mod walls;
