//! The records of runs. Each change is a function of a transaction that a door began and will commit.
use chassis::{Agency, Column, Filter, Kind, Origin, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::QueryBuilder;

use crate::{
    plan::{Plan, PlanId},
    run::{Balance, Fact, Refusal, Run, RunId, Target, wire},
};

/// The columns of a run, by name: with `*` a later version's new column would change what a prepared statement gives, and it fails.
macro_rules! columns {
    () => {
        "agency, id, plan_id, namespace, scheduled_at, state, items, targets, shard_size, recorded, passed, \
         flagged, failed, origin, reason, created_at, finished_at"
    };
}

/// What a filter may ask of runs.
pub const COLUMNS: &[Column] = &[
    Column { field: "state", sql: "state::text", kind: Kind::Words(&["open", "succeeded", "incomplete", "skipped"]) },
    Column { field: "scheduled_time", sql: "scheduled_at", kind: Kind::Moment },
    Column { field: "create_time", sql: "created_at", kind: Kind::Moment },
    Column { field: "finish_time", sql: "coalesce(finished_at, 'infinity')", kind: Kind::Moment },
    Column { field: "reason", sql: "reason", kind: Kind::Text },
];

/// Why a run cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none, or it is not the caller's.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// The run says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A result is not part of the worker's work.
    #[error(transparent)]
    Unknown(#[from] crate::run::Unknown),
    /// The database failed.
    #[error("the record of runs failed")]
    Store(#[from] sqlx::Error),
}

/// A device on its way to becoming a target.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// Where probes reach it.
    pub address: String,
}

/// Opens a run for `devices`, unless it is already open: then that one.
pub async fn open(
    tx: &mut Tx,
    plan: &Plan,
    id: RunId,
    scheduled_at: Timestamp,
    devices: &[Device],
    origin: Origin,
    now: Timestamp,
) -> Result<Run, Error> {
    let targets = i32::try_from(devices.len()).expect("a ledger has fewer devices than 2³¹");
    let (run, fact) = Run::open(plan, id, scheduled_at, targets, origin, now);
    if !insert(tx, &run, fact).await? {
        return get(tx, &plan.agency, id).await;
    }
    let ordinals: Vec<i32> = (0..targets).collect();
    let column = |of: fn(&Device) -> &String| devices.iter().map(|device| of(device).clone()).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO targets (agency, run_id, ordinal, device_id, display_name, address)
         SELECT $1, $2, * FROM unnest($3::int[], $4::text[], $5::text[], $6::text[])",
    )
    .bind(&run.agency)
    .bind(run.id)
    .bind(ordinals)
    .bind(column(|device| &device.id))
    .bind(column(|device| &device.display_name))
    .bind(column(|device| &device.address))
    .execute(&mut **tx)
    .await?;
    Ok(run)
}

/// Ends a run with what was recorded.
pub async fn finish(tx: &mut Tx, agency: &Agency, id: RunId, reason: String, now: Timestamp) -> Result<Run, Error> {
    let mut run: Run = sqlx::query_as(concat!("SELECT ", columns!(), " FROM runs WHERE agency = $1 AND id = $2 FOR UPDATE"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NotFound(id))?;
    let balance = balance(tx, agency, id).await?;
    if let Some(fact) = run.finish(balance, reason, now) {
        update(tx, &run, fact, now).await?;
    }
    Ok(run)
}

/// One run.
pub async fn get(tx: &mut Tx, agency: &Agency, id: RunId) -> Result<Run, Error> {
    let run = sqlx::query_as(concat!("SELECT ", columns!(), " FROM runs WHERE agency = $1 AND id = $2"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    counted(tx, run.ok_or(Error::NotFound(id))?).await
}

/// Runs, newest tick first, after the id `after`; of one plan or of all, and matching the filter.
pub async fn list(
    tx: &mut Tx,
    agency: &Agency,
    plan: Option<&PlanId>,
    filter: &Filter,
    after: Option<RunId>,
    limit: i64,
) -> Result<Vec<Run>, Error> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM runs WHERE agency = "));
    query.push_bind(agency);
    if let Some(plan) = plan {
        query.push(" AND plan_id = ").push_bind(plan);
    }
    if let Some(after) = after {
        query.push(" AND id < ").push_bind(after);
    }
    filter.push(&mut query);
    query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
    let found: Vec<Run> = query.build_query_as().fetch_all(&mut **tx).await?;
    let mut runs = Vec::with_capacity(found.len());
    for run in found {
        runs.push(counted(tx, run).await?);
    }
    Ok(runs)
}

/// The run of a worker in `namespace`, held so that it cannot end meanwhile. Another's run answers as if it did not exist.
pub async fn hold(tx: &mut Tx, namespace: &str, agency: &Agency, id: RunId) -> Result<Run, Error> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM runs WHERE agency = $1 AND id = $2 AND namespace = $3 FOR SHARE"))
        .bind(agency)
        .bind(id)
        .bind(namespace)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NotFound(id))
}

