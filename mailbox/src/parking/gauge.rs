//! How many messages are parked, for whoever watches: each of them waits for a person.
use std::time::Duration;

use chassis::{Database, Meter, Scope};
use prometheus_client::metrics::gauge::Gauge;
use tokio_util::sync::CancellationToken;

use crate::{broker::pause, patience};

/// As often as it is usually asked for.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// The gauge.
pub(crate) fn gauge(meter: &Meter) -> Gauge {
    meter.register("opsmesh_messages_parked", "Messages that are parked and wait for a person, of all agencies", Gauge::default())
}

/// Keeps it until told to stop.
pub(crate) async fn watch(db: Database, parked: Gauge, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        match patience::answered(count(&db)).await {
            Ok(count) => drop(parked.set(count)),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "parked messages are not counted for now"),
        }
        if !pause(LOOK_EVERY, &stop).await {
            return Ok(());
        }
    }
}

async fn count(db: &Database) -> sqlx::Result<i64> {
    let mut tx = db.begin(&Scope::platform("parked")).await?;
    sqlx::query_scalar("SELECT count(*) FROM inbox_parked").fetch_one(&mut *tx).await
}
