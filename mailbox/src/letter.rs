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
        }
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
    let Letter { agency, subject, kind, data, clause, origin } = letter;
    let actor = tx.actor().to_owned();
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
    .bind(Origin::current())
    .bind(clause)
    .bind(data)
    .execute(&mut **tx)
    .await?;
    if let Some(origin) = origin {
        tx.mark(origin, kind);
    }
    Ok(())
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
