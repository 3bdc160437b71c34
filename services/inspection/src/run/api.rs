//! The front door for runs and results.
use chassis::{Caller, Filter, First, Origin, PageToken};
use proto::{Invalid, Why, Wire, inspection::v1 as pb, inventory::v1 as inventory, moment, parse, reasons, why};
use tonic::{Request, Response, Status};

use crate::{
    api::Api,
    item::Verdict,
    plan::{self, Plan, plans},
    run::{
        Key, Refusal, RunId, Unknown, results,
        runs::{self, Device, Error},
        wire,
    },
};

/// Devices fetched at once from the inventory.
const PAGE: i32 = 1_000;
/// A run is one plan's round, not a census.
const TARGETS: usize = 100_000;
/// Longer answers of the cluster are cut.
const REASON: usize = 1_000;

pub(crate) async fn create(api: &Api, request: Request<pb::CreateRunRequest>) -> Result<Response<pb::Run>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (agency, plan_id) = plan::wire::named("plan", &request.plan)?;
    let cause = parse::words("cause", request.cause.clone(), 100)?;
    let scheduled_at = moment("scheduled_time", request.scheduled_time)?;
    let origin: Origin = request.traceparent.parse().map_err(|error| Invalid::new("traceparent", error))?;
    let request_id = parse::uuid("request_id", &request.request_id)?;
    let scope = caller.may(&agency)?;

    // The ledger is asked outside any transaction: a slow neighbour must not hold our locks.
    let plan = {
        let mut tx = api.db.begin(&scope).await.map_err(Error::from)?;
        plans::get(&mut tx, &agency, &plan_id).await?
    };
    let id = RunId::of(&plan, &cause, scheduled_at);
    let devices = devices(api, &plan).await?;

    let mut once = match api.db.first(&scope, request_id, &request).await? {
        First::No(answer) => return Ok(Response::new(answer)),
        First::Yes(once) => once,
    };
    let run = runs::open(&mut once.tx, &plan, id, scheduled_at, &devices, origin, api.clock.now()).await?;
    Ok(Response::new(once.answer(run.into()).await.map_err(Error::from)?))
}

/// The devices that a plan selects now.
async fn devices(api: &Api, plan: &Plan) -> Result<Vec<Device>, Status> {
    let mut inventory = api.inventory.clone();
    let mut devices = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = inventory::ListDevicesRequest {
            parent: plan.agency.name(),
            selector: Some(plan.selector.0.clone().into()),
            page_size: PAGE,
            page_token,
            show_retired: false,
            ..Default::default()
        };
        let answer = inventory.list_devices(request).await.map_err(|status| {
            tracing::warn!(error = &status as &dyn std::error::Error, "the inventory did not answer");
            Status::from(reasons::INVENTORY_AWAY.refusal().because(Why::quoted(status.message())))
        })?;
        let inventory::ListDevicesResponse { devices: page, next_page_token } = answer.into_inner();
        for inventory::Device { name, display_name, address, .. } in page {
            let [_, id] = parse::name("devices.name", &name, ["agencies", "devices"])?;
            devices.push(Device { id: id.to_owned(), display_name, address });
        }
        if devices.len() > TARGETS {
            let why = why!(
                "its selector matches more than {TARGETS} devices; divide the plan",
                "其选择器匹配的设备超过 {TARGETS} 台，请拆分计划"
            );
            return Err(Invalid::new("plan", why).into());
        }
        if next_page_token.is_empty() {
            return Ok(devices);
        }
        page_token = next_page_token;
    }
}

pub(crate) async fn finish(api: &Api, request: Request<pb::FinishRunRequest>) -> Result<Response<pb::Run>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let (agency, id) = wire::named("name", &request.name)?;
    let request_id = parse::uuid("request_id", &request.request_id)?;
    let scope = caller.may(&agency)?;
    let reason = request.reason.chars().take(REASON).collect();
    let mut once = match api.db.first(&scope, request_id, &request).await? {
        First::No(answer) => return Ok(Response::new(answer)),
        First::Yes(once) => once,
    };
    let run = runs::finish(&mut once.tx, &agency, id, reason, api.clock.now()).await?;
    Ok(Response::new(once.answer(run.into()).await.map_err(Error::from)?))
}

pub(crate) async fn get(api: &Api, request: Request<pb::GetRunRequest>) -> Result<Response<pb::Run>, Status> {
    let caller = Caller::of(&request)?;
    let (agency, id) = wire::named("name", &request.get_ref().name)?;
    let mut tx = api.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
    Ok(Response::new(runs::get(&mut tx, &agency, id).await?.into()))
}

pub(crate) async fn list(api: &Api, request: Request<pb::ListRunsRequest>) -> Result<Response<pb::ListRunsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let pb::ListRunsRequest { parent, plan, page_size, page_token, filter } = request.into_inner();
    let agency = chassis::Agency::from_parent("parent", &parent)?;
    let plan_id = match plan.as_str() {
        "" => None,
        name => {
            let (of, plan_id) = plan::wire::named("plan", name)?;
            if of != agency {
                return Err(
                    Invalid::new("plan", why!("belongs to another agency than `parent`", "与 parent 不属于同一使用方")).into()
                );
            }
            Some(plan_id)
        }
    };
    let size = parse::page_size("page_size", page_size)?;
    let asked = Filter::read(&filter, runs::COLUMNS)?;
    let question = ["runs", parent.as_str(), plan.as_str(), filter.as_str()];
    let after = PageToken::read(&question, &page_token).map_err(|error| Invalid::new("page_token", error))?;
    let after = after.map(|id| parse::uuid("page_token", &id)).transpose()?.map(RunId::from);
    let mut tx = api.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
    let found = runs::list(&mut tx, &agency, plan_id.as_ref(), &asked, after, i64::from(size) + 1).await?;
    let (found, next_page_token) = chassis::page(found, size, &question, |run| run.id.to_string());
    Ok(Response::new(pb::ListRunsResponse { runs: found.into_iter().map(Into::into).collect(), next_page_token }))
}

