//! The records of tickets. Each change is a function of a transaction that one of the doors began and will commit: it loads,
//! lets the ticket decide, saves.
use chassis::{Agency, Asked, Column, Filter, Firsts, Kind, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use mailbox::Timer;
use sqlx::QueryBuilder;

use crate::{
    follow_up,
    ticket::{Call, Evidence, Fact, Recheck, Refusal, State, Ticket, TicketId},
    wire,
};

/// The columns of a ticket, by name: with `*` a later version's new column would change what a prepared statement gives, and it fails.
macro_rules! columns {
    () => {
        "agency, id, title, description, grade, state, device, finding, requester, assignee, evidence, \
         recheck, resolution, confirmation, origin, opened_at, updated_at, closed_at, revision"
    };
}

/// What a filter may ask of tickets.
pub const COLUMNS: &[Column] = &[
    Column {
        field: "state",
        sql: "state::text",
        kind: Kind::Words(&["new", "assigned", "resolved", "awaiting_confirmation", "closed"]),
    },
    Column { field: "grade", sql: "grade::text", kind: Kind::Words(&["i", "ii", "iii", "iv"]) },
    Column { field: "device", sql: "coalesce(device, '')", kind: Kind::Text },
    Column { field: "finding", sql: "coalesce(finding, '')", kind: Kind::Text },
    Column { field: "requester", sql: "requester", kind: Kind::Text },
    Column { field: "assignee", sql: "coalesce(assignee, '')", kind: Kind::Text },
    Column { field: "title", sql: "title", kind: Kind::Text },
    Column { field: "create_time", sql: "opened_at", kind: Kind::Moment },
    Column { field: "update_time", sql: "updated_at", kind: Kind::Moment },
];

/// Why a ticket cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("there is no ticket {0}")]
    NotFound(TicketId),
    /// The ticket says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error("the ticket store failed")]
    Store(#[from] sqlx::Error),
}

/// Opens a ticket, unless its cause has opened it already: then that one.
pub async fn open(tx: &mut Tx, agency: &Agency, id: TicketId, call: Call, now: Timestamp) -> Result<Ticket, Error> {
    let (ticket, fact) = Ticket::open(agency.clone(), id, call, now);
    if save(tx, &ticket, fact).await? { Ok(ticket) } else { get(tx, agency, id).await }
}

/// Adds to the statement of requests that are answered together the tickets of those that come for the first time.
pub fn open_firsts(firsts: &mut Firsts<'_>, opened: &[(&Asked, &Ticket)]) {
    fn each<'a, T>(of: &[(&Asked, &'a Ticket)], what: impl Fn(&'a Ticket) -> T) -> Vec<T> {
        of.iter().map(|(_, ticket)| what(ticket)).collect()
    }
    firsts
        .statement()
        .push(
            ", opened AS (INSERT INTO tickets (agency, id, title, description, grade, state, device, finding, requester, evidence, origin,
                 opened_at, updated_at, revision)
             SELECT agency, id, title, description, grade, state, device, finding, requester, evidence, origin, opened_at,
                 opened_at, revision
             FROM unnest(",
        )
        .push_bind(opened.iter().map(|(asked, _)| asked.request_id()).collect::<Vec<_>>())
        .push("::uuid[], ")
        .push_bind(each(opened, |ticket| ticket.agency.as_str()))
        .push("::text[], ")
        .push_bind(each(opened, |ticket| uuid::Uuid::from(ticket.id)))
        .push("::uuid[], ")
        .push_bind(each(opened, |ticket| &*ticket.title))
        .push("::text[], ")
        .push_bind(each(opened, |ticket| &*ticket.description))
        .push("::text[], ")
        .push_bind(each(opened, |ticket| ticket.grade))
        .push("::grade[], ")
        .push_bind(each(opened, |ticket| ticket.state))
        .push("::ticket_state[], ")
        .push_bind(each(opened, |ticket| ticket.device.as_deref()))
        .push("::text[], ")
        .push_bind(each(opened, |ticket| ticket.finding.as_deref()))
        .push("::text[], ")
        .push_bind(each(opened, |ticket| &*ticket.requester))
        .push("::text[], ")
        .push_bind(each(opened, |ticket| &ticket.evidence))
        .push("::jsonb[], ")
        .push_bind(each(opened, |ticket| ticket.origin.map(|origin| origin.to_string())))
        .push("::text[], ")
        .push_bind(each(opened, |ticket| ticket.opened_at.to_sqlx()))
        .push("::timestamptz[], ")
        .push_bind(each(opened, |ticket| ticket.revision))
        .push(
            "::bigint[]) AS opened (request_id, agency, id, title, description, grade, state, device, finding, requester, evidence, origin, opened_at,
                 revision)
             JOIN came USING (request_id))",
        );
}

