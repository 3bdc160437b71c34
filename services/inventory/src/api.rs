//! The front door: requests are parsed, answered and, when refused, refused politely. No rule and no SQL lives here.
use std::collections::BTreeMap;

use chassis::{Agency, Caller, Clock, Database, Filter, First, PageToken};
use proto::{Invalid, Why, Wire, inventory::v1 as pb, parse, reasons, why};
use tonic::{Request, Response, Status};

use crate::{
    device::{self, Changes, Description, DeviceClass, DeviceId},
    devices::{self, Error, Selector},
};

const LABELS: usize = 32;
const LABEL: usize = 63;

/// The inventory's rpcs.
pub(crate) struct Api {
    db: Database,
    clock: Clock,
}

impl Api {
    pub(crate) fn new(db: Database, clock: Clock) -> Self {
        Self { db, clock }
    }
}

#[tonic::async_trait]
impl pb::inventory_server::Inventory for Api {
    async fn create_device(&self, request: Request<pb::CreateDeviceRequest>) -> Result<Response<pb::Device>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let agency = Agency::from_parent("parent", &request.parent)?;
        let id = device_id("device_id", &request.device_id)?;
        let description =
            description(parse::required("device", request.device.clone())?).map_err(|invalid| invalid.within("device"))?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        let device = devices::create(&mut once.tx, &agency, id, description, self.clock.now()).await?;
        Ok(Response::new(once.answer(device.into()).await.map_err(Error::from)?))
    }

    async fn get_device(&self, request: Request<pb::GetDeviceRequest>) -> Result<Response<pb::Device>, Status> {
        let caller = Caller::of(&request)?;
        let (agency, id) = name("name", &request.get_ref().name)?;
        let mut tx = self.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
        Ok(Response::new(devices::get(&mut tx, &agency, &id).await?.into()))
    }

    async fn list_devices(&self, request: Request<pb::ListDevicesRequest>) -> Result<Response<pb::ListDevicesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let pb::ListDevicesRequest { parent, selector, page_size, page_token, show_retired, filter } = request.into_inner();
        let agency = Agency::from_parent("parent", &parent)?;
        let question = format!("{selector:?} {show_retired}");
        let selector = Selector {
            retired: show_retired,
            ..self::selector(selector.unwrap_or_default()).map_err(|invalid| invalid.within("selector"))?
        };
        let size = parse::page_size("page_size", page_size)?;
        let asked = Filter::read(&filter, devices::COLUMNS)?;
        let question = ["devices", parent.as_str(), &question, filter.as_str()];
        let after = PageToken::read(&question, &page_token).map_err(|error| Invalid::new("page_token", error))?;
        let mut tx = self.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
        let found = devices::list(&mut tx, &agency, &selector, &asked, after.as_deref(), i64::from(size) + 1).await?;
        let (found, next_page_token) = chassis::page(found, size, &question, |device| device.id.to_string());
        Ok(Response::new(pb::ListDevicesResponse { devices: found.into_iter().map(Into::into).collect(), next_page_token }))
    }

    async fn update_device(&self, request: Request<pb::UpdateDeviceRequest>) -> Result<Response<pb::Device>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let device = parse::required("device", request.device.clone())?;
        let (agency, id) = name("device.name", &device.name)?;
        let expected = parse::etag("device.etag", &device.etag)?;
        let mask = parse::required("update_mask", request.update_mask.clone())?.paths;
        let changes = changes(mask, device)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        let device = devices::describe(&mut once.tx, &agency, &id, changes, expected, self.clock.now()).await?;
        Ok(Response::new(once.answer(device.into()).await.map_err(Error::from)?))
    }

    async fn retire_device(&self, request: Request<pb::RetireDeviceRequest>) -> Result<Response<pb::Device>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (agency, id) = name("name", &request.name)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let etag = parse::etag("etag", &request.etag)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        let device = devices::retire(&mut once.tx, &agency, &id, etag, self.clock.now()).await?;
        Ok(Response::new(once.answer(device.into()).await.map_err(Error::from)?))
    }
}

fn device_id(field: &'static str, text: &str) -> Result<DeviceId, Invalid> {
    text.parse::<DeviceId>()
        .map_err(|error| Invalid::new(field, Why::new(error, "设备标识须为 1 到 63 个小写字母、数字或连字符，以字母或数字开头")))
}

