//! The round: many probes at once, their results handed in a batch at a time while probing goes on.
use std::time::Duration;

use futures::StreamExt;
use proto::{inspection::v1 as pb, stamp};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::inspector::{
    desk::{Desk, Task},
    probe::Prober,
};

/// A batch is handed in when it is this large, or this old: what was seen is soon safe, without a call a result.
const BATCH: usize = 200;
const BATCH_AGE: Duration = Duration::from_secs(1);

/// How a round came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything was seen and handed in.
    Everything,
    /// The run ended first and takes no more.
    Over,
    /// Told to stop first.
    Stopped,
}

/// Measures everything in `todo` and hands it in. Told to stop it hands in what it has. Gives the number handed in.
pub(crate) async fn go(
    prober: &Prober,
    desk: &Desk,
    todo: Vec<Task>,
    concurrency: usize,
    stop: &CancellationToken,
) -> anyhow::Result<(usize, End)> {
    let everything = todo.len();
    let probes = futures::stream::iter(todo).map(|task| see(prober, task)).buffer_unordered(concurrency.max(1));
    tokio::pin!(probes);
    let mut batch = Vec::with_capacity(BATCH);
    let mut handed_in = 0;
    let mut due = Instant::now() + BATCH_AGE;
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => true,
            seen = probes.next() => match seen {
                Some(result) => {
                    if batch.is_empty() {
                        due = Instant::now() + BATCH_AGE;
                    }
                    batch.push(result);
                    false
                }
                None => true,
            },
            () = sleep_until(due), if !batch.is_empty() => false,
        };
        if batch.len() >= BATCH || !batch.is_empty() && (ended || Instant::now() >= due) {
            let results = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            let count = results.len();
            if !desk.submit(results, stop).await? {
                return Ok((handed_in, End::Over));
            }
            handed_in += count;
        }
        if ended {
            return Ok((handed_in, if handed_in == everything { End::Everything } else { End::Stopped }));
        }
    }
}

async fn see(prober: &Prober, Task { item, target }: Task) -> pb::Result {
    let (at, observation) = prober.observe(&item, &target.device_id, &target.address).await;
    pb::Result {
        item_id: item.id,
        device_id: target.device_id,
        observe_time: Some(stamp(at)),
        observation: Some(observation.into()),
        verdict: 0,
        reason: String::new(),
    }
}
