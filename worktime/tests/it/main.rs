//! The clock, tried to be broken.
#![expect(clippy::unwrap_used, reason = "what cannot be had fails the test")]

mod brute;
mod calendar_files;
mod calendars;
mod controller;
mod cronjob;
mod edges;
mod examples;
mod explanations;
mod holidays;
mod laws;
mod policies;
mod random;
mod readings;
mod replays;
mod schedules;
mod stepper;
mod ticking;
mod zones;