/// Gives it to somebody.
pub async fn assign(tx: &mut Tx, agency: &Agency, id: TicketId, assignee: String, now: Timestamp) -> Result<Ticket, Error> {
    let mut ticket = lock(tx, agency, id).await?;
    let fact = ticket.assign(assignee, now)?;
    saved(tx, ticket, fact).await
}

/// Says what was done.
pub async fn resolve(tx: &mut Tx, agency: &Agency, id: TicketId, text: String, now: Timestamp) -> Result<Ticket, Error> {
    let mut ticket = lock(tx, agency, id).await?;
    let actor = tx.actor().to_owned();
    let fact = ticket.resolve(text, actor, now)?;
    saved(tx, ticket, Some(fact)).await
}

/// Records that the defect was seen again.
pub async fn recheck_failed(
    tx: &mut Tx,
    agency: &Agency,
    id: TicketId,
    evidence: Evidence,
    now: Timestamp,
) -> Result<Ticket, Error> {
    let mut ticket = lock(tx, agency, id).await?;
    let fact = ticket.recheck_failed(evidence, now);
    saved(tx, ticket, fact).await
}

/// Records that the device was seen well again.
pub async fn recheck_passed(
    tx: &mut Tx,
    agency: &Agency,
    id: TicketId,
    recheck: Recheck,
    now: Timestamp,
) -> Result<Ticket, Error> {
    let mut ticket = lock(tx, agency, id).await?;
    let fact = ticket.recheck_passed(recheck, now);
    saved(tx, ticket, fact).await
}

/// Records the user's word.
pub async fn confirm(tx: &mut Tx, agency: &Agency, id: TicketId, comment: String, now: Timestamp) -> Result<Ticket, Error> {
    let mut ticket = lock(tx, agency, id).await?;
    let actor = tx.actor().to_owned();
    let fact = ticket.confirm(comment, actor, now)?;
    saved(tx, ticket, fact).await
}

/// Closes it.
pub async fn close(tx: &mut Tx, agency: &Agency, id: TicketId, now: Timestamp) -> Result<Ticket, Error> {
    let mut ticket = lock(tx, agency, id).await?;
    let fact = ticket.close(now)?;
    saved(tx, ticket, fact).await
}

/// Reminds its user, or closes what they confirmed, if it is time.
pub async fn follow_up(tx: &mut Tx, agency: &Agency, id: TicketId, now: Timestamp) -> Result<Ticket, Error> {
    let mut ticket = lock(tx, agency, id).await?;
    let fact = ticket.follow_up(now);
    saved(tx, ticket, fact).await
}

/// One ticket.
pub async fn get(tx: &mut Tx, agency: &Agency, id: TicketId) -> Result<Ticket, Error> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM tickets WHERE agency = $1 AND id = $2"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NotFound(id))
}

