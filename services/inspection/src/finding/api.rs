//! The front door for findings.
use chassis::{Agency, Caller, Filter, PageToken};
use proto::{Invalid, inspection::v1 as pb, parse, reasons, why};
use tonic::{Request, Response, Status};

use crate::{
    api::Api,
    finding::{
        FindingId,
        findings::{self, Error},
        wire,
    },
};

pub(crate) async fn get(api: &Api, request: Request<pb::GetFindingRequest>) -> Result<Response<pb::Finding>, Status> {
    let caller = Caller::of(&request)?;
    let (agency, id) = wire::named("name", &request.get_ref().name)?;
    let mut tx = api.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
    Ok(Response::new(findings::get(&mut tx, &agency, id).await?.into()))
}

pub(crate) async fn list(
    api: &Api,
    request: Request<pb::ListFindingsRequest>,
) -> Result<Response<pb::ListFindingsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let pb::ListFindingsRequest { parent, open_only, device, page_size, page_token, filter } = request.into_inner();
    let agency = Agency::from_parent("parent", &parent)?;
    let device_id = match device.as_str() {
        "" => None,
        name => {
            let [of, device] = parse::name("device", name, ["agencies", "devices"])?;
            if of != agency.as_str() {
                return Err(Invalid::new(
                    "device",
                    why!("belongs to another agency than `parent`", "与 parent 不属于同一使用方"),
                )
                .into());
            }
            Some(device)
        }
    };
    let size = parse::page_size("page_size", page_size)?;
    let asked = Filter::read(&filter, findings::COLUMNS)?;
    let which = if open_only { "open" } else { "all" };
    let question = ["findings", parent.as_str(), device.as_str(), which, filter.as_str()];
    let after = PageToken::read(&question, &page_token).map_err(|error| Invalid::new("page_token", error))?;
    let after = after.map(|id| parse::uuid("page_token", &id)).transpose()?.map(FindingId::from);
    let mut tx = api.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
    let found = findings::list(&mut tx, &agency, open_only, device_id, &asked, after, i64::from(size) + 1).await?;
    let (found, next_page_token) = chassis::page(found, size, &question, |finding| finding.id.to_string());
    Ok(Response::new(pb::ListFindingsResponse { findings: found.into_iter().map(Into::into).collect(), next_page_token }))
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(id) => reasons::FINDING_NOT_FOUND.with("finding", id).into(),
            Error::Store(cause) => chassis::database_fault(&cause),
        }
    }
}
