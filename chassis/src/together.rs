//! Requests that are answered together: as [`Database::first`](crate::Database::first), for many of an agency in one
//! transaction, with the answers known beforehand.
use std::collections::{HashMap, HashSet};

use prost::{Message, Name};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{Agency, Database, Origin, Scope, Stroke, answers::fingerprint, database::Mark};

/// A request with the answer that it is given if it comes for the first time.
#[derive(Debug, Clone)]
pub struct Asked {
    request_id: Uuid,
    fingerprint: Vec<u8>,
    answer: Vec<u8>,
}

impl Asked {
    /// What `actor` asks for under a `request_id`, and what it is answered.
    pub fn new<Q: Message + Name>(actor: &str, request_id: Uuid, request: &Q, answer: &impl Message) -> Self {
        Self { request_id, fingerprint: fingerprint(actor, request), answer: answer.encode_to_vec() }
    }

    /// The `request_id`.
    #[must_use]
    pub fn request_id(&self) -> Uuid {
        self.request_id
    }
}

/// Whether a request comes for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It does: its answer is remembered, and what it asks for is to be done.
    First,
    /// It came before; this was the answer, encoded.
    Before(Vec<u8>),
    /// Another request came before under the same `request_id`.
    Reused,
}

/// Those who may come for the first time, and the one statement that remembers their answers and does what they ask for: a transaction in one stroke.
pub struct Firsts<'a> {
    stroke: Stroke<'a>,
    asked: &'a [&'a Asked],
    earliest: HashMap<Uuid, &'a Asked>,
    ids: Vec<Uuid>,
    marks: HashMap<Uuid, Mark>,
    statement: QueryBuilder<Postgres>,
}

impl<'a> Firsts<'a> {
    /// Begins the statement for `asked`.
    #[must_use]
    pub fn among(stroke: Stroke<'a>, asked: &'a [&'a Asked]) -> Self {
        let mut earliest = HashMap::with_capacity(asked.len());
        for asked in asked {
            earliest.entry(asked.request_id).or_insert(*asked);
        }
        let mut each: Vec<&Asked> = earliest.values().copied().collect();
        // Everybody takes them in the same order, so that nobody waits for each other.
        each.sort_unstable_by_key(|asked| asked.request_id);
        let ids: Vec<Uuid> = each.iter().map(|asked| asked.request_id).collect();
        let mut statement = stroke.statement(each.len());
        statement
            .push(
                ", came AS (INSERT INTO requests (agency, request_id, fingerprint, answer)
                     SELECT agency, request_id, fingerprint, answer FROM scope, unnest(",
            )
            .push_bind(ids.clone())
            .push("::uuid[], ")
            .push_bind(each.iter().map(|asked| &asked.fingerprint[..]).collect::<Vec<_>>())
            .push("::bytea[], ")
            .push_bind(each.iter().map(|asked| &asked.answer[..]).collect::<Vec<_>>())
            .push(
                "::bytea[]) WITH ORDINALITY AS asked (request_id, fingerprint, answer, place)
                     ORDER BY place",
            )
            .push(if stroke.is_hopeful() { "" } else { " ON CONFLICT DO NOTHING" })
            .push(" RETURNING request_id)");
        Self { stroke, asked, earliest, ids, marks: HashMap::new(), statement }
    }

    /// In whose name they are written.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.stroke.scope().actor
    }

    /// Whether this one may be the first: it is, unless its `request_id` came in an earlier transaction.
    #[must_use]
    pub fn may_be(&self, asked: &Asked) -> bool {
        std::ptr::eq(self.earliest[&asked.request_id], asked)
    }

    /// The statement so far. A part of it is added as `, name AS (…)`, and joins `came (request_id)`: those that do come for the first time.
    pub fn statement(&mut self) -> &mut QueryBuilder<Postgres> {
        &mut self.statement
    }

    /// As [`Tx::mark`](crate::Tx::mark), if this one comes for the first time.
    pub fn mark(&mut self, asked: &Asked, origin: Origin, what: impl Into<String>) {
        self.marks.insert(asked.request_id, Mark::here(origin, what));
    }

    /// Remembers the answers of those that come for the first time, does what was added, and commits it; then finds the answers of the others. In the order of `asked`.
    pub async fn write(self) -> sqlx::Result<Vec<Came>> {
        let Self { stroke, asked, earliest, ids, mut marks, mut statement } = self;
        let (db, scope) = (stroke.database().clone(), stroke.scope().clone());
        statement.push(" SELECT request_id FROM came");
        let new: Vec<(Uuid,)> = stroke.write(statement).await?;
        let new: HashSet<Uuid> = new.into_iter().map(|(id,)| id).collect();
        new.iter().filter_map(|id| marks.remove(id)).for_each(Mark::leave);
        let others: Vec<Uuid> = ids.into_iter().filter(|id| !new.contains(id)).collect();
        let before = if others.is_empty() { HashMap::new() } else { db.before(&scope, others).await? };
        let came = asked.iter().map(|asked| {
            let earliest = earliest[&asked.request_id];
            Ok(match before.get(&asked.request_id) {
                Some((fingerprint, Some(answer))) if *fingerprint == asked.fingerprint => Came::Before(answer.clone()),
                Some(_) => Came::Reused,
                // Its time was over between the two: asked again, it comes for the first time.
                None if !new.contains(&asked.request_id) => return Err(sqlx::Error::RowNotFound),
                None if std::ptr::eq(earliest, *asked) => Came::First,
                // It came twice at once.
                None if earliest.fingerprint == asked.fingerprint => Came::Before(earliest.answer.clone()),
                None => Came::Reused,
            })
        });
        came.collect()
    }
}

/// Whether a [hopeful](Stroke::hopeful) stroke failed because a request in it had come before.
#[must_use]
pub fn came_again(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation() && error.constraint() == Some("requests_pkey"))
}

impl Database {
    /// Fingerprint and answer of those that are not new. Whoever was in their way has committed, else they would be.
    async fn before(&self, scope: &Scope, ids: Vec<Uuid>) -> sqlx::Result<HashMap<Uuid, (Vec<u8>, Option<Vec<u8>>)>> {
        let mut tx = self.begin(scope).await?;
        let agency = tx.agency().map_or("*", Agency::as_str).to_owned();
        let known: Vec<(Uuid, Vec<u8>, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT request_id, fingerprint, answer FROM requests WHERE agency = $1 AND request_id = ANY($2)")
                .bind(agency)
                .bind(ids)
                .fetch_all(&mut *tx)
                .await?;
        Ok(known.into_iter().map(|(id, fingerprint, answer)| (id, (fingerprint, answer))).collect())
    }
}
