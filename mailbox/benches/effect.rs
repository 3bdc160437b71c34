//! `fact-effect`: effects a second, exactly once, of facts that wait in an outbox: relay, broker and inbox, beside job queues that keep their jobs in the same
//! PostgreSQL. An effect is a row, on all sides.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark panics where something is not as it must be, and prints"
)]

mod backlog;

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use backlog::{Config, SCHEMAS, announcing, fill, median};
use chassis::{Clock, Database, Host, Secret, Tx};
use mailbox::{BrokerSettings, Reactions, Received, Unhandled};
use prost::Name;
use proto::inventory::v1::DeviceCreated;
use serde_json::{Value, json};
use tests::{Stage, told};

const FACTS: usize = 20_000;
const ROUNDS: usize = 3;
/// Of the peers: more made them slower.
const CONNECTIONS: usize = 16;
/// Counting costs something, too.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const EFFECTS: &str =
    "CREATE TABLE effects (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text NOT NULL, etag text NOT NULL)";

/// Turns a fact into a row.
struct Effect;

impl Reactions for Effect {
    fn kinds(&self) -> Vec<String> {
        vec![DeviceCreated::full_name()]
    }

    async fn react(&self, tx: &mut Tx, fact: &Received) -> Result<(), Unhandled> {
        let Some(created) = fact.open::<DeviceCreated>() else { return Ok(()) };
        sqlx::query("INSERT INTO effects (subject, etag) VALUES ($1, $2)")
            .bind(&fact.subject)
            .bind(created?.device.unwrap_or_default().etag)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

async fn reacting((database, broker): Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&database, SCHEMAS).await?;
    mailbox::react(host, &broker, &db, Effect).await
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut ours = Vec::new();
    let mut peers: Vec<(String, Vec<f64>)> = Vec::new();
    for _ in 0..ROUNDS {
        ours.push(runtime.block_on(round()));
        for (name, rate) in runtime.block_on(jobs()) {
            match peers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rates)) => rates.push(rate),
                None => peers.push((name, vec![rate])),
            }
        }
    }
    let ours = median(ours);
    for (name, rates) in peers {
        let peer = median(rates);
        println!(
            "{}",
            json!({"name": "fact-effect", "unit": "1/s", "ours": ours, "peer": peer, "peer_name": name, "ratio": ours / peer})
        );
    }
}

/// Effects a second.
async fn round() -> f64 {
    let mut stage = Stage::set().await;
    stage.seal_key = None;
    let broker = BrokerSettings { url: Secret::new(stage.broker()) };
    let (from, to) = ((stage.database().await, broker.clone()), (stage.database().await, broker));
    // They make their tables and queues, and wait.
    stage.start("effect-sender", from.clone(), Clock::default(), announcing).await.stop().await.unwrap();
    stage.start("effect-receiver", to.clone(), Clock::default(), reacting).await.stop().await.unwrap();
    let (sender, receiver) =
        (Database::open("bench", &from.0, SCHEMAS).unwrap(), Database::open("bench", &to.0, SCHEMAS).unwrap());
    sqlx::raw_sql(EFFECTS).execute(receiver.pool()).await.unwrap();
    fill(&sender, FACTS).await;
    let receiving = stage.start("effect-receiver", to, Clock::default(), reacting).await;
    let sending = stage.start("effect-sender", from, Clock::default(), announcing).await;
    let (first, began) = seen(&receiver, 1).await;
    let (last, ended) = seen(&receiver, FACTS).await;
    sending.stop().await.unwrap();
    receiving.stop().await.unwrap();
    let subjects: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT subject) FROM effects").fetch_one(receiver.pool()).await.unwrap();
    assert_eq!((last, subjects), (FACTS, i64::try_from(FACTS).unwrap()), "exactly once");
    (last - first) as f64 / (ended - began).as_secs_f64()
}

/// How many effects there are, once there are so many, and when that was.
async fn seen(db: &Database, enough: usize) -> (usize, Instant) {
    loop {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM effects").fetch_one(db.pool()).await.unwrap();
        let count = usize::try_from(count).unwrap();
        if count >= enough {
            return (count, Instant::now());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What the peers reach, in a database of their own.
async fn jobs() -> Vec<(String, f64)> {
    let mut stage = Stage::set().await;
    let database = stage.database().await;
    let given = json!({"url": database.url.expose(), "jobs": FACTS, "connections": CONNECTIONS}).to_string();
    let mut child = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/jobs.js"))
        .env("NODE_PATH", told("OPSMESH_PEERS_NPM"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = tokio::task::block_in_place(|| child.wait_with_output()).unwrap();
    assert!(output.status.success(), "the peers failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (line["name"].as_str().unwrap().to_owned(), line["rate"].as_f64().unwrap())).collect()
}
