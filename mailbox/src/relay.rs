//! From the outbox to the exchange. A fact leaves the outbox when the broker has confirmed it and not before; what happens
//! in between is repeated, and the consumers' inboxes make the repetition harmless.
use std::time::Duration;

use anyhow::Context;
use chassis::{Database, Meter, Origin, Scope};
use futures::future::join_all;
use lapin::{Confirmation, options::BasicPublishOptions};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use sqlx::PgConnection;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    batch::batches,
    broker::{BrokerSettings, Link, Pauses, pause},
    envelope::{Fact, message},
    floor::{Floor, Sight},
    leaves::Leaves,
    patience, topology,
};

/// Facts carried at once.
const AT_ONCE: i64 = 1024;
/// A broker that takes longer is not well; the relay gives up before the server would end its session for idling.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);
/// A hint wakes the relay in this process; another replica's facts are found at the next look.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So long after a look began that found some the next one does: what comes meanwhile leaves together, at a fraction of the cost of a look each (a commit has some sixty
/// facts when calls are many). Whoever comes after a rest does not wait.
const PACE: Duration = Duration::from_millis(8);
/// A look that found so many was worth its cost, and the next one begins at once.
const MANY: i64 = 256;
/// Where it is another replica's turn, that one carries ours too; but it may have looked just before they came, and rest.
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// How often it is asked who writes: what has gone since is looked through again at every look.
const SEE_EVERY: Duration = Duration::from_millis(100);
/// How often the outbox is looked through from its beginning: whoever puts an old fact back by hand finds it carried.
const THOROUGH_EVERY: Duration = Duration::from_secs(60);
/// The replicas' relays take turns on this advisory lock, so that facts of one subject leave in their order. A turn lasts until nothing is found.
const TURN: i64 = 0x6f70_736d_6573_6801;
const SETTINGS: &[(&str, &str)] = &[
    // What the planner knows of a table that fills and empties is never true: it is told to take the keys.
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    // That facts were carried is not waited for: if the server forgets it, they are sent again.
    ("synchronous_commit", "off"),
];

/// What the relay has done.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    facts: Counter,
    waiting: Gauge,
}

impl Carried {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            facts: meter.register("opsmesh_facts_carried", "Facts that the broker has confirmed", Counter::default()),
            waiting: meter.register(
                "opsmesh_facts_waiting",
                "Facts that wait for the broker, as last seen by this replica",
                Gauge::default(),
            ),
        }
    }
}

/// Carries until told to stop.
pub(crate) async fn run(
    service: &'static str,
    db: Database,
    broker: BrokerSettings,
    leaves: Option<Leaves>,
    carried: Carried,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut pauses = Pauses::default();
    while !stop.is_cancelled() {
        if let Err(error) = carry(service, &db, &broker, leaves.as_ref(), &carried, &mut pauses, &stop).await {
            tracing::warn!(error = format!("{error:#}"), "facts wait");
            pause(pauses.next(), &stop).await;
        }
    }
    Ok(())
}

async fn carry(
    service: &'static str,
    db: &Database,
    broker: &BrokerSettings,
    leaves: Option<&Leaves>,
    carried: &Carried,
    pauses: &mut Pauses,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let link = Link::connect(broker, &format!("{service} relay")).await.context("the broker is away")?;
    link.answered(topology::declare(&link.channel)).await.context("the exchange cannot be declared")?;
    let mut outbox = Outbox::open(db).await.context("the database is away")?;
    pauses.reset();
    loop {
        let began = Instant::now();
        let moved = patience::round(carry_some(service, &link, leaves, carried, &mut outbox)).await?;
        link.lives()?;
        let rest = match moved {
            Some(MANY..) => Duration::ZERO,
            Some(1..) => PACE.saturating_sub(began.elapsed()),
            Some(_) => LOOK_EVERY,
            None => TRY_AGAIN,
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(rest) => {}
            // Behind a look that found some the next one comes anyway.
            () = db.changed(), if moved == Some(0) => {}
        }
    }
}

/// The outbox, as this relay sees it.
struct Outbox {
    session: PgConnection,
    ours: bool,
    floor: Floor,
    seen: Option<Instant>,
    thorough: Option<Instant>,
}

impl Outbox {
    async fn open(db: &Database) -> sqlx::Result<Self> {
        let session = db.apart(&Scope::platform("relay"), SETTINGS).await?;
        Ok(Self { session, ours: false, floor: Floor::default(), seen: None, thorough: None })
    }

    /// Whether it is our turn, or nobody's.
    async fn take_turn(&mut self) -> sqlx::Result<bool> {
        if !self.ours {
            self.ours = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(TURN).fetch_one(&mut self.session).await?;
        }
        Ok(self.ours)
    }

    async fn end_turn(&mut self) -> sqlx::Result<()> {
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(TURN).execute(&mut self.session).await?;
        self.ours = false;
        Ok(())
    }

