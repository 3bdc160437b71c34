//! Facts as they are written: with the change, in its transaction.
use chassis::{Agency, Origin, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prost::Name;
use serde::Serialize;

/// A fact, ready to be posted. Its kind is the protobuf full name; there is no second list of event names.
#[derive(Debug, Clone)]
#[must_use = "a letter that is not posted tells nobody"]
pub struct Letter {
    agency: Agency,
    subject: String,
    kind: String,
    data: String,
    clause: Option<&'static str>,
    origin: Option<Origin>,
    /// Who made it true, where that is not whose transaction it is posted in, and where in which trace they did.
    by: Option<(String, Option<Origin>)>,
}

impl Letter {
    /// The fact `fact` about `subject` (a resource name) of `agency`.
    pub fn about<E: Name + Serialize>(agency: &Agency, subject: impl Into<String>, fact: &E) -> Self {
        Self {
            agency: agency.clone(),
            subject: subject.into(),
            kind: E::full_name(),
            data: serde_json::to_string(fact).expect("a generated message has a JSON form"),
            clause: None,
            origin: None,
            by: None,
        }
    }

    /// Who made it true, here and now, for a letter that is posted later and with those of others.
    pub fn by(self, actor: &str) -> Self {
        Self { by: Some((actor.to_owned(), Origin::current())), ..self }
    }

    /// The clause of the standard that this fact answers to.
    pub fn under(self, clause: &'static str) -> Self {
        Self { clause: Some(clause), ..self }
    }

    /// The cause of the noun: its trace shows this fact too.
    pub fn caused_by(self, origin: Option<Origin>) -> Self {
        Self { origin, ..self }
    }
}

/// Posts a fact with the change that made it true at `at`. Asking for the transaction is what makes a forgotten outbox
/// impossible to write.
pub async fn post(tx: &mut Tx, letter: Letter, at: Timestamp) -> sqlx::Result<()> {
    let Letter { agency, subject, kind, data, clause, origin, by } = letter;
    let (actor, traceparent) = by.unwrap_or_else(|| (tx.actor().to_owned(), Origin::current()));
    sqlx::query(
        "WITH fact AS (
             INSERT INTO facts (at, agency, kind, subject, actor, traceparent, clause, data)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8::json) RETURNING seq, at
         ) INSERT INTO outbox (seq, at) SELECT seq, at FROM fact",
    )
    .bind(at.to_sqlx())
    .bind(agency)
    .bind(&kind)
    .bind(subject)
    .bind(actor)
    .bind(traceparent)
    .bind(clause)
    .bind(data)
    .execute(&mut **tx)
    .await?;
    if let Some(origin) = origin {
        tx.mark(origin, kind);
    }
    Ok(())
}

/// Posts facts with the changes that made them true at their times, in one statement, in this order.
pub async fn post_all(tx: &mut Tx, letters: Vec<(Letter, Timestamp)>) -> sqlx::Result<()> {
    let count = letters.len();
    let (mut agencies, mut kinds, mut subjects, mut actors) = (Vec::with_capacity(count), Vec::new(), Vec::new(), Vec::new());
    let (mut traceparents, mut clauses, mut data_of, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (Letter { agency, subject, kind, data, clause, origin, by }, at) in letters {
        let (actor, traceparent) = by.unwrap_or_else(|| (tx.actor().to_owned(), Origin::current()));
        if let Some(origin) = origin {
            tx.mark(origin, kind.clone());
        }
        agencies.push(agency.as_str().to_owned());
        kinds.push(kind);
        subjects.push(subject);
        actors.push(actor);
        traceparents.push(traceparent.map(|origin| origin.to_string()));
        clauses.push(clause);
        data_of.push(data);
        times.push(at.to_sqlx());
    }
    sqlx::query(
        "WITH fact AS (
             INSERT INTO facts (at, agency, kind, subject, actor, traceparent, clause, data)
             SELECT at, agency, kind, subject, actor, traceparent, clause, data::json
             FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
                 WITH ORDINALITY AS letter (at, agency, kind, subject, actor, traceparent, clause, data, place)
             ORDER BY place
             RETURNING seq, at
         ) INSERT INTO outbox (seq, at) SELECT seq, at FROM fact",
    )
    .bind(times)
    .bind(agencies)
    .bind(kinds)
    .bind(subjects)
    .bind(actors)
    .bind(traceparents)
    .bind(clauses)
    .bind(data_of)
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// A fact that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Recorded {
    /// Its protobuf full name.
    pub kind: String,
    /// When it became true.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub at: Timestamp,
    /// Who made it true.
    pub actor: String,
    /// The message in its JSON form.
    pub data: String,
}

/// At most so many facts are shown of one subject: nobody reads more, and a page of them fits a message.
const TIMELINE: i64 = 1_000;

/// What happened to `subject`, oldest first.
pub async fn timeline(tx: &mut Tx, subject: &str) -> sqlx::Result<Vec<Recorded>> {
    sqlx::query_as("SELECT kind, at, actor, data::text AS data FROM facts WHERE subject = $1 ORDER BY seq LIMIT $2")
        .bind(subject)
        .bind(TIMELINE)
        .fetch_all(&mut **tx)
        .await
}