fn name(field: &'static str, text: &str) -> Result<(Agency, DeviceId), Invalid> {
    let [agency, device] = parse::name(field, text, ["agencies", "devices"])?;
    Ok((Agency::from_segment(field, agency)?, device_id(field, device)?))
}

fn description(device: pb::Device) -> Result<Description, Invalid> {
    let pb::Device { display_name, device_class, address, site, labels, .. } = device;
    Ok(Description {
        display_name: display_name_of(display_name)?,
        class: DeviceClass::from_wire("device_class", device_class)?,
        address: address_of(address)?,
        site: parse::text_of("site", site, 200)?,
        labels: labels_of("labels", labels)?,
    })
}

fn display_name_of(text: String) -> Result<String, Invalid> {
    parse::words("display_name", text, 200)
}

/// A host name or an IP address: what can stand between `//` and `:` of a URL.
fn address_of(text: String) -> Result<String, Invalid> {
    let text = parse::words("address", text, 253)?;
    let host = |text: &str| {
        text.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
    };
    if text.parse::<std::net::IpAddr>().is_ok() || host(&text) {
        Ok(text)
    } else {
        Err(Invalid::new(
            "address",
            why!("is neither a host name nor an IP address (no scheme, no port)", "既非主机名也非 IP 地址（不含协议与端口）"),
        ))
    }
}

fn labels_of(field: &'static str, labels: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Invalid> {
    if labels.len() > LABELS {
        let length = labels.len();
        return Err(Invalid::new(
            field,
            why!("has {length} entries, at most {LABELS} are allowed", "有 {length} 项，最多允许 {LABELS} 项"),
        ));
    }
    for (key, value) in &labels {
        if key.is_empty() || key.chars().count() > LABEL || value.chars().count() > LABEL {
            return Err(Invalid::new(
                field,
                why!(
                    "keys have 1 to {LABEL} characters and values at most {LABEL}",
                    "键须为 1 到 {LABEL} 个字符，值至多 {LABEL} 个"
                ),
            ));
        }
        if key.contains(char::is_control) || value.contains(char::is_control) {
            return Err(Invalid::new(field, why!("has a control character", "含有控制字符")));
        }
    }
    Ok(labels)
}

fn selector(selector: pb::DeviceSelector) -> Result<Selector, Invalid> {
    let pb::DeviceSelector { device_classes, sites, match_labels } = selector;
    let classes =
        device_classes.into_iter().map(|class| DeviceClass::from_wire("device_classes", class)).collect::<Result<_, _>>()?;
    if sites.iter().any(|site| site.contains(char::is_control)) {
        return Err(Invalid::new("sites", why!("has a control character", "含有控制字符")));
    }
    Ok(Selector { classes, sites, labels: labels_of("match_labels", match_labels)?, retired: false })
}

/// The changes that a field mask makes.
fn changes(mask: Vec<String>, device: pb::Device) -> Result<Changes, Invalid> {
    if mask.is_empty() {
        return Err(Invalid::new("update_mask", why!("names no field", "未指明任何字段")));
    }
    let pb::Device { display_name, device_class, address, site, labels, .. } = device;
    let within = |invalid: Invalid| invalid.within("device");
    let mut changes = Changes::default();
    for path in mask {
        match path.as_str() {
            "display_name" => changes.display_name = Some(display_name_of(display_name.clone()).map_err(within)?),
            "device_class" => changes.class = Some(DeviceClass::from_wire("device_class", device_class).map_err(within)?),
            "address" => changes.address = Some(address_of(address.clone()).map_err(within)?),
            "site" => changes.site = Some(parse::text_of("site", site.clone(), 200).map_err(within)?),
            "labels" => changes.labels = Some(labels_of("labels", labels.clone()).map_err(within)?),
            other => {
                return Err(Invalid::new(
                    "update_mask",
                    why!("`{other}` is not a field that can be changed", "“{other}”不是可修改的字段"),
                ));
            }
        }
    }
    Ok(changes)
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(id) => reasons::DEVICE_NOT_FOUND.with("device", id),
            Error::Exists(id) => reasons::DEVICE_EXISTS.with("device", id),
            Error::Refused(device::Refusal::Retired(id)) => reasons::DEVICE_RETIRED.with("device", id),
            Error::Refused(device::Refusal::Changed(id)) => reasons::DEVICE_CHANGED.with("device", id),
            Error::Store(cause) => return chassis::database_fault(&cause),
        }
        .into()
    }
}
