//! `ticket-create`: how many tickets a second callers can open through gRPC, each durable before it is answered, with its four rows (the ticket, the request it answers,
//! the fact, its place in the outbox). Beside it, on the same database and turn and about in one run: the same rows with a transaction for each call, as one writes it first,
//! without gRPC; and `pgbench` with the rows of many calls in one statement, which is as fast as this PostgreSQL goes.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]
use std::{
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use chassis::{Clock, Secret};
use futures::{StreamExt, stream};
use mailbox::BrokerSettings;
use proto::ticketing::v1::{CreateTicketRequest, Grade, Ticket, ticketing_client::TicketingClient};
use serde_json::json;
use sqlx::{Executor, PgPool, postgres::PgPoolOptions};
use tests::{Client, Running, Stage};

/// Calls in flight, for both.
const IN_FLIGHT: usize = 128;
/// Connections of callers: as many as agencies in a city have gateways.
const CHANNELS: usize = 4;
/// Connections to the database, for each side.
const CONNECTIONS: u32 = 16;
/// Rounds of each, of which the median counts.
const ROUNDS: usize = 5;
/// Calls a round: some seconds of each.
const OURS: usize = 30_000;
const NAIVE: usize = 4_000;
/// Rows of so many calls in one statement of pgbench's.
const TOGETHER: usize = 128;
const PGBENCH: &str = "/usr/lib/postgresql/15/bin/pgbench";
const PGBENCH_SECONDS: u32 = 4;
const AGENCY: &str = "gz-bench";

#[tokio::main]
async fn main() {
    let mut stage = Stage::set().await;
    let mut database = stage.database().await;
    database.connections = CONNECTIONS;
    let url = database.url.expose().to_owned();
    let broker = BrokerSettings { url: Secret::new(stage.broker()) };
    let config = ticketing::Config { database, broker };
    let service = stage.start("ticketing", config, Clock::default(), ticketing::start).await;
    let clients = clients(&stage, &service).await;
    let naive = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute("SET opsmesh.agency = 'gz-bench'").await.map(drop) })
        })
        .connect(&url)
        .await
        .unwrap();
    let script = stage.folder().join("together.sql");
    std::fs::write(&script, together()).unwrap();

    // Neither pays for first connections, statements and pages.
    round(IN_FLIGHT * 4, |number| call(&clients, number)).await;
    round(IN_FLIGHT * 4, |_| transaction(&naive)).await;
    let (mut ours, mut naives, mut pgbenches, mut latencies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (rate, taken) = round(OURS, |number| call(&clients, number)).await;
        ours.push(rate);
        latencies.extend(taken);
        naives.push(round(NAIVE, |_| transaction(&naive)).await.0);
        pgbenches.push(pgbench(&url, &script));
    }
    latencies.sort_unstable();
    let at = |share: usize| latencies[latencies.len() * share / 100].as_secs_f64() * 1e3;
    let (ours, naives, pgbenches) = (median(ours), median(naives), median(pgbenches));
    for (peer, peer_name) in
        [(naives, "a transaction for each call, without gRPC"), (pgbenches, "pgbench, 128 calls in one statement")]
    {
        say(&json!({
            "name": "ticket-create", "unit": "tickets/s", "ours": ours, "peer": peer, "peer_name": peer_name, "ratio": ours / peer,
            "p50_ms": at(50), "p99_ms": at(99),
        }));
    }
    service.stop().await.unwrap();
}

async fn clients(stage: &Stage, service: &Running) -> Vec<TicketingClient<Client>> {
    let token = stage.issuer.sign(&stage.issuer.person("chen", &["desk_agent"], &[AGENCY]));
    let mut clients = Vec::new();
    for _ in 0..CHANNELS {
        clients.push(TicketingClient::new(service.as_bearer(token.clone()).await));
    }
    clients
}

