//! The inventory: the device ledger (设备台账). One invariant: a device is in the ledger of exactly one agency and never
//! leaves it; what is no longer used is retired.

mod api;
pub mod device;
pub mod devices;
mod wire;

use chassis::{DatabaseSettings, Host, Schema};
use mailbox::BrokerSettings;
use proto::inventory::v1::inventory_server::InventoryServer;
use serde::Deserialize;
use sqlx::migrate::Migrator;

/// The shipped settings file.
pub const SETTINGS: &str = include_str!("../settings.toml");
static MIGRATIONS: Migrator = sqlx::migrate!();
/// What its database holds.
pub const SCHEMAS: &[Schema] = &[mailbox::SCHEMA, Schema { migrations: &MIGRATIONS, partitioned: &[] }];

/// What inventory is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DatabaseSettings,
    /// Where its facts go.
    pub broker: BrokerSettings,
}

/// Puts inventory together: the whole service at a glance.
pub async fn start(config: Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&config.database, SCHEMAS).await?;
    mailbox::announce(host, &config.broker, &db).await?;
    host.serve(InventoryServer::new(api::Api::new(db, host.clock())));
    Ok(())
}