pub(crate) async fn results(
    api: &Api,
    request: Request<pb::ListResultsRequest>,
) -> Result<Response<pb::ListResultsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let pb::ListResultsRequest { parent, verdicts, page_size, page_token, filter } = request.into_inner();
    let (agency, id) = wire::named("parent", &parent)?;
    let question = format!("{verdicts:?}");
    let verdicts = verdicts.into_iter().map(|raw| Verdict::from_wire("verdicts", raw)).collect::<Result<Vec<_>, _>>()?;
    let size = parse::page_size("page_size", page_size)?;
    let asked = Filter::read(&filter, results::COLUMNS)?;
    let question = ["results", parent.as_str(), &question, filter.as_str()];
    let after = PageToken::read(&question, &page_token).map_err(|error| Invalid::new("page_token", error))?;
    let after = after.as_deref().and_then(|key| key.split_once('/'));
    let after = after.map(|(item, device)| Key { item_id: item.to_owned(), device_id: device.to_owned() });
    let mut tx = api.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
    let run = runs::get(&mut tx, &agency, id).await?;
    let found = results::list(&mut tx, &agency, &run, &verdicts, &asked, after.as_ref(), i64::from(size) + 1).await?;
    let (found, next_page_token) =
        chassis::page(found, size, &question, |result| format!("{}/{}", result.key.item_id, result.key.device_id));
    Ok(Response::new(pb::ListResultsResponse { results: found.into_iter().map(Into::into).collect(), next_page_token }))
}

pub(crate) async fn shard(api: &Api, request: Request<pb::GetShardRequest>) -> Result<Response<pb::Shard>, Status> {
    let caller = Caller::of(&request)?;
    let pb::GetShardRequest { run, index } = request.into_inner();
    let (agency, id) = wire::named("run", &run)?;
    let worker = caller.worker(&agency)?;
    let mut tx = api.db.begin(&worker.within(&agency)).await.map_err(Error::from)?;
    let held = runs::hold(&mut tx, worker.namespace(), &agency, id).await?;
    held.takes_results().map_err(Error::from)?;
    let targets = runs::targets(&mut tx, &held, index).await?;
    let devices: Vec<String> = targets.iter().map(|target| target.device_id.clone()).collect();
    let recorded = results::keys(&mut tx, &held, &devices).await?;
    Ok(Response::new(pb::Shard {
        run,
        index,
        items: held.items.0.into_iter().map(Into::into).collect(),
        targets: targets.into_iter().map(Into::into).collect(),
        recorded: recorded.into_iter().map(Into::into).collect(),
    }))
}

pub(crate) async fn submit(
    api: &Api,
    request: Request<pb::SubmitResultsRequest>,
) -> Result<Response<pb::SubmitResultsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let pb::SubmitResultsRequest { run, shard, results, validate_only } = request.into_inner();
    let (agency, id) = wire::named("run", &run)?;
    let worker = caller.worker(&agency)?;
    let seen = wire::seen(results)?;
    let submitted = seen.len();
    // Each result is recorded once by its key: a repetition needs no request_id.
    let mut tx = api.db.begin(&worker.within(&agency)).await.map_err(Error::from)?;
    let held = runs::hold(&mut tx, worker.namespace(), &agency, id).await?;
    let recorded = results::submit(&mut tx, &held, shard, seen, api.clock.now()).await?;
    // Only validated (AIP-163): dropped, the transaction leaves nothing.
    if !validate_only {
        tx.commit().await.map_err(Error::from)?;
    }
    let count = |of: usize| i32::try_from(of).expect("a batch is small");
    Ok(Response::new(pb::SubmitResultsResponse { recorded: count(recorded), repeated_before: count(submitted - recorded) }))
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(id) => reasons::RUN_NOT_FOUND.with("run", id),
            Error::Refused(Refusal::Finished(id)) => reasons::RUN_FINISHED.with("run", id),
            Error::Refused(Refusal::NoShard { shards, index, .. }) => {
                let why = why!(
                    "there is no part {index}; the run has {shards}, numbered from 0",
                    "没有第 {index} 份；本次巡检共 {shards} 份，从 0 起编号"
                );
                return Invalid::new("index", why).into();
            }
            Error::Unknown(unknown) => {
                let (field, zh) = match &unknown {
                    Unknown::Item { at, item } => (format!("results[{at}].item_id"), format!("本次巡检没有巡检项“{item}”")),
                    Unknown::Device { at, device } => (format!("results[{at}].device_id"), format!("这一份中没有设备“{device}”")),
                    Unknown::Twice { at, key } => {
                        (format!("results[{at}]"), format!("“{}/{}”重复出现", key.item_id, key.device_id))
                    }
                };
                return Invalid::at(field, Why::new(unknown, zh)).into();
            }
            Error::Store(cause) => return chassis::database_fault(&cause),
        }
        .into()
    }
}
