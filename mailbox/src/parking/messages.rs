//! The records of parked messages. What concerns one subject is done while its row at the gate is held, so that a replay and the
//! queue never pass each other.
use chassis::{Agency, Column, Database, Filter, Kind, Scope, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use proto::mailbox::v1 as pb;
use sqlx::QueryBuilder;
use tracing::Instrument;
use uuid::Uuid;

use super::message::{Parked, Parking, Why};
use crate::{
    Letter,
    envelope::Received,
    gate,
    inbox::{self, Reactions, Unhandled},
};

/// The columns of a parked message, by name: with `*` a later version's new column would change what a prepared statement gives, and it fails.
macro_rules! columns {
    () => {
        "id, agency, source, subject, kind, sequence, body, reason, holds, attempts, parked_at"
    };
}

/// What a list may be asked for.
pub(crate) const COLUMNS: &[Column] = &[
    Column { field: "kind", sql: "kind", kind: Kind::Text },
    Column { field: "subject", sql: "subject", kind: Kind::Text },
    Column { field: "source", sql: "source", kind: Kind::Text },
    Column { field: "reason", sql: "reason", kind: Kind::Text },
    Column { field: "park_time", sql: "parked_at", kind: Kind::Moment },
];
/// A replay handles at most so many of a subject in its one transaction: it ends long before the deadline of its call.
const AT_ONCE: usize = 100;

/// Why nothing was done with a parked message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is none.
    #[error("there is no parked message {0}")]
    NotFound(Uuid),
    /// The database failed.
    #[error("the parked messages cannot be had")]
    Store(#[from] sqlx::Error),
}

/// Puts a message aside with its reason, unless it needs none.
pub(crate) async fn park(
    db: &Database,
    service: &str,
    ordered: bool,
    body: &[u8],
    fact: Option<&Received>,
    why: &Why,
) -> sqlx::Result<Parking> {
    let mut parked = Parked::of(body, fact, why);
    let believed = fact.filter(|_| parked.agency.is_some());
    let scope = believed.map_or_else(|| Scope::platform("inbox"), |fact| Scope::reaction(service, &fact.agency));
    let mut tx = db.begin(&scope).await?;
    if let Some(fact) = believed.filter(|_| ordered) {
        let (highest, holding) = gate::hold(&mut tx, fact.about()).await?;
        if *why == Why::Waits && holding == 0 {
            return Ok(Parking::Again);
        }
        // What comes after something that was handled already holds nobody up.
        parked.holds = fact.sequence > highest;
    }
    // The broker gives up whole messages, of which some facts may have been handled.
    if let Some(fact) = believed
        && gate::remembered(&mut tx, fact.id).await?
    {
        return Ok(Parking::Over);
    }
    tracing::error!(reason = parked.reason, id = %parked.id, kind = parked.kind, subject = parked.subject, "a message is parked");
    let new = sqlx::query(
        "INSERT INTO inbox_parked (id, agency, source, subject, kind, sequence, body, reason, holds, attempts, parked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp()) ON CONFLICT (id) DO NOTHING",
    )
    .bind(parked.id)
    .bind(&parked.agency)
    .bind(&parked.source)
    .bind(&parked.subject)
    .bind(&parked.kind)
    .bind(parked.sequence)
    .bind(&parked.body)
    .bind(&parked.reason)
    .bind(parked.holds)
    .bind(parked.attempts)
    .execute(&mut *tx)
    .await?
    .rows_affected()
        == 1;
    if let Some(fact) = believed.filter(|_| new && parked.holds) {
        gate::count_holding(&mut tx, fact.about(), 1).await?;
    }
    tx.commit().await?;
    Ok(Parking::Parked)
}

/// What is parked, oldest first; of one agency, or all that the transaction sees.
pub(crate) async fn list(
    tx: &mut Tx,
    agency: Option<&Agency>,
    filter: &Filter,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> sqlx::Result<Vec<Parked>> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM inbox_parked WHERE true"));
    if let Some(agency) = agency {
        query.push(" AND agency = ").push_bind(agency);
    }
    if let Some((at, id)) = after {
        query.push(" AND (parked_at, id) > (").push_bind(at.to_sqlx()).push(", ").push_bind(id).push(")");
    }
    filter.push(&mut query);
    query.push(" ORDER BY parked_at, id LIMIT ").push_bind(limit);
    query.build_query_as().fetch_all(&mut **tx).await
}

/// One of them, if it is there, and its subject at the gate, if it holds others up: both until the end of the transaction. The gate comes first,
/// as it does for the queue.
async fn find(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<Parked>> {
    let seen: Option<Parked> = sqlx::query_as(concat!("SELECT ", columns!(), " FROM inbox_parked WHERE id = $1"))
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    if let Some(subject) = seen.as_ref().filter(|parked| parked.holds).and_then(Parked::about) {
        gate::hold(tx, subject).await?;
    }
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM inbox_parked WHERE id = $1 FOR UPDATE"))
        .bind(id)
        .fetch_optional(&mut **tx)
        .await
}

async fn take(tx: &mut Tx, id: Uuid) -> Result<Parked, Error> {
    find(tx, id).await?.ok_or(Error::NotFound(id))
}

/// What a replay came to.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) handled: Vec<String>,
    pub(crate) stopped_at: Option<Parked>,
    pub(crate) left: i32,
}

/// Handles a parked message, and with it what is parked of its subject, in its order, until one still cannot be handled.
pub(crate) async fn replay<R: Reactions>(
    tx: &mut Tx,
    service: &'static str,
    reactions: &R,
    id: Uuid,
    now: Timestamp,
) -> Result<Replayed, Error> {
    let mut line = vec![take(tx, id).await?];
    if line[0].holds {
        line = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM inbox_parked
             WHERE (agency, source, subject) = (SELECT agency, source, subject FROM inbox_parked WHERE id = $1) AND holds
             ORDER BY sequence FOR UPDATE"
        ))
        .bind(id)
        .fetch_all(&mut **tx)
        .await?;
    }
    let mut replayed = Replayed::default();
    let mut left = line.len();
    for mut parked in line.into_iter().take(AT_ONCE) {
        if !handled(tx, service, reactions, &mut parked, now).await? {
            replayed.stopped_at = Some(parked);
            break;
        }
        left -= 1;
        replayed.handled.push(parked.name());
    }
    replayed.left = i32::try_from(left).unwrap_or(i32::MAX);
    Ok(replayed)
}

