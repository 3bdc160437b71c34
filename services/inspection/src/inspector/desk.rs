//! Inspection's front door, as the inspector uses it: every call is repeated until it is answered or the pod's time is up.
use std::{collections::BTreeSet, time::Duration};

use anyhow::bail;
use chassis::Upstream;
use proto::inspection::v1::{self as pb, inspection_client::InspectionClient};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::item::{self, Item};

/// Between attempts: soon at first, then without hurry. The Job's deadline ends a pod whose service stays away.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One thing to measure.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) item: Item,
    pub(crate) target: pb::Target,
}

/// What there is to do.
#[derive(Debug)]
pub(crate) enum Work {
    /// This.
    Todo(Vec<Task>),
    /// Nothing any more.
    Over,
    /// Something that will never work.
    Impossible(String),
}

pub(crate) struct Desk {
    client: InspectionClient<Upstream>,
    run: String,
    shard: i32,
}

impl Desk {
    pub(crate) fn new(upstream: Upstream, run: String, shard: i32) -> Self {
        Self { client: InspectionClient::new(upstream), run, shard }
    }

    /// What is left to do of this part.
    pub(crate) async fn work(&self, stop: &CancellationToken) -> anyhow::Result<Work> {
        let request = pb::GetShardRequest { run: self.run.clone(), index: self.shard };
        let answer = self.answered(stop, async |mut client| client.get_shard(request.clone()).await).await?;
        let shard = match answer {
            Ok(shard) => shard.into_inner(),
            Err(status) if status.code() == Code::FailedPrecondition => return Ok(Work::Over),
            Err(status) => return Ok(Work::Impossible(status.message().to_owned())),
        };
        let pb::Shard { run: _, index: _, items, targets, recorded } = shard;
        let recorded: BTreeSet<(String, String)> = recorded.into_iter().map(|key| (key.item_id, key.device_id)).collect();
        let mut todo = Vec::new();
        for item in items {
            let item = match item::wire::item(item) {
                Ok(item) => item,
                Err(invalid) => {
                    return Ok(Work::Impossible(format!("an item that this inspector does not understand: {invalid}")));
                }
            };
            let left = targets.iter().filter(|target| !recorded.contains(&(item.id.clone(), target.device_id.clone())));
            todo.extend(left.map(|target| Task { item: item.clone(), target: target.clone() }));
        }
        Ok(Work::Todo(todo))
    }

    /// Hands results in. False: the run is over and takes no more.
    pub(crate) async fn submit(&self, results: Vec<pb::Result>, stop: &CancellationToken) -> anyhow::Result<bool> {
        let request = pb::SubmitResultsRequest { run: self.run.clone(), shard: self.shard, results, ..Default::default() };
        match self.answered(stop, async |mut client| client.submit_results(request.clone()).await).await? {
            Ok(_) => Ok(true),
            Err(status) if status.code() == Code::FailedPrecondition => Ok(false),
            Err(status) => bail!("results are refused: {}", status.message()),
        }
    }

    /// Calls until there is an answer that another attempt would not change.
    async fn answered<T>(
        &self,
        stop: &CancellationToken,
        call: impl AsyncFn(InspectionClient<Upstream>) -> Result<T, Status>,
    ) -> anyhow::Result<Result<T, Status>> {
        let mut pause = FIRST_PAUSE;
        loop {
            match call(self.client.clone()).await {
                Err(status) if is_passing(&status) => {
                    tracing::warn!(error = &status as &dyn std::error::Error, "inspection did not answer");
                }
                outcome => return Ok(outcome),
            }
            tokio::select! {
                () = stop.cancelled() => bail!("stopped while inspection did not answer"),
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }
}

/// Whether the same call may be answered otherwise a little later. A token that is not accepted may be one that rotates, or
/// an issuer whose keys are just being fetched.
fn is_passing(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Cancelled
        | Code::Internal
        | Code::Unknown => true,
        Code::Unauthenticated => true,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss => false,
    }
}
