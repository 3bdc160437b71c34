//! What sealing costs those who write facts: the same load on the same database, with and without a sealer beside the relay, in
//! turns.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark panics where something is not as it must be, and prints"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::{Agency, Clock, Database, DatabaseSettings, Host, Schema, Scope, Secret};
use mailbox::{BrokerSettings, Letter};
use proto::inventory::v1::{Device, DeviceCreated};
use serde_json::json;
use tests::Stage;
use tokio::task::JoinSet;

const SCHEMAS: &[Schema] = &[mailbox::SCHEMA];
const WRITERS: usize = 8;
/// As many facts a transaction as a combiner's batch has.
const AT_ONCE: usize = 20;
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 5;

async fn announcing((database, broker): (DatabaseSettings, BrokerSettings), host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&database, SCHEMAS).await?;
    mailbox::announce(host, &broker, &db).await
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut ratios = Vec::new();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(runtime.block_on(round(false)));
        with.push(runtime.block_on(round(true)));
        ratios.push(with[with.len() - 1] / without[without.len() - 1]);
    }
    for all in [&mut with, &mut without, &mut ratios] {
        all.sort_by(f64::total_cmp);
    }
    let line = json!({
        "name": "facts written while they are sealed", "unit": "1/s", "ours": with[ROUNDS / 2], "peer": without[ROUNDS / 2],
        "peer_name": "not sealed", "ratio": ratios[ROUNDS / 2],
    });
    println!("{line}");
}

/// Facts a second.
async fn round(sealed: bool) -> f64 {
    let mut stage = Stage::set().await;
    stage.seal_key = stage.seal_key.take_if(|_| sealed);
    let (database, broker) = (stage.database().await, BrokerSettings { url: Secret::new(stage.broker()) });
    let running = stage.start("sealing", (database.clone(), broker), Clock::default(), announcing).await;
    let db = Database::open("bench", &DatabaseSettings { connections: 8, ..database }, SCHEMAS).unwrap();
    let enough = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    let began = Instant::now();
    for writer in 0..WRITERS {
        writers.spawn(write(db.clone(), writer, enough.clone()));
    }
    tokio::time::sleep(ROUND).await;
    enough.store(true, Ordering::Relaxed);
    let written: usize = writers.join_all().await.into_iter().sum();
    let rate = written as f64 / began.elapsed().as_secs_f64();
    running.stop().await.unwrap();
    rate
}

async fn write(db: Database, writer: usize, enough: Arc<AtomicBool>) -> usize {
    let agency: Agency = "gz".parse().unwrap();
    let scope = Scope::reaction("bench", &agency);
    let mut written = 0;
    while !enough.load(Ordering::Relaxed) {
        let now = Clock::default().now();
        let letters = (0..AT_ONCE).map(|number| {
            let device = Device { display_name: "三楼打印机".into(), etag: number.to_string(), ..Device::default() };
            let subject = format!("agencies/gz/devices/d-{writer}-{written}-{number}");
            (Letter::about(&agency, subject, &DeviceCreated { device: Some(device) }), now)
        });
        let mut tx = db.begin(&scope).await.unwrap();
        mailbox::post_all(&mut tx, letters.collect()).await.unwrap();
        tx.commit().await.unwrap();
        written += AT_ONCE;
    }
    written
}
