//! The gate before a service's reactions: each message once, and those of one subject in their order. A subject's row is taken
//! with the message's first statement and kept until its effect commits, so that nothing of the same subject runs beside it.
use std::collections::{BTreeMap, HashMap, HashSet};

use chassis::{Database, Scope, Tx};
use uuid::Uuid;

use crate::{
    envelope::Received,
    inbox::{Reactions, Unhandled},
};

/// Handles a fact once: the reaction runs in the transaction that also records the message, so a repetition finds the record
/// and does nothing. True if it was the first time.
pub async fn handle<R: Reactions>(db: &Database, service: &str, reactions: &R, fact: &Received) -> Result<bool, Unhandled> {
    known(fact)?;
    let mut tx = db.begin(&Scope::reaction(service, &fact.agency)).await?;
    let first = if reactions.ordered() { enter(&mut tx, fact).await? } else { remember(&mut tx, fact.id).await? };
    if first {
        reactions.react(&mut tx, fact).await?;
        tx.commit().await?;
    }
    Ok(first)
}

/// A message of one agency about what is another's must not cross over.
pub(crate) fn known(fact: &Received) -> Result<(), Unhandled> {
    if fact.keeps_to_its_agency() {
        return Ok(());
    }
    Err(Unhandled::Poison(format!("a message of the agency {} is about {}, which is not its own", fact.agency, fact.subject)))
}

/// Records a message. True if it was not recorded before.
pub(crate) async fn remember(tx: &mut Tx, id: Uuid) -> sqlx::Result<bool> {
    let recorded = sqlx::query("INSERT INTO inbox (id) VALUES ($1) ON CONFLICT DO NOTHING").bind(id).execute(&mut **tx).await?;
    Ok(recorded.rows_affected() == 1)
}

/// Whether a message was recorded.
pub(crate) async fn remembered(tx: &mut Tx, id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM inbox WHERE id = $1)").bind(id).fetch_one(&mut **tx).await
}

/// Records a message whose turn it is. True if it was not recorded before.
async fn enter(tx: &mut Tx, fact: &Received) -> Result<bool, Unhandled> {
    let (first, before, holding): (bool, i64, i32) = sqlx::query_as(
        "WITH message AS (
             INSERT INTO inbox (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id
         ), gate AS (
             INSERT INTO inbox_subjects AS known (agency, source, subject, highest, before) VALUES ($2, $3, $4, $5, -1)
             ON CONFLICT (agency, source, subject) DO UPDATE
                 SET before = known.highest, highest = greatest(known.highest, excluded.highest), seen_at = now()
             RETURNING before, holding
         ) SELECT EXISTS (SELECT FROM message), before, holding FROM gate",
    )
    .bind(fact.id)
    .bind(&fact.agency)
    .bind(&fact.source)
    .bind(&fact.subject)
    .bind(fact.sequence)
    .fetch_one(&mut **tx)
    .await?;
    match first {
        true if holding > 0 => Err(Unhandled::Waits),
        true if fact.sequence <= before => Err(Unhandled::Poison(format!(
            "it comes too late: of its subject, fact {before} was handled before this one, fact {}",
            fact.sequence
        ))),
        _ => Ok(first),
    }
}

