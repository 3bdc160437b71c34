//! A burst of deadlines: a million timers are armed, a hundred thousand of them are due in the same second, and each has its
//! effect, durably, before the clock is stopped.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark panics where something is not as it must be, and prints"
)]

use std::time::{Duration, Instant};

use chassis::{Clock, Database, DatabaseSettings, Host, Schema, Scope, Tx};
use jiff::Timestamp;
use mailbox::{Alarms, Due};
use serde_json::json;
use sqlx::migrate::Migrator;
use tests::{Stage, within};

const ARMED: i64 = 1_000_000;
const DUE: i64 = 100_000;
const ROUNDS: usize = 3;

static MIGRATIONS: Migrator = sqlx::migrate!("tests/migrations");
const SCHEMAS: &[Schema] = &[mailbox::SCHEMA, Schema { migrations: &MIGRATIONS, partitioned: &[] }];

struct Bell;

impl Alarms for Bell {
    async fn ring(&self, tx: &mut Tx, due: &[Due], _: Timestamp) -> anyhow::Result<()> {
        let subjects: Vec<&str> = due.iter().map(|due| due.subject.as_str()).collect();
        sqlx::query("INSERT INTO effects (subject, etag) SELECT unnest($1::text[]), ''")
            .bind(subjects)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

async fn clockwork(database: DatabaseSettings, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&database, SCHEMAS).await?;
    mailbox::ring(host, &db, Bell);
    Ok(())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut seconds: Vec<f64> = (0..ROUNDS).map(|_| runtime.block_on(burst())).collect();
    seconds.sort_by(f64::total_cmp);
    println!("{}", json!({"name": "100,000 of 1 M timers, due in one second", "unit": "s", "ours": seconds[ROUNDS / 2]}));
}

/// From the moment they are due until all have had their effect.
async fn burst() -> f64 {
    let mut stage = Stage::set().await;
    let database = stage.database().await;
    let begin: Timestamp = "2026-11-23T01:00:00Z".parse().unwrap();
    let clock = Clock::standing(begin);
    let running = stage.start("clockwork", database.clone(), clock.clone(), clockwork).await;
    let db = Database::open("bench", &database, SCHEMAS).unwrap();
    let mut tx = db.begin(&Scope::platform("bench")).await.unwrap();
    sqlx::query("SET LOCAL statement_timeout = '5min'").execute(&mut *tx).await.unwrap();
    sqlx::query(
        "INSERT INTO timers (agency, kind, subject, due_at, try_at)
         SELECT 'gz', 'bell', 'agencies/gz/xs/' || n, at, at
         FROM (SELECT n, '2026-11-23T01:00:00Z'::timestamptz + CASE WHEN n <= $2 THEN n * interval '1 s' / $2
             ELSE interval '1 day' + n * interval '1 s' END AS at FROM generate_series(1, $1) n) armed",
    )
    .bind(ARMED)
    .bind(DUE)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    sqlx::query("ANALYZE timers").execute(db.pool()).await.unwrap();
    let began = Instant::now();
    clock.set(begin + jiff::SignedDuration::from_secs(1));
    within(Duration::from_secs(120), "all to be rung", || async {
        let rung: i64 = sqlx::query_scalar("SELECT count(*) FROM effects").fetch_one(db.pool()).await.unwrap();
        if rung == DUE { Ok(()) } else { Err(rung) }
    })
    .await;
    let took = began.elapsed().as_secs_f64();
    running.stop().await.unwrap();
    took
}
