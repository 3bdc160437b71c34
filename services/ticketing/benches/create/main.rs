//! `ticket-create`: how many tickets a second callers can open through gRPC, each durable before it is answered, with its four rows (the ticket, the request it answers,
//! the fact, its place in the outbox). Beside it, on the same database and turn and about in one run: the same rows with a transaction for each call, as one writes it
//! first, behind the same door and without one; and `pgbench` with the rows of many calls in one statement, which is as fast as this PostgreSQL goes. Facts of each side
//! are carried and sealed while it runs; what is left of them is waited for, so that no side pays for another.
//!
//! And `ticket-create beside a large agency`: how often a second the only caller of another agency is answered meanwhile, beside each of the large agency's.
//! And `fact-effect beside callers`, see there.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]
mod caller;
mod findings;
mod naive;

use std::{
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::{Clock, Secret};
use futures::future::BoxFuture;
use mailbox::BrokerSettings;
use proto::ticketing::v1::{CreateTicketRequest, Grade, Ticket};
use serde_json::json;
use sqlx::PgPool;
use tests::{Stage, eventually};
use tokio::task::JoinSet;

use crate::caller::Caller;

/// Calls in flight, for each side.
const IN_FLIGHT: usize = 128;
/// Connections of callers: as many as agencies in a city have gateways.
const CHANNELS: usize = 4;
/// Connections to the database, for each side.
const CONNECTIONS: u32 = 16;
/// Rounds of each, of which the median counts.
const ROUNDS: usize = 7;
/// Calls a round: some seconds of each.
const OURS: usize = 60_000;
const NAIVE: usize = 8_000;
/// Rows of so many calls in one statement of pgbench's.
const TOGETHER: usize = 128;
const PGBENCH: &str = "/usr/lib/postgresql/15/bin/pgbench";
const PGBENCH_SECONDS: u32 = 4;
const AGENCY: &str = "gz-bench";
/// An agency with one caller.
const SMALL: &str = "gz-small";

#[tokio::main]
async fn main() {
    let mut stage = Stage::set().await;
    let mut database = stage.database().await;
    database.connections = CONNECTIONS;
    let url = database.url.expose().to_owned();
    let broker = BrokerSettings { url: Secret::new(stage.broker()) };
    let config = ticketing::Config { database, broker: broker.clone() };
    let service = stage.start("ticketing", config, Clock::default(), ticketing::start).await;
    let pool = naive::pool(&url).await;
    let peer = stage.start("ticketing", pool.clone(), Clock::default(), naive::start).await;
    let mut driven = JoinSet::new();
    let ours = callers(&stage, AGENCY, service.grpc(), &mut driven).await;
    let naives = callers(&stage, AGENCY, peer.grpc(), &mut driven).await;
    let small = callers(&stage, SMALL, service.grpc(), &mut driven).await;
    let by_itself = {
        let pool = pool.clone();
        move |_| by_itself(pool.clone())
    };
    let script = stage.folder().join("together.sql");
    std::fs::write(&script, together()).unwrap();

    // Nobody pays for first connections, statements and pages.
    round(IN_FLIGHT * 4, ours.clone()).await;
    round(IN_FLIGHT * 4, naives.clone()).await;
    round(IN_FLIGHT * 4, by_itself.clone()).await;
    let (mut rates, mut latencies) = (<[Vec<f64>; 4]>::default(), Vec::new());
    for _ in 0..ROUNDS {
        quiet(&pool).await;
        let (rate, taken) = round(OURS, ours.clone()).await;
        rates[0].push(rate);
        latencies.extend(taken);
        quiet(&pool).await;
        rates[1].push(round(NAIVE, naives.clone()).await.0);
        quiet(&pool).await;
        rates[2].push(round(NAIVE, by_itself.clone()).await.0);
        quiet(&pool).await;
        rates[3].push(pgbench(&url, &script));
    }
    let (p50, p99) = percentiles(latencies);
    let [ours_rates, peers @ ..] = rates;
    let names = ["a transaction for each call, same door", "the same without gRPC", "pgbench, 128 calls in one statement"];
    for (peer_rates, peer_name) in peers.into_iter().zip(names) {
        // Those of one round, next to each other in time: the machine is not as quick all the while.
        let ratios: Vec<f64> = ours_rates.iter().zip(&peer_rates).map(|(ours, peer)| ours / peer).collect();
        say(&json!({
            "name": "ticket-create", "unit": "tickets/s", "ours": median(ours_rates.clone()), "peer": median(peer_rates), "peer_name": peer_name,
            "ratio": median(ratios.clone()), "ratios": ratios, "p50_ms": p50, "p99_ms": p99,
        }));
    }
    beside(ours.clone(), small).await;
    findings::measure(&mut stage, broker, &pool, ours).await;
    service.stop().await.unwrap();
    peer.stop().await.unwrap();
}

/// Waits until every fact was carried and sealed.
async fn quiet(pool: &PgPool) {
    eventually("every fact to be carried and sealed", || async {
        let mut tx = naive::begin(pool, AGENCY).await.map_err(|error| error.to_string())?;
        let over: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM outbox) AND NOT EXISTS (
                 SELECT FROM facts WHERE tx >= (SELECT coalesce(max(horizon), 0) FROM seals)::text::xid8)",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(|error| error.to_string())?;
        if over { Ok(()) } else { Err("some are not".to_owned()) }
    })
    .await;
}

