//! HOW FACTS TRAVEL: a fact is a row in the transaction of the change it reports, so both commit or neither does. A relay
//! carries it to the broker and counts it as carried only when the broker says so; a consumer records its id in the
//! transaction of its effect. Nothing else in the platform knows RabbitMQ.

mod broker;
mod envelope;
mod inbox;
mod letter;
mod relay;
mod topology;

use chassis::{By, Database, Host, Mode, Partitioned, Schema};
use sqlx::migrate::Migrator;

pub use broker::BrokerSettings;
pub use envelope::Received;
pub use inbox::{Reactions, Unhandled, handle};
pub use letter::{Letter, Recorded, post, timeline};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// What this room keeps in the database of a service: facts, what of them is still to be carried, what was received.
pub const SCHEMA: Schema = Schema { migrations: &MIGRATIONS, partitioned: &[Partitioned { table: "facts", by: By::Time }] };

/// Carries this service's facts to the broker. Migrating declares the exchange.
pub async fn announce(host: &mut Host, broker: &BrokerSettings, db: &Database) -> anyhow::Result<()> {
    if host.mode() == Mode::Migrate {
        broker::prepare(broker, None).await?;
    }
    let (name, db, broker) = (host.name(), db.clone(), broker.clone());
    let carried = relay::Carried::new(&host.meter());
    host.spawn("relay", |stop| relay::run(name, db, broker, carried, stop));
    Ok(())
}

/// Lets this service react to other services' facts. Migrating declares its queue, so that facts wait for it from then on.
pub async fn react<R: Reactions>(host: &mut Host, broker: &BrokerSettings, db: &Database, reactions: R) -> anyhow::Result<()> {
    let queue = topology::Queue { service: host.name(), kinds: reactions.kinds() };
    if host.mode() == Mode::Migrate {
        broker::prepare(broker, Some(&queue)).await?;
    }
    let handled = inbox::Handled::new(&host.meter());
    let (received_in, broker) = (db.clone(), broker.clone());
    host.spawn("inbox", |stop| inbox::run(received_in, broker, queue, reactions, handled, stop));
    let (forgetful, clock) = (db.clone(), host.clock());
    host.spawn("inbox-forget", |stop| inbox::forget(forgetful, clock, stop));
    Ok(())
}
