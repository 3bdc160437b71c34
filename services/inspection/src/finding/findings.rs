//! The records of findings. Each change is a function of a transaction that a door began and will commit.
use chassis::{Agency, Column, Filter, Kind, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::QueryBuilder;

use crate::{
    finding::{Fact, Finding, FindingId, Sighting, decide, wire},
    run::{Judged, Run},
};

/// The columns of a finding, by name: with `*` a later version's new column would change what a prepared statement gives, and it fails.
macro_rules! columns {
    () => {
        "agency, id, plan_id, item_id, item_title, device_id, device_display_name, device_address, severity, \
         reason, opening_run, opened_at, last_seen_run, last_seen_at, times_seen, clearing_run, cleared_at, \
         origin"
    };
}

/// What a filter may ask of findings.
pub const COLUMNS: &[Column] = &[
    Column { field: "severity", sql: "severity::text", kind: Kind::Words(&["minor", "major", "critical"]) },
    Column { field: "item_id", sql: "item_id", kind: Kind::Text },
    Column { field: "device_id", sql: "device_id", kind: Kind::Text },
    Column { field: "reason", sql: "reason", kind: Kind::Text },
    Column { field: "times_seen", sql: "times_seen", kind: Kind::Number },
    Column { field: "open_time", sql: "opened_at", kind: Kind::Moment },
    Column { field: "last_seen_time", sql: "last_seen_at", kind: Kind::Moment },
    Column { field: "clear_time", sql: "coalesce(cleared_at, 'infinity')", kind: Kind::Moment },
];

/// Why a finding cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("there is no finding {0}")]
    NotFound(FindingId),
    /// The database failed.
    #[error("the record of findings failed")]
    Store(#[from] sqlx::Error),
}

/// Opens, confirms or clears the finding that a new result is about, if it is about one.
pub(crate) async fn consider(tx: &mut Tx, run: &Run, result: &Judged<'_>, now: Timestamp) -> sqlx::Result<()> {
    let Judged { item, target, seen, judgement } = result;
    let held = latest(tx, run, &item.id, &target.device_id).await?;
    let sighting = Sighting { run, item, target, verdict: judgement.verdict, reason: &judgement.reason, at: seen.at };
    if let Some((finding, fact)) = decide(held, &sighting) {
        save(tx, &finding, fact, now).await?;
    }
    Ok(())
}

/// One finding.
pub async fn get(tx: &mut Tx, agency: &Agency, id: FindingId) -> Result<Finding, Error> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM findings WHERE agency = $1 AND id = $2"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NotFound(id))
}

/// Findings that match the filter, newest first, after the id `after`.
pub async fn list(
    tx: &mut Tx,
    agency: &Agency,
    open_only: bool,
    device: Option<&str>,
    filter: &Filter,
    after: Option<FindingId>,
    limit: i64,
) -> Result<Vec<Finding>, Error> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM findings WHERE agency = "));
    query.push_bind(agency);
    if let Some(device) = device {
        query.push(" AND device_id = ").push_bind(device);
    }
    if open_only {
        query.push(" AND cleared_at IS NULL");
    }
    if let Some(after) = after {
        query.push(" AND id < ").push_bind(after);
    }
    filter.push(&mut query);
    query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// The last finding of that item on that device, held: the open one, or the one that cleared last.
async fn latest(tx: &mut Tx, run: &Run, item: &str, device: &str) -> sqlx::Result<Option<Finding>> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM findings WHERE agency = $1 AND device_id = $2 AND plan_id = $3 AND item_id = $4
         ORDER BY cleared_at DESC NULLS FIRST LIMIT 1 FOR UPDATE"
    ))
    .bind(&run.agency)
    .bind(device)
    .bind(&run.plan_id)
    .bind(item)
    .fetch_optional(&mut **tx)
    .await
}

/// The one way a finding reaches its table, and its news the facts.
async fn save(tx: &mut Tx, finding: &Finding, fact: Fact, now: Timestamp) -> sqlx::Result<()> {
    let saved = match fact {
        Fact::Opened => insert(tx, finding).await?,
        Fact::Seen | Fact::Cleared => update(tx, finding).await?,
    };
    // Two runs of one plan at the same time may both see a new defect: it is one finding, and one of them opens it.
    if saved {
        mailbox::post(tx, wire::letter(finding, fact), now).await?;
    }
    Ok(())
}

async fn insert(tx: &mut Tx, finding: &Finding) -> sqlx::Result<bool> {
    let Finding {
        agency,
        id,
        plan_id,
        item_id,
        item_title,
        device_id,
        device_display_name,
        device_address,
        severity,
        reason,
        opening_run,
        opened_at,
        last_seen_run,
        last_seen_at,
        times_seen,
        clearing_run,
        cleared_at,
        origin,
    } = finding;
    let inserted = sqlx::query(
        "INSERT INTO findings (agency, id, plan_id, item_id, item_title, device_id, device_display_name, device_address, severity, reason,
             opening_run, opened_at, last_seen_run, last_seen_at, times_seen, clearing_run, cleared_at, origin)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING",
    )
    .bind(agency)
    .bind(id)
    .bind(plan_id)
    .bind(item_id)
    .bind(item_title)
    .bind(device_id)
    .bind(device_display_name)
    .bind(device_address)
    .bind(severity)
    .bind(reason)
    .bind(opening_run)
    .bind(opened_at.to_sqlx())
    .bind(last_seen_run)
    .bind(last_seen_at.to_sqlx())
    .bind(times_seen)
    .bind(clearing_run)
    .bind(cleared_at.map(ToSqlx::to_sqlx))
    .bind(origin)
    .execute(&mut **tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// What of a finding changes after it was opened.
async fn update(tx: &mut Tx, finding: &Finding) -> sqlx::Result<bool> {
    let updated = sqlx::query(
        "UPDATE findings SET reason = $3, last_seen_run = $4, last_seen_at = $5, times_seen = $6, clearing_run = $7, cleared_at = $8
         WHERE agency = $1 AND id = $2",
    )
    .bind(&finding.agency)
    .bind(finding.id)
    .bind(&finding.reason)
    .bind(finding.last_seen_run)
    .bind(finding.last_seen_at.to_sqlx())
    .bind(finding.times_seen)
    .bind(finding.clearing_run)
    .bind(finding.cleared_at.map(ToSqlx::to_sqlx))
    .execute(&mut **tx)
    .await?;
    Ok(updated.rows_affected() == 1)
}
