//! A stage: everything that a service needs, for one test; and services on it, started as their `main` starts them.
use std::{
    collections::BTreeMap,
    future::poll_fn,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use chassis::{
    CertificateSettings, Clock, DatabaseSettings, Host, HostSettings, IssuerSettings, LimitSettings, Mode, Role, Secret,
    TelemetrySettings,
};
use http_body_util::{BodyExt, Full};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::oneshot,
    task::{JoinHandle, block_in_place, spawn_blocking},
};
use tonic::{
    Request, Status,
    body::Body,
    codegen::Service,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::{
    authority::{Authority, SERVER, Shown},
    database,
    issuer::{Issuer, PEOPLE, WORKLOADS},
    vhost::Vhost,
};

/// The operator's service account on a stage.
pub const OPERATOR: &str = "system:serviceaccount:opsmesh:opsmesh-operator";
/// With what facts are sealed on a stage.
pub const SEAL_KEY: &str = "5ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea1";
/// Inspection's service account on a stage.
pub const INSPECTION: &str = "system:serviceaccount:opsmesh:inspection";

/// A generated client's way to a service: a channel that shows a token.
pub type Client = InterceptedService<Channel, Bearer>;

/// Everything that services need, for one test.
pub struct Stage {
    name: String,
    folder: PathBuf,
    databases: Vec<String>,
    /// What agencies may ask of services that are started from now on; at first anything.
    pub limits: LimitSettings,
    /// The door of services that are started from now on for those who show a certificate; at first there is none.
    pub certificates: Option<CertificateSettings>,
    /// With what services that are started from now on seal their facts, if they do; at first [`SEAL_KEY`].
    pub seal_key: Option<Secret>,
    /// For how many months services that are started from now on keep their facts; at first for ever.
    pub keep_facts_months: Option<u16>,
    /// The broker's part.
    pub vhost: Vhost,
    /// Who signs tokens here.
    pub issuer: Issuer,
}

impl Stage {
    /// Sets one up; in a runtime of several threads, so that what runs on it can still be heard while it is taken down.
    pub async fn set() -> Self {
        assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::MultiThread, "#[tokio::test(flavor = \"multi_thread\")]");
        crate::provide_tls();
        let name = name();
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            vhost: Vhost::make(&name).await,
            issuer: Issuer::new(folder.join("keys.json")),
            databases: Vec::new(),
            limits: LimitSettings { redis: Secret::new(""), per_second: 0, burst: 0, replicas: 1 },
            certificates: None,
            seal_key: Some(Secret::new(SEAL_KEY)),
            keep_facts_months: None,
            name,
            folder,
        }
    }

    /// A database of this stage: the same name gives another one each time.
    pub async fn database(&mut self) -> DatabaseSettings {
        let name = format!("{}_{}", self.name, self.databases.len());
        let url = database::make(&name).await;
        self.databases.push(name);
        DatabaseSettings { url: Secret::new(url), connections: 5 }
    }

    /// The broker.
    #[must_use]
    pub fn broker(&self) -> String {
        self.vhost.url()
    }

    /// A file with a token in it, as a pod has it.
    #[must_use]
    pub fn token_file(&self, claims: &serde_json::Value) -> PathBuf {
        let file = self.folder.join(format!("token-{}", uuid_of(claims)));
        std::fs::write(&file, self.issuer.sign(claims)).unwrap();
        file
    }

    /// Where a test may keep what it likes; it goes with the stage.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whose tokens open the doors of the service `name`, as its settings file says it.
    #[must_use]
    pub fn identity(&self, name: &str) -> String {
        let keys = self.issuer.keys();
        format!(
            "[[host.identity]]\nkind = \"people\"\nissuer = \"{PEOPLE}\"\naudience = \"opsmesh\"\nkeys = \"{keys}\"\n\
             [[host.identity]]\nkind = \"workloads\"\nissuer = \"{WORKLOADS}\"\naudience = \"opsmesh-{name}\"\nkeys = \"{keys}\"\n\
             roles = {{ \"{OPERATOR}\" = \"operator\", \"{INSPECTION}\" = \"service\" }}\n"
        )
    }

    /// What the service `name` is told of its host.
    fn host(&self, name: &str) -> HostSettings {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let keys = self.issuer.keys();
        let roles = BTreeMap::from([(OPERATOR.to_owned(), Role::Operator), (INSPECTION.to_owned(), Role::Service)]);
        HostSettings {
            grpc: any,
            http: any,
            drain: Duration::ZERO,
            certificates: self.certificates.clone(),
            seal_key: self.seal_key.clone(),
            keep_facts_months: self.keep_facts_months,
            telemetry: TelemetrySettings { otlp: String::new(), log: "off".into() },
            policies: policies(),
            limits: self.limits.clone(),
            identity: vec![
                IssuerSettings::People { issuer: PEOPLE.into(), audience: "opsmesh".into(), keys: keys.clone() },
                IssuerSettings::Workloads {
                    issuer: WORKLOADS.into(),
                    audience: format!("opsmesh-{name}"),
                    keys,
                    ca_file: None,
                    bearer_file: None,
                    roles,
                },
            ],
        }
    }

    /// Starts a service as its `main` does: migrated first, then serving until told to stop.
    pub async fn start<C: Clone>(
        &self,
        name: &'static str,
        config: C,
        clock: Clock,
        start: impl AsyncFn(C, &mut Host) -> anyhow::Result<()>,
    ) -> Running {
        let mut migration = Host::bind(name, self.host(name), Mode::Migrate, clock.clone()).await.unwrap();
        start(config.clone(), &mut migration).await.unwrap();
        migration.drive(std::future::pending()).await.unwrap();
        let mut host = Host::bind(name, self.host(name), Mode::Serve, clock).await.unwrap();
        start(config, &mut host).await.unwrap();
        let (grpc, http) = (host.grpc_address().unwrap(), host.http_address().unwrap());
        let tls = host.tls_address().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        #[expect(clippy::disallowed_methods, reason = "Running owns it and awaits it")]
        let life = tokio::spawn(host.drive(async move {
            // A sender that is dropped says stop too.
            let _ = stopped.await;
        }));
        Running { grpc, http, tls, stop: Some(stop), life: Some(life) }
    }
}

