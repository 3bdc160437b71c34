//! Inspection on a real database and a real broker, through its doors; and the inspector's probes on real servers.
#![expect(clippy::unwrap_used, reason = "tests panic where something is not as it must be")]

mod office;
mod plans;
mod probes;
mod runs;
