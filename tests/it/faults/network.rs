//! Faults of the network between services and their servers.
use std::time::Duration;

use tests::{Cut, Fault, Weather};

use super::{endures, lasts};
use crate::under_load::{
    house::{Fittings, House},
    load::Load,
    seed::said,
};

/// Longer than a call may wait for a connection and a statement may take: whoever is in flight has to give up by himself.
const PARTITION: Duration = Duration::from_secs(20);
/// As long as a call may take, and some: whoever waits all the same is found out.
const REFUSED: Duration = Duration::from_secs(8);
/// Every caller is refused some times.
const REFUSALS: usize = 100;
/// A refusal that is waited for is no better than silence. Asked of half of them: callers and services share two cores here.
const SAID_WITHIN: Duration = Duration::from_millis(100);
/// Of a hundred packets so many are lost.
const LOSS: u8 = 10;
const LOSSY: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn f9_a_silent_partition_from_the_database_leaks_no_connection() {
    endures("F9 database", Fittings::default(), async |house: &mut House, load: &Load| {
        for _ in 0..2 {
            let cuts = [&house.ticketing_ways, &house.inspection_ways].map(|ways| Cut::at(ways.postgres.port(), Fault::Silent));
            lasts(PARTITION).await;
            drop(cuts);
            load.goes_on_everywhere().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f9_a_silent_partition_from_the_broker_keeps_no_caller_waiting() {
    endures("F9 broker", Fittings::default(), async |house: &mut House, load: &Load| {
        let cuts = [&house.ticketing_ways, &house.inspection_ways].map(|ways| Cut::at(ways.rabbitmq.port(), Fault::Silent));
        lasts(PARTITION).await;
        load.goes_on_everywhere().await;
        drop(cuts);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_a_loud_partition_is_an_answer() {
    endures("F10", Fittings::default(), async |house: &mut House, load: &Load| {
        let ways = [&house.ticketing_ways, &house.inspection_ways];
        let cuts: Vec<Cut> = ways
            .iter()
            .flat_map(|ways| [ways.postgres.port(), ways.rabbitmq.port()])
            .map(|port| Cut::at(port, Fault::Loud))
            .collect();
        let mut refusals = load.is_refused(REFUSALS).await;
        lasts(REFUSED).await;
        drop(cuts);
        refusals.sort();
        let (median, slow) = (refusals[REFUSALS / 2], refusals[REFUSALS * 9 / 10]);
        said(&format!("F10: half of the callers were refused within {median:.1?}, nine in ten within {slow:.1?}"));
        assert!(median < SAID_WITHIN, "{refusals:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f11_lost_packets_make_calls_slower_and_nothing_else() {
    endures("F11", Fittings::default(), async |house: &mut House, load: &Load| {
        let ways = [&house.ticketing_ways, &house.inspection_ways];
        let cuts: Vec<Cut> = ways
            .iter()
            .flat_map(|ways| [ways.postgres.port(), ways.rabbitmq.port()])
            .map(|port| Cut::at(port, Fault::Loss(LOSS)))
            .collect();
        lasts(LOSSY).await;
        load.goes_on_everywhere().await;
        drop(cuts);
    })
    .await;
}

/// Each kind of weather lasts so long.
const WEATHER: Duration = Duration::from_secs(6);
const WEATHERS: [Weather; 4] = [
    Weather::Slow(Duration::from_millis(5), Duration::from_millis(60)),
    Weather::HalfOpen,
    // Some answers come whole, some are cut.
    Weather::Truncating(2_000),
    Weather::ClosingLate(Duration::from_secs(2)),
];

#[tokio::test(flavor = "multi_thread")]
async fn f12_delays_half_open_ends_and_messages_that_are_cut_short_leave_nothing_unknown() {
    endures("F12", Fittings::default(), async |house: &mut House, load: &Load| {
        for weather in WEATHERS {
            for ways in [&house.ticketing_ways, &house.inspection_ways] {
                ways.weather(weather);
            }
            lasts(WEATHER).await;
            for ways in [&house.ticketing_ways, &house.inspection_ways] {
                ways.weather(Weather::Fair);
            }
            load.goes_on_everywhere().await;
        }
    })
    .await;
}
