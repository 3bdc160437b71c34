//! Faults of RabbitMQ, and of whoever should receive from it.
use std::time::Duration;

use tests::within;

use super::{endures, lasts};
use crate::under_load::{
    audit,
    house::{Fittings, House},
    load::Load,
};

/// Longer than two heartbeats: both sides give the connection up.
const STANDS_STILL: Duration = Duration::from_secs(25);
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
async fn f16_a_consumer_that_stands_still_finds_everything_when_it_goes_on() {
    endures("F16", Fittings::default(), async |house: &mut House, load: &Load| {
        house.ticketing.freeze();
        let before = load.rounds();
        lasts(STANDS_STILL).await;
        assert!(load.rounds() > before + 2, "whoever produces does not wait for whoever consumes");
        let produced = audit::unhandled(house).await;
        assert!(!produced.is_empty(), "nothing piled up");
        house.ticketing.thaw();
        // While as much comes again: it catches up at twice the rate at which facts come, or faster.
        within(STANDS_STILL, "what has piled up to be handled", || async {
            let left = audit::unhandled(house).await.intersection(&produced).count();
            if left == 0 { Ok(()) } else { Err(format!("{left} of {}", produced.len())) }
        })
        .await;
    })
    .await;
}
