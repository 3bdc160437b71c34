//! What must be true afterwards, read from the databases as their superuser sees them.
use std::{collections::BTreeSet, time::Duration};

use sqlx::{PgConnection, Row};
use tests::within;
use uuid::Uuid;

use super::{house::House, load::Acknowledged};

/// The broker's backlog of the whole run is carried and handled within this.
const QUIET_WITHIN: Duration = Duration::from_secs(180);

/// Waits until nothing is on its way any more, then compares; what was there.
pub(crate) async fn settled(house: &House, acknowledged: &Acknowledged) -> String {
    let mut ticketing = house.postgres.connect("ticketing").await.unwrap();
    let mut inspection = house.postgres.connect("inspection").await.unwrap();
    let (from, to) = (tokio::sync::Mutex::new(&mut inspection), tokio::sync::Mutex::new(&mut ticketing));
    within(QUIET_WITHIN, "everything to be carried and handled", || async {
        let (mut from, mut to) = (from.lock().await, to.lock().await);
        let waiting =
            number(&mut from, "SELECT count(*) FROM outbox").await + number(&mut to, "SELECT count(*) FROM outbox").await;
        let missing = between(&mut from, &mut to).await.len();
        if (waiting, missing) == (0, 0) { Ok(()) } else { Err(format!("{waiting} wait, {missing} are not handled")) }
    })
    .await;
    every_call_is_one_ticket(&mut ticketing, acknowledged).await;
    every_change_is_a_fact(&mut ticketing, "tickets", "n.revision").await;
    every_change_is_a_fact(&mut inspection, "findings", "n.times_seen + (n.cleared_at IS NOT NULL)::int").await;
    every_defect_is_one_finding_and_one_ticket(&mut inspection, &mut ticketing, acknowledged).await;
    let facts =
        number(&mut inspection, "SELECT count(*) FROM facts").await + number(&mut ticketing, "SELECT count(*) FROM facts").await;
    let handled = in_order(&mut inspection, &mut ticketing).await;
    format!(
        "{} calls acknowledged, {} left unknown, {} rounds, {facts} facts, {handled} handled once and in order",
        acknowledged.tickets.len(),
        acknowledged.unknown.len(),
        acknowledged.seen[0].len()
    )
}

/// Facts that inspection has told and ticketing has not handled.
pub(crate) async fn unhandled(house: &House) -> BTreeSet<Uuid> {
    let mut inspection = house.postgres.connect("inspection").await.unwrap();
    let mut ticketing = house.postgres.connect("ticketing").await.unwrap();
    between(&mut inspection, &mut ticketing).await
}

/// Waits until what was told until now is handled.
pub(crate) async fn caught_up(house: &House) {
    let told = unhandled(house).await;
    within(QUIET_WITHIN, "what was told to be handled", || async {
        let left = unhandled(house).await.intersection(&told).count();
        if left == 0 { Ok(()) } else { Err(format!("{left} are not handled")) }
    })
    .await;
}

/// How many facts inspection has told ticketing.
pub(crate) async fn findings_told(house: &House) -> usize {
    let mut inspection = house.postgres.connect("inspection").await.unwrap();
    let told = number(&mut inspection, "SELECT count(*) FROM facts WHERE kind LIKE '%.Finding%'").await;
    usize::try_from(told).unwrap()
}

async fn between(inspection: &mut PgConnection, ticketing: &mut PgConnection) -> BTreeSet<Uuid> {
    let sent = ids(inspection, "SELECT id FROM facts WHERE kind LIKE '%.Finding%'").await;
    let handled = ids(ticketing, "SELECT id FROM inbox").await;
    sent.difference(&handled).copied().collect()
}

