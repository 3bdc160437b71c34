//! How long facts are kept. A month whose time is over is dropped as a whole, its partition, and never before each of its facts was carried and
//! sealed; a signed note of their numbers stays, so that an auditor tells this from somebody's deleting them.
use std::time::Duration;

use anyhow::ensure;
use chassis::{Clock, Database, Meter, Scope, Tx};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use jiff_sqlx::ToSqlx;
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;

use crate::{
    broker::pause,
    seal::{Disposal, Numbers, SealKey},
};

/// 网络安全法 (Cybersecurity Law), article 21 (3): logs are kept for no less than six months.
const LEAST_MONTHS: u16 = 6;
/// A month is over once a month.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// What stands in the way (a fact that waits for the broker, a reader that takes long) is gone by then.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The numbers of a large agency's month are counted in minutes; nobody waits for it.
const COUNT_WITHIN: &str = "10min";
/// A server that falls silent says so to nobody: longer than everything that is asked for a month may take.
const MONTH_WITHIN: Duration = Duration::from_secs(11 * 60);
/// Whoever wants a table for itself makes all others wait behind it; so it does not wait long.
const LOCK_WITHIN: &str = "500ms";
/// The replicas take turns on this advisory lock.
const TURN: i64 = 0x6f70_736d_6573_6803;

/// For how many months after its end a month of facts is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention(u16);

/// Less than the law asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("facts are kept for {LEAST_MONTHS} months at least, not {0}")]
pub(crate) struct TooShort(u16);

impl Retention {
    pub(crate) fn of(months: u16) -> Result<Self, TooShort> {
        if months < LEAST_MONTHS { Err(TooShort(months)) } else { Ok(Self(months)) }
    }

    /// The first month that is still kept.
    fn since(self, now: Timestamp) -> Result<Date, jiff::Error> {
        now.to_zoned(TimeZone::UTC).date().first_of_month().checked_sub(i32::from(self.0).months())
    }
}

/// What was dropped, and what was not.
#[derive(Debug, Clone)]
pub(crate) struct Dropped {
    facts: Counter,
    overdue: Gauge,
}

impl Dropped {
    pub(crate) fn new(meter: &Meter) -> Self {
        let overdue =
            "Months of facts that should be gone and cannot go yet, as last seen by this replica; -1 before it has looked";
        let dropped = Self {
            facts: meter.register(
                "opsmesh_facts_dropped",
                "Facts that this replica has dropped, their time being over",
                Counter::default(),
            ),
            overdue: meter.register("opsmesh_facts_months_overdue", overdue, Gauge::default()),
        };
        dropped.overdue.set(-1);
        dropped
    }
}

/// Drops what is over until told to stop.
pub(crate) async fn run(
    service: &'static str,
    db: Database,
    retention: Retention,
    key: Option<SealKey>,
    clock: Clock,
    dropped: Dropped,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        // What is under way when the process is to stop is undone, and done by whoever comes next.
        let looked = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            looked = drop_over(service, &db, retention, key.as_ref(), clock.now(), &dropped) => looked,
        };
        let wait = match looked {
            Ok(()) => LOOK_EVERY,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "months that are over wait to be dropped");
                AGAIN_AFTER
            }
        };
        if !pause(wait, &stop).await {
            return Ok(());
        }
    }
}

/// Drops all months that are over, oldest first.
async fn drop_over(
    service: &str,
    db: &Database,
    retention: Retention,
    key: Option<&SealKey>,
    now: Timestamp,
    dropped: &Dropped,
) -> anyhow::Result<()> {
    let since = retention.since(now)?;
    let partitions: Vec<String> = sqlx::query_scalar(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'facts'::regclass ORDER BY inhrelid::regclass::text",
    )
    .fetch_all(db.pool())
    .await?;
    let mut held_up = Vec::new();
    for month in partitions.iter().filter_map(|partition| month_of(partition)).filter(|month| *month < since) {
        let silent = || Err(anyhow::anyhow!("the database has gone silent"));
        match tokio::time::timeout(MONTH_WITHIN, drop_month(service, db, key, month, now)).await.unwrap_or_else(|_| silent()) {
            Ok(facts) => drop(dropped.facts.inc_by(u64::try_from(facts)?)),
            Err(error) => held_up.push(error.context(format!("facts of {month}"))),
        }
    }
    dropped.overdue.set(i64::try_from(held_up.len())?);
    // One is enough to say.
    held_up.into_iter().next().map_or(Ok(()), Err)
}

/// The month of a partition; the one for what falls outside all months has none.
fn month_of(partition: &str) -> Option<Date> {
    let (year, month) = partition.strip_prefix("facts_")?.split_once('_')?;
    Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()
}

