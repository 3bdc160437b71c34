//! Faults of RabbitMQ, and of whoever should receive from it.
use std::time::Duration;

use tests::within;

use super::{endures, endures_at_half, lasts};
use crate::under_load::{
    audit,
    house::{Fittings, House},
    load::Load,
};

/// Longer than two heartbeats: both sides give the connection up.
const STANDS_STILL: Duration = Duration::from_secs(25);
/// What a machine of two cores handles of it in a third of the time, beside everything else.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(90);
/// Long enough for facts to pile up.
const TAKES_NOTHING: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn f7_a_broker_that_stands_still_keeps_no_caller_waiting() {
    endures("F7", Fittings::default(), async |house: &mut House, load: &Load| {
        house.rabbitmq.freeze();
        let before = (load.tickets(), load.rounds());
        lasts(STANDS_STILL).await;
        load.goes_on_everywhere().await;
        assert!(load.tickets() > before.0 && load.rounds() > before.1, "calls need no broker");
        assert!(outbox(house).await > 0, "the broker has taken facts all the time");
        house.rabbitmq.thaw();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f8_a_broker_that_takes_nothing_for_want_of_memory_keeps_no_caller_waiting() {
    endures("F8", Fittings::default(), async |house: &mut House, load: &Load| {
        house.rabbitmq.memory_limit("0.0001");
        lasts(TAKES_NOTHING).await;
        load.goes_on_everywhere().await;
        let waiting = outbox(house).await;
        assert!(waiting > 0, "the broker has taken facts all the time");
        house.rabbitmq.memory_limit("0.4");
    })
    .await;
}

async fn outbox(house: &House) -> i64 {
    let mut database = house.postgres.connect("inspection").await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&mut database).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn f16_a_consumer_that_stands_still_finds_everything_and_catches_up_at_twice_the_rate_at_which_more_comes() {
    endures_at_half("F16", Fittings::default(), async |house: &mut House, load: &Load| {
        house.ticketing.freeze();
        let before = load.rounds();
        lasts(STANDS_STILL).await;
        assert!(load.rounds() > before + 2, "whoever produces does not wait for whoever consumes");
        let piled_up = audit::unhandled(house).await;
        assert!(!piled_up.is_empty(), "nothing piled up");
        let told = audit::findings_told(house).await;
        house.ticketing.thaw();
        within(CATCHES_UP_WITHIN, "what has piled up to be handled", || async {
            let left = audit::unhandled(house).await.intersection(&piled_up).count();
            if left == 0 { Ok(()) } else { Err(format!("{left} of {}", piled_up.len())) }
        })
        .await;
        // So many were handled, and so many more: twice as many as came.
        let came = audit::findings_told(house).await - told;
        assert!(came <= piled_up.len(), "{came} came while {} were handled", piled_up.len());
    })
    .await;
}
