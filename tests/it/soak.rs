//! A long run at half of full load with faults at random: what the services take of their machine, and what waits for them, does not grow.
//!
//! `OPSMESH_SOAK` says how many seconds (`./x prove soak`: 1,200), `OPSMESH_SEED` repeats the faults.
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tests::{Cut, Fault, Program, Weather};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::under_load::{
    audit,
    house::{Fittings, House},
    load::Load,
    seed,
};

/// Enough for a round of faults; nothing that grows slowly shows in it.
const SECONDS: u64 = 30;
/// So long that growth shows, and is asked about.
const LONG: Duration = Duration::from_secs(600);
const SAMPLE_EVERY: Duration = Duration::from_secs(2);
/// A fault lasts so long, and then there is peace for as long.
const FAULT: Duration = Duration::from_secs(3);
/// A service at rest takes 25 MB; under load, pools, batches and spans are added. It never takes more.
const RESIDENT: u64 = 96 << 20;
/// Callers, pool, broker, and what listens.
const FILES: u64 = 128;

/// What was seen at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Bytes, of ticketing and of inspection.
    resident: [u64; 2],
    /// Open file descriptors.
    files: [u64; 2],
    /// Facts that are not carried and handled yet.
    waiting: u64,
    /// Bytes of the outbox on disk, where rows come and go.
    outbox: u64,
}

/// A measure: its name, where it is read, and by how much it may differ, beside a tenth, without having grown.
type Measure = (&'static str, fn(&Sample) -> u64, u64);
const MEASURES: [Measure; 6] = [
    ("ticketing's memory, bytes", |sample| sample.resident[0], 4 << 20),
    ("inspection's memory, bytes", |sample| sample.resident[1], 4 << 20),
    ("ticketing's files", |sample| sample.files[0], 6),
    ("inspection's files", |sample| sample.files[1], 6),
    ("facts that wait", |sample| sample.waiting, 500),
    ("the outbox, bytes", |sample| sample.outbox, 4 << 20),
];

mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn services_that_run_on_through_faults_take_no_more_than_they_took_at_first() {
        let seed = seed::setting("OPSMESH_SEED").unwrap_or_else(seed::random);
        let length = Duration::from_secs(seed::setting("OPSMESH_SOAK").unwrap_or(SECONDS));
        seed::said(&format!("seed {seed}: OPSMESH_SEED={seed} OPSMESH_SOAK={} ./x test soak repeats this run", length.as_secs()));
        let house = House::open(Fittings::default()).await;
        let load = Load::begin_at_half(&house, seed).await;
        load.goes_on_everywhere().await;
        let stop = CancellationToken::new();
        let hurting = async {
            let faults = faults(&house, &load, seed, length).await;
            stop.cancel();
            faults
        };
        let (samples, faults) = tokio::join!(samples(&house, &stop), hurting);
        let acknowledged = load.end().await;
        let seen = audit::settled(&house, &acknowledged).await;
        let figures = figures(&samples);
        seed::noted(&format!(
            "seed {seed}, {} s, {faults} faults, {} samples. {seen}.\n{figures}",
            length.as_secs(),
            samples.len()
        ));
        for sample in &samples {
            assert!(sample.resident.iter().all(|bytes| *bytes < RESIDENT), "{sample:?}\n{figures}");
            assert!(sample.files.iter().all(|files| *files < FILES), "{sample:?}\n{figures}");
        }
        if length >= LONG {
            for (name, of, differs) in MEASURES {
                let (early, late) = (quarter(&samples, 1, of), quarter(&samples, 3, of));
                assert!(late <= early + early / 10 + differs, "{name} grew from {early} to {late}\n{figures}");
            }
        }
    }
}

