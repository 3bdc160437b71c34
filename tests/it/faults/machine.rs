//! Faults of the machine that a service runs on.
use std::time::Duration;

use tests::{Moment, eventually, within};
use tokio::{net::TcpListener, sync::Mutex};

use super::{endures, lasts};
use crate::under_load::{
    house::{Fittings, House, MARK},
    load::Load,
};

/// Longer than the server lets a transaction idle: whoever held a turn has lost it.
const STANDS_STILL: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn f2_a_replica_that_stood_still_writes_nothing_after_it_has_lost_its_turn() {
    endures("F2", Fittings::default(), async |house: &mut House, load: &Load| {
        let (replica, ways) = house.another_inspection().await;
        // It has sent facts, and never comes to say so.
        ways.hold(Moment::CommitAsked(MARK)).await.await.unwrap();
        replica.freeze();
        load.goes_on_everywhere().await;
        lasts(STANDS_STILL).await;
        let database = Mutex::new(house.postgres.connect("ticketing").await.unwrap());
        let handled = async || -> i64 {
            sqlx::query_scalar("SELECT count(*) FROM inbox").fetch_one(&mut *database.lock().await).await.unwrap()
        };
        let before = handled().await;
        load.goes_on_everywhere().await;
        eventually("the other replica to carry on", || async {
            let now = handled().await;
            if now > before { Ok(()) } else { Err(now) }
        })
        .await;
        replica.thaw();
        replica.ready().await;
    })
    .await;
}

/// A tenth of a processor, as the kernel's quota gives it: all of it for a while, then nothing.
const RUNS: Duration = Duration::from_millis(10);
const WAITS: Duration = Duration::from_millis(90);
const PERIODS: u32 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn f20_a_tenth_of_a_processor_makes_calls_slower_and_nothing_else() {
    endures("F20", Fittings::default(), async |house: &mut House, load: &Load| {
        for _ in 0..PERIODS {
            house.ticketing.freeze();
            house.inspection.freeze();
            lasts(WAITS).await;
            house.ticketing.thaw();
            house.inspection.thaw();
            lasts(RUNS).await;
        }
        load.goes_on().await;
    })
    .await;
}

/// The exporter itself waits ten seconds for an answer.
const COUNTED_WITHIN: Duration = Duration::from_secs(60);
/// A service is gone this soon after it was told to stop, whatever it waits for.
const GONE_WITHIN: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn f25_a_trace_store_that_takes_nothing_is_not_waited_for() {
    // It takes connections and never says a word.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let otlp = Some(silent.local_addr().unwrap().port());
    endures("F25", Fittings { otlp, ..Fittings::default() }, async |house: &mut House, load: &Load| {
        let not_taken = r#"otel_sdk_exporter_span_exported_total{error_type="export_failed"}"#;
        within(COUNTED_WITHIN, "spans that nobody takes to be counted", || async {
            let metrics = house.ticketing.metrics().await.unwrap();
            if metrics.contains(not_taken) { Ok(()) } else { Err(metrics) }
        })
        .await;
        load.goes_on_everywhere().await;
        house.ticketing.stop(GONE_WITHIN).await;
        house.ticketing.restart().await;
    })
    .await;
}
