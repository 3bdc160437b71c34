//! A sender and a receiver for one test.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use chassis::{Agency, Clock, Database, DatabaseSettings, Host, Schema, Scope, Secret, Tx};
use jiff::Timestamp;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use mailbox::{BrokerSettings, Letter, Reactions, Received, Unhandled};
use prost::Name;
use proto::{
    inventory::v1::{Device, DeviceCreated},
    mailbox::v1::mailbox_client::MailboxClient,
};
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use tests::{Client, Running, Stage, eventually};
use uuid::Uuid;

static MIGRATIONS: Migrator = sqlx::migrate!("tests/migrations");
pub(crate) const SCHEMAS: &[Schema] = &[mailbox::SCHEMA, Schema { migrations: &MIGRATIONS, partitioned: &[] }];

/// Where a service of these tests keeps and sends things.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) database: DatabaseSettings,
    pub(crate) broker: BrokerSettings,
    pub(crate) trouble: Trouble,
}

/// What the receiver is to stumble over.
#[derive(Clone, Default)]
pub(crate) struct Trouble {
    /// Facts with this etag cannot be handled until it is mended.
    pub(crate) poison: Option<&'static str>,
    /// Whether it is.
    pub(crate) mended: Arc<AtomicBool>,
    /// So many attempts fail before one succeeds.
    pub(crate) faults: Arc<AtomicU32>,
    /// How long each fact takes.
    pub(crate) takes: Duration,
    /// A fact with this etag ends its process until it is mended.
    pub(crate) ends: Option<&'static str>,
}

/// Sends facts.
pub(crate) async fn sender(config: Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&config.database, SCHEMAS).await?;
    mailbox::announce(host, &config.broker, &db).await
}

/// Receives them.
pub(crate) async fn receiver(config: Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&config.database, SCHEMAS).await?;
    mailbox::react(host, &config.broker, &db, Recorder(config.trouble)).await
}

struct Recorder(Trouble);

impl Reactions for Recorder {
    fn kinds(&self) -> Vec<String> {
        vec![DeviceCreated::full_name()]
    }

    async fn react(&self, tx: &mut Tx, fact: &Received) -> Result<(), Unhandled> {
        let Some(created) = fact.open::<DeviceCreated>() else { return Ok(()) };
        let etag = created?.device.unwrap_or_default().etag;
        if self.0.poison == Some(etag.as_str()) && !self.0.mended.load(Ordering::SeqCst) {
            return Err(Unhandled::Poison("it is poisoned".into()));
        }
        assert!(self.0.ends != Some(etag.as_str()) || self.0.mended.load(Ordering::SeqCst), "it ends its process");
        if self.0.faults.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(anyhow::anyhow!("it does not work just now").into());
        }
        if !self.0.takes.is_zero() {
            tokio::time::sleep(self.0.takes).await;
        }
        sqlx::query("INSERT INTO effects (subject, etag) VALUES ($1, $2)")
            .bind(&fact.subject)
            .bind(etag)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// Both ends, with nothing running yet.
pub(crate) struct Post {
    pub(crate) stage: Stage,
    pub(crate) from: Config,
    pub(crate) to: Config,
}

impl Post {
    pub(crate) async fn open(trouble: Trouble) -> Self {
        let mut stage = Stage::set().await;
        let broker = BrokerSettings { url: Secret::new(stage.broker()) };
        let from = Config { database: stage.database().await, broker: broker.clone(), trouble: trouble.clone() };
        let to = Config { database: stage.database().await, broker, trouble };
        Self { stage, from, to }
    }

    pub(crate) async fn sender(&self) -> Running {
        self.stage.start("sender", self.from.clone(), Clock::default(), sender).await
    }

    pub(crate) async fn receiver(&self) -> Running {
        self.stage.start("receiver", self.to.clone(), Clock::default(), receiver).await
    }

    /// The sender's database.
    pub(crate) fn outgoing(&self) -> Database {
        Database::open("test", &self.from.database, SCHEMAS).unwrap()
    }

