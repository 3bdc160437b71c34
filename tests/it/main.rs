//! The whole platform: services together on real servers, the stories on the real cluster, and the shape of the house.
#![expect(clippy::unwrap_used, reason = "tests panic where something is not as it must be")]

mod access;
mod alone;
mod cluster;
mod faults;
mod kills;
mod manifests;
mod ports;
mod python;
mod refusals;
mod rolling;
mod services;
mod shape;
mod soak;
mod story;
mod thread;
mod under_load;
mod upgrade;
