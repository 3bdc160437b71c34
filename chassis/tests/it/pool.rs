//! A pool whose server falls silent, whose places are lost, or that has too few of them.
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use chassis::{Clock, Database, DatabaseSettings, Host, Scope, Secret, database_fault};
use futures::future::join_all;
use tests::{Proxy, Running, Stage, Way, Weather, eventually, within};
use tokio::time::{Instant, timeout};
use tonic::Code;

/// Whoever wants a connection is answered within this: five seconds to wait for one, and some for a slow machine.
const ANSWERED: Duration = Duration::from_secs(12);
/// Places are given back or made anew within this: twelve seconds of watching, and the waits of those who noticed.
const MENDED: Duration = Duration::from_secs(45);

/// A process with a database, and that database as the process itself holds it.
async fn process(stage: &Stage, settings: DatabaseSettings) -> (Running, Database) {
    let held = Arc::new(OnceLock::new());
    let shown = held.clone();
    let start = async move |settings: DatabaseSettings, host: &mut Host| {
        let db = host.postgres(&settings, &[]).await?;
        if host.mode() == chassis::Mode::Serve {
            // It is started once.
            let _ = shown.set(db);
        }
        Ok(())
    };
    let running = stage.start("bare", settings, Clock::default(), start).await;
    let db = held.get().unwrap().clone();
    (running, db)
}

fn scope() -> Scope {
    Scope::reaction("test", &"gz".parse().unwrap())
}

/// All places at once: fewer would do only if one was lost.
async fn every_place_can_be_had(db: &Database, places: u32) {
    within(MENDED, "every place in the pool to be had at once", || async {
        let had = join_all((0..places).map(|_| async { db.begin(&scope()).await })).await;
        had.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
    })
    .await;
}

/// The same behind a proxy, with every place of so many had.
async fn behind_a_proxy() -> (Stage, Proxy, Running, Database, u32) {
    let mut stage = Stage::set().await;
    let settings = stage.database().await;
    let (proxy, through) = Proxy::before_url(settings.url.expose()).await;
    let places = settings.connections;
    let (running, db) = process(&stage, DatabaseSettings { url: Secret::new(through), ..settings }).await;
    every_place_can_be_had(&db, places).await;
    (stage, proxy, running, db, places)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_costs_no_place_in_the_pool() {
    let (_stage, proxy, running, db, places) = behind_a_proxy().await;

    // In every place somebody works when the server falls silent, and gives up as a caller does whose deadline has come.
    let working = join_all((0..places).map(|_| async { db.begin(&scope()).await })).await;
    proxy.weather(Weather::Swallowing(Way::Both));
    let given_up = working.into_iter().map(|tx| async move {
        let mut tx = tx.unwrap();
        timeout(Duration::from_millis(200), sqlx::query("SELECT 1").execute(&mut *tx)).await.unwrap_err();
    });
    join_all(given_up).await;
    // Whoever comes now is told in time.
    let begun = Instant::now();
    let refused = db.begin(&scope()).await.unwrap_err();
    assert_eq!(database_fault(&refused).code(), Code::Unavailable, "{refused}");
    assert!(begun.elapsed() < ANSWERED, "{:?}", begun.elapsed());
    let why = super::ready(&running, 503).await;
    assert!(why.starts_with("database: "), "{why}");

    proxy.weather(Weather::Fair);
    every_place_can_be_had(&db, places).await;
    super::ready(&running, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_connection_is_found_dead_the_others_are_asked_before_they_are_used() {
    let (_stage, proxy, _running, db, places) = behind_a_proxy().await;

    let mut tx = db.begin(&scope()).await.unwrap();
    proxy.cut();
    sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap_err();
    drop(tx);
    eventually("the dead one to be given up", || async {
        let size = db.pool().size();
        if size < places { Ok(()) } else { Err(size) }
    })
    .await;
    // All others were used a moment ago, too, and are as dead.
    db.begin(&scope()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_whose_places_are_all_lost_is_exchanged() {
    let mut stage = Stage::set().await;
    let settings = stage.database().await;
    let (_running, db) = process(&stage, settings.clone()).await;
    let lost: Vec<_> = eventually("all places", || async {
        let had = join_all((0..settings.connections).map(|_| async { db.begin(&scope()).await })).await;
        had.into_iter().collect::<Result<Vec<_>, _>>()
    })
    .await;
    // As sqlx loses them: nobody will ever give them back.
    lost.into_iter().for_each(std::mem::forget);
    every_place_can_be_had(&db, settings.connections).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_who_want_a_connection_at_once_are_answered_and_none_holds_up_another() {
    let mut stage = Stage::set().await;
    let settings = DatabaseSettings { connections: 2, ..stage.database().await };
    let (_running, db) = process(&stage, settings.clone()).await;
    let held: Vec<_> = eventually("both places", || async {
        let had = join_all((0..2).map(|_| async { db.begin(&scope()).await })).await;
        had.into_iter().collect::<Result<Vec<_>, _>>()
    })
    .await;
    let begun = Instant::now();
    let answers = join_all((0..300).map(|_| async { db.begin(&scope()).await.map(drop) })).await;
    assert!(begun.elapsed() < ANSWERED, "{:?}", begun.elapsed());
    for refused in answers {
        let status = database_fault(&refused.unwrap_err());
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    }
    assert!(db.pool().size() <= 2);
    drop(held);
    // What was asked in vain is not in the way of those who come now.
    let answers =
        timeout(ANSWERED, join_all((0..300).map(|_| async { db.begin(&scope()).await?.commit().await }))).await.unwrap();
    answers.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
}