/// Handles one, or writes down why it still cannot be.
async fn handled<R: Reactions>(
    tx: &mut Tx,
    service: &'static str,
    reactions: &R,
    parked: &mut Parked,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let point = tx.savepoint().await?;
    match once(tx, service, reactions, parked, now).await {
        Ok(()) => return Ok(true),
        Err(Unhandled::Fault(error)) if inbox::away(&error) => {
            return Err(error.downcast().unwrap_or(sqlx::Error::WorkerCrashed));
        }
        Err(error) => {
            tx.undo_to(&point).await?;
            parked.reason = Why::Reason(format!("{:#}", anyhow::Error::from(error))).words();
            parked.attempts = parked.attempts.saturating_add(1);
        }
    }
    sqlx::query("UPDATE inbox_parked SET reason = $2, attempts = $3 WHERE id = $1")
        .bind(parked.id)
        .bind(&parked.reason)
        .bind(parked.attempts)
        .execute(&mut **tx)
        .await?;
    Ok(false)
}

/// Handles a message that was put aside because the broker gave it up, if it is [its turn](Parked::is_tried). That it is tried is written down first: it may end this process again. True if
/// it was handled.
pub(crate) async fn once_more<R: Reactions>(
    db: &Database,
    service: &'static str,
    reactions: &R,
    fact: &Received,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let scope = Scope::reaction(service, &fact.agency);
    let mut tx = db.begin(&scope).await?;
    // It may have been handled before.
    let Some(parked) = find(&mut tx, fact.id).await? else { return Ok(false) };
    let first = is_first(&mut tx, &parked).await?;
    if !parked.is_tried(reactions.ordered(), first) {
        return Ok(false);
    }
    sqlx::query("UPDATE inbox_parked SET attempts = attempts + 1 WHERE id = $1").bind(fact.id).execute(&mut *tx).await?;
    tx.commit().await?;
    let mut tx = db.begin(&scope).await?;
    // Somebody may have been faster.
    let Some(mut parked) = find(&mut tx, fact.id).await? else { return Ok(false) };
    // This one is counted.
    parked.attempts -= 1;
    let handled = handled(&mut tx, service, reactions, &mut parked, now).await?;
    tx.commit().await?;
    Ok(handled)
}

