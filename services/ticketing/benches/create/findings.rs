//! `fact-effect beside callers`: how many of another service's findings become tickets a second while many callers open tickets, beside how many do while nobody calls.
use std::time::{Duration, Instant};

use chassis::{Agency, Clock, Database, DatabaseSettings, Host, Schema, Scope};
use futures::future::BoxFuture;
use mailbox::{BrokerSettings, Letter};
use proto::inspection::v1::{Finding, FindingOpened, Severity};
use serde_json::json;
use sqlx::PgPool;
use tests::Stage;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{AGENCY, number, say};

const SCHEMAS: &[Schema] = &[mailbox::SCHEMA];
/// More than are handled while it is looked.
const FINDINGS: usize = 40_000;
/// Posted in one transaction.
const AT_ONCE: usize = 500;
/// Callers in flight, as many as in the crowds upon which kills fall.
const CALLERS: usize = 384;
/// Until everybody is there, and then so long.
const SETTLES: Duration = Duration::from_secs(2);
const LOOKS: Duration = Duration::from_secs(8);

/// Measures it, and says it. `handling` is the database of the service that handles them.
pub(crate) async fn measure(
    stage: &mut Stage,
    broker: BrokerSettings,
    handling: &PgPool,
    call: impl Fn(usize) -> BoxFuture<'static, ()> + Clone + Send + 'static,
) {
    let told = (stage.database().await, broker);
    stage.start("inspection", told.clone(), Clock::default(), announcing).await.stop().await.unwrap();
    let db = Database::open("bench", &told.0, SCHEMAS).unwrap();
    find(&db).await;
    let inspection = stage.start("inspection", told, Clock::default(), announcing).await;
    let alone = handled(handling).await;

    let stop = CancellationToken::new();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (call, stop) = (call.clone(), stop.clone());
        callers.spawn(async move {
            let mut answered = 0;
            while !stop.is_cancelled() {
                call(caller).await;
                answered += 1;
            }
            answered
        });
    }
    let began = Instant::now();
    let beside = handled(handling).await;
    stop.cancel();
    let answered: usize = callers.join_all().await.into_iter().sum();
    say(&json!({
        "name": "fact-effect beside callers", "unit": "findings/s", "ours": beside, "peer": alone, "peer_name": "while nobody calls", "ratio": beside / alone,
        "callers": CALLERS, "tickets_per_s": number(answered) / began.elapsed().as_secs_f64(),
    }));
    inspection.stop().await.unwrap();
}

/// Tells of findings that somebody else opened.
async fn announcing((database, broker): (DatabaseSettings, BrokerSettings), host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&database, SCHEMAS).await?;
    mailbox::announce(host, &broker, &db).await
}

/// How many are handled a second.
async fn handled(pool: &PgPool) -> f64 {
    tokio::time::sleep(SETTLES).await;
    let (before, began) = (count(pool).await, Instant::now());
    tokio::time::sleep(LOOKS).await;
    let (after, took) = (count(pool).await, began.elapsed());
    assert!(after < FINDINGS, "there must be more than are handled");
    number(after - before) / took.as_secs_f64()
}

async fn count(pool: &PgPool) -> usize {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM inbox").fetch_one(pool).await.unwrap();
    usize::try_from(count).unwrap()
}

/// Writes what is to be told.
async fn find(db: &Database) {
    let agency: Agency = AGENCY.parse().unwrap();
    for from in (0..FINDINGS).step_by(AT_ONCE) {
        let letters = (from..from + AT_ONCE).map(|number| letter(&agency, number)).collect();
        let mut tx = db.begin(&Scope::reaction("bench", &agency)).await.unwrap();
        mailbox::post_all(&mut tx, letters).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn letter(agency: &Agency, number: usize) -> (Letter, jiff::Timestamp) {
    let now = Clock::default().now();
    let at = Some(pbjson_types::Timestamp { seconds: now.as_second(), nanos: 0 });
    let name = format!("agencies/{agency}/findings/019f0000-0000-8000-8000-{number:012}");
    let finding = Finding {
        name: name.clone(),
        item_title: "门户端口".into(),
        device: format!("agencies/{agency}/devices/web-{number}"),
        device_display_name: "门户".into(),
        device_address: "10.0.0.7".into(),
        severity: Severity::Major.into(),
        reason: "连接被拒绝".into(),
        opening_run: format!("agencies/{agency}/runs/1"),
        last_seen_run: format!("agencies/{agency}/runs/1"),
        open_time: at,
        last_seen_time: at,
        times_seen: 1,
        ..Finding::default()
    };
    (Letter::about(agency, name, &FindingOpened { finding: Some(finding) }), now)
}