/// Records messages of one agency that arrived together, in their order: the ids of those that were not recorded before. If the gate would stop one of them
/// nothing is said of the others: they must come one by one.
pub(crate) async fn enter_all(tx: &mut Tx, ordered: bool, facts: &[&Received]) -> Result<HashSet<Uuid>, Unhandled> {
    let ids: Vec<Uuid> = facts.iter().map(|fact| fact.id).collect();
    // Each a microsecond after the one before it at the least: what was handled together tells its order, too.
    let recorded: HashSet<Uuid> = sqlx::query_scalar(
        "INSERT INTO inbox (id, seen_at)
         SELECT id, clock_timestamp() + place * interval '1 microsecond' FROM unnest($1::uuid[]) WITH ORDINALITY AS new (id, place)
         ORDER BY place ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?
    .into_iter()
    .collect();
    // Nor do one by one those pass that come again: one that was given up must not close the gate behind itself.
    let new: Vec<&Received> = facts.iter().copied().filter(|fact| recorded.contains(&fact.id)).collect();
    if ordered && !new.is_empty() {
        let mut passed = pass_all(tx, &new).await?;
        for fact in new {
            let gate = passed.get_mut(&(fact.source.clone(), fact.subject.clone()));
            let Passed { before, holding } = gate.ok_or(Unhandled::Waits)?;
            if *holding > 0 || fact.sequence <= *before {
                return Err(Unhandled::Waits);
            }
            *before = fact.sequence;
        }
    }
    Ok(recorded)
}

/// A gate as a transaction found it.
struct Passed {
    before: i64,
    holding: i32,
}

/// Takes the gates of all these subjects, by source and subject, and lets the highest of each through.
async fn pass_all(tx: &mut Tx, facts: &[&Received]) -> sqlx::Result<HashMap<(String, String), Passed>> {
    // Taken in one order everywhere, so that nobody waits in a circle.
    let mut highest = BTreeMap::<(&str, &str), i64>::new();
    for fact in facts {
        let known = highest.entry((&fact.source, &fact.subject)).or_insert(fact.sequence);
        *known = fact.sequence.max(*known);
    }
    let (names, sequences): (Vec<(&str, &str)>, Vec<i64>) = highest.into_iter().unzip();
    let (sources, subjects): (Vec<&str>, Vec<&str>) = names.into_iter().unzip();
    let gates: Vec<(String, String, i64, i32)> = sqlx::query_as(
        "INSERT INTO inbox_subjects AS known (agency, source, subject, highest, before)
         SELECT $1, source, subject, highest, -1
         FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS new (source, subject, highest, place) ORDER BY place
         ON CONFLICT (agency, source, subject) DO UPDATE
             SET before = known.highest, highest = greatest(known.highest, excluded.highest), seen_at = now()
         RETURNING source, subject, before, holding",
    )
    .bind(tx.agency().cloned())
    .bind(sources)
    .bind(subjects)
    .bind(sequences)
    .fetch_all(&mut **tx)
    .await?;
    Ok(gates.into_iter().map(|(source, subject, before, holding)| ((source, subject), Passed { before, holding })).collect())
}

/// A subject of one source, as the gate knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) agency: &'a str,
    pub(crate) source: &'a str,
    pub(crate) subject: &'a str,
}

impl Received {
    /// What it is about.
    pub(crate) fn about(&self) -> Subject<'_> {
        Subject { agency: self.agency.as_str(), source: &self.source, subject: &self.subject }
    }
}

/// Holds a subject until the end of the transaction: how far it was handled, and how many parked messages hold others up.
pub(crate) async fn hold(tx: &mut Tx, of: Subject<'_>) -> sqlx::Result<(i64, i32)> {
    sqlx::query_as(
        "INSERT INTO inbox_subjects AS known (agency, source, subject, highest, before) VALUES ($1, $2, $3, -1, -1)
         ON CONFLICT (agency, source, subject) DO UPDATE SET seen_at = now() RETURNING highest, holding",
    )
    .bind(of.agency)
    .bind(of.source)
    .bind(of.subject)
    .fetch_one(&mut **tx)
    .await
}

/// Counts a parked message that holds up others of its subject (1), or no longer does (-1).
pub(crate) async fn count_holding(tx: &mut Tx, of: Subject<'_>, more: i32) -> sqlx::Result<()> {
    sqlx::query("UPDATE inbox_subjects SET holding = holding + $4 WHERE agency = $1 AND source = $2 AND subject = $3")
        .bind(of.agency)
        .bind(of.source)
        .bind(of.subject)
        .bind(more)
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// Says that a subject was handled as far as `sequence`.
pub(crate) async fn passed(tx: &mut Tx, of: Subject<'_>, sequence: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE inbox_subjects SET highest = greatest(highest, $4) WHERE agency = $1 AND source = $2 AND subject = $3")
        .bind(of.agency)
        .bind(of.source)
        .bind(of.subject)
        .bind(sequence)
        .execute(&mut **tx)
        .await
        .map(drop)
}
