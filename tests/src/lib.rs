//! The stage that tests stand on: real servers, of which each test gets a database, a virtual host and an issuer of its own,
//! so that tests run beside each other and leave nothing. Where the servers are the environment says (`./x test` sets it).
#![expect(clippy::unwrap_used, reason = "a test panics where something is not as it must be")]

mod authority;
mod cut;
mod database;
pub mod fuzz;
mod issuer;
mod port;
mod program;
mod proxy;
mod refused;
pub mod servers;
mod stage;
mod tap;
mod vhost;
mod wait;

pub use authority::{Authority, Shown, TRUST_DOMAIN};
pub use cut::{Cut, Fault};
pub use issuer::{Issuer, PEOPLE, WORKLOADS};
pub use port::Port;
pub use program::Program;
pub use proxy::{Proxy, Way, Weather};
pub use refused::wrong_field;
pub use stage::{Client, INSPECTION, Knock, OPERATOR, Running, SEAL_KEY, Stage, policies, way};
pub use tap::{Moment, Tap};
pub use vhost::Vhost;
pub use wait::{eventually, within};

/// What the environment says.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests are told where the servers are by their environment")]
pub fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: tests are run by ./x test, or after eval \"$(./x env)\""))
}

/// How many inputs of one kind a test makes up: a few with every run, as many as `OPSMESH_FUZZ` says when somebody asks for more.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests are told how long they may take by their environment")]
pub fn inputs(few: u32) -> u32 {
    std::env::var("OPSMESH_FUZZ").ok().and_then(|many| many.parse().ok()).unwrap_or(few)
}

/// Gives this process its TLS: whoever asks first for a connection must find it, even for one without.
pub fn provide_tls() {
    // A second installation is refused and means no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
