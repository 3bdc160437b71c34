//! HOW FACTS TRAVEL: a fact is a row in the transaction of the change it reports, so both commit or neither does. A relay
//! carries it to the broker and counts it as carried only when the broker says so; a consumer records its id in the
//! transaction of its effect. Nothing else in the platform knows RabbitMQ.

mod broker;
mod combiner;
mod envelope;
mod inbox;
mod letter;
mod patience;
mod relay;
pub mod seal;
mod seals;
mod timer;
mod timers;
mod topology;
mod trouble;
mod waiting;

use anyhow::Context;
use chassis::{By, Database, Host, Mode, Partitioned, Schema};
use seal::SealKey;
use sqlx::migrate::Migrator;

pub use broker::BrokerSettings;
pub use combiner::{Combined, Combiner, NotWritten};
pub use envelope::Received;
pub use inbox::{Reactions, Unhandled, handle};
pub use letter::{Letter, Recorded, post, post_all, timeline};
pub use seals::collect_copies;
pub use timer::{Due, Timer};
pub use timers::{Alarms, arm, cancel};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// What this room keeps in the database of a service: facts, what of them is still to be carried, what was received.
pub const SCHEMA: Schema = Schema { migrations: &MIGRATIONS, partitioned: &[Partitioned { table: "facts", by: By::Time }] };

/// Carries this service's facts to the broker, and seals them if the host was given a key. Migrating declares the exchange.
pub async fn announce(host: &mut Host, broker: &BrokerSettings, db: &Database) -> anyhow::Result<()> {
    if host.mode() == Mode::Migrate {
        broker::prepare(broker, None).await?;
    }
    let name = host.name();
    if let Some(seed) = host.seal_key() {
        let key = SealKey::of(seed).context("host.seal_key")?;
        let (sealing, clock) = (seals::Sealing::new(&host.meter()), host.clock());
        let (sealed, copied, place, counted) = (db.clone(), db.clone(), broker.clone(), sealing.clone());
        host.spawn("sealer", |stop| seals::run(name, sealed, key, clock, sealing, stop));
        host.spawn("seal-copies", |stop| seals::copy(name, copied, place, counted, stop));
    } else if host.mode() == Mode::Serve {
        tracing::warn!("host.seal_key is not set: facts are not sealed, and nobody will find what is changed in them");
    }
    let (db, broker) = (db.clone(), broker.clone());
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

/// Rings this service's alarms when their timers are due.
pub fn ring<A: Alarms>(host: &mut Host, db: &Database, alarms: A) {
    let rung = timers::Rung::new(&host.meter());
    let (name, db, clock) = (host.name(), db.clone(), host.clock());
    host.spawn("timers", |stop| timers::run(name, db, alarms, clock, rung, stop));
}