/// Tickets, newest first, after the id `after`; in these states or in any, of this device or of all, and matching the filter.
pub async fn list(
    tx: &mut Tx,
    agency: &Agency,
    states: &[State],
    device: Option<&str>,
    filter: &Filter,
    after: Option<TicketId>,
    limit: i64,
) -> Result<Vec<Ticket>, Error> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM tickets WHERE agency = "));
    query.push_bind(agency);
    if !states.is_empty() {
        query.push(" AND state = ANY(").push_bind(states).push(")");
    }
    if let Some(device) = device {
        query.push(" AND device = ").push_bind(device);
    }
    if let Some(after) = after {
        query.push(" AND id < ").push_bind(after);
    }
    filter.push(&mut query);
    query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

/// Makes sure that the ticket still is as its caller read it, until the end of the transaction.
pub async fn unchanged(tx: &mut Tx, agency: &Agency, id: TicketId, revision: Option<i64>) -> Result<(), Error> {
    match revision {
        Some(revision) => Ok(lock(tx, agency, id).await?.unchanged_since(revision)?),
        None => Ok(()),
    }
}

async fn lock(tx: &mut Tx, agency: &Agency, id: TicketId) -> Result<Ticket, Error> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM tickets WHERE agency = $1 AND id = $2 FOR UPDATE"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NotFound(id))
}

async fn saved(tx: &mut Tx, ticket: Ticket, fact: Option<Fact>) -> Result<Ticket, Error> {
    if let Some(fact) = fact {
        save(tx, &ticket, fact).await?;
    }
    Ok(ticket)
}

/// The one way a ticket reaches its table, and its news the facts. False: its place is taken.
async fn save(tx: &mut Tx, ticket: &Ticket, fact: Fact) -> sqlx::Result<bool> {
    let Ticket {
        agency,
        id,
        title,
        description,
        grade,
        state,
        device,
        finding,
        requester,
        assignee,
        evidence,
        recheck,
        resolution,
        confirmation,
        origin,
        opened_at,
        updated_at,
        closed_at,
        revision,
    } = ticket;
    let saved = sqlx::query(
        "INSERT INTO tickets (agency, id, title, description, grade, state, device, finding, requester, assignee, evidence,
             recheck, resolution, confirmation, origin, opened_at, updated_at, closed_at, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT (agency, id) DO UPDATE SET
             title = excluded.title, description = excluded.description, grade = excluded.grade, state = excluded.state,
             assignee = excluded.assignee, evidence = excluded.evidence, recheck = excluded.recheck,
             resolution = excluded.resolution, confirmation = excluded.confirmation, updated_at = excluded.updated_at,
             closed_at = excluded.closed_at, revision = excluded.revision
         WHERE tickets.revision = excluded.revision - 1",
    )
    .bind(agency)
    .bind(id)
    .bind(title)
    .bind(description)
    .bind(grade)
    .bind(state)
    .bind(device)
    .bind(finding)
    .bind(requester)
    .bind(assignee)
    .bind(evidence)
    .bind(recheck)
    .bind(resolution)
    .bind(confirmation)
    .bind(origin)
    .bind(opened_at.to_sqlx())
    .bind(updated_at.to_sqlx())
    .bind(closed_at.map(ToSqlx::to_sqlx))
    .bind(revision)
    .execute(&mut **tx)
    .await?
    .rows_affected()
        == 1;
    if saved {
        mailbox::post(tx, wire::letter(ticket, ticket.clone().into(), fact), *updated_at).await?;
        follow(tx, ticket).await?;
    }
    Ok(saved)
}

/// Sees to it that a ticket is followed up when its user has the word, and no longer when it is closed.
async fn follow(tx: &mut Tx, ticket: &Ticket) -> sqlx::Result<()> {
    let timer =
        || Timer { agency: ticket.agency.clone(), kind: follow_up::TIMER, subject: wire::name(&ticket.agency, ticket.id) };
    match (ticket.follow_up_at(), ticket.state) {
        (Some(at), _) => mailbox::arm(tx, &timer(), at).await,
        (None, State::Closed) => mailbox::cancel(tx, &timer()).await.map(drop),
        (None, State::New | State::Assigned | State::Resolved | State::AwaitingConfirmation) => Ok(()),
    }
}
