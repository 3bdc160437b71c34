//! The front door for plans.
use chassis::{Agency, Caller, Filter, First, PageToken};
use proto::{Invalid, inspection::v1 as pb, parse, reasons};
use tonic::{Request, Response, Status};

use crate::{
    api::Api,
    plan::{
        Refusal,
        plans::{self, Error},
        wire,
    },
};

pub(crate) async fn put(api: &Api, request: Request<pb::PutPlanRequest>) -> Result<Response<pb::Plan>, Status> {
    let caller = Caller::of(&request)?;
    let request = request.into_inner();
    let plan = parse::required("plan", request.plan.clone())?;
    let (agency, id) = wire::named("plan.name", &plan.name)?;
    let terms = wire::terms(plan).map_err(|invalid| invalid.within("plan"))?;
    let request_id = parse::uuid("request_id", &request.request_id)?;
    let scope = caller.may(&agency)?;
    let mut once = match api.db.first(&scope, request_id, &request).await? {
        First::No(answer) => return Ok(Response::new(answer)),
        First::Yes(once) => once,
    };
    let plan = plans::put(&mut once.tx, &agency, id, terms, api.clock.now()).await?;
    Ok(Response::new(once.answer(plan.into()).await.map_err(Error::from)?))
}

pub(crate) async fn get(api: &Api, request: Request<pb::GetPlanRequest>) -> Result<Response<pb::Plan>, Status> {
    let caller = Caller::of(&request)?;
    let (agency, id) = wire::named("name", &request.get_ref().name)?;
    let mut tx = api.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
    Ok(Response::new(plans::get(&mut tx, &agency, &id).await?.into()))
}

pub(crate) async fn list(api: &Api, request: Request<pb::ListPlansRequest>) -> Result<Response<pb::ListPlansResponse>, Status> {
    let caller = Caller::of(&request)?;
    let pb::ListPlansRequest { parent, page_size, page_token, filter } = request.into_inner();
    let agency = Agency::from_parent("parent", &parent)?;
    let size = parse::page_size("page_size", page_size)?;
    let asked = Filter::read(&filter, plans::COLUMNS)?;
    let question = ["plans", parent.as_str(), filter.as_str()];
    let after = PageToken::read(&question, &page_token).map_err(|error| Invalid::new("page_token", error))?;
    let mut tx = api.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
    let found = plans::list(&mut tx, &agency, &asked, after.as_deref(), i64::from(size) + 1).await?;
    let (found, next_page_token) = chassis::page(found, size, &question, |plan| plan.id.to_string());
    Ok(Response::new(pb::ListPlansResponse { plans: found.into_iter().map(Into::into).collect(), next_page_token }))
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(id) => reasons::PLAN_NOT_FOUND.with("plan", id),
            Error::Refused(Refusal::Stale { id, held, offered }) => {
                reasons::PLAN_STALE.with("plan", id).and("held", held).and("offered", offered)
            }
            Error::Store(cause) => return chassis::database_fault(&cause),
        }
        .into()
    }
}
