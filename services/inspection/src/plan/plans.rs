//! The records of plans. Each change is a function of a transaction that a door began and will commit.
use chassis::{Agency, Column, Filter, Kind, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::QueryBuilder;

use crate::plan::{Fact, Plan, PlanId, Refusal, Terms, wire};

/// The columns of a plan, by name: with `*` a later version's new column would change what a prepared statement gives, and it fails.
macro_rules! columns {
    () => {
        "agency, id, uid, generation, schedule, time_zone, items, selector, shard_size, max_shards, \
         updated_at"
    };
}

/// What a filter may ask of plans.
pub const COLUMNS: &[Column] = &[
    Column { field: "schedule", sql: "schedule", kind: Kind::Text },
    Column { field: "time_zone", sql: "time_zone", kind: Kind::Text },
    Column { field: "update_time", sql: "updated_at", kind: Kind::Moment },
];

/// Why a plan cannot be had or programmed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("there is no plan {0}")]
    NotFound(PlanId),
    /// The plan says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error("the record of plans failed")]
    Store(#[from] sqlx::Error),
}

/// Programs a plan, for the first time or anew.
pub async fn put(tx: &mut Tx, agency: &Agency, id: PlanId, terms: Terms, now: Timestamp) -> Result<Plan, Error> {
    let held: Option<Plan> =
        sqlx::query_as(concat!("SELECT ", columns!(), " FROM plans WHERE agency = $1 AND id = $2 FOR UPDATE"))
            .bind(agency)
            .bind(&id)
            .fetch_optional(&mut **tx)
            .await?;
    let (plan, fact) = match held {
        None => {
            let (plan, fact) = Plan::program(agency.clone(), id, terms, now);
            (plan, Some(fact))
        }
        Some(mut plan) => {
            let fact = plan.reprogram(terms, now)?;
            (plan, fact)
        }
    };
    if let Some(fact) = fact {
        save(tx, &plan, fact).await?;
    }
    Ok(plan)
}

/// One plan.
pub async fn get(tx: &mut Tx, agency: &Agency, id: &PlanId) -> Result<Plan, Error> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM plans WHERE agency = $1 AND id = $2"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| Error::NotFound(id.clone()))
}

/// The plans that match the filter, by id, after the id `after`.
pub async fn list(tx: &mut Tx, agency: &Agency, filter: &Filter, after: Option<&str>, limit: i64) -> Result<Vec<Plan>, Error> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM plans WHERE agency = "));
    query.push_bind(agency);
    query.push(" AND id > ").push_bind(after.unwrap_or(""));
    filter.push(&mut query);
    query.push(" ORDER BY id LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// The one way a plan reaches its table, and its news the facts.
async fn save(tx: &mut Tx, plan: &Plan, fact: Fact) -> sqlx::Result<()> {
    let Plan { agency, id, uid, generation, schedule, time_zone, items, selector, shard_size, max_shards, updated_at } = plan;
    sqlx::query(
        "INSERT INTO plans (agency, id, uid, generation, schedule, time_zone, items, selector, shard_size, max_shards, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (agency, id) DO UPDATE SET
             uid = excluded.uid, generation = excluded.generation, schedule = excluded.schedule, time_zone = excluded.time_zone,
             items = excluded.items, selector = excluded.selector, shard_size = excluded.shard_size,
             max_shards = excluded.max_shards, updated_at = excluded.updated_at",
    )
    .bind(agency)
    .bind(id)
    .bind(uid)
    .bind(generation)
    .bind(schedule)
    .bind(time_zone)
    .bind(items)
    .bind(selector)
    .bind(shard_size)
    .bind(max_shards)
    .bind(updated_at.to_sqlx())
    .execute(&mut **tx)
    .await?;
    mailbox::post(tx, wire::letter(plan, fact), *updated_at).await
}
