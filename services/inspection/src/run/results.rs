//! The records of results: each is recorded once, and what it means for findings is decided in the same transaction.
use chassis::{Agency, Column, Filter, Kind, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{QueryBuilder, types::Json};

use crate::{
    finding::findings,
    item::{Observation, Verdict},
    run::{
        Judged, Key, Run, Seen,
        result::judge_all,
        runs::{self, Error},
    },
};

/// What a filter may ask of results.
pub const COLUMNS: &[Column] = &[
    Column { field: "item_id", sql: "item_id", kind: Kind::Text },
    Column { field: "device_id", sql: "device_id", kind: Kind::Text },
    Column { field: "verdict", sql: "verdict::text", kind: Kind::Words(&["pass", "flag", "fail"]) },
    Column { field: "observe_time", sql: "observed_at", kind: Kind::Moment },
    Column { field: "reason", sql: "reason", kind: Kind::Text },
];

/// A result, as its row has it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Recorded {
    /// Of what.
    #[sqlx(flatten)]
    pub key: Key,
    /// When it was seen.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub observed_at: Timestamp,
    /// What was seen.
    pub observation: Json<Observation>,
    /// How it is judged.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// Records what a worker saw. What is already recorded stays as it is and has no further effect. Gives the number of new
/// results.
pub async fn submit(tx: &mut Tx, run: &Run, shard: i32, seen: Vec<Seen>, now: Timestamp) -> Result<usize, Error> {
    run.takes_results()?;
    let targets = runs::targets(tx, run, shard).await?;
    let judged = judge_all(&run.items, &targets, seen)?;
    let new = insert(tx, run, &judged).await?;
    for result in judged.iter().filter(|result| new.contains(&result.seen.key)) {
        findings::consider(tx, run, result, now).await?;
    }
    Ok(new.len())
}

/// What of one part of a run is recorded.
pub async fn keys(tx: &mut Tx, run: &Run, devices: &[String]) -> Result<Vec<Key>, Error> {
    Ok(sqlx::query_as("SELECT item_id, device_id FROM results WHERE agency = $1 AND run_id = $2 AND device_id = ANY($3)")
        .bind(&run.agency)
        .bind(run.id)
        .bind(devices)
        .fetch_all(&mut **tx)
        .await?)
}

/// The results of a run by item and device, after the key `after`; of these verdicts, or of all, and matching the filter.
pub async fn list(
    tx: &mut Tx,
    agency: &Agency,
    run: &Run,
    verdicts: &[Verdict],
    filter: &Filter,
    after: Option<&Key>,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    let mut query =
        QueryBuilder::new("SELECT item_id, device_id, observed_at, observation, verdict, reason FROM results WHERE agency = ");
    query.push_bind(agency);
    query.push(" AND run_id = ").push_bind(run.id);
    if !verdicts.is_empty() {
        query.push(" AND verdict = ANY(").push_bind(verdicts).push(")");
    }
    if let Some(Key { item_id, device_id }) = after {
        query.push(" AND (item_id, device_id) > (").push_bind(item_id).push(", ").push_bind(device_id).push(")");
    }
    filter.push(&mut query);
    query.push(" ORDER BY item_id, device_id LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// Writes those that are new, and gives their keys.
async fn insert(tx: &mut Tx, run: &Run, judged: &[Judged<'_>]) -> sqlx::Result<Vec<Key>> {
    let mut items = Vec::with_capacity(judged.len());
    let mut devices = Vec::with_capacity(judged.len());
    let mut times = Vec::with_capacity(judged.len());
    let mut observations = Vec::with_capacity(judged.len());
    let mut verdicts = Vec::with_capacity(judged.len());
    let mut reasons = Vec::with_capacity(judged.len());
    for Judged { item: _, target: _, seen, judgement } in judged {
        items.push(seen.key.item_id.clone());
        devices.push(seen.key.device_id.clone());
        times.push(seen.at.to_sqlx());
        observations.push(Json(&seen.observation));
        verdicts.push(judgement.verdict);
        reasons.push(judgement.reason.clone());
    }
    sqlx::query_as(
        "INSERT INTO results (agency, run_id, item_id, device_id, observed_at, observation, verdict, reason)
         SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::timestamptz[], $6::jsonb[], $7::verdict[], $8::text[])
         ON CONFLICT DO NOTHING RETURNING item_id, device_id",
    )
    .bind(&run.agency)
    .bind(run.id)
    .bind(items)
    .bind(devices)
    .bind(times)
    .bind(observations)
    .bind(verdicts)
    .bind(reasons)
    .fetch_all(&mut **tx)
    .await
}
