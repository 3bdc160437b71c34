//! A process under construction: a service's `start` fills it, [`Host::drive`] lives it.
use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use futures::{Stream, TryStreamExt, future::BoxFuture};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    codegen::{Service, http},
    server::NamedService,
    service::RoutesBuilder,
    transport::{
        Server,
        server::{Router, TcpIncoming},
    },
};
use tower::layer::util::{Identity as Bare, Stack};

use crate::{
    Clock, Database, DatabaseSettings, Denial, HostSettings, Meter, Schema, Secret, Tx,
    caller::Rules,
    denials::{self, Denials},
    door::Door,
    gather::Gather,
    handshake::Handshake,
    health::{self, Checks, Readiness},
    identity::Identity,
    limits::Limiter,
    metrics::Rpcs,
    partitions,
    policy::Policies,
    schema,
};

/// A call without a deadline of its own is given this one; a longer one is cut to it.
const LONGEST_CALL: Duration = Duration::from_secs(30);
/// Calls at once on one connection: more wait, so that one client cannot take all of us.
const CALLS_PER_CONNECTION: usize = 256;
const STREAMS_PER_CONNECTION: u32 = 512;
/// A peer that is gone without a word is noticed within a minute.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);
const KEEPALIVE_WITHIN: Duration = Duration::from_secs(20);
/// Clients come back now and then, and so find new replicas.
const CONNECTION_AGE: Duration = Duration::from_secs(300);
const HEADERS: u32 = 16 * 1024;
/// After the drain, what is still running gets this long; then it is cut off (hyper's own drain can hang). With 3 s of drain
/// before and the last spans after it, a process has stopped 25 s after it was told to.
const FINISH_WITHIN: Duration = Duration::from_secs(16);

/// What the process was started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To serve.
    Serve,
    /// To bring the database and the broker to where this binary needs them, and end.
    Migrate,
    /// To do one of its commands, and end.
    Command,
}

/// What a service can be told to do instead of serving.
type Command = Box<dyn FnOnce(Vec<String>) -> BoxFuture<'static, anyhow::Result<()>> + Send>;

/// A process under construction.
pub struct Host {
    name: &'static str,
    mode: Mode,
    settings: HostSettings,
    clock: Clock,
    meter: Meter,
    grpc: Option<TcpListener>,
    http: Option<TcpListener>,
    /// For those who show a certificate.
    tls: Option<TcpListener>,
    routes: RoutesBuilder,
    served: Vec<&'static str>,
    checks: Checks,
    rules: Rules,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    commands: Vec<(&'static str, Command)>,
    stop: CancellationToken,
}

/// Services, and whoever wants to them goes through the door.
type Guarded = Router<Stack<Door, Bare>>;

impl Host {
    /// Binds the ports of a process that will serve: a taken port is known before any work is done.
    pub async fn bind(name: &'static str, settings: HostSettings, mode: Mode, clock: Clock) -> anyhow::Result<Self> {
        let policies = Policies::read(&settings.policies).context("host.policies")?;
        let rules = Rules { policies: Arc::new(policies), denials: Denials::new(clock.clone()) };
        let (mut grpc, mut http, mut tls) = (None, None, None);
        if mode == Mode::Serve {
            grpc = Some(
                TcpListener::bind(settings.grpc)
                    .await
                    .with_context(|| format!("host.grpc: cannot listen on {}", settings.grpc))?,
            );
            http = Some(
                TcpListener::bind(settings.http)
                    .await
                    .with_context(|| format!("host.http: cannot listen on {}", settings.http))?,
            );
            if let Some(certificates) = &settings.certificates {
                let bound = TcpListener::bind(certificates.listen).await;
                tls = Some(bound.with_context(|| format!("host.certificates: cannot listen on {}", certificates.listen))?);
            }
        }
        Ok(Self {
            name,
            mode,
            settings,
            clock,
            meter: Meter::of_process(),
            grpc,
            http,
            tls,
            routes: RoutesBuilder::default(),
            served: Vec::new(),
            checks: Checks::default(),
            rules,
            tasks: JoinSet::new(),
            commands: Vec::new(),
            stop: CancellationToken::new(),
        })
    }

    /// The process's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it was started for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The clock that the doors ask.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Where numbers are shown.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// With what the service's facts are sealed, if they are.
    #[must_use]
    pub fn seal_key(&self) -> Option<&Secret> {
        self.settings.seal_key.as_ref()
    }

