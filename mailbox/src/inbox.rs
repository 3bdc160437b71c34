//! From a queue into the database. A message is acknowledged after its effect has committed, and its id commits with the
//! effect: however often it arrives, it has one.
use std::{sync::Arc, time::Duration};

use chassis::{Clock, Database, Meter, Origin, Scope, Tx};
use jiff_sqlx::ToSqlx;
use lapin::{
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    broker::{BrokerSettings, Pauses, pause},
    envelope::Received,
    gate,
    handful::handfuls,
    pace::Pace,
    parking::{self, Parking, Why},
    patience,
    subscription::{Arrival, Subscription},
    topology::{self, Queue},
    trouble,
};

/// A reaction that fails so often, with the database well, fails because of its message.
const ATTEMPTS: u32 = 8;
/// Ids are remembered longer than any message is kept or any parked message waits for a replay.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 30);
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// A service's back door: what it does about other services' facts.
pub trait Reactions: Send + Sync + 'static {
    /// The kinds of facts it wants, by protobuf full name.
    fn kinds(&self) -> Vec<String>;

    /// Whether what it does depends on the order of a subject's facts. If so, one that is parked holds up those behind it, and one
    /// that comes too late is parked; if not, each is handled when it comes. Say no only with a test that shows it.
    fn ordered(&self) -> bool {
        true
    }

    /// Does it, in the transaction that also records the message.
    fn react(&self, tx: &mut Tx, fact: &Received) -> impl Future<Output = Result<(), Unhandled>> + Send;
}

/// Why a fact was not handled.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// It can never be: the message is parked with this reason.
    #[error("{0}")]
    Poison(String),
    /// An earlier message of its subject is parked: it is parked behind that one.
    #[error("an earlier message of its subject is parked")]
    Waits,
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

    fn count_one(&self, first: bool) {
        self.count(if first { "handled" } else { "repeated" });
    }

    fn count(&self, outcome: &'static str) {
        self.0.get_or_create(&Outcome { outcome }).inc();
    }
}

/// A back door: whose it is, what comes in, and what is done about it.
pub(crate) struct Door<R> {
    pub(crate) db: Database,
    pub(crate) broker: BrokerSettings,
    pub(crate) queue: Queue,
    pub(crate) reactions: Arc<R>,
    pub(crate) clock: Clock,
    pub(crate) handled: Handled,
}

/// Receives until told to stop.
pub(crate) async fn run<R: Reactions>(door: Door<R>, stop: CancellationToken) -> anyhow::Result<()> {
    let (mut pauses, mut pace) = (Pauses::default(), Pace::default());
    while !stop.is_cancelled() {
        if let Err(error) = door.receive(&mut pauses, &mut pace, &stop).await {
            tracing::warn!(error = format!("{error:#}"), "messages wait");
            pause(pauses.next(), &stop).await;
        }
    }
    Ok(())
}

impl<R: Reactions> Door<R> {
    async fn receive(&self, pauses: &mut Pauses, pace: &mut Pace, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut subscription = Subscription::begin(&self.broker, &self.queue).await?;
        pauses.reset();
        let ended = self.attend(&mut subscription, pace, stop).await;
        subscription.end().await;
        ended
    }

    async fn attend(&self, subscription: &mut Subscription, pace: &mut Pace, stop: &CancellationToken) -> anyhow::Result<()> {
        loop {
            let arrived = tokio::select! {
                // Where there is always more, the order decides whether anybody stops.
                biased;
                () = stop.cancelled() => return Ok(()),
                arrived = subscription.some() => arrived?,
            };
            let mut together = self.settle_together(&arrived, pace, stop).await.into_iter();
            for arrival in &arrived {
                for fact in arrival.facts() {
                    let settled = if arrival.given_up {
                        self.give_up(&arrival.delivery, fact, stop).await?
                    } else {
                        // Whoever is told to stop goes no further one by one: that goes back.
                        together.next() == Some(true) || !stop.is_cancelled() && self.settle(fact, stop).await?
                    };
                    if !settled {
                        return Ok(());
                    }
                }
                if arrival.given_up {
                    // All of it is put aside before one of it is tried: whatever that ends, nothing is lost.
                    for fact in arrival.facts() {
                        if !self.once_more(fact, stop).await? {
                            return Ok(());
                        }
                    }
                }
                subscription.acknowledge(arrival).await?;
            }
        }
    }

    /// Handles what can be together, that of one agency in one transaction or in several that do not take long. True for each fact that was; the others are left as they came.
    async fn settle_together(&self, arrived: &[Arrival], pace: &mut Pace, stop: &CancellationToken) -> Vec<bool> {
        let facts: Vec<&[u8]> = arrived.iter().filter(|arrival| !arrival.given_up).flat_map(Arrival::facts).collect();
        let mut settled = vec![false; facts.len()];
        let queue = self.queue.name();
        for mut handful in handfuls(&facts) {
            while !handful.is_empty() && !stop.is_cancelled() {
                let (began, most) = (Instant::now(), pace.most().min(handful.len()));
                let handling = handful.handle(most, &self.db, self.queue.service, &queue, &*self.reactions);
                let handled = match patience::answered(handling).await {
                    Ok(handled) => handled,
                    Err(error) => {
                        pace.took(most, began.elapsed());
                        tracing::debug!(error = &error as &dyn std::error::Error, "a handful is handled one by one");
                        // A database that does not answer for one agency would not for the next, and who is told to stop waits meanwhile.
                        if matches!(error, Unhandled::Fault(_)) {
                            return settled;
                        }
                        break;
                    }
                };
                pace.took(handled.len(), began.elapsed());
                for (place, first) in handled {
                    self.handled.count_one(first);
                    settled[place] = true;
                }
            }
        }
        settled
    }

