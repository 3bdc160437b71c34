//! An agency of a test's own: its namespace, its ledger, its plans.
use std::time::Duration;

use proto::{
    inspection::v1::{self as inspection, inspection_client::InspectionClient},
    inventory::v1::{self as inventory, inventory_client::InventoryClient},
    ticketing::v1::{self as ticketing, ticketing_client::TicketingClient},
};
use serde_json::Value;
use tests::within;
use tonic::{
    metadata::{Ascii, MetadataValue},
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

use crate::{
    cluster::{kubectl, kubectl_json, kubectl_with, service, token},
    services::request_id,
};

/// A tick comes every minute; its run takes seconds.
const TICK: Duration = Duration::from_secs(60);
const RUN: Duration = Duration::from_secs(45);
/// A service that died is back by then.
const AWAY: Duration = Duration::from_secs(30);

/// A way to a service of the platform, with a token.
pub(crate) type Way =
    InterceptedService<Channel, Box<dyn FnMut(tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> + Send + Sync>>;

/// An agency with a namespace of the same name.
pub(crate) struct Estate {
    /// Both its names.
    pub(crate) name: String,
}

impl Estate {
    /// Founds one.
    #[expect(clippy::disallowed_methods, reason = "tests beside each other need names that no other has")]
    pub(crate) async fn found(what: &str) -> Self {
        tests::provide_tls();
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("{what}-{}", &unique[..8]);
        let namespace = serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"opsmesh.io/agency": name, "pod-security.kubernetes.io/enforce": "restricted"}},
        });
        kubectl_with(&["apply", "-f", "-"], &namespace.to_string()).await.unwrap();
        Self { name }
    }

    /// Enters a device in the ledger.
    pub(crate) async fn enter(&self, id: &str, address: &str) {
        let device = inventory::Device {
            display_name: format!("服务器 {id}"),
            device_class: inventory::DeviceClass::Server.into(),
            address: address.into(),
            ..inventory::Device::default()
        };
        let request = inventory::CreateDeviceRequest {
            parent: format!("agencies/{}", self.name),
            device_id: id.into(),
            device: Some(device),
            request_id: request_id(),
            ..Default::default()
        };
        self.ledger().await.create_device(request).await.unwrap();
    }

    /// The ledger, as an engineer.
    pub(crate) async fn ledger(&self) -> InventoryClient<Way> {
        InventoryClient::new(self.way("inventory", "engineer").await)
    }

    async fn way(&self, name: &str, role: &str) -> Way {
        let bearer: MetadataValue<Ascii> =
            format!("Bearer {}", token(&format!("{role}-li"), role, &self.name).await).parse().unwrap();
        let channel = Endpoint::from_shared(service(name).await).unwrap().connect_timeout(Duration::from_secs(5)).connect_lazy();
        InterceptedService::new(
            channel,
            Box::new(move |mut request: tonic::Request<()>| {
                request.metadata_mut().insert("authorization", bearer.clone());
                Ok(request)
            }),
        )
    }

    /// The service desk, as somebody of that role.
    pub(crate) async fn desk(&self, role: &str) -> TicketingClient<Way> {
        TicketingClient::new(self.way("ticketing", role).await)
    }

    /// The inspection service, as an auditor.
    pub(crate) async fn inspection(&self) -> InspectionClient<Way> {
        InspectionClient::new(self.way("inspection", "auditor").await)
    }

    /// All its tickets.
    pub(crate) async fn tickets(&self) -> Result<Vec<ticketing::Ticket>, String> {
        let list = ticketing::ListTicketsRequest { parent: format!("agencies/{}", self.name), ..Default::default() };
        let answer = self.desk("auditor").await.list_tickets(list).await.map_err(|status| status.to_string())?;
        Ok(answer.into_inner().tickets)
    }

    /// Applies manifests in its namespace, as a user does.
    pub(crate) async fn apply(&self, manifest: &Value) -> Result<String, String> {
        kubectl_with(&["apply", "-n", &self.name, "-f", "-"], &manifest.to_string()).await
    }

    /// Its plan.
    pub(crate) async fn plan(&self, name: &str) -> Result<Value, String> {
        kubectl_json(&["get", "insp", name, "-n", &self.name]).await
    }

    /// Its runs of a plan, oldest first.
    pub(crate) async fn runs(&self) -> Result<Vec<Value>, String> {
        let list = kubectl_json(&["get", "orun", "-n", &self.name, "--sort-by=.spec.scheduledTime"]).await?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// The last run, once it has ended, if it is another than `not`.
    pub(crate) async fn next_run(&self, not: &[String]) -> Value {
        within(TICK + RUN, "a run to end", || async {
            let runs = self.runs().await?;
            let new = runs.iter().find(|run| {
                let name = run["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                let phase = run["status"]["phase"].as_str().unwrap_or_default();
                !not.contains(&name) && matches!(phase, "Succeeded" | "Incomplete" | "Skipped")
            });
            new.cloned().ok_or_else(|| format!("{runs:#?}"))
        })
        .await
    }

    /// Starts a run by hand, as a user does.
    pub(crate) async fn run_now(&self, plan: &str, name: &str) {
        kubectl(&["create", "job", name, "--from", &format!("cronjob/{plan}"), "-n", &self.name]).await.unwrap();
    }

    /// A run of that name, once it is in one of these phases.
    pub(crate) async fn run_in(&self, name: &str, phases: &[&str], patience: Duration) -> Value {
        within(patience, &format!("run {name} to be {phases:?}"), || async {
            let run = kubectl_json(&["get", "orun", name, "-n", &self.name]).await?;
            if phases.contains(&run["status"]["phase"].as_str().unwrap_or_default()) { Ok(run) } else { Err(format!("{run:#}")) }
        })
        .await
    }

    /// What inspection has of a run. It is asked again while it is away, as its callers do.
    pub(crate) async fn told_of(&self, run: &Value) -> inspection::Run {
        let name = run["status"]["run"].as_str().unwrap();
        within(AWAY, "what inspection has of the run", || async {
            let ask = inspection::GetRunRequest { name: name.to_owned() };
            self.inspection().await.get_run(ask).await.map(tonic::Response::into_inner)
        })
        .await
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        // Nobody waits: the namespace goes when its pods have gone.
        let _ = std::process::Command::new("kubectl").args(["delete", "namespace", &self.name, "--wait=false"]).output();
    }
}
