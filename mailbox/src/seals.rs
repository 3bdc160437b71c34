//! The records of seals. One replica at a time seals what was committed since the last seal, beside the work and never in its
//! way: hashing inside the transactions would make an agency's changes wait for each other (measured: a seventh of the rate).
use std::time::Duration;

use anyhow::Context;
use chassis::{Clock, Database, Meter, Scope, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use lapin::{
    BasicProperties, Confirmation,
    options::{BasicGetOptions, BasicPublishOptions},
};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    broker::{BrokerSettings, Link, Pauses, pause},
    envelope::{Fact, PERSISTENT},
    leaves::{Leaves, leaf},
    patience,
    seal::{Bounds, Hash, Seal, SealKey},
    topology,
};

/// Facts are sealed so soon after they are committed.
const SEAL_EVERY: Duration = Duration::from_millis(500);
/// Facts a seal at most: their hashes fit memory and a row many times over. Only a single transaction may have more.
const BATCH: i64 = 20_000;
/// What the relay has not read is read by so many: each may be as large as a message.
const READ_AT_ONCE: usize = 1_024;
/// The replicas take turns on this advisory lock.
const TURN: i64 = 0x6f70_736d_6573_6802;
/// Copies sent at once.
const COPIES: i64 = 256;
/// A broker that takes longer is not well; the copies wait.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);
const PLACE: &str = "broker";

/// What was sealed.
#[derive(Debug, Clone)]
pub(crate) struct Sealing {
    facts: Counter,
    read: Counter,
    copied: Gauge,
}

impl Sealing {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            facts: meter.register("opsmesh_facts_sealed", "Facts that this replica has sealed", Counter::default()),
            read: meter.register(
                "opsmesh_facts_sealed_read",
                "Facts that this replica has read again to seal them: they were not carried yet, or by another",
                Counter::default(),
            ),
            copied: meter.register("opsmesh_seals_copied", "The last seal that a second place has", Gauge::default()),
        }
    }
}

/// Who seals.
pub(crate) struct Sealer {
    pub(crate) service: &'static str,
    pub(crate) key: SealKey,
    /// What the relay beside it has read.
    pub(crate) leaves: Leaves,
    pub(crate) sealing: Sealing,
}

/// Seals until told to stop.
pub(crate) async fn run(sealer: Sealer, db: Database, clock: Clock, stop: CancellationToken) -> anyhow::Result<()> {
    tracing::info!(public_key = %sealer.key.public(), "facts are sealed");
    let mut pauses = Pauses::default();
    while !stop.is_cancelled() {
        let sealed = patience::round(sealer.seal(&db, clock.now())).await;
        sealer.leaves.turn();
        let wait = match sealed {
            Ok(sealed) => {
                pauses.reset();
                sealer.sealing.facts.inc_by(u64::try_from(sealed)?);
                if sealed < usize::try_from(BATCH)? { SEAL_EVERY } else { Duration::ZERO }
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "facts wait to be sealed");
                pauses.next()
            }
        };
        pause(wait, &stop).await;
    }
    Ok(())
}