impl Stage {
    /// Does a command of a service, as its `main` does with these words on the command line.
    pub async fn command<C>(
        &self,
        name: &'static str,
        config: C,
        start: impl AsyncFn(C, &mut Host) -> anyhow::Result<()>,
        words: &[&str],
    ) -> anyhow::Result<()> {
        let mut host = Host::bind(name, self.host(name), Mode::Command, Clock::default()).await?;
        start(config, &mut host).await?;
        host.obey(words.iter().map(|word| (*word).to_owned()).collect()).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let (databases, vhost) = (std::mem::take(&mut self.databases), self.vhost.clone());
        // A test's runtime may be ending; the clean-up has its own.
        let cleaner = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                for name in databases {
                    database::remove(&name).await;
                }
                vhost.remove().await;
            });
        });
        // A connection that is half open keeps PostgreSQL from dropping any database until it gives up on it.
        let _ = block_in_place(|| cleaner.join());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A service that runs.
pub struct Running {
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    /// Where health and metrics are.
    pub http: SocketAddr,
    /// Where gRPC listens for those who show a certificate.
    pub tls: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    life: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Running {
    /// Its numbers, as text.
    pub async fn metrics(&self) -> String {
        reqwest::get(format!("http://{}/metrics", self.http)).await.unwrap().text().await.unwrap()
    }

    /// A channel that shows no token.
    pub async fn channel(&self) -> Channel {
        chassis::channel(&Endpoint::from_shared(self.url()).unwrap())
    }

    /// A channel that shows this token.
    pub async fn as_bearer(&self, token: String) -> Client {
        InterceptedService::new(self.channel().await, Bearer(token))
    }

    /// A channel through the door with TLS, whose server `authority` vouches for, that shows this certificate and this token, if any.
    pub async fn showing(
        &self,
        authority: &Authority,
        shown: Option<&Shown>,
        token: Option<String>,
    ) -> Result<Client, tonic::transport::Error> {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem())).domain_name(SERVER);
        let tls = match shown {
            Some(shown) => tls.identity(Identity::from_pem(&shown.certificate, &shown.key)),
            None => tls,
        };
        let endpoint = Endpoint::from_shared(format!("https://{}", self.tls.unwrap())).unwrap().tls_config(tls)?;
        Ok(InterceptedService::new(endpoint.connect().await?, Bearer(token.unwrap_or_default())))
    }

    /// Where gRPC listens.
    #[must_use]
    pub fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// `http://address:port` of gRPC.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// Sends a message to `package.Service/Method` as these bytes, whatever they are, and gives what it is answered.
    pub async fn send_bytes(&self, method: &str, token: &str, message: &[u8]) -> Status {
        self.door(token.to_owned()).await.send(method, message).await
    }

    /// A connection through which any bytes can be sent, with this token.
    pub async fn door(&self, token: String) -> Knock {
        Knock { url: self.url(), channel: self.channel().await, token }
    }

    /// Tells it to stop and waits until it has.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stop.take());
        self.life.take().unwrap().await.unwrap()
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.life.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until it ends by itself.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        self.life.take().unwrap().await.unwrap()
    }

    /// Kills it where it stands: nothing is finished, nothing is said.
    pub async fn kill(mut self) {
        let life = self.life.take().unwrap();
        life.abort();
        let _ = life.await;
        // What it had in blocking threads is let go of too.
        let _ = spawn_blocking(|| ()).await;
    }
}

