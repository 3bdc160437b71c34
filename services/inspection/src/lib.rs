//! Inspection (巡检): plans, runs, results and findings, and the `inspector` that probes. One invariant: the same defect is
//! one finding from the first failure until the device is seen well again, and a result is recorded once.
//!
//! A result comes in at `run/api.rs` (`submit`), is recorded in `run/results.rs`, judged by `item/item.rs` (`judge`), and what
//! it means for a finding is decided by `finding/finding.rs` (`decide`).

mod api;
pub mod finding;
pub mod inspector;
pub mod item;
pub mod plan;
pub mod run;

use chassis::{By, DatabaseSettings, Host, Partitioned, Schema, Upstream, UpstreamSettings};
use mailbox::BrokerSettings;
use proto::{inspection::v1::inspection_server::InspectionServer, inventory::v1::inventory_client::InventoryClient};
use serde::Deserialize;
use sqlx::migrate::Migrator;

/// The shipped settings file.
pub const SETTINGS: &str = include_str!("../settings.toml");
static MIGRATIONS: Migrator = sqlx::migrate!();
/// What its database holds.
pub const SCHEMAS: &[Schema] = &[
    mailbox::SCHEMA,
    Schema {
        migrations: &MIGRATIONS,
        partitioned: &[
            Partitioned { table: "runs", by: By::Id },
            Partitioned { table: "targets", by: By::Id },
            Partitioned { table: "results", by: By::Id },
        ],
    },
];

/// What inspection is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DatabaseSettings,
    /// Where its facts go.
    pub broker: BrokerSettings,
    /// Where the device ledger is.
    pub inventory: UpstreamSettings,
}

/// Puts inspection together: the whole service at a glance.
pub async fn start(config: Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&config.database, SCHEMAS).await?;
    mailbox::announce(host, &config.broker, &db).await?;
    let inventory = InventoryClient::new(Upstream::new(&config.inventory)?);
    host.serve(InspectionServer::new(api::Api::new(db, host.clock(), inventory)));
    Ok(())
}