impl Sealer {
    /// Seals what was committed since the last seal, if no other replica does; how many facts.
    async fn seal(&self, db: &Database, now: Timestamp) -> anyhow::Result<usize> {
        let mut tx = db.begin(&Scope::platform("sealer")).await?;
        let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(TURN).fetch_one(&mut *tx).await?;
        if !ours {
            return Ok(0);
        }
        let last = last(&mut tx).await?;
        // Below this every transaction has ended. Numbers of facts would not do: a lower one may be committed later.
        let ended: String =
            sqlx::query_scalar("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetch_one(&mut *tx).await?;
        let ended: u64 = ended.parse()?;
        let (from, bounds) = match &last {
            Some(last) if ended < last.horizon => return self.after_restore(tx, last, now).await,
            Some(last) => (last.horizon, Bounds { horizon: ended, floor: last.floor }),
            None => (0, Bounds { horizon: ended, floor: 0 }),
        };
        let mut facts = committed(&mut tx, from, ended, bounds.floor, BATCH + 1).await?;
        let bounds = match facts.last() {
            None => return Ok(0),
            // What does not fit is left to the next seal, whole transactions of it.
            Some(next) if facts.len() > usize::try_from(BATCH)? => {
                let horizon = if next.tx > facts[0].tx { next.tx } else { next.tx + 1 };
                if horizon > next.tx {
                    facts = committed(&mut tx, from, horizon, bounds.floor, i64::MAX).await?;
                } else {
                    facts.retain(|fact| fact.tx < horizon);
                }
                Bounds { horizon, ..bounds }
            }
            Some(_) => bounds,
        };
        let facts = self.hashed(&mut tx, &facts).await?;
        self.save(tx, last.as_ref(), bounds, now, facts).await
    }

    /// The database was restored on a server whose transactions are numbered anew. What came with it and was not sealed yet is
    /// sealed now; from its highest number on, transactions are compared again.
    async fn after_restore(&self, mut tx: Tx, last: &Seal, now: Timestamp) -> anyhow::Result<usize> {
        tracing::warn!(last.number, last.horizon, "the database came from another server; its last facts are sealed now");
        let facts = committed(&mut tx, last.horizon, u64::MAX, last.floor, i64::MAX).await?;
        let highest: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM facts WHERE tx >= $1::text::xid8")
            .bind(last.horizon.to_string())
            .fetch_one(&mut *tx)
            .await?;
        let sealed: Option<i64> = seals_highest(&mut tx).await?;
        let floor = [highest, sealed, Some(last.floor)].into_iter().flatten().max().unwrap_or(0);
        let facts = self.hashed(&mut tx, &facts).await?;
        self.save(tx, Some(last), Bounds { horizon: 0, floor }, now, facts).await
    }

    /// Each with its hash: as the relay has it, or read for it.
    async fn hashed(&self, tx: &mut Tx, facts: &[Committed]) -> anyhow::Result<Vec<(i64, Hash)>> {
        let known = self.leaves.of(facts.iter().map(|fact| fact.id));
        let mut hashed: Vec<(i64, Hash)> =
            facts.iter().zip(&known).filter_map(|(fact, hash)| Some((fact.seq, (*hash)?))).collect();
        let unknown: Vec<Committed> =
            facts.iter().zip(known).filter_map(|(fact, hash)| hash.is_none().then_some(*fact)).collect();
        self.sealing.read.inc_by(u64::try_from(unknown.len())?);
        for some in unknown.chunks(READ_AT_ONCE) {
            let read: Vec<Fact> = sqlx::query_as(
                "SELECT seq, at, fact.*
                 FROM unnest($1::bigint[], $2::timestamptz[]) AS unknown (seq, at)
                 CROSS JOIN LATERAL (
                     SELECT facts.tx::text::bigint AS tx, id, agency, kind, subject, actor, traceparent, clause, data::text AS data
                     FROM facts WHERE facts.at = unknown.at AND facts.seq = unknown.seq OFFSET 0
                 ) AS fact",
            )
            .bind(some.iter().map(|fact| fact.seq).collect::<Vec<_>>())
            .bind(some.iter().map(|fact| fact.at.to_sqlx()).collect::<Vec<_>>())
            .fetch_all(&mut **tx)
            .await?;
            hashed.extend(read.iter().map(|fact| (fact.seq, leaf(fact, self.leaves.suite()))));
        }
        anyhow::ensure!(hashed.len() == facts.len(), "of {} facts {} are there", facts.len(), hashed.len());
        Ok(hashed)
    }

    async fn save(
        &self,
        mut tx: Tx,
        last: Option<&Seal>,
        bounds: Bounds,
        now: Timestamp,
        mut facts: Vec<(i64, Hash)>,
    ) -> anyhow::Result<usize> {
        facts.sort_unstable_by_key(|(seq, _)| *seq);
        let sealed = self.key.seal(self.service, last, bounds, now, &facts);
        let seal = sealed.seal;
        sqlx::query(
            "INSERT INTO seals (number, service, at, facts, horizon, floor, root, previous, key, signature, leaves)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(seal.number)
        .bind(&seal.service)
        .bind(seal.at.to_sqlx())
        .bind(seal.facts.to_string())
        .bind(i64::try_from(seal.horizon)?)
        .bind(seal.floor)
        .bind(&seal.root[..])
        .bind(&seal.previous[..])
        .bind(&seal.key)
        .bind(&seal.signature)
        .bind(sealed.leaves.concat())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(facts.len())
    }
}

/// The highest number that any seal has. The facts themselves may be gone with their month, so the seals are asked.
async fn seals_highest(tx: &mut Tx) -> anyhow::Result<Option<i64>> {
    let all: Vec<String> = sqlx::query_scalar("SELECT facts FROM seals").fetch_all(&mut **tx).await?;
    let mut highest = None;
    for numbers in all {
        highest = highest.max(numbers.parse::<crate::seal::Numbers>()?.last());
    }
    Ok(highest)
}

/// A fact that was committed.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct Committed {
    seq: i64,
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    at: Timestamp,
    #[sqlx(try_from = "i64")]
    tx: u64,
    id: Uuid,
}

/// The facts of transactions from `from` to below `to`, numbered above `floor`, in the order of their transactions.
async fn committed(tx: &mut Tx, from: u64, to: u64, floor: i64, limit: i64) -> sqlx::Result<Vec<Committed>> {
    sqlx::query_as(
        "SELECT seq, at, facts.tx::text::bigint AS tx, id FROM facts
         WHERE facts.tx >= $1::text::xid8 AND facts.tx < $2::text::xid8 AND seq > $3 ORDER BY facts.tx LIMIT $4",
    )
    .bind(from.to_string())
    .bind(to.to_string())
    .bind(floor)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await
}

#[derive(sqlx::FromRow)]
struct SealRow {
    number: i64,
    service: String,
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    at: Timestamp,
    facts: String,
    horizon: i64,
    floor: i64,
    root: Vec<u8>,
    previous: Vec<u8>,
    key: String,
    signature: Vec<u8>,
}

impl SealRow {
    fn seal(self) -> anyhow::Result<Seal> {
        let Self { number, service, at, facts, horizon, floor, root, previous, key, signature } = self;
        let hash = |bytes: Vec<u8>| Hash::try_from(bytes).map_err(|_| anyhow::anyhow!("seal {number}: a hash has 32 bytes"));
        Ok(Seal {
            number,
            service,
            at,
            facts: facts.parse()?,
            horizon: u64::try_from(horizon)?,
            floor,
            root: hash(root)?,
            previous: hash(previous)?,
            key,
            signature,
        })
    }
}

async fn last(tx: &mut Tx) -> anyhow::Result<Option<Seal>> {
    let row: Option<SealRow> = sqlx::query_as(
        "SELECT number, service, at, facts, horizon, floor, root, previous, key, signature FROM seals
         ORDER BY number DESC LIMIT 1",
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(SealRow::seal).transpose()
}

/// Sends a copy of every seal to the broker, where whoever does not trust the database can have it, until told to stop.
pub(crate) async fn copy(
    service: &'static str,
    db: Database,
    broker: BrokerSettings,
    sealing: Sealing,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut pauses = Pauses::default();
    while !stop.is_cancelled() {
        if let Err(error) = copy_on(service, &db, &broker, &sealing, &mut pauses, &stop).await {
            tracing::warn!(error = format!("{error:#}"), "copies of seals wait");
            pause(pauses.next(), &stop).await;
        }
    }
    Ok(())
}

async fn copy_on(
    service: &'static str,
    db: &Database,
    broker: &BrokerSettings,
    sealing: &Sealing,
    pauses: &mut Pauses,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let link = Link::connect(broker, &format!("{service} seals")).await.context("the broker is away")?;
    link.answered(topology::declare(&link.channel)).await.context("the exchange cannot be declared")?;
    pauses.reset();
    while !stop.is_cancelled() {
        let sent = copies(db, &link, sealing).await?;
        link.lives()?;
        pause(if sent < COPIES { SEAL_EVERY } else { Duration::ZERO }, stop).await;
    }
    Ok(())
}

/// Sends some copies in their order; how many. A replica that sends one again sends the same.
async fn copies(db: &Database, link: &Link, sealing: &Sealing) -> anyhow::Result<i64> {
    let mut tx = db.begin(&Scope::platform("sealer")).await?;
    let rows: Vec<SealRow> = sqlx::query_as(
        "SELECT number, service, at, facts, horizon, floor, root, previous, key, signature FROM seals
         WHERE number > coalesce((SELECT number FROM seal_copies WHERE place = $1), 0)
         ORDER BY number LIMIT $2",
    )
    .bind(PLACE)
    .bind(COPIES)
    .fetch_all(&mut *tx)
    .await?;
    let Some(last) = rows.last().map(|row| row.number) else { return Ok(0) };
    let sent = i64::try_from(rows.len())?;
    let publishing = async {
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let mut confirms = Vec::new();
        for row in rows {
            let seal = row.seal()?;
            let properties = BasicProperties::default()
                .with_content_type("application/json".into())
                .with_delivery_mode(PERSISTENT)
                .with_message_id(format!("{}-{}", seal.service, seal.number).into());
            let (key, body) = (seal.service.as_str().into(), serde_json::to_vec(&seal)?);
            confirms.push(link.channel.basic_publish(topology::SEALS.into(), key, mandatory, &body, properties).await?);
        }
        for confirm in confirms {
            let confirm = confirm.await?;
            anyhow::ensure!(matches!(confirm, Confirmation::Ack(None)), "a copy was not taken: {confirm:?}");
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(CONFIRM_WITHIN, publishing).await.context("the broker confirms nothing")??;
    sqlx::query(
        "INSERT INTO seal_copies (place, number) VALUES ($1, $2)
         ON CONFLICT (place) DO UPDATE SET number = greatest(seal_copies.number, excluded.number)",
    )
    .bind(PLACE)
    .bind(last)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    sealing.copied.set(last);
    Ok(sent)
}

/// Moves the copies that the broker keeps to `keep`, one JSON object at a time, and takes away what was kept; how many.
pub async fn collect_copies(broker: &BrokerSettings, mut keep: impl FnMut(&[u8]) -> std::io::Result<()>) -> anyhow::Result<u64> {
    let link = Link::connect(broker, "copies of seals").await.context("the broker is away")?;
    let mut kept = 0;
    while let Some(message) = link.answered(link.channel.basic_get(topology::SEALS.into(), BasicGetOptions::default())).await? {
        keep(&message.data)?;
        link.acknowledge(&message.delivery).await?;
        kept += 1;
    }
    Ok(kept)
}
