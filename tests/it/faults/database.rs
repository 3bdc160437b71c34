//! Faults of PostgreSQL.
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tests::{eventually, within};
use tokio::sync::Mutex;

use super::{endures, lasts};
use crate::under_load::{
    house::{Fittings, House},
    load::Load,
};

/// Between two rounds of ended sessions: some calls come through, most are hit.
const ROUND: Duration = Duration::from_millis(50);
const ROUNDS: u32 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn f3_sessions_that_the_server_ends_in_the_middle_leave_nothing_unknown() {
    endures("F3", Fittings::default(), async |house: &mut House, load: &Load| {
        let mut admin = house.postgres.connect("postgres").await.unwrap();
        for _ in 0..ROUNDS {
            let end = "SELECT count(pg_terminate_backend(pid)) FROM
                       (SELECT pid FROM pg_stat_activity WHERE datname IN ('ticketing', 'inspection') ORDER BY random() LIMIT 2) victims";
            sqlx::query(end).execute(&mut admin).await.unwrap();
            lasts(ROUND).await;
        }
        load.goes_on().await;
    })
    .await;
}

/// The old server stands still, as a machine without breath does, while the other takes over; then it is back, and nobody may be led to it any more.
const BOTH_ALIVE: Duration = Duration::from_secs(5);
/// The server ends a statement after 10 s, and looks every 5 s whether its client is there.
const FORGOTTEN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn f5_a_standby_that_takes_over_holds_everything_that_was_acknowledged() {
    endures("F5", Fittings::default(), async |house: &mut House, load: &Load| {
        let standby = house.postgres.standby(house.stage.folder()).await;
        load.goes_on_everywhere().await;
        house.postgres.freeze();
        standby.promote().await;
        house.ticketing_ways.postgres.redirect(standby.port());
        house.inspection_ways.postgres.redirect(standby.port());
        let old = std::mem::replace(&mut house.postgres, standby);
        let mut new = house.postgres.connect("postgres").await.unwrap();
        let taken_over: String = sqlx::query_scalar("SELECT clock_timestamp()::text").fetch_one(&mut new).await.unwrap();
        load.goes_on_everywhere().await;
        old.thaw();
        lasts(BOTH_ALIVE).await;
        // Nothing that anybody was told of was written to it since.
        let old = Mutex::new(old.connect("postgres").await.unwrap());
        within(FORGOTTEN, "nobody to speak with the old server", || async {
            let others = sessions(&mut *old.lock().await, &taken_over).await;
            if others.is_empty() { Ok(()) } else { Err(others) }
        })
        .await;
    })
    .await;
}

/// The services' sessions, and what each does. Whoever was cut off in the middle of a commit waits for the standby for ever, a session of before without
/// anybody behind it; one that began since is never passed over.
async fn sessions(server: &mut PgConnection, taken_over: &str) -> Vec<String> {
    let of_services = "SELECT concat_ws(' ', pid, backend_start, state, state_change, wait_event, query) FROM pg_stat_activity
                       WHERE usename IN ('ticketing', 'inspection')
                           AND NOT (wait_event IS NOT DISTINCT FROM 'SyncRep' AND backend_start < $1::timestamptz)";
    sqlx::query_scalar(of_services).bind(taken_over).fetch_all(server).await.unwrap()
}

/// The cluster itself takes some 40 MiB and each log segment 16.
const DISK: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn f17_a_full_disk_is_an_answer_and_everything_goes_on_when_there_is_room_again() {
    endures("F17", Fittings { disk: Some(DISK), ..Fittings::default() }, async |house: &mut House, load: &Load| {
        let filler = house.postgres.data().join("filler");
        fill(&filler);
        let felt = load.is_refused(1);
        tokio::pin!(felt);
        loop {
            tokio::select! {
                _ = &mut felt => break,
                // A log segment that is begun anew needs room.
                () = lasts(ROUND) => {
                    if let Ok(mut admin) = house.postgres.connect("postgres").await {
                        // It may end while it is asked.
                        let _ = sqlx::query("SELECT pg_switch_wal()").execute(&mut admin).await;
                    }
                }
            }
        }
        std::fs::remove_file(&filler).unwrap();
        house.postgres.restart().await;
    })
    .await;
}

/// Writes until there is no room.
fn fill(file: &std::path::Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(file).unwrap();
    let block = vec![0; 64 * 1024];
    while file.write_all(&block).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn f22_a_transaction_that_somebody_left_open_holds_no_fact_up() {
    endures("F22", Fittings::default(), async |house: &mut House, load: &Load| {
        let mut left_open = Vec::new();
        for database in ["ticketing", "inspection"] {
            let mut session = house.postgres.connect(database).await.unwrap();
            // With an id of its own: everything that waits for older transactions to end waits for it.
            sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()")
                .execute(&mut session)
                .await
                .unwrap();
            left_open.push(session);
        }
        load.goes_on_everywhere().await;
        let database = Mutex::new(house.postgres.connect("ticketing").await.unwrap());
        let handled = async || -> i64 {
            sqlx::query_scalar("SELECT count(*) FROM inbox").fetch_one(&mut *database.lock().await).await.unwrap()
        };
        let before = handled().await;
        load.goes_on_everywhere().await;
        eventually("facts to be carried and handled", || async {
            let now = handled().await;
            if now > before { Ok(()) } else { Err(now) }
        })
        .await;
        for session in left_open {
            session.close().await.unwrap();
        }
    })
    .await;
}