    /// Waits until nothing waits for the broker any more.
    pub(crate) async fn all_carried(&self) {
        let db = self.outgoing();
        eventually("the outbox to be empty", || async {
            let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(db.pool()).await.unwrap();
            if waiting == 0 { Ok(()) } else { Err(waiting) }
        })
        .await;
    }

    /// What the receiver did, in its order.
    pub(crate) async fn effects(&self) -> Vec<(String, String)> {
        let db = Database::open("test", &self.to.database, SCHEMAS).unwrap();
        sqlx::query_as("SELECT subject, etag FROM effects ORDER BY number").fetch_all(db.pool()).await.unwrap()
    }

    /// Its etags, once there are so many.
    pub(crate) async fn etags(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} effects"), || async {
            let etags: Vec<String> = self.effects().await.into_iter().map(|(_, etag)| etag).collect();
            if etags.len() >= count { Ok(etags) } else { Err(etags) }
        })
        .await
    }

    /// Puts bytes on the way to the receiver, past every sender.
    pub(crate) async fn send(&self, body: &[u8]) {
        self.publish("opsmesh.facts", &format!("{}.{}", DeviceCreated::full_name(), agency()), body).await;
    }

    /// Puts bytes where the broker puts what it has given up.
    pub(crate) async fn give_up(&self, body: &[u8]) {
        self.publish("opsmesh.dead", "opsmesh.receiver", body).await;
    }

    /// A channel that says what became of what is sent on it, and the connection that it is on.
    pub(crate) async fn channel(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.stage.broker(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        (connection, channel)
    }

    async fn publish(&self, exchange: &str, key: &str, body: &[u8]) {
        let (_connection, channel) = self.channel().await;
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let confirm = channel
            .basic_publish(exchange.into(), key.into(), mandatory, body, BasicProperties::default())
            .await
            .unwrap()
            .await
            .unwrap();
        assert!(matches!(confirm, Confirmation::Ack(None)), "{confirm:?}");
    }

    /// Somebody with this role asks the receiver about what it parked.
    pub(crate) async fn mailbox(&self, running: &Running, role: &str) -> MailboxClient<Client> {
        let claims = self.stage.issuer.person("li", &[role], &[agency().as_str()]);
        MailboxClient::new(running.as_bearer(self.stage.issuer.sign(&claims)).await)
    }
}

/// A fact as another service would send it: number `sequence` of its source, about `subject`, with this etag.
pub(crate) fn event(id: u128, sequence: i64, subject: &str, etag: &str) -> Value {
    json!({
        "specversion": "1.0", "id": Uuid::from_u128(id), "source": "/opsmesh/elsewhere", "type": DeviceCreated::full_name(),
        "subject": subject, "time": "2026-11-23T01:02:03Z", "datacontenttype": "application/json", "agency": agency().as_str(),
        "actor": "li", "sequence": format!("{sequence:020}"), "data": {"device": {"etag": etag}},
    })
}

/// The agency that tests are about.
pub(crate) fn agency() -> Agency {
    "gz".parse().unwrap()
}

/// Posts the fact number `etag` about a subject, in that transaction.
pub(crate) async fn tell(tx: &mut Tx, subject: &str, etag: &str) {
    tell_of(tx, subject, etag, now()).await;
}

/// The same of what became true then.
pub(crate) async fn tell_of(tx: &mut Tx, subject: &str, etag: &str, at: Timestamp) {
    let device = Device { etag: etag.into(), ..Device::default() };
    let letter = Letter::about(&agency(), subject, &DeviceCreated { device: Some(device) });
    mailbox::post(tx, letter, at).await.unwrap();
}

/// Posts facts in one transaction, so that they wait together: subject and etag each.
pub(crate) async fn tell_at_once(db: &Database, facts: &[(&str, &str)]) {
    let mut tx = db.begin(&Scope::reaction("test", &agency())).await.unwrap();
    for (subject, etag) in facts {
        tell(&mut tx, subject, etag).await;
    }
    tx.commit().await.unwrap();
}

/// Posts it in a transaction of its own.
pub(crate) async fn tell_now(db: &Database, subject: &str, etag: &str) {
    tell_at_once(db, &[(subject, etag)]).await;
}

fn now() -> Timestamp {
    Clock::default().now()
}