/// An acknowledged call has its ticket, an unacknowledged one has one or none, and there is no other.
async fn every_call_is_one_ticket(ticketing: &mut PgConnection, acknowledged: &Acknowledged) {
    let rows = sqlx::query("SELECT id, title FROM tickets WHERE finding IS NULL").fetch_all(ticketing).await.unwrap();
    let mut there = BTreeSet::new();
    for row in &rows {
        let (id, title): (Uuid, String) = (row.get("id"), row.get("title"));
        let asked: Uuid = title.trim_start_matches("工单 ").parse().unwrap();
        assert!(there.insert((asked, id)), "{asked} twice");
    }
    let asked: BTreeSet<Uuid> = there.iter().map(|(asked, _)| *asked).collect();
    assert_eq!(asked.len(), there.len(), "a request has more than one ticket");
    for (request, name) in &acknowledged.tickets {
        let id: Uuid = name.rsplit('/').next().unwrap().parse().unwrap();
        assert!(there.contains(&(*request, id)), "{request} was acknowledged with {name}, and is not there");
    }
    let known: BTreeSet<Uuid> =
        acknowledged.tickets.iter().map(|(request, _)| *request).chain(acknowledged.unknown.clone()).collect();
    assert!(asked.is_subset(&known), "tickets that nobody asked for: {:?}", asked.difference(&known));
}

/// Every change of a noun came with one fact, and every fact with a change: nothing half exists. `changes` is how many a row has seen.
async fn every_change_is_a_fact(database: &mut PgConnection, table: &str, changes: &str) {
    let statement = format!(
        "WITH told AS (SELECT subject, count(*) AS facts FROM facts WHERE subject LIKE '%/{table}/%' GROUP BY subject)
         SELECT count(*) FROM {table} n FULL JOIN told ON told.subject = 'agencies/' || n.agency || '/{table}/' || n.id
         WHERE told.facts IS DISTINCT FROM {changes}"
    );
    let statement = sqlx::AssertSqlSafe(statement);
    let apart: i64 = sqlx::query_scalar(statement).fetch_one(database).await.unwrap();
    assert_eq!(apart, 0, "{table} that changed more or less often than facts say");
}

/// What was seen of each device says how many defects there were.
async fn every_defect_is_one_finding_and_one_ticket(
    inspection: &mut PgConnection,
    ticketing: &mut PgConnection,
    acknowledged: &Acknowledged,
) {
    for (device, seen) in acknowledged.seen.iter().enumerate() {
        let device = format!("d-{device}");
        let defects = seen.iter().enumerate().filter(|(round, well)| !**well && (*round == 0 || seen[round - 1])).count();
        let findings: i64 = sqlx::query_scalar("SELECT count(*) FROM findings WHERE device_id = $1")
            .bind(&device)
            .fetch_one(&mut *inspection)
            .await
            .unwrap();
        assert_eq!(usize::try_from(findings).unwrap(), defects, "findings of {device}");
        let tickets: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tickets WHERE device LIKE '%/' || $1 AND finding IS NOT NULL")
                .bind(&device)
                .fetch_one(&mut *ticketing)
                .await
                .unwrap();
        assert_eq!(tickets, findings, "tickets of {device}");
    }
}

/// Of each subject, the facts were handled in the order in which they became true; how many were.
async fn in_order(inspection: &mut PgConnection, ticketing: &mut PgConnection) -> usize {
    let sent = sqlx::query("SELECT id, subject FROM facts WHERE kind LIKE '%.Finding%' ORDER BY seq")
        .fetch_all(inspection)
        .await
        .unwrap();
    let handled = sqlx::query("SELECT id FROM inbox ORDER BY seen_at").fetch_all(ticketing).await.unwrap();
    let order: Vec<Uuid> = handled.iter().map(|row| row.get("id")).collect();
    let place = |id: Uuid| order.iter().position(|other| *other == id).unwrap();
    let mut last = std::collections::BTreeMap::new();
    for row in &sent {
        let (id, subject): (Uuid, String) = (row.get("id"), row.get("subject"));
        let here = place(id);
        if let Some(before) = last.insert(subject.clone(), here) {
            assert!(before < here, "{subject}: a later fact was handled before an earlier one");
        }
    }
    assert_eq!(sent.len(), order.len(), "handled without having been sent");
    order.len()
}

async fn number(database: &mut PgConnection, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(database).await.unwrap()
}

async fn ids(database: &mut PgConnection, statement: &'static str) -> BTreeSet<Uuid> {
    sqlx::query_scalar(statement).fetch_all(database).await.unwrap().into_iter().collect()
}