/// Whether nothing is parked of its subject before it.
async fn is_first(tx: &mut Tx, parked: &Parked) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT FROM inbox_parked WHERE agency = $1 AND source = $2 AND subject = $3 AND holds AND sequence < $4)",
    )
    .bind(&parked.agency)
    .bind(&parked.source)
    .bind(&parked.subject)
    .bind(parked.sequence)
    .fetch_one(&mut **tx)
    .await
}

/// Handles one and takes it out: whether it arrives again or is replayed again, it has had its effect.
async fn once<R: Reactions>(
    tx: &mut Tx,
    service: &'static str,
    reactions: &R,
    parked: &Parked,
    now: Timestamp,
) -> Result<(), Unhandled> {
    let fact = Received::read(&parked.body).map_err(Unhandled::Poison)?;
    gate::known(&fact)?;
    if gate::remember(tx, fact.id).await? {
        reactions.react(tx, &fact).instrument(inbox::span(&format!("opsmesh.{service}"), &fact)).await?;
    }
    gone(tx, parked).await?;
    if reactions.ordered() {
        gate::passed(tx, fact.about(), fact.sequence).await?;
    }
    if let Some(agency) = agency_of(parked) {
        let told = pb::MessageReplayed { message: Some(parked.clone().into()) };
        crate::post(tx, Letter::about(&agency, parked.name(), &told), now).await?;
    }
    Ok(())
}

/// Gives a message up: it is remembered as if it had been handled, so that it never is.
pub(crate) async fn discard(tx: &mut Tx, id: Uuid, note: String, now: Timestamp) -> Result<Parked, Error> {
    let parked = take(tx, id).await?;
    gate::remember(tx, id).await?;
    gone(tx, &parked).await?;
    tracing::warn!(id = %id, note, by = tx.actor(), "a parked message is given up");
    if let Some(agency) = agency_of(&parked) {
        let told = pb::MessageDiscarded { message: Some(parked.clone().into()), note };
        crate::post(tx, Letter::about(&agency, parked.name(), &told), now).await?;
    }
    Ok(parked)
}

/// Takes a message out of its parking place, and with it what it held.
async fn gone(tx: &mut Tx, parked: &Parked) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM inbox_parked WHERE id = $1").bind(parked.id).execute(&mut **tx).await?;
    if let Some(subject) = parked.about().filter(|_| parked.holds) {
        gate::count_holding(tx, subject, -1).await?;
    }
    Ok(())
}

/// Gives a message that could not be read when it was parked, and can be now, to the agency that it is of.
pub(crate) async fn adopt(tx: &mut Tx, id: Uuid) -> Result<Option<Agency>, Error> {
    let parked = take(tx, id).await?;
    if let Some(agency) = agency_of(&parked) {
        return Ok(Some(agency));
    }
    let Some(fact) = Received::read(&parked.body).ok().filter(Received::keeps_to_its_agency) else { return Ok(None) };
    sqlx::query("UPDATE inbox_parked SET agency = $2, source = $3, subject = $4, kind = $5, sequence = $6 WHERE id = $1")
        .bind(id)
        .bind(&fact.agency)
        .bind(&fact.source)
        .bind(&fact.subject)
        .bind(&fact.kind)
        .bind(fact.sequence)
        .execute(&mut **tx)
        .await?;
    Ok(Some(fact.agency))
}

fn agency_of(parked: &Parked) -> Option<Agency> {
    parked.agency.as_deref().and_then(|agency| agency.parse().ok())
}
