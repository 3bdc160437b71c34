//! An inspection office for one test, with a ledger beside it.
use std::time::Duration;

use chassis::{Agency, Caller, Clock, Host, Secret, UpstreamSettings};
use inspection::Config;
use mailbox::BrokerSettings;
use proto::{
    inspection::v1::{self as pb, inspection_client::InspectionClient},
    inventory::v1::{self as ledger, inventory_server::InventoryServer},
};
use tests::{Client, OPERATOR, Running, Stage};
use tonic::{Request, Response, Status};

/// The agency that tests are about.
pub(crate) const AGENCY: &str = "gz";
/// The Kubernetes namespace of its plan.
pub(crate) const NAMESPACE: &str = "gz-plans";
/// Its plan.
pub(crate) const PLAN: &str = "agencies/gz/plans/gz-plans.portal";

/// Inspection, running.
pub(crate) struct Office {
    pub(crate) stage: Stage,
    pub(crate) running: Running,
    // Kept so that it goes on.
    _ledger: Running,
}

impl Office {
    /// With so many devices in the ledger.
    pub(crate) async fn open(devices: usize) -> Self {
        let mut stage = Stage::set().await;
        let ledger = stage.start("inventory", devices, Clock::default(), ledger_of).await;
        let token_file = stage.token_file(&stage.issuer.workload("opsmesh", "inspection", "opsmesh-inventory"));
        let config = Config {
            database: stage.database().await,
            broker: BrokerSettings { url: Secret::new(stage.broker()) },
            inventory: UpstreamSettings { url: ledger.url(), token_file, timeout: Duration::from_secs(5) },
        };
        let running = stage.start("inspection", config, Clock::default(), inspection::start).await;
        Self { stage, running, _ledger: ledger }
    }

    pub(crate) async fn operator(&self) -> InspectionClient<Client> {
        let (_, account) = OPERATOR.rsplit_once(':').unwrap();
        self.workload("opsmesh", account).await
    }

    pub(crate) async fn worker(&self) -> InspectionClient<Client> {
        self.workload(NAMESPACE, "default").await
    }

    pub(crate) async fn workload(&self, namespace: &str, account: &str) -> InspectionClient<Client> {
        let token = self.stage.issuer.sign(&self.stage.issuer.workload(namespace, account, "opsmesh-inspection"));
        InspectionClient::new(self.running.as_bearer(token).await)
    }

    pub(crate) async fn person(&self, role: &str) -> InspectionClient<Client> {
        let token = self.stage.issuer.sign(&self.stage.issuer.person("li", &[role], &[AGENCY]));
        InspectionClient::new(self.running.as_bearer(token).await)
    }
}

/// A ledger of so many devices and nothing else: what inspection asks of its neighbour, without the neighbour's database.
async fn ledger_of(devices: usize, host: &mut Host) -> anyhow::Result<()> {
    host.serve(InventoryServer::new(Ledger(devices)));
    Ok(())
}

struct Ledger(usize);

#[tonic::async_trait]
impl ledger::inventory_server::Inventory for Ledger {
    async fn list_devices(
        &self,
        request: Request<ledger::ListDevicesRequest>,
    ) -> Result<Response<ledger::ListDevicesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let ledger::ListDevicesRequest { parent, page_size, page_token, .. } = request.into_inner();
        let agency = Agency::from_parent("parent", &parent)?;
        caller.may(&agency)?;
        let from: usize = page_token.parse().unwrap_or(0);
        let to = (from + usize::try_from(page_size).unwrap()).min(self.0);
        let devices = (from..to).map(|number| ledger::Device {
            name: format!("agencies/{agency}/devices/d-{number:05}"),
            display_name: format!("设备 {number}"),
            address: "10.0.0.7".into(),
            ..ledger::Device::default()
        });
        let next_page_token = if to < self.0 { to.to_string() } else { String::new() };
        Ok(Response::new(ledger::ListDevicesResponse { devices: devices.collect(), next_page_token }))
    }

    async fn create_device(&self, _: Request<ledger::CreateDeviceRequest>) -> Result<Response<ledger::Device>, Status> {
        Err(Status::unimplemented("not asked by inspection"))
    }

    async fn get_device(&self, _: Request<ledger::GetDeviceRequest>) -> Result<Response<ledger::Device>, Status> {
        Err(Status::unimplemented("not asked by inspection"))
    }

    async fn update_device(&self, _: Request<ledger::UpdateDeviceRequest>) -> Result<Response<ledger::Device>, Status> {
        Err(Status::unimplemented("not asked by inspection"))
    }

    async fn retire_device(&self, _: Request<ledger::RetireDeviceRequest>) -> Result<Response<ledger::Device>, Status> {
        Err(Status::unimplemented("not asked by inspection"))
    }
}

/// A request_id that no other request has.
#[expect(clippy::disallowed_methods, reason = "a caller chooses it at random")]
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The plan at a generation: a TCP port of every device, in parts of ten.
pub(crate) fn plan(generation: i64) -> pb::Plan {
    let tcp = pb::probe::Kind::Tcp(pb::TcpProbe { port: 80 });
    pb::Plan {
        name: PLAN.into(),
        uid: "e6ac237d".into(),
        generation,
        schedule: "* * * * *".into(),
        time_zone: "Asia/Shanghai".into(),
        items: vec![pb::Item {
            id: "port".into(),
            title: "门户端口".into(),
            probe: Some(pb::Probe { kind: Some(tcp) }),
            limits: Vec::new(),
            severity: pb::Severity::Major.into(),
            timeout: Some(pbjson_types::Duration { seconds: 5, nanos: 0 }),
        }],
        selector: None,
        shard_size: 10,
        update_time: None,
        max_shards: 4,
    }
}

/// Programs the plan.
pub(crate) async fn program(operator: &mut InspectionClient<Client>) {
    operator.put_plan(pb::PutPlanRequest { plan: Some(plan(1)), request_id: request_id(), ..Default::default() }).await.unwrap();
}

/// Asks for the run of a tick.
pub(crate) fn tick(minute: i64) -> pb::CreateRunRequest {
    pb::CreateRunRequest {
        plan: PLAN.into(),
        cause: minute.to_string(),
        scheduled_time: Some(pbjson_types::Timestamp { seconds: 1_795_000_000 + 60 * minute, nanos: 0 }),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        request_id: request_id(),
        ..Default::default()
    }
}

/// The port of a device, answered or not.
pub(crate) fn seen(device: usize, minute: i64, well: bool) -> pb::Result {
    let error = (!well).then(|| pb::ProbeError { kind: pb::ProbeErrorKind::Timeout.into(), detail: "10.0.0.7".into() });
    pb::Result {
        item_id: "port".into(),
        device_id: format!("d-{device:05}"),
        observe_time: Some(pbjson_types::Timestamp { seconds: 1_795_000_001 + 60 * minute, nanos: 0 }),
        observation: Some(pb::Observation { measures: [("latencyMs".to_owned(), 3.0)].into(), error, attempts: 1 }),
        verdict: 0,
        reason: String::new(),
    }
}
