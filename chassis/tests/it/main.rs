//! A process with nothing in it but the chassis, on real servers.
#![expect(clippy::unwrap_used, reason = "tests panic where something is not as it must be")]

mod limits;
mod pool;
mod stop;

use std::time::Duration;

use chassis::{Clock, DatabaseSettings, Host, Secret};
use tests::{Running, Stage, eventually};

async fn bare(database: DatabaseSettings, host: &mut Host) -> anyhow::Result<()> {
    host.postgres(&database, &[]).await?;
    Ok(())
}

async fn ask(running: &Running, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(running.http).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

async fn ready(running: &Running, expected: u16) -> String {
    eventually(&format!("/readyz to answer {expected}"), || async {
        let (status, why) = ask(running, "/readyz").await;
        if status == expected { Ok(why) } else { Err((status, why)) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_ready_when_its_database_is_and_alive_even_when_it_is_not() {
    let mut stage = Stage::set().await;
    let database = stage.database().await;
    let running = stage.start("bare", database, Clock::default(), bare).await;
    ready(&running, 200).await;
    assert_eq!(ask(&running, "/livez").await.0, 200);

    let nowhere = DatabaseSettings { url: Secret::new("postgres://x:x@127.0.0.1:1/x"), connections: 2 };
    let unmigrated = stage
        .start("bare", nowhere, Clock::default(), async |database, host: &mut Host| {
            if host.mode() == chassis::Mode::Migrate { Ok(()) } else { bare(database, host).await }
        })
        .await;
    let why = ready(&unmigrated, 503).await;
    assert!(why == "starting" || why.starts_with("database: "), "{why}");
    assert_eq!(ask(&unmigrated, "/livez").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_too_old_is_not_ready_and_says_so() {
    let mut stage = Stage::set().await;
    let database = stage.database().await;
    let running = stage
        .start("bare", database, Clock::default(), async |database, host: &mut Host| {
            if host.mode() == chassis::Mode::Migrate { Ok(()) } else { bare(database, host).await }
        })
        .await;
    let why = eventually("the reason", || async {
        let (_, why) = ask(&running, "/readyz").await;
        if why.contains("_sqlx_migrations") || why.contains("schema") { Ok(why) } else { Err(why) }
    })
    .await;
    assert!(why.starts_with("database: "), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_row_level_security_does_not_hold_for_is_not_ready() {
    let stage = Stage::set().await;
    // The servers' administrator is a superuser; the database is of no matter.
    let admin = DatabaseSettings { url: Secret::new(tests::told("DATABASE_URL")), connections: 2 };
    let migrated = async |database, host: &mut Host| {
        if host.mode() == chassis::Mode::Migrate { Ok(()) } else { bare(database, host).await }
    };
    let running = stage.start("bare", admin, Clock::default(), migrated).await;
    let why = eventually("the reason", || async {
        let (_, why) = ask(&running, "/readyz").await;
        if why.contains("row-level security") { Ok(why) } else { Err(why) }
    })
    .await;
    assert!(why.starts_with("database: the role "), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_ends_early_ends_the_process() {
    let stage = Stage::set().await;
    let running = stage
        .start("bare", (), Clock::default(), async |(), host: &mut Host| {
            host.spawn("short", |_| async { Ok(()) });
            Ok(())
        })
        .await;
    let ended = tokio::time::timeout(Duration::from_secs(5), running.ended()).await.expect("it ends by itself");
    assert!(format!("{:#}", ended.unwrap_err()).contains("short"));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_does_not_end_is_cut_off() {
    let stage = Stage::set().await;
    let running = stage
        .start("bare", (), Clock::default(), async |(), host: &mut Host| {
            host.spawn("deaf", |_| std::future::pending());
            Ok(())
        })
        .await;
    let begun = tokio::time::Instant::now();
    running.stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}
