//! Ticketing on a real database and a real broker, through its doors.
#![expect(clippy::unwrap_used, reason = "tests panic where something is not as it must be")]

mod abuse;
mod answers;
mod bad_input;
mod certificates;
mod desk;
mod doors;
mod follow_up;
mod fuzz;
mod process;
mod reactions;
mod rotation;
mod strangers;
mod walls;
mod watch;