    /// Brings a message to its end: handled, or parked. False: told to stop first, the message goes back.
    async fn settle(&self, body: &[u8], stop: &CancellationToken) -> anyhow::Result<bool> {
        let fact = match Received::read(body) {
            Ok(fact) => fact,
            Err(reason) => return Ok(self.park(body, None, &Why::Reason(reason), stop).await? == Aside::Put),
        };
        let mut pauses = Pauses::default();
        let mut attempts = 0;
        loop {
            let span = span(&self.queue.name(), &fact);
            let why = match patience::answered(gate::handle(&self.db, self.queue.service, &*self.reactions, &fact))
                .instrument(span)
                .await
            {
                Ok(first) => {
                    self.handled.count_one(first);
                    return Ok(true);
                }
                Err(Unhandled::Poison(reason)) => Why::Reason(reason),
                Err(Unhandled::Waits) => Why::Waits,
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
                    Why::Reason(format!("{ATTEMPTS} attempts failed, the last with: {error:#}"))
                }
            };
            match self.park(body, Some(&fact), &why, stop).await? {
                // What it waited for is gone.
                Aside::Again => {}
                put => return Ok(put == Aside::Put),
            }
        }
    }

    /// Puts a fact of a message aside that the broker gave up. False: told to stop first.
    async fn give_up(&self, delivery: &Delivery, body: &[u8], stop: &CancellationToken) -> anyhow::Result<bool> {
        let why = Why::Reason(given_up_for(delivery));
        let fact = Received::read(body).ok();
        Ok(self.park(body, fact.as_ref(), &why, stop).await? == Aside::Put)
    }

    /// Handles a fact by itself that was put aside because the broker gave it up: of many that were there when their consumer ended again and again, all but one are not to
    /// blame. False: told to stop first, the message goes back.
    async fn once_more(&self, body: &[u8], stop: &CancellationToken) -> anyhow::Result<bool> {
        let Some(fact) = Received::read(body).ok().filter(Received::keeps_to_its_agency) else { return Ok(true) };
        let mut pauses = Pauses::default();
        while !stop.is_cancelled() {
            let trying = parking::once_more(&self.db, self.queue.service, &*self.reactions, &fact, self.clock.now());
            match patience::answered(trying).await {
                Ok(handled) => {
                    if handled {
                        tracing::info!(kind = fact.kind, id = %fact.id, "a message that was given up is handled");
                        self.handled.count_one(true);
                    }
                    return Ok(true);
                }
                Err(error) if trouble::passes(&error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a message that was given up waits");
                    pause(pauses.next(), stop).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Puts a message aside with its reason; a person looks, mends, and replays it.
    async fn park(&self, body: &[u8], fact: Option<&Received>, why: &Why, stop: &CancellationToken) -> anyhow::Result<Aside> {
        let mut pauses = Pauses::default();
        loop {
            match patience::answered(parking::park(&self.db, self.queue.service, self.reactions.ordered(), body, fact, why)).await
            {
                Ok(Parking::Parked) => {
                    self.handled.count("parked");
                    return Ok(Aside::Put);
                }
                Ok(Parking::Over) => {
                    self.handled.count_one(false);
                    return Ok(Aside::Put);
                }
                Ok(Parking::Again) => return Ok(Aside::Again),
                Err(error) if trouble::passes(&error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a message waits to be parked");
                    if !pause(pauses.next(), stop).await {
                        return Ok(Aside::NotNow);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What became of a message that was to be put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aside {
    Put,
    /// Nothing holds it up any more.
    Again,
    /// Told to stop first.
    NotNow,
}

/// Why the broker, or who used its parking place before us, gave a message up.
fn given_up_for(delivery: &Delivery) -> String {
    let headers = delivery.properties.headers().as_ref().map(FieldTable::inner);
    match headers.and_then(|headers| headers.get("x-opsmesh-reason")) {
        Some(AMQPValue::LongString(reason)) => reason.to_string(),
        _ => format!("it ended its consumer: the broker gave it up after {} deliveries", topology::DELIVERY_LIMIT),
    }
}

pub(crate) fn away(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<sqlx::Error>()).any(trouble::passes)
}

pub(crate) fn span(queue: &str, fact: &Received) -> tracing::Span {
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {}", fact.kind),
        otel.kind = "consumer",
        messaging.system = "rabbitmq",
        messaging.destination.name = queue,
        messaging.message.id = %fact.id,
    );
    if let Some(origin) = fact.traceparent.as_deref().and_then(|text| text.parse::<Origin>().ok()) {
        origin.adopt(&span);
    }
    span
}

/// Forgets old ids, and subjects of which nothing comes any more, until told to stop.
pub(crate) async fn forget(db: Database, clock: Clock, stop: CancellationToken) -> anyhow::Result<()> {
    while pause(FORGET_EVERY, &stop).await {
        if let Err(error) = forget_before(&db, (clock.now() - REMEMBERED).to_sqlx()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "old message ids stay for now");
        }
    }
    Ok(())
}

async fn forget_before(db: &Database, at: jiff_sqlx::Timestamp) -> sqlx::Result<()> {
    let mut tx = db.begin(&Scope::platform("inbox")).await?;
    sqlx::query("DELETE FROM inbox WHERE seen_at < $1").bind(at).execute(&mut *tx).await?;
    sqlx::query("DELETE FROM inbox_subjects WHERE seen_at < $1 AND holding = 0").bind(at).execute(&mut *tx).await?;
    tx.commit().await
}