    /// For how many months facts are kept; none: for ever.
    #[must_use]
    pub fn keep_facts_months(&self) -> Option<u16> {
        self.settings.keep_facts_months
    }

    /// Where gRPC listens: with port 0 in the settings, the port that was found.
    pub fn grpc_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.as_ref().context("the process does not serve")?.local_addr()?)
    }

    /// Where gRPC listens for those who show a certificate, if it does.
    pub fn tls_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        Ok(self.tls.as_ref().map(TcpListener::local_addr).transpose()?)
    }

    /// Where `/livez`, `/readyz` and `/metrics` listen.
    pub fn http_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.http.as_ref().context("the process does not serve")?.local_addr()?)
    }

    /// Serves a gRPC service, behind the door.
    pub fn serve<S>(&mut self, service: S)
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.served.push(S::NAME);
        self.routes.add_service(service);
    }

    /// Keeps `work` running until the process stops. Work that ends early ends the process: a fresh start is the one recovery
    /// path, so it is well trodden.
    pub fn spawn<F>(&mut self, name: &'static str, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        if self.mode == Mode::Serve {
            let work = work(self.stop.clone());
            self.tasks.spawn(async move { (name, work.await) });
        }
    }

    /// Lets `name …` on the command line do `work` with the words after it, instead of serving.
    pub fn command<F>(&mut self, name: &'static str, work: impl FnOnce(Vec<String>) -> F + Send + 'static)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.commands.push((name, Box::new(|words| Box::pin(work(words)))));
    }

    /// Does the command that `words` begin with.
    pub async fn obey(self, mut words: Vec<String>) -> anyhow::Result<()> {
        let known: Vec<&str> = self.commands.iter().map(|(name, _)| *name).collect();
        let known = format!("there are: serve, migrate, check-config, {}", known.join(", "));
        anyhow::ensure!(!words.is_empty(), "which command? {known}");
        let asked = words.remove(0);
        let found = self.commands.into_iter().find(|(name, _)| *name == asked);
        let (_, command) = found.with_context(|| format!("there is no command `{asked}`; {known}"))?;
        command(words).await
    }

    /// The process is ready only while `check` passes.
    pub fn ready_when<F>(&mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.checks.add(name, Box::new(move || Box::pin(check())));
    }

    /// The service's database. Migrating brings its schema up to date; serving waits, unready, until it is, and keeps the
    /// partitions of `tables` made.
    pub async fn postgres(&mut self, settings: &DatabaseSettings, schemas: &[Schema]) -> anyhow::Result<Database> {
        let db = Database::open(self.name, settings, schemas).context("service.database")?;
        let tables = schema::partitioned(schemas);
        if self.mode == Mode::Migrate {
            db.migrate().await.context("service.database")?;
            partitions::make(&db, &tables, self.clock.now()).await.context("service.database")?;
        }
        let checked = db.clone();
        self.ready_when("database", move || {
            let db = checked.clone();
            async move { db.ready().await }
        });
        let watched = db.clone();
        self.spawn("pool", |stop| watched.watch(stop));
        let (kept, forgetful, clock) = (db.clone(), db.clone(), self.clock());
        self.spawn("partitions", |stop| partitions::keep(kept, tables, clock, stop));
        let clock = self.clock();
        self.spawn("answers", |stop| forgetful.forget_answers(clock, stop));
        Ok(db)
    }

    /// Writes denied calls into the service's facts, soon after they are denied: `post` does it, in the transaction that it is
    /// given.
    pub fn record_denials<P>(&mut self, db: &Database, post: P)
    where
        P: for<'a> Fn(&'a mut Tx, &'a Denial) -> BoxFuture<'a, sqlx::Result<()>> + Send + Sync + 'static,
    {
        let (denials, db) = (self.rules.denials.clone(), db.clone());
        self.spawn("denials", |stop| denials::write(denials, db, Box::new(post), stop));
    }

    /// Lives: serves until `stop` resolves or work ends early, then stops in order: unready, drained, finished, cut off.
    pub async fn drive(mut self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        if self.mode == Mode::Migrate {
            return Ok(());
        }
        let readiness = Readiness::default();
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let (router, secured) = self.routers(health_service)?;
        let (grpc, http) = (self.grpc.take().context("bound")?, self.http.take().context("bound")?);
        tracing::info!(grpc = %grpc.local_addr()?, http = %http.local_addr()?, "listening");

        let watching = CancellationToken::new();
        let checks = std::mem::take(&mut self.checks);
        let watch = health::watch(checks, readiness.clone(), self.served.clone(), reporter.clone(), watching.clone());
        self.tasks.spawn(async move {
            watch.await;
            ("readiness", Ok(()))
        });
        let (meter, stopping) = (self.meter.clone(), self.stop.clone());
        let answering = health::answer(http, readiness.clone(), meter, stopping);
        self.tasks.spawn(async move { ("http", answering.await) });
        let stopping = self.stop.clone().cancelled_owned();
        self.tasks.spawn(async move {
            let served = router.serve_with_incoming_shutdown(incoming(grpc), stopping).await;
            ("grpc", served.map_err(Into::into))
        });
        if let (Some((router, handshake)), Some(tls)) = (secured, self.tls.take()) {
            tracing::info!(tls = %tls.local_addr()?, "listening for those who show a certificate");
            let stopping = self.stop.clone().cancelled_owned();
            let connections = handshake.connections(tls);
            self.tasks.spawn(async move {
                let served = router.serve_with_incoming_shutdown(connections, stopping).await;
                ("grpc with certificates", served.map_err(Into::into))
            });
            self.spawn("certificates", |stop| handshake.renew(stop));
        }

        let mut outcome = Ok(());
        tokio::select! {
            () = stop => {
                tracing::info!("asked to stop");
                watching.cancel();
                readiness.set(Some("stopping".into()), &self.served, &reporter).await;
                tokio::time::sleep(self.settings.drain).await;
            }
            Some(ended) = self.tasks.join_next() => {
                let (name, result) = ended?;
                tracing::error!(task = name, error = result.as_ref().err().map(|error| format!("{error:#}")), "work ended early");
                outcome = Err(result.err().unwrap_or_else(|| anyhow::anyhow!("ended early")).context(name));
                watching.cancel();
            }
        }
        self.stop.cancel();
        let finish = async {
            while let Some(ended) = self.tasks.join_next().await {
                match ended {
                    Ok((_, Ok(()))) => {}
                    Ok((name, Err(error))) => tracing::warn!(task = name, error = format!("{error:#}"), "work did not end well"),
                    Err(error) => tracing::error!(error = %error, "work panicked"),
                }
            }
        };
        if tokio::time::timeout(FINISH_WITHIN, finish).await.is_err() {
            tracing::warn!(within = ?FINISH_WITHIN, "not everything finished; cut off");
        }
        outcome
    }

    /// Behind the door without TLS, and behind the one with it, if there is one.
    fn routers(
        &mut self,
        health: impl Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible, Future: Send + 'static>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> anyhow::Result<(Guarded, Option<(Guarded, Handshake)>)> {
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(proto::REFUSAL_DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let mut routes = std::mem::take(&mut self.routes);
        routes.add_service(health);
        routes.add_service(reflection);
        let door = Door::new(
            Identity::new(&self.settings.identity, self.settings.certificates.as_ref()),
            Limiter::new(&self.settings.limits).context("host.limits")?,
            self.rules.clone(),
            Rpcs::new(&self.meter),
        );
        let routes = routes.routes();
        let secured = match &self.settings.certificates {
            Some(settings) => {
                let handshake = Handshake::new(settings, &self.meter).context("host.certificates")?;
                Some((bounded().layer(door.clone()).add_routes(routes.clone()), handshake))
            }
            None => None,
        };
        Ok((bounded().layer(door).add_routes(routes), secured))
    }
}

/// Connections whose answers leave at once: an answer is small, and to wait for more of it costs 40 ms where the peer acknowledges late.
fn incoming(listener: TcpListener) -> impl Stream<Item = io::Result<Gather<TcpStream>>> {
    TcpIncoming::from(listener).with_nodelay(Some(true)).map_ok(Gather::new)
}

/// A server that no client can take all of.
fn bounded() -> Server {
    Server::builder()
        .timeout(LONGEST_CALL)
        .concurrency_limit_per_connection(CALLS_PER_CONNECTION)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(KEEPALIVE_WITHIN))
        .http2_max_header_list_size(HEADERS)
        .max_connection_age(CONNECTION_AGE)
        .max_connection_age_grace(LONGEST_CALL)
}