/// The median of a quarter of the run; the first one is for warming up.
fn quarter(samples: &[Sample], number: usize, of: fn(&Sample) -> u64) -> u64 {
    let length = samples.len() / 4;
    let mut values: Vec<u64> = samples[number * length..(number + 1) * length].iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

fn figures(samples: &[Sample]) -> String {
    let lines = MEASURES.iter().map(|(name, of, _)| {
        let medians = [0, 1, 2, 3].map(|number| quarter(samples, number, *of).to_string());
        let most = samples.iter().map(of).max().unwrap();
        format!("* {name}: {} by quarter; never more than {most}", medians.join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One after another; how many.
async fn faults(house: &House, load: &Load, seed: u64, length: Duration) -> u64 {
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < length {
        let ways = [&house.ticketing_ways, &house.inspection_ways];
        match seed::draw(seed, number) % 7 {
            0 => cut(&ways.map(|ways| ways.postgres.port()), Fault::Loud).await,
            1 => cut(&ways.map(|ways| ways.rabbitmq.port()), Fault::Loud).await,
            2 => cut(&ways.map(|ways| ways.postgres.port()), Fault::Silent).await,
            3 => {
                ways.iter().for_each(|ways| ways.weather(Weather::Slow(Duration::from_millis(5), Duration::from_millis(60))));
                lasts(FAULT).await;
                ways.iter().for_each(|ways| ways.weather(Weather::Fair));
            }
            4 => {
                house.rabbitmq.freeze();
                lasts(FAULT).await;
                house.rabbitmq.thaw();
            }
            5 => {
                house.ticketing.freeze();
                lasts(FAULT).await;
                house.ticketing.thaw();
            }
            _ => {
                let mut admin = house.postgres.connect("postgres").await.unwrap();
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('ticketing', 'inspection')";
                sqlx::query(end).execute(&mut admin).await.unwrap();
            }
        }
        number += 1;
        load.goes_on_everywhere().await;
        lasts(FAULT).await;
    }
    number
}

async fn cut(ports: &[u16], fault: Fault) {
    let cuts: Vec<Cut> = ports.iter().map(|port| Cut::at(*port, fault)).collect();
    lasts(FAULT).await;
    drop(cuts);
}

async fn lasts(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Looks until told to stop. A service that stands still is not looked at.
async fn samples(house: &House, stop: &CancellationToken) -> Vec<Sample> {
    let databases =
        Mutex::new((house.postgres.connect("ticketing").await.unwrap(), house.postgres.connect("inspection").await.unwrap()));
    let mut samples = Vec::new();
    while !stop.is_cancelled() {
        let look = async {
            let (ticketing, inspection) = (vitals(&house.ticketing).await?, vitals(&house.inspection).await?);
            let (to, from) = &mut *databases.lock().await;
            let outbox = "SELECT count(*) FROM outbox";
            let sent = number(from, "SELECT count(*) FROM facts WHERE kind LIKE '%.Finding%'").await;
            let handled = number(to, "SELECT count(*) FROM inbox").await;
            let size = "SELECT pg_total_relation_size('outbox')";
            Some(Sample {
                resident: [ticketing.0, inspection.0],
                files: [ticketing.1, inspection.1],
                waiting: number(to, outbox).await + sent.saturating_sub(handled),
                outbox: number(to, size).await + number(from, size).await,
            })
        };
        if let Ok(Some(sample)) = tokio::time::timeout(SAMPLE_EVERY, look).await {
            samples.push(sample);
        }
        lasts(SAMPLE_EVERY).await;
    }
    samples
}

/// Memory and open files, as the service says.
async fn vitals(program: &Program) -> Option<(u64, u64)> {
    let metrics = program.metrics().await.ok()?;
    let value = |name: &str| -> Option<u64> {
        let line = metrics.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse().ok()
    };
    Some((value("process_resident_memory_bytes ")?, value("process_open_fds ")?))
}

async fn number(database: &mut PgConnection, statement: &'static str) -> u64 {
    let number: i64 = sqlx::query_scalar(statement).fetch_one(database).await.unwrap();
    number.unsigned_abs()
}
