//! Ticketing: the service desk's tickets (工单), 7.4.1. One invariant: a ticket is closed only after its user confirmed, and
//! a finding has one ticket.

mod alarms;
mod api;
mod follow_up;
mod openings;
mod reactions;
pub mod ticket;
pub mod tickets;
mod watch;
mod wire;

use chassis::{By, DatabaseSettings, Host, Partitioned, Schema};
use mailbox::{BrokerSettings, Combiner};
use proto::ticketing::v1::ticketing_server::TicketingServer;
use serde::Deserialize;
use sqlx::migrate::Migrator;

pub use reactions::Reactions;

/// The shipped settings file.
pub const SETTINGS: &str = include_str!("../settings.toml");
static MIGRATIONS: Migrator = sqlx::migrate!();
/// What its database holds.
pub const SCHEMAS: &[Schema] =
    &[mailbox::SCHEMA, Schema { migrations: &MIGRATIONS, partitioned: &[Partitioned { table: "tickets", by: By::Id }] }];

/// What ticketing is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its database.
    pub database: DatabaseSettings,
    /// Where facts go and come from.
    pub broker: BrokerSettings,
}

/// Puts ticketing together: the whole service at a glance.
pub async fn start(config: Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&config.database, SCHEMAS).await?;
    mailbox::announce(host, &config.broker, &db).await?;
    mailbox::react(host, &config.broker, &db, Reactions::new(host.clock())).await?;
    mailbox::ring(host, &db, alarms::Alarms);
    let openings = Combiner::start(host, &db, openings::Openings);
    let watches = watch::Watches::new(host, &db);
    host.serve(TicketingServer::new(api::Api::new(db, host.clock(), openings, watches)));
    Ok(())
}
