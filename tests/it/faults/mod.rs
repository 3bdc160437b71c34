//! Faults other than kills, each under load, healed, and audited: every acknowledged change is there, once, in order. The numbers F2 … F31 are those of the
//! fault list in docs/faults.md, which says of each where its test is and what it must keep to.
mod broker;
mod database;
mod machine;
mod network;

use std::time::{Duration, Instant};

use crate::under_load::{
    audit,
    house::{Fittings, House},
    load::Load,
    seed,
};

/// Does something to a house that is under load; when it is over, everybody is answered again, and nothing is lost, doubled or out of order.
pub(crate) async fn endures(fault: &str, fittings: Fittings, hurt: impl AsyncFnOnce(&mut House, &Load)) {
    endures_under(fault, fittings, Load::begin, hurt).await;
}

/// The same at half of the load.
async fn endures_at_half(fault: &str, fittings: Fittings, hurt: impl AsyncFnOnce(&mut House, &Load)) {
    endures_under(fault, fittings, Load::begin_at_half, hurt).await;
}

async fn endures_under(
    fault: &str,
    fittings: Fittings,
    begin: impl AsyncFnOnce(&House, u64) -> Load,
    hurt: impl AsyncFnOnce(&mut House, &Load),
) {
    let seed = seed::setting("OPSMESH_SEED").unwrap_or_else(seed::random);
    seed::said(&format!("{fault}: seed {seed}"));
    let mut house = House::open(fittings).await;
    let load = begin(&house, seed).await;
    load.goes_on_everywhere().await;
    hurt(&mut house, &load).await;
    let healed = Instant::now();
    house.both_ready().await;
    load.goes_on_everywhere().await;
    let back = healed.elapsed();
    let acknowledged = load.end().await;
    let seen = audit::settled(&house, &acknowledged).await;
    seed::said(&format!("{fault}: everybody is answered again {:.1} s after it was over. {seen}.", back.as_secs_f64()));
}

/// How long a fault lasts. No test asks how soon a thing happens by it: it is the fault itself.
async fn lasts(time: Duration) {
    tokio::time::sleep(time).await;
}
