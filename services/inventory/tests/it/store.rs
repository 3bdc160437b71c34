//! An inventory for one test.
use chassis::{Clock, Database, DatabaseSettings, Secret};
use inventory::Config;
use mailbox::BrokerSettings;
use proto::inventory::v1::{self as pb, inventory_client::InventoryClient};
use tests::{Client, Running, Stage};

/// The agency that tests are about.
pub(crate) const AGENCY: &str = "gz";

/// The inventory, running, and its database beside it.
pub(crate) struct Store {
    stage: Stage,
    running: Running,
    database: DatabaseSettings,
}

impl Store {
    pub(crate) async fn open() -> Self {
        let mut stage = Stage::set().await;
        let database = stage.database().await;
        let config = Config { database: database.clone(), broker: BrokerSettings { url: Secret::new(stage.broker()) } };
        let running = stage.start("inventory", config, Clock::default(), inventory::start).await;
        Self { stage, running, database }
    }

    /// The service's own database, as the service sees it.
    pub(crate) fn records(&self) -> Database {
        Database::open("test", &self.database, inventory::SCHEMAS).unwrap()
    }

    /// Somebody with this role in the agency.
    pub(crate) async fn person(&self, role: &str) -> InventoryClient<Client> {
        self.of_agency(role, AGENCY).await
    }

    /// Sends these bytes to a method, as an engineer of the agency.
    pub(crate) async fn send_bytes(&self, method: &str, message: &[u8]) -> tonic::Status {
        let token = self.stage.issuer.sign(&self.stage.issuer.person("li", &["engineer"], &[AGENCY]));
        self.running.send_bytes(&format!("opsmesh.inventory.v1.Inventory/{method}"), &token, message).await
    }

    pub(crate) async fn of_agency(&self, role: &str, agency: &str) -> InventoryClient<Client> {
        let claims = self.stage.issuer.person("li", &[role], &[agency]);
        InventoryClient::new(self.running.as_bearer(self.stage.issuer.sign(&claims)).await)
    }
}

/// A request_id that no other request has.
#[expect(clippy::disallowed_methods, reason = "a caller chooses it at random")]
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Asks for a server of that id to be entered, at a site.
pub(crate) fn entry(id: &str, site: &str) -> pb::CreateDeviceRequest {
    let device = pb::Device {
        display_name: format!("服务器 {id}"),
        device_class: pb::DeviceClass::Server.into(),
        address: "10.0.0.7".into(),
        site: site.into(),
        labels: [("service".to_owned(), "web".to_owned())].into(),
        ..pb::Device::default()
    };
    pb::CreateDeviceRequest {
        parent: format!("agencies/{AGENCY}"),
        device_id: id.into(),
        device: Some(device),
        request_id: request_id(),
        ..Default::default()
    }
}

/// Asks for the agency's devices that match.
pub(crate) fn which(selector: pb::DeviceSelector) -> pb::ListDevicesRequest {
    pb::ListDevicesRequest { parent: format!("agencies/{AGENCY}"), selector: Some(selector), ..Default::default() }
}