async fn by_itself(pool: PgPool) {
    naive::transaction(&pool, AGENCY).await.unwrap();
}

/// The only caller of an agency calls again and again while the many of another one do, and says how that went.
async fn beside<L, S>(large: impl Fn(usize) -> L + Clone + Send + 'static, small: impl Fn(usize) -> S)
where
    L: Future<Output = ()> + Send + 'static,
    S: Future<Output = ()>,
{
    let mut many = JoinSet::new();
    many.spawn(round(OURS, large));
    let mut taken = Vec::new();
    let ended = loop {
        let began = Instant::now();
        small(0).await;
        taken.push(began.elapsed());
        if let Some(ended) = many.try_join_next() {
            break ended;
        }
    };
    let ours = number(taken.len()) / taken.iter().sum::<Duration>().as_secs_f64();
    let peer = ended.unwrap().0 / number(IN_FLIGHT);
    let (p50, p99) = percentiles(taken);
    say(&json!({
        "name": "ticket-create beside a large agency", "unit": "tickets/s", "ours": ours, "peer": peer,
        "peer_name": "one of the large agency's callers", "ratio": ours / peer, "p50_ms": p50, "p99_ms": p99,
    }));
}

/// Those who call this service for an agency.
async fn callers(
    stage: &Stage,
    agency: &'static str,
    grpc: SocketAddr,
    driven: &mut JoinSet<()>,
) -> impl Fn(usize) -> BoxFuture<'static, ()> + Clone + Send + 'static + use<> {
    let token = stage.issuer.sign(&stage.issuer.person("chen", &["desk_agent"], &[agency]));
    let mut callers = Vec::new();
    for _ in 0..CHANNELS {
        callers.push(Caller::connect(grpc, &token, driven).await);
    }
    move |number| Box::pin(callers[number % callers.len()].clone().open(request(agency)))
}

fn request(agency: &str) -> CreateTicketRequest {
    CreateTicketRequest {
        parent: format!("agencies/{agency}"),
        ticket: Some(Ticket {
            title: "打印机无法打印".into(),
            description: "三楼大厅，卡纸后一直红灯".into(),
            grade: Grade::Iii.into(),
            ..Ticket::default()
        }),
        request_id: id(),
        ..Default::default()
    }
}

/// A caller chooses it at random; not from the system, whose price for it would be a part of what is measured.
fn id() -> String {
    static STATES: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed);
    let [high, low] = STATES.each_ref().map(|state| u128::from(state.hash_one(drawn)));
    uuid::Builder::from_random_bytes((high << 64 | low).to_be_bytes()).into_uuid().to_string()
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
        "WITH scope AS MATERIALIZED (SELECT set_config('opsmesh.agency', '{AGENCY}', true)),
         new AS MATERIALIZED (SELECT gen_random_uuid() AS id FROM scope, generate_series(1, {TOGETHER})),
         asked AS (INSERT INTO requests (agency, request_id, fingerprint, answer)
             SELECT '{AGENCY}', id, decode(repeat('00', 32), 'hex'), decode(repeat('00', 200), 'hex') FROM new),
         opened AS (INSERT INTO tickets (agency, id, title, description, grade, state, requester, evidence, opened_at, updated_at, revision)
             SELECT '{AGENCY}', id, '打印机无法打印', '三楼大厅，卡纸后一直红灯', 'iii', 'new', 'chen', '[]', now(), now(), 1 FROM new),
         fact AS (INSERT INTO facts (at, agency, kind, subject, actor, data)
             SELECT now(), '{AGENCY}', 'opsmesh.ticketing.v1.TicketCreated', 'agencies/{AGENCY}/tickets/' || id, 'chen', '{}'::json FROM new
             RETURNING seq, at)
         INSERT INTO outbox (seq, at) SELECT seq, at FROM fact;\n",
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
    rate.unwrap_or_else(|| panic!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr))) * number(TOGETHER)
}

/// Calls a second, and how long each took.
async fn round<F, C>(calls: usize, call: C) -> (f64, Vec<Duration>)
where
    F: Future<Output = ()> + Send,
    C: Fn(usize) -> F + Clone + Send + 'static,
{
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..IN_FLIGHT {
        let call = call.clone();
        callers.spawn(async move {
            let mut taken = Vec::with_capacity(calls / IN_FLIGHT + 1);
            for number in (caller..calls).step_by(IN_FLIGHT) {
                let began = Instant::now();
                call(number).await;
                taken.push(began.elapsed());
            }
            taken
        });
    }
    let taken: Vec<Duration> = callers.join_all().await.concat();
    (number(calls) / began.elapsed().as_secs_f64(), taken)
}

#[expect(clippy::cast_precision_loss, reason = "some thousand")]
fn number(counted: usize) -> f64 {
    counted as f64
}

/// Milliseconds within which half of them were answered, and 99 of a hundred.
fn percentiles(mut taken: Vec<Duration>) -> (f64, f64) {
    taken.sort_unstable();
    let at = |share: usize| taken[taken.len() * share / 100].as_secs_f64() * 1e3;
    (at(50), at(99))
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[expect(clippy::print_stdout, reason = "this is what it is asked for")]
fn say(measured: &serde_json::Value) {
    println!("{measured}");
}
