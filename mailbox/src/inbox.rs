//! From a queue into the database. A message is acknowledged after its effect has committed, and its id commits with the
//! effect: however often it arrives, it has one.
use std::time::Duration;

use anyhow::Context;
use chassis::{Clock, Database, Meter, Origin, Scope, Tx};
use futures::StreamExt;
use jiff_sqlx::ToSqlx;
use lapin::{
    BasicProperties, Confirmation,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions},
    types::{AMQPValue, FieldTable},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    broker::{BrokerSettings, Link, Pauses, pause},
    envelope::Received,
    topology::{self, Queue},
    trouble,
};

/// Messages held at once: enough to hide the round trip, few enough to be returned quickly.
const PREFETCH: u16 = 64;
/// A reaction that fails so often, with the database well, fails because of its message.
const ATTEMPTS: u32 = 8;
/// Ids are remembered longer than any message is kept or any parked message waits for a replay.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 30);
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// A service's back door: what it does about other services' facts.
pub trait Reactions: Send + Sync + 'static {
    /// The kinds of facts it wants, by protobuf full name.
    fn kinds(&self) -> Vec<String>;

    /// Does it, in the transaction that also records the message.
    fn react(&self, tx: &mut Tx, fact: &Received) -> impl Future<Output = Result<(), Unhandled>> + Send;
}

/// Why a fact was not handled.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// It can never be: the message is parked with this reason.
    #[error("{0}")]
    Poison(String),
    /// It could not be now: it is tried again.
    #[error(transparent)]
    Fault(#[from] anyhow::Error),
}

impl From<sqlx::Error> for Unhandled {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<serde_json::Error> for Unhandled {
    fn from(error: serde_json::Error) -> Self {
        Self::Poison(format!("the fact cannot be read: {error}"))
    }
}

/// What became of messages.
#[derive(Debug, Clone)]
pub(crate) struct Handled(Family<Outcome, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Handled {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self(meter.register("opsmesh_messages_handled", "Messages received, by what became of them", Family::default()))
    }

    fn count(&self, outcome: &'static str) {
        self.0.get_or_create(&Outcome { outcome }).inc();
    }
}

/// Receives until told to stop.
pub(crate) async fn run<R: Reactions>(
    db: Database,
    broker: BrokerSettings,
    queue: Queue,
    reactions: R,
    handled: Handled,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut pauses = Pauses::default();
    while !stop.is_cancelled() {
        if let Err(error) = receive(&db, &broker, &queue, &reactions, &handled, &mut pauses, &stop).await {
            tracing::warn!(error = format!("{error:#}"), "messages wait");
            pause(pauses.next(), &stop).await;
        }
    }
    Ok(())
}

async fn receive<R: Reactions>(
    db: &Database,
    broker: &BrokerSettings,
    queue: &Queue,
    reactions: &R,
    handled: &Handled,
    pauses: &mut Pauses,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let link = Link::connect(broker, &format!("{} inbox", queue.service)).await.context("the broker is away")?;
    topology::declare(&link.channel).await.context("the exchange cannot be declared")?;
    topology::declare_queue(&link.channel, queue).await.context("the queue cannot be declared")?;
    link.channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let name = queue.name();
    let mut deliveries = link
        .channel
        .basic_consume(name.as_str().into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await?;
    pauses.reset();
    loop {
        let delivery = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            delivery = deliveries.next() => delivery.context("the broker ended the subscription")??,
        };
        if !settle(db, &link, queue, reactions, handled, &delivery, stop).await? {
            return Ok(());
        }
        anyhow::ensure!(delivery.ack(BasicAckOptions::default()).await?, "the acknowledgement came too late");
    }
}

/// Brings a message to its end: handled, or parked. False: told to stop first, the message goes back.
async fn settle<R: Reactions>(
    db: &Database,
    link: &Link,
    queue: &Queue,
    reactions: &R,
    handled: &Handled,
    delivery: &Delivery,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let fact = match Received::read(&delivery.data) {
        Ok(fact) => fact,
        Err(reason) => {
            handled.count("parked");
            return park(link, queue, delivery, &reason).await.map(|()| true);
        }
    };
    let mut pauses = Pauses::default();
    let mut attempts = 0;
    loop {
        let span = span(queue, &fact);
        let reason = match handle(db, queue.service, reactions, &fact).instrument(span).await {
            Ok(first) => {
                handled.count(if first { "handled" } else { "repeated" });
                return Ok(true);
            }
            Err(Unhandled::Poison(reason)) => reason,
            Err(Unhandled::Fault(error)) => {
                // While the database is away no message is to blame.
                if !away(&error) {
                    attempts += 1;
                }
                tracing::warn!(error = format!("{error:#}"), kind = fact.kind, id = %fact.id, attempts, "a fact waits");
                if attempts < ATTEMPTS {
                    if pause(pauses.next(), stop).await {
                        continue;
                    }
                    return Ok(false);
                }
                format!("{ATTEMPTS} attempts failed, the last with: {error:#}")
            }
        };
        handled.count("parked");
        return park(link, queue, delivery, &reason).await.map(|()| true);
    }
}

/// Handles a fact once: the reaction runs in the transaction that also records the message, so a repetition finds the record
/// and does nothing. True if it was the first time.
pub async fn handle<R: Reactions>(db: &Database, service: &str, reactions: &R, fact: &Received) -> Result<bool, Unhandled> {
    let mut tx = db.begin(&Scope::reaction(service, &fact.agency)).await?;
    let first = sqlx::query("INSERT INTO inbox (id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(fact.id)
        .execute(&mut *tx)
        .await?
        .rows_affected()
        == 1;
    if first {
        reactions.react(&mut tx, fact).await?;
        tx.commit().await?;
    }
    Ok(first)
}

/// Puts a message aside with its reason; a person looks, mends, and moves it back.
async fn park(link: &Link, queue: &Queue, delivery: &Delivery, reason: &str) -> anyhow::Result<()> {
    tracing::error!(reason, queue = queue.name(), "a message is parked");
    let mut headers = delivery.properties.headers().clone().unwrap_or_default();
    headers.insert("x-opsmesh-reason".into(), AMQPValue::LongString(reason.into()));
    headers.insert("x-opsmesh-queue".into(), AMQPValue::LongString(queue.name().into()));
    let properties: BasicProperties = delivery.properties.clone().with_headers(headers);
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirm = link
        .channel
        .basic_publish(topology::DEAD.into(), queue.name().into(), options, &delivery.data, properties)
        .await?
        .await?;
    anyhow::ensure!(matches!(confirm, Confirmation::Ack(None)), "the parking place did not take the message: {confirm:?}");
    Ok(())
}

fn away(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<sqlx::Error>()).any(trouble::passes)
}

fn span(queue: &Queue, fact: &Received) -> tracing::Span {
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {}", fact.kind),
        otel.kind = "consumer",
        messaging.system = "rabbitmq",
        messaging.destination.name = queue.name(),
        messaging.message.id = %fact.id,
    );
    if let Some(origin) = fact.traceparent.as_deref().and_then(|text| text.parse::<Origin>().ok()) {
        origin.adopt(&span);
    }
    span
}

/// Forgets old ids until told to stop.
pub(crate) async fn forget(db: Database, clock: Clock, stop: CancellationToken) -> anyhow::Result<()> {
    while pause(FORGET_EVERY, &stop).await {
        let before = (clock.now() - REMEMBERED).to_sqlx();
        if let Err(error) = sqlx::query("DELETE FROM inbox WHERE seen_at < $1").bind(before).execute(db.pool()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "old message ids stay for now");
        }
    }
    Ok(())
}
