//! The three services of the thread, started together on one stage.
use std::time::Duration;

use chassis::{Clock, DatabaseSettings, Secret, UpstreamSettings};
use mailbox::BrokerSettings;
use proto::{
    inspection::v1::{self as inspection, inspection_client::InspectionClient},
    inventory::v1::{self as inventory, inventory_client::InventoryClient},
    ticketing::v1::ticketing_client::TicketingClient,
};
use tests::{Client, OPERATOR, Running, Stage};

/// The agency that tests are about.
pub(crate) const AGENCY: &str = "gz-test";
/// The Kubernetes namespace that its plans live in.
pub(crate) const NAMESPACE: &str = "gz-test-plans";
/// Its plan.
pub(crate) const PLAN: &str = "agencies/gz-test/plans/gz-test-plans.portal";

/// The services and ways to them.
pub(crate) struct Services {
    pub(crate) stage: Stage,
    pub(crate) inventory: Running,
    pub(crate) inspection: Running,
    pub(crate) ticketing: Running,
    /// Of inventory, inspection and ticketing.
    pub(crate) databases: [DatabaseSettings; 3],
}

impl Services {
    pub(crate) async fn start() -> Self {
        let mut stage = Stage::set().await;
        let broker = BrokerSettings { url: Secret::new(stage.broker()) };
        let databases = [stage.database().await, stage.database().await, stage.database().await];
        let config = ::inventory::Config { database: databases[0].clone(), broker: broker.clone() };
        let inventory = stage.start("inventory", config, Clock::default(), ::inventory::start).await;
        let token_file = stage.token_file(&stage.issuer.workload("opsmesh", "inspection", "opsmesh-inventory"));
        let way = UpstreamSettings { url: inventory.url(), token_file, timeout: Duration::from_secs(5) };
        let config = ::inspection::Config { database: databases[1].clone(), broker: broker.clone(), inventory: way };
        let inspection = stage.start("inspection", config, Clock::default(), ::inspection::start).await;
        let config = ticketing::Config { database: databases[2].clone(), broker };
        let ticketing = stage.start("ticketing", config, Clock::default(), ticketing::start).await;
        Self { stage, inventory, inspection, ticketing, databases }
    }

    /// A person's token, of that role.
    pub(crate) fn person(&self, role: &str) -> String {
        self.stage.issuer.sign(&self.stage.issuer.person(&format!("{role}-li"), &[role], &[AGENCY]))
    }

    pub(crate) async fn ledger(&self) -> InventoryClient<Client> {
        InventoryClient::new(self.inventory.as_bearer(self.person("engineer")).await)
    }

    pub(crate) async fn operator(&self) -> InspectionClient<Client> {
        let (_, account) = OPERATOR.rsplit_once(':').unwrap();
        let token = self.stage.issuer.sign(&self.stage.issuer.workload("opsmesh", account, "opsmesh-inspection"));
        InspectionClient::new(self.inspection.as_bearer(token).await)
    }

    pub(crate) async fn worker(&self, namespace: &str) -> InspectionClient<Client> {
        let token = self.stage.issuer.sign(&self.stage.issuer.workload(namespace, "default", "opsmesh-inspection"));
        InspectionClient::new(self.inspection.as_bearer(token).await)
    }

    pub(crate) async fn desk(&self, role: &str) -> TicketingClient<Client> {
        TicketingClient::new(self.ticketing.as_bearer(self.person(role)).await)
    }
}

/// A request_id that no other request has.
#[expect(clippy::disallowed_methods, reason = "a caller chooses it at random")]
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Enters a server in the ledger.
pub(crate) async fn enter(ledger: &mut InventoryClient<Client>, id: &str) -> inventory::Device {
    let device = inventory::Device {
        display_name: format!("服务器 {id}"),
        device_class: inventory::DeviceClass::Server.into(),
        address: "10.0.0.7".into(),
        ..inventory::Device::default()
    };
    let request = inventory::CreateDeviceRequest {
        parent: format!("agencies/{AGENCY}"),
        device_id: id.into(),
        device: Some(device),
        request_id: request_id(),
        ..Default::default()
    };
    ledger.create_device(request).await.unwrap().into_inner()
}

/// The plan at a generation: one item, a TCP port, for every server.
pub(crate) fn plan(generation: i64) -> inspection::Plan {
    let tcp = inspection::probe::Kind::Tcp(inspection::TcpProbe { port: 80 });
    inspection::Plan {
        name: PLAN.into(),
        uid: "e6ac237d".into(),
        generation,
        schedule: "* * * * *".into(),
        time_zone: "Asia/Shanghai".into(),
        items: vec![inspection::Item {
            id: "port".into(),
            title: "门户端口".into(),
            probe: Some(inspection::Probe { kind: Some(tcp) }),
            limits: vec![inspection::Limit {
                measure: "latencyMs".into(),
                fail_above: Some(500.0),
                ..inspection::Limit::default()
            }],
            severity: inspection::Severity::Major.into(),
            timeout: Some(pbjson_types::Duration { seconds: 5, nanos: 0 }),
        }],
        selector: None,
        shard_size: 50,
        update_time: None,
        max_shards: 4,
    }
}

/// Programs the plan.
pub(crate) async fn program(operator: &mut InspectionClient<Client>) {
    let request = inspection::PutPlanRequest { plan: Some(plan(1)), request_id: request_id(), ..Default::default() };
    operator.put_plan(request).await.unwrap();
}

/// Opens the run of a tick, so many seconds after the epoch of the tests.
pub(crate) async fn open_run(operator: &mut InspectionClient<Client>, tick: i64) -> inspection::Run {
    open_run_as(operator, tick, request_id().parse().unwrap()).await.unwrap().into_inner()
}

/// Asks for it under this `request_id`.
pub(crate) async fn open_run_as(
    operator: &mut InspectionClient<Client>,
    tick: i64,
    request_id: uuid::Uuid,
) -> Result<tonic::Response<inspection::Run>, tonic::Status> {
    let request = inspection::CreateRunRequest {
        plan: PLAN.into(),
        cause: tick.to_string(),
        scheduled_time: Some(moment(tick)),
        traceparent: format!("00-{tick:032x}-b7ad6b7169203331-01"),
        request_id: request_id.to_string(),
        ..Default::default()
    };
    operator.create_run(request).await
}

/// A moment so many seconds after the epoch of the tests.
pub(crate) fn moment(seconds: i64) -> pbjson_types::Timestamp {
    pbjson_types::Timestamp { seconds: 1_795_000_000 + seconds, nanos: 0 }
}

/// What a worker saw of the port of a device: a latency, or a refusal.
pub(crate) fn seen(device: &str, seconds: i64, latency: Option<f64>) -> inspection::Result {
    let error = latency
        .is_none()
        .then(|| inspection::ProbeError { kind: inspection::ProbeErrorKind::Refused.into(), detail: "10.0.0.7:80".into() });
    let measures = latency.map(|latency| ("latencyMs".to_owned(), latency)).into_iter().collect();
    inspection::Result {
        item_id: "port".into(),
        device_id: device.into(),
        observe_time: Some(moment(seconds)),
        observation: Some(inspection::Observation { measures, error, attempts: 1 }),
        verdict: 0,
        reason: String::new(),
    }
}
