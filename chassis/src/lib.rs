//! HOW A PROCESS LIVES: settings, telemetry, the gRPC listener with its limits, who is calling, the database, background
//! work, health and an orderly stop. A service is a `start` function handed to [`run`]; everything it could forget is in a
//! signature here: no transaction without a [`Scope`], no scope without a [`Caller`], no caller without a verified token.

mod agency;
#[cfg(not(test))] // this crate's own tests link the crate once more, and a process has one
mod allocator;
mod answers;
mod apart;
mod caller;
mod certificate;
mod clock;
mod database;
mod denials;
mod door;
mod filter;
#[cfg(test)]
mod fuzz;
mod gather;
mod handshake;
mod health;
mod host;
mod identity;
mod ids;
mod keys;
mod limits;
mod logs;
mod metrics;
mod pages;
mod partitions;
mod policy;
mod pool;
mod process;
mod reach;
mod rejected;
mod run;
mod schema;
mod settings;
mod spans;
mod stroke;
mod telemetry;
mod together;
mod trace;
mod upstream;

pub use agency::{Agency, NotAnAgency};
pub use answers::{Changed, First, Once};
pub use caller::{Caller, Denied, Role, Scope, Worker};
pub use certificate::CertificateSettings;
pub use clock::Clock;
pub use database::{Database, DatabaseSettings, MaybeTimestamp, Savepoint, Tx};
pub use denials::Denial;
pub use filter::{Column, Filter, Kind};
pub use gather::{Gather, channel};
pub use host::{Host, Mode};
pub use identity::IssuerSettings;
pub use ids::derived_id;
pub use limits::LimitSettings;
pub use metrics::Meter;
pub use pages::{NotOurs, PageToken, page};
pub use partitions::{By, Partitioned};
pub use run::{errand, run};
pub use schema::Schema;
pub use settings::{HostSettings, Secret, TelemetrySettings};
pub use stroke::{Session, Stroke};
pub use together::{Asked, Came, Firsts, came_again};
pub use trace::{NotATraceparent, Origin, record_root};
pub use upstream::{Upstream, UpstreamSettings};

use proto::reasons;

/// A fault of the database, logged once with its chain; the caller learns that it is ours, and whether to try again.
#[must_use]
pub fn database_fault(error: &sqlx::Error) -> tonic::Status {
    let away = match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| passes(&code)),
        _ => false,
    };
    tracing::error!(error = error as &dyn std::error::Error, "the database failed");
    if away { reasons::DATABASE_AWAY.refusal().into() } else { reasons::INTERNAL.refusal().into() }
}

/// Whether a SQLSTATE speaks of a state that passes: of the connection (08), of who was faster (40), of what is used up (53), of a lock or a statement
/// that took too long (55P03, 57014), of a server that stops or starts (57P).
fn passes(code: &str) -> bool {
    ["08", "40", "53", "57P"].iter().any(|class| code.starts_with(class)) || matches!(code, "55P03" | "57014" | "25P03")
}
