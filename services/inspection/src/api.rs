//! The front door: one line an rpc; each noun's own `api.rs` parses and answers.
use chassis::{Clock, Database, Upstream};
use proto::{inspection::v1 as pb, inventory::v1::inventory_client::InventoryClient};
use tonic::{Request, Response, Status};

use crate::{finding, plan, run};

/// Inspection's rpcs.
pub(crate) struct Api {
    pub(crate) db: Database,
    pub(crate) clock: Clock,
    pub(crate) inventory: InventoryClient<Upstream>,
}

impl Api {
    pub(crate) fn new(db: Database, clock: Clock, inventory: InventoryClient<Upstream>) -> Self {
        Self { db, clock, inventory }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl pb::inspection_server::Inspection for Api {
    async fn put_plan(&self, request: Request<pb::PutPlanRequest>) -> Answer<pb::Plan> {
        plan::api::put(self, request).await
    }

    async fn get_plan(&self, request: Request<pb::GetPlanRequest>) -> Answer<pb::Plan> {
        plan::api::get(self, request).await
    }

    async fn list_plans(&self, request: Request<pb::ListPlansRequest>) -> Answer<pb::ListPlansResponse> {
        plan::api::list(self, request).await
    }

    async fn create_run(&self, request: Request<pb::CreateRunRequest>) -> Answer<pb::Run> {
        run::api::create(self, request).await
    }

    async fn finish_run(&self, request: Request<pb::FinishRunRequest>) -> Answer<pb::Run> {
        run::api::finish(self, request).await
    }

    async fn get_run(&self, request: Request<pb::GetRunRequest>) -> Answer<pb::Run> {
        run::api::get(self, request).await
    }

    async fn list_runs(&self, request: Request<pb::ListRunsRequest>) -> Answer<pb::ListRunsResponse> {
        run::api::list(self, request).await
    }

    async fn list_results(&self, request: Request<pb::ListResultsRequest>) -> Answer<pb::ListResultsResponse> {
        run::api::results(self, request).await
    }

    async fn get_shard(&self, request: Request<pb::GetShardRequest>) -> Answer<pb::Shard> {
        run::api::shard(self, request).await
    }

    async fn submit_results(&self, request: Request<pb::SubmitResultsRequest>) -> Answer<pb::SubmitResultsResponse> {
        run::api::submit(self, request).await
    }

    async fn get_finding(&self, request: Request<pb::GetFindingRequest>) -> Answer<pb::Finding> {
        finding::api::get(self, request).await
    }

    async fn list_findings(&self, request: Request<pb::ListFindingsRequest>) -> Answer<pb::ListFindingsResponse> {
        finding::api::list(self, request).await
    }
}
