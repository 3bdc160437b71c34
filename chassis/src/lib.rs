//! HOW A PROCESS LIVES: settings, telemetry, the gRPC listener with its limits, who is calling, the database, background
//! work, health and an orderly stop. A service is a `start` function handed to [`run`]; everything it could forget is in a
//! signature here: no transaction without a [`Scope`], no scope without a [`Caller`], no caller without a verified token.

mod agency;
mod answers;
mod caller;
mod clock;
mod database;
mod denials;
mod door;
mod filter;
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
mod run;
mod schema;
mod settings;
mod telemetry;
mod together;
mod trace;
mod upstream;

pub use agency::{Agency, NotAnAgency};
pub use answers::{Changed, First, Once};
pub use caller::{Caller, Denied, Role, Scope, Worker};
pub use clock::Clock;
pub use database::{Database, DatabaseSettings, MaybeTimestamp, Savepoint, Tx};
pub use denials::Denial;
pub use filter::{Column, Filter, Kind};
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
pub use together::{Asked, Came, first_of};
pub use trace::{NotATraceparent, Origin, record_root};
pub use upstream::{Upstream, UpstreamSettings};

use proto::reasons;

/// A fault of the database, logged once with its chain; the caller learns that it is ours, and whether to try again.
#[must_use]
pub fn database_fault(error: &sqlx::Error) -> tonic::Status {
    let away =
        matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed);
    tracing::error!(error = error as &dyn std::error::Error, "the database failed");
    if away { reasons::DATABASE_AWAY.refusal().into() } else { reasons::INTERNAL.refusal().into() }
}