/// A connection through which any bytes are sent.
pub struct Knock {
    url: String,
    channel: Channel,
    token: String,
}

impl Knock {
    /// Sends a message to `package.Service/Method` as these bytes, and gives what it is answered.
    pub async fn send(&mut self, method: &str, message: &[u8]) -> Status {
        // gRPC's frame: not compressed, and how long.
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend(message);
        let request = http::Request::post(format!("{}/{method}", self.url))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::new(Full::from(frame)))
            .unwrap();
        poll_fn(|context| Service::<http::Request<Body>>::poll_ready(&mut self.channel, context)).await.unwrap();
        let answer = self.channel.call(request).await.unwrap();
        let headers = answer.headers().clone();
        let trailers = answer.into_body().collect().await.unwrap().trailers().cloned();
        Status::from_header_map(&headers).or_else(|| Status::from_header_map(&trailers?)).unwrap()
    }
}

/// A channel to a service that comes and goes: it connects when it is used, and again when it was cut.
#[must_use]
pub fn way(grpc: SocketAddr, token: String) -> Client {
    let endpoint = Endpoint::from_shared(format!("http://{grpc}")).unwrap();
    let endpoint = endpoint.connect_timeout(WAY_WITHIN).timeout(WAY_WITHIN);
    InterceptedService::new(chassis::channel(&endpoint), Bearer(token))
}

/// A service that was killed does not answer; whoever asked asks again.
const WAY_WITHIN: Duration = Duration::from_secs(5);

/// Shows a token with every call, if there is one.
#[derive(Debug, Clone)]
pub struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if self.0.is_empty() {
            return Ok(request);
        }
        let value = MetadataValue::try_from(format!("Bearer {}", self.0)).map_err(|error| Status::internal(error.to_string()))?;
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

/// The policies that ship with the chart.
#[must_use]
pub fn policies() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../helm/opsmesh/policies"))
}

#[expect(clippy::disallowed_methods, reason = "tests beside each other need names that no other has")]
fn name() -> String {
    format!("t_{}", uuid::Uuid::now_v7().simple())
}

fn uuid_of(claims: &serde_json::Value) -> String {
    chassis::derived_id(jiff::Timestamp::UNIX_EPOCH, &[&claims.to_string()]).simple().to_string()
}
