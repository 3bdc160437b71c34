//! HOW FACTS TRAVEL: a fact is a row in the transaction of the change it reports, so both commit or neither does. A relay
//! carries it to the broker and counts it as carried only when the broker says so; a consumer records its id in the
//! transaction of its effect. Nothing else in the platform knows RabbitMQ.

mod batch;
mod bookmark;
mod broker;
mod combiner;
mod contract;
mod envelope;
mod floor;
mod gate;
mod handful;
mod inbox;
mod leaves;
mod letter;
mod outbox;
mod pace;
mod parking;
mod patience;
mod relay;
mod retention;
pub mod seal;
mod seals;
mod snapshot;
mod subscription;
mod timer;
mod timers;
mod topology;
mod trouble;
mod waiting;
mod window;

use std::sync::Arc;

use anyhow::Context;
use chassis::{By, Database, Host, Mode, Partitioned, Schema};
use leaves::Leaves;
use proto::mailbox::v1::mailbox_server::MailboxServer;
use retention::Retention;
use seal::SealKey;
use sqlx::migrate::Migrator;

pub use bookmark::{Bookmark, Unread, news};
pub use broker::BrokerSettings;
pub use combiner::{Combined, Combiner, NotWritten};
pub use contract::asyncapi;
pub use envelope::Received;
pub use gate::handle;
pub use inbox::{Reactions, Unhandled};
pub use letter::{Letter, Recorded, post, post_all, post_firsts, timeline};
pub use seals::collect_copies;
pub use timer::{Due, Timer};
pub use timers::{Alarms, arm, cancel};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// What this room keeps in the database of a service: facts, what of them is still to be carried, what was received.
pub const SCHEMA: Schema = Schema { migrations: &MIGRATIONS, partitioned: &[Partitioned { table: "facts", by: By::Time }] };

/// Carries this service's facts to the broker, seals them if the host was given a key, drops them when their time is over if it was
/// told for how long they are kept, and writes calls that were denied down among them. Migrating declares the exchange.
pub async fn announce(host: &mut Host, broker: &BrokerSettings, db: &Database) -> anyhow::Result<()> {
    if host.mode() == Mode::Migrate {
        broker::prepare(broker, None).await?;
    }
    host.record_denials(db, |tx, denial| {
        Box::pin(post(tx, Letter::about(&denial.agency, denial.agency.name(), &denial.fact), denial.at))
    });
    let name = host.name();
    let mut leaves = None;
    if let Some(seed) = host.seal_key() {
        let key = SealKey::of(seed).context("host.seal_key")?;
        let read = leaves.insert(Leaves::new(key.suite())).clone();
        let (sealing, clock) = (seals::Sealing::new(&host.meter()), host.clock());
        let (sealed, copied, place, counted) = (db.clone(), db.clone(), broker.clone(), sealing.clone());
        let sealer = seals::Sealer { service: name, key, leaves: read, sealing };
        host.spawn("sealer", |stop| seals::run(sealer, sealed, clock, stop));
        host.spawn("seal-copies", |stop| seals::copy(name, copied, place, counted, stop));
    } else if host.mode() == Mode::Serve {
        tracing::warn!("host.seal_key is not set: facts are not sealed, and nobody will find what is changed in them");
    }
    if let Some(months) = host.keep_facts_months() {
        let retention = Retention::of(months).context("host.keep_facts_months")?;
        let key = host.seal_key().map(SealKey::of).transpose().context("host.seal_key")?;
        let (kept, clock, dropped) = (db.clone(), host.clock(), retention::Dropped::new(&host.meter()));
        host.spawn("retention", |stop| retention::run(name, kept, retention, key, clock, dropped, stop));
    }
    let (db, broker) = (db.clone(), broker.clone());
    let carried = relay::Carried::new(&host.meter());
    host.spawn("relay", |stop| relay::run(name, db, broker, leaves, carried, stop));
    Ok(())
}

/// Lets this service react to other services' facts, and those who may look at what it had to put aside, and replay it: by rpc and
/// as the command `parked`. Migrating declares its queue, so that facts wait for it from then on.
pub async fn react<R: Reactions>(host: &mut Host, broker: &BrokerSettings, db: &Database, reactions: R) -> anyhow::Result<()> {
    let queue = topology::Queue { service: host.name(), kinds: reactions.kinds() };
    if host.mode() == Mode::Migrate {
        broker::prepare(broker, Some(&queue)).await?;
    }
    let (name, clock, reactions) = (host.name(), host.clock(), Arc::new(reactions));
    host.serve(MailboxServer::new(parking::Api::new(db.clone(), name, reactions.clone(), clock.clone())));
    let (asked, answers, told) = (db.clone(), reactions.clone(), clock.clone());
    host.command("parked", move |words| async move { parking::command(words, asked, name, &*answers, told).await });
    let handled = inbox::Handled::new(&host.meter());
    let door = inbox::Door { db: db.clone(), broker: broker.clone(), queue, reactions, clock: clock.clone(), handled };
    host.spawn("inbox", |stop| inbox::run(door, stop));
    let (counted, parked) = (db.clone(), parking::gauge(&host.meter()));
    host.spawn("parked", |stop| parking::watch(counted, parked, stop));
    let forgetful = db.clone();
    host.spawn("inbox-forget", |stop| inbox::forget(forgetful, clock, stop));
    Ok(())
}

/// Rings this service's alarms when their timers are due.
pub fn ring<A: Alarms>(host: &mut Host, db: &Database, alarms: A) {
    let rung = timers::Rung::new(&host.meter());
    let (name, db, clock) = (host.name(), db.clone(), host.clock());
    host.spawn("timers", |stop| timers::run(name, db, alarms, clock, rung, stop));
}