/// Drops a month; how many facts it had.
async fn drop_month(service: &str, db: &Database, key: Option<&SealKey>, month: Date, now: Timestamp) -> anyhow::Result<usize> {
    let bounds = [month, month.checked_add(1.month())?];
    let [from, to] = bounds.map(|day| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()));
    let within = (from?, to?);
    let mut tx = db.begin(&Scope::platform("retention")).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("SET LOCAL statement_timeout = '{COUNT_WITHIN}'"))).execute(&mut *tx).await?;
    // What a transaction that has not ended yet adds is not counted; it is looked for again under lock.
    let ended: String = sqlx::query_scalar("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetch_one(&mut *tx).await?;
    let facts = numbers(&mut tx, within).await?;
    if !facts.is_empty() {
        sealed(&mut tx, month, within, key.is_some()).await?;
    }
    drop(tx);

    let mut tx = db.begin(&Scope::platform("retention")).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("SET LOCAL lock_timeout = '{LOCK_WITHIN}'"))).execute(&mut *tx).await?;
    let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(TURN).fetch_one(&mut *tx).await?;
    if !ours {
        return Ok(0);
    }
    let partition = format!("facts_{:04}_{:02}", month.year(), month.month());
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&partition).fetch_one(&mut *tx).await?;
    if !there {
        // Another replica was faster.
        return Ok(0);
    }
    let lock = format!("LOCK TABLE ONLY facts, {partition} IN ACCESS EXCLUSIVE MODE");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *tx).await?;
    // What came with a database from another server has transactions that are yet to come here; it was counted.
    let (waiting, late): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM outbox WHERE at >= $1 AND at < $2),
             EXISTS (SELECT FROM facts WHERE at >= $1 AND at < $2
                 AND tx >= $3::text::xid8 AND tx < pg_snapshot_xmax(pg_current_snapshot()))",
    )
    .bind(within.0.to_sqlx())
    .bind(within.1.to_sqlx())
    .bind(ended)
    .fetch_one(&mut *tx)
    .await?;
    ensure!(!waiting, "some wait for the broker");
    ensure!(!late, "some came just now");
    let count = facts.len();
    if let Some(key) = key.filter(|_| count > 0) {
        let disposal = key.dispose(service, month, now, facts);
        sqlx::query("INSERT INTO disposals (service, month, at, facts, key, signature) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(&disposal.service)
            .bind(disposal.month.to_sqlx())
            .bind(disposal.at.to_sqlx())
            .bind(disposal.facts.to_string())
            .bind(&disposal.key)
            .bind(&disposal.signature)
            .execute(&mut *tx)
            .await?;
    }
    sqlx::raw_sql(AssertSqlSafe(format!("DROP TABLE {partition}"))).execute(&mut *tx).await?;
    tx.commit().await?;
    tracing::info!(%month, facts = count, "facts whose time is over were dropped");
    Ok(count)
}

/// The numbers of what became true within these bounds.
async fn numbers(tx: &mut Tx, (from, to): (Timestamp, Timestamp)) -> sqlx::Result<Numbers> {
    let ranges: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT min(seq), max(seq) FROM (
             SELECT seq, seq - row_number() OVER (ORDER BY seq) AS range FROM facts WHERE at >= $1 AND at < $2
         ) AS numbered GROUP BY range ORDER BY 1",
    )
    .bind(from.to_sqlx())
    .bind(to.to_sqlx())
    .fetch_all(&mut **tx)
    .await?;
    Ok(Numbers::of_ranges(ranges))
}

/// Makes sure that nothing of it would be gone without a seal, and that all of it was sealed when it was new: no auditor would take our word for the rest.
async fn sealed(tx: &mut Tx, month: Date, (from, to): (Timestamp, Timestamp), with_key: bool) -> anyhow::Result<()> {
    if !with_key {
        let some: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM seals)").fetch_one(&mut **tx).await?;
        ensure!(!some, "they are sealed, and without host.seal_key nobody can sign that they were dropped");
        return Ok(());
    }
    let last: Option<(i64, i64)> = sqlx::query_as("SELECT horizon, floor FROM seals WHERE at < $1 ORDER BY number DESC LIMIT 1")
        .bind(Disposal::sealed_by(month)?.to_sqlx())
        .fetch_optional(&mut **tx)
        .await?;
    let (horizon, floor) = last.unwrap_or_default();
    let unsealed: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM facts WHERE at >= $1 AND at < $2 AND tx >= $3::text::xid8 AND seq > $4)")
            .bind(from.to_sqlx())
            .bind(to.to_sqlx())
            .bind(horizon.to_string())
            .bind(floor)
            .fetch_one(&mut **tx)
            .await?;
    ensure!(!unsealed, "some were not sealed soon after their month");
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_over_when_so_many_have_passed_since_its_end() {
        let kept = Retention::of(6).unwrap();
        let since = |now: &str| kept.since(now.parse().unwrap()).unwrap();
        assert_eq!(since("2026-11-30T23:59:59Z"), date(2026, 5, 1));
        assert_eq!(since("2026-12-01T00:00:00Z"), date(2026, 6, 1));
        assert_eq!(since("2027-03-31T12:00:00Z"), date(2026, 9, 1));
        assert_eq!(Retention::of(5), Err(TooShort(5)));
    }

    #[test]
    fn only_a_month_has_a_month() {
        assert_eq!(month_of("facts_2026_05"), Some(date(2026, 5, 1)));
        for other in ["facts_default", "facts_2026_13", "tickets_2026_05", "facts"] {
            assert_eq!(month_of(other), None, "{other}");
        }
    }
}