    /// Those that wait, in their order.
    async fn look(&mut self) -> sqlx::Result<Vec<Fact>> {
        let above = self.above().await?;
        // Each is looked up by its key. Left to choose, the server reads all facts that there ever were as soon as it takes the outbox
        // for long.
        let facts: Vec<Fact> = sqlx::query_as(
            "SELECT seq, at, fact.*
             FROM (SELECT seq, at FROM outbox WHERE seq > $2 ORDER BY seq LIMIT $1) AS waiting
             CROSS JOIN LATERAL (
                 SELECT facts.tx::text::bigint AS tx, id, agency, kind, subject, actor, traceparent, clause, data::text AS data
                 FROM facts WHERE facts.at = waiting.at AND facts.seq = waiting.seq OFFSET 0
             ) AS fact
             ORDER BY seq",
        )
        .bind(AT_ONCE)
        .bind(above)
        .fetch_all(&mut self.session)
        .await?;
        self.floor.found(facts.first().map(|fact| fact.seq));
        Ok(facts)
    }

    /// Above which number the next look is, which begins after this.
    async fn above(&mut self) -> sqlx::Result<i64> {
        if is_over(&mut self.seen, SEE_EVERY) {
            // A sequence that is new says its first number before anybody has drawn it.
            let (server, numbered) = sqlx::query_as(
                "SELECT pg_postmaster_start_time()::text, CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM facts_seq",
            )
            .fetch_one(&mut self.session)
            .await?;
            let writing = sqlx::query_scalar(
                "SELECT virtualtransaction FROM pg_locks
                 WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .fetch_all(&mut self.session)
            .await?;
            self.floor.saw(Sight { server, numbered, writing });
        }
        Ok(if is_over(&mut self.thorough, THOROUGH_EVERY) { 0 } else { self.floor.above() })
    }

    async fn clear(&mut self, facts: &[Fact]) -> sqlx::Result<()> {
        let carried: Vec<i64> = facts.iter().map(|fact| fact.seq).collect();
        sqlx::query("DELETE FROM outbox WHERE seq = ANY($1)").bind(carried).execute(&mut self.session).await?;
        Ok(())
    }
}

/// Whether so long has passed since `last`, which then is now.
fn is_over(last: &mut Option<Instant>, every: Duration) -> bool {
    let now = Instant::now();
    let over = last.is_none_or(|last| now - last >= every);
    if over {
        *last = Some(now);
    }
    over
}

/// Carries those that wait, as many as are carried at once; the number of facts carried, if it was our turn.
async fn carry_some(
    service: &'static str,
    link: &Link,
    leaves: Option<&Leaves>,
    carried: &Carried,
    outbox: &mut Outbox,
) -> anyhow::Result<Option<i64>> {
    if !outbox.take_turn().await? {
        return Ok(None);
    }
    let facts = outbox.look().await?;
    let found = i64::try_from(facts.len())?;
    carried.waiting.set(found);
    if facts.is_empty() {
        outbox.end_turn().await?;
    } else {
        if let Some(leaves) = leaves {
            leaves.keep(&facts);
        }
        tokio::time::timeout(CONFIRM_WITHIN, publish(service, link, &facts)).await.context("the broker confirms nothing")??;
        outbox.clear(&facts).await?;
        carried.facts.inc_by(u64::try_from(found)?);
    }
    Ok(Some(found))
}

/// Sends all and then waits for all: the broker confirms in bulk.
async fn publish(service: &'static str, link: &Link, facts: &[Fact]) -> anyhow::Result<()> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let batches = batches(facts);
    let mut confirms = Vec::with_capacity(batches.len());
    for batch in &batches {
        let key = batch[0].routing_key();
        let sent: Vec<_> =
            batch.iter().map(|fact| (*fact, span(fact).in_scope(Origin::current).map(|origin| origin.to_string()))).collect();
        let (body, properties) = message(service, &sent)?;
        confirms.push(link.channel.basic_publish(topology::FACTS.into(), key.into(), mandatory, &body, properties).await?);
    }
    for (batch, confirm) in batches.iter().zip(join_all(confirms).await) {
        match confirm? {
            Confirmation::Ack(None) => {}
            // With an alternate exchange nothing is returned unless the topology is broken.
            other => anyhow::bail!("fact {} ({}) and those with it were not taken: {other:?}", batch[0].seq, batch[0].kind),
        }
    }
    Ok(())
}

fn span(fact: &Fact) -> tracing::Span {
    let span = tracing::info_span!(
        "send",
        otel.name = format!("send {}", fact.kind),
        otel.kind = "producer",
        messaging.system = "rabbitmq",
        messaging.destination.name = topology::FACTS,
        messaging.message.id = %fact.id,
    );
    if let Some(origin) = fact.traceparent.as_deref().and_then(|text| text.parse::<Origin>().ok()) {
        origin.adopt(&span);
    }
    span
}