async fn call(clients: &[TicketingClient<Client>], number: usize) {
    let request = CreateTicketRequest {
        parent: format!("agencies/{AGENCY}"),
        ticket: Some(Ticket {
            title: "打印机无法打印".into(),
            description: "三楼大厅，卡纸后一直红灯".into(),
            grade: Grade::Iii.into(),
            ..Ticket::default()
        }),
        request_id: id(),
        ..Default::default()
    };
    clients[number % clients.len()].clone().create_ticket(request).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a caller chooses it at random")]
fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The four rows, as one writes it first.
async fn transaction(pool: &PgPool) {
    let ticket: uuid::Uuid = id().parse().unwrap();
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("INSERT INTO requests (agency, request_id, fingerprint, answer) VALUES ($1, $2, $3, $4)")
        .bind(AGENCY)
        .bind(ticket)
        .bind(vec![0_u8; 32])
        .bind(vec![0_u8; 200])
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO tickets (agency, id, title, description, grade, state, requester, evidence, opened_at, updated_at, revision)
         VALUES ($1, $2, '打印机无法打印', '三楼大厅，卡纸后一直红灯', 'iii', 'new', 'chen', '[]', now(), now(), 1)",
    )
    .bind(AGENCY)
    .bind(ticket)
    .execute(&mut *tx)
    .await
    .unwrap();
    let (seq, at): (i64, jiff_sqlx::Timestamp) = sqlx::query_as(
        "INSERT INTO facts (at, agency, kind, subject, actor, data)
         VALUES (now(), $1, 'opsmesh.ticketing.v1.TicketCreated', $2, 'chen', $3::json) RETURNING seq, at",
    )
    .bind(AGENCY)
    .bind(format!("agencies/{AGENCY}/tickets/{ticket}"))
    .bind(data())
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    sqlx::query("INSERT INTO outbox (seq, at) VALUES ($1, $2)").bind(seq).bind(at).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// About what a fact says.
fn data() -> String {
    json!({"name": format!("agencies/{AGENCY}/tickets/01a22335-dd39-8723-99d8-28fc87c5ee9c"), "title": "打印机无法打印",
        "description": "三楼大厅，卡纸后一直红灯", "grade": "GRADE_III", "state": "TICKET_STATE_NEW", "requester": "chen"})
    .to_string()
}

/// The rows of many calls in one statement.
fn together() -> String {
    format!(
        "BEGIN;
         SET LOCAL opsmesh.agency = '{AGENCY}';
         WITH new AS MATERIALIZED (SELECT gen_random_uuid() AS id FROM generate_series(1, {TOGETHER})),
         asked AS (INSERT INTO requests (agency, request_id, fingerprint, answer)
             SELECT '{AGENCY}', id, decode(repeat('00', 32), 'hex'), decode(repeat('00', 200), 'hex') FROM new),
         opened AS (INSERT INTO tickets (agency, id, title, description, grade, state, requester, evidence, opened_at, updated_at, revision)
             SELECT '{AGENCY}', id, '打印机无法打印', '三楼大厅，卡纸后一直红灯', 'iii', 'new', 'chen', '[]', now(), now(), 1 FROM new),
         fact AS (INSERT INTO facts (at, agency, kind, subject, actor, data)
             SELECT now(), '{AGENCY}', 'opsmesh.ticketing.v1.TicketCreated', 'agencies/{AGENCY}/tickets/' || id, 'chen', '{}'::json FROM new
             RETURNING seq, at)
         INSERT INTO outbox (seq, at) SELECT seq, at FROM fact;
         COMMIT;\n",
        data()
    )
}

/// Rows' calls a second.
fn pgbench(url: &str, script: &std::path::Path) -> f64 {
    let seconds = PGBENCH_SECONDS.to_string();
    let output = Command::new(PGBENCH)
        .args(["--no-vacuum", "--client=2", "--jobs=2", "--time", &seconds, "--file"])
        .arg(script)
        .arg(url)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
    #[expect(clippy::cast_precision_loss, reason = "a hundred or so")]
    let together = TOGETHER as f64;
    rate.unwrap_or_else(|| panic!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr))) * together
}

/// Calls a second, and how long each took.
async fn round<F: Future<Output = ()>>(calls: usize, call: impl Fn(usize) -> F) -> (f64, Vec<Duration>) {
    let call = Arc::new(call);
    let began = Instant::now();
    let one = |number| {
        let call = call.clone();
        async move {
            let began = Instant::now();
            call(number).await;
            began.elapsed()
        }
    };
    let taken: Vec<Duration> = stream::iter(0..calls).map(one).buffer_unordered(IN_FLIGHT).collect().await;
    #[expect(clippy::cast_precision_loss, reason = "some thousand")]
    let calls = calls as f64;
    (calls / began.elapsed().as_secs_f64(), taken)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[expect(clippy::print_stdout, reason = "this is what it is asked for")]
fn say(measured: &serde_json::Value) {
    println!("{measured}");
}