/// The targets of one part of a run.
pub async fn targets(tx: &mut Tx, run: &Run, index: i32) -> Result<Vec<Target>, Error> {
    let part = run.shard(index)?;
    Ok(sqlx::query_as(
        "SELECT ordinal, device_id, display_name, address FROM targets
         WHERE agency = $1 AND run_id = $2 AND ordinal >= $3 AND ordinal < $4 ORDER BY ordinal",
    )
    .bind(&run.agency)
    .bind(run.id)
    .bind(part.start)
    .bind(part.end)
    .fetch_all(&mut **tx)
    .await?)
}

/// A run that has not ended shows what is recorded so far.
async fn counted(tx: &mut Tx, mut run: Run) -> Result<Run, Error> {
    if run.finished_at.is_none() {
        run.balance = balance(tx, &run.agency, run.id).await?;
    }
    Ok(run)
}

async fn balance(tx: &mut Tx, agency: &Agency, id: RunId) -> sqlx::Result<Balance> {
    sqlx::query_as(
        "SELECT count(*)::int AS recorded, count(*) FILTER (WHERE verdict = 'pass')::int AS passed,
                count(*) FILTER (WHERE verdict = 'flag')::int AS flagged, count(*) FILTER (WHERE verdict = 'fail')::int AS failed
         FROM results WHERE agency = $1 AND run_id = $2",
    )
    .bind(agency)
    .bind(id)
    .fetch_one(&mut **tx)
    .await
}

/// The one way a run reaches its table, and its news the facts. False: its place is taken.
async fn insert(tx: &mut Tx, run: &Run, fact: Fact) -> sqlx::Result<bool> {
    let Run {
        agency,
        id,
        plan_id,
        namespace,
        scheduled_at,
        state,
        items,
        targets,
        shard_size,
        balance: _,
        origin,
        reason,
        created_at,
        finished_at,
    } = run;
    let inserted = sqlx::query(
        "INSERT INTO runs (agency, id, plan_id, namespace, scheduled_at, state, items, targets, shard_size, origin, reason, created_at, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
    )
    .bind(agency)
    .bind(id)
    .bind(plan_id)
    .bind(namespace)
    .bind(scheduled_at.to_sqlx())
    .bind(state)
    .bind(items)
    .bind(targets)
    .bind(shard_size)
    .bind(origin)
    .bind(reason)
    .bind(created_at.to_sqlx())
    .bind(finished_at.map(ToSqlx::to_sqlx))
    .execute(&mut **tx)
    .await?
    .rows_affected()
        == 1;
    if inserted {
        mailbox::post(tx, wire::letter(run, fact), *created_at).await?;
    }
    Ok(inserted)
}

/// What of a run changes after it was opened: how it ended.
async fn update(tx: &mut Tx, run: &Run, fact: Fact, now: Timestamp) -> sqlx::Result<()> {
    let Balance { recorded, passed, flagged, failed } = run.balance;
    sqlx::query(
        "UPDATE runs SET state = $3, recorded = $4, passed = $5, flagged = $6, failed = $7, reason = $8, finished_at = $9
         WHERE agency = $1 AND id = $2",
    )
    .bind(&run.agency)
    .bind(run.id)
    .bind(run.state)
    .bind(recorded)
    .bind(passed)
    .bind(flagged)
    .bind(failed)
    .bind(&run.reason)
    .bind(run.finished_at.map(ToSqlx::to_sqlx))
    .execute(&mut **tx)
    .await?;
    mailbox::post(tx, wire::letter(run, fact), now).await
}
