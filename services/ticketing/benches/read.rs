//! `ticket-read`: what row-level security costs a reader. The same selects, a ticket by its name and a page of fifty, on the same tables: as the service's role, which sees one
//! agency's rows, and as a superuser, whom no policy holds; turn and about in one run.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run has nothing to say, and one that ran prints"
)]
use std::time::Instant;

use chassis::Clock;
use futures::{StreamExt, stream};
use mailbox::BrokerSettings;
use serde_json::json;
use sqlx::{Executor, PgPool, postgres::PgPoolOptions};
use tests::{Stage, told};
use uuid::Uuid;

const AGENCIES: i32 = 40;
const TICKETS: i32 = 40_000;
/// Queries in flight, a connection each.
const IN_FLIGHT: u32 = 8;
const ROUNDS: usize = 7;
const QUERIES: usize = 4_000;
const READER: &str = "gz-7";

/// What is read, with the words that name it.
const SELECTS: [(&str, &str); 2] = [
    ("a ticket", "SELECT * FROM tickets WHERE agency = $1 AND id = $2"),
    ("a page of fifty", "SELECT * FROM tickets WHERE agency = $1 AND id < $2 ORDER BY id DESC LIMIT 50"),
];

#[tokio::main]
async fn main() {
    let mut stage = Stage::set().await;
    let database = stage.database().await;
    let url = database.url.expose().to_owned();
    let broker = BrokerSettings { url: chassis::Secret::new(stage.broker()) };
    // It makes the tables.
    let config = ticketing::Config { database, broker };
    stage.start("ticketing", config, Clock::default(), ticketing::start).await.stop().await.unwrap();
    let free = told("DATABASE_URL");
    let free = pool(&format!("{}/{}", free.rsplit_once('/').unwrap().0, url.rsplit_once('/').unwrap().1)).await;
    sqlx::query(
        "INSERT INTO tickets (agency, id, title, description, grade, state, requester, evidence, opened_at, updated_at, revision)
         SELECT 'gz-' || n % $1, gen_random_uuid(), '打印机无法打印', '三楼大厅，卡纸后一直红灯', 'iii', 'new', 'chen', '[]', now(), now(), 1
         FROM generate_series(1, $2) n",
    )
    .bind(AGENCIES)
    .bind(TICKETS)
    .execute(&free)
    .await
    .unwrap();
    free.execute("ANALYZE tickets").await.unwrap();
    let confined = pool(&url).await;
    let ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM tickets WHERE agency = $1").bind(READER).fetch_all(&free).await.unwrap();
    // The policy holds: without a word about the agency, one sees its rows and the other sees all.
    let seen = async |pool: &PgPool| -> i64 { sqlx::query_scalar("SELECT count(*) FROM tickets").fetch_one(pool).await.unwrap() };
    assert_eq!((seen(&confined).await, seen(&free).await), (i64::from(TICKETS / AGENCIES), i64::from(TICKETS)));
    for (what, select) in SELECTS {
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..=ROUNDS {
            ours.push(round(&confined, select, &ids).await);
            peer.push(round(&free, select, &ids).await);
        }
        // The first of each fills caches.
        let mut ratios: Vec<f64> = ours.iter().zip(&peer).skip(1).map(|(ours, peer)| ours / peer).collect();
        let ratio = median(&mut ratios);
        println!(
            "{}",
            json!({
                "name": format!("ticket-read: {what}"), "unit": "1/s", "ours": median(&mut ours[1..]), "peer": median(&mut peer[1..]),
                "peer_name": "the same select without row-level security", "ratio": ratio,
            })
        );
    }
}

/// Connections that each speak for one agency, as a transaction of ours does.
async fn pool(url: &str) -> PgPool {
    let speak = format!("SET opsmesh.agency = '{READER}'");
    PgPoolOptions::new()
        .max_connections(IN_FLIGHT)
        .min_connections(IN_FLIGHT)
        .after_connect(move |connection, _| {
            let speak = speak.clone();
            Box::pin(async move { connection.execute(sqlx::AssertSqlSafe(speak)).await.map(drop) })
        })
        .connect(url)
        .await
        .unwrap()
}

/// Selects a second.
async fn round(pool: &PgPool, select: &'static str, ids: &[Uuid]) -> f64 {
    let began = Instant::now();
    let one = |number: usize| async move {
        let id = ids[number * 7 % ids.len()];
        sqlx::query(select).bind(READER).bind(id).fetch_all(pool).await.unwrap().len()
    };
    let rows: usize =
        stream::iter(0..QUERIES).map(one).buffer_unordered(IN_FLIGHT as usize).fold(0, async |all, rows| all + rows).await;
    assert!(rows >= QUERIES * 9 / 10, "{rows} rows");
    #[expect(clippy::cast_precision_loss, reason = "some thousand")]
    let queries = QUERIES as f64;
    queries / began.elapsed().as_secs_f64()
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}
