//! Facts as they are written: with the change, in its transaction.
use chassis::{Agency, Asked, Firsts, Origin, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prost::Name;
use serde::Serialize;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

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
    let mut statement = QueryBuilder::new("WITH fact AS (");
    push(&mut statement, &letters.iter().map(|(letter, at)| letter.addressed(tx.actor(), *at)).collect::<Vec<_>>(), None);
    statement.push(") INSERT INTO outbox (seq, at) SELECT seq, at FROM fact");
    statement.build().execute(&mut **tx).await?;
    for (letter, _) in letters {
        if let Some(origin) = letter.origin {
            tx.mark(origin, letter.kind);
        }
    }
    Ok(())
}

/// Adds to the statement of requests that are answered together what is told of each that comes for the first time, in this order.
pub fn post_firsts(firsts: &mut Firsts<'_>, letters: &[(&Asked, &Letter, Timestamp)]) {
    let ids = letters.iter().map(|(asked, _, _)| asked.request_id()).collect();
    let actor = firsts.actor().to_owned();
    let addressed: Vec<_> = letters.iter().map(|(_, letter, at)| letter.addressed(&actor, *at)).collect();
    firsts.statement().push(", fact AS (");
    push(firsts.statement(), &addressed, Some(ids));
    firsts.statement().push("), waiting AS (INSERT INTO outbox (seq, at) SELECT seq, at FROM fact)");
    for (asked, letter, _) in letters {
        if let Some(origin) = letter.origin {
            firsts.mark(asked, origin, &*letter.kind);
        }
    }
}

/// A letter with all that its row says.
struct Addressed<'a> {
    at: Timestamp,
    letter: &'a Letter,
    actor: &'a str,
    traceparent: Option<String>,
}

impl Letter {
    /// In the name of `actor`, unless it says in whose, at that time.
    fn addressed<'a>(&'a self, actor: &'a str, at: Timestamp) -> Addressed<'a> {
        let (actor, origin) = match &self.by {
            Some((actor, origin)) => (&**actor, *origin),
            None => (actor, Origin::current()),
        };
        Addressed { at, letter: self, actor, traceparent: origin.map(|origin| origin.to_string()) }
    }
}

/// Pushes the statement that writes these facts and returns their `seq` and `at`; if they belong to requests, of those only that came for the first time.
fn push(statement: &mut QueryBuilder<Postgres>, letters: &[Addressed<'_>], requests: Option<Vec<Uuid>>) {
    fn each<'a, T>(of: &'a [Addressed<'a>], what: impl Fn(&'a Addressed<'a>) -> T) -> Vec<T> {
        of.iter().map(what).collect()
    }
    statement
        .push(
            "INSERT INTO facts (at, agency, kind, subject, actor, traceparent, clause, data)
             SELECT at, agency, kind, subject, actor, traceparent, clause, data::json FROM unnest(",
        )
        .push_bind(each(letters, |one| one.at.to_sqlx()))
        .push("::timestamptz[], ")
        .push_bind(each(letters, |one| one.letter.agency.as_str()))
        .push("::text[], ")
        .push_bind(each(letters, |one| &*one.letter.kind))
        .push("::text[], ")
        .push_bind(each(letters, |one| &*one.letter.subject))
        .push("::text[], ")
        .push_bind(each(letters, |one| one.actor))
        .push("::text[], ")
        .push_bind(each(letters, |one| one.traceparent.as_deref()))
        .push("::text[], ")
        .push_bind(each(letters, |one| one.letter.clause))
        .push("::text[], ")
        .push_bind(each(letters, |one| &*one.letter.data))
        .push("::text[]");
    let columns = ") WITH ORDINALITY AS letter (at, agency, kind, subject, actor, traceparent, clause, data";
    match requests {
        None => statement.push(columns).push(", place)"),
        Some(ids) => statement
            .push(", ")
            .push_bind(ids)
            .push("::uuid[]")
            .push(columns)
            .push(", request_id, place) JOIN came USING (request_id)"),
    };
    statement.push(" ORDER BY place RETURNING seq, at");
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
