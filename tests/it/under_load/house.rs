//! The house that faults happen in: two services as processes, each with a tap on the way to each of its servers, which are the test's own.
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use chassis::{Clock, Secret};
use mailbox::BrokerSettings;
use tests::{
    Client, Moment, OPERATOR, Program, Proxy, Running, Stage, Tap, Weather,
    servers::{Postgres, Rabbitmq},
};
use tokio::sync::oneshot;

use crate::services::{AGENCY, enter};

/// In the transaction of a call that opens a ticket.
pub(crate) const CALL: &str = "INSERT INTO requests";
/// In the transaction that records results and what they mean for findings.
pub(crate) const RESULTS: &str = "INSERT INTO results";
/// In the transaction that takes carried facts out of the outbox.
pub(crate) const MARK: &str = "DELETE FROM outbox";
/// In the transaction of a message's effect.
pub(crate) const EFFECT: &str = "INSERT INTO inbox";
const STATEMENTS: &[&str] = &[CALL, RESULTS, MARK, EFFECT];

/// Devices that are inspected.
pub(crate) const DEVICES: u64 = 8;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Victim {
    Ticketing,
    Inspection,
    Broker,
    Postmaster,
    /// PostgreSQL, stopped without a checkpoint.
    PostgresImmediately,
}

impl Victim {
    /// Services start in a blink, servers take seconds: of twenty kills one is the broker's and two are PostgreSQL's.
    pub(crate) fn drawn(draw: u64) -> Self {
        match draw % 20 {
            0 => Self::Broker,
            1 => Self::Postmaster,
            2 => Self::PostgresImmediately,
            3..=11 => Self::Inspection,
            _ => Self::Ticketing,
        }
    }
}

/// A service's ways to its servers.
pub(crate) struct Ways {
    pub(crate) postgres: Road,
    pub(crate) rabbitmq: Road,
}

/// A way to a server: through weather first, then past a tap.
pub(crate) struct Road {
    weather: Proxy,
    tap: Tap,
}

/// What a house has that others have not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fittings {
    /// PostgreSQL's disk has so many MiB.
    pub(crate) disk: Option<u32>,
    /// Where the services send their spans.
    pub(crate) otlp: Option<u16>,
}

/// Everything that runs.
pub(crate) struct House {
    pub(crate) ticketing: Program,
    pub(crate) inspection: Program,
    pub(crate) postgres: Postgres,
    pub(crate) rabbitmq: Rabbitmq,
    pub(crate) ticketing_ways: Ways,
    pub(crate) inspection_ways: Ways,
    killed: BTreeMap<Victim, (u32, Duration)>,
    /// What a replica of inspection is told besides its ways.
    inspection_settings: String,
    _inventory: Running,
    _disk: Option<Disk>,
    pub(crate) stage: Stage,
}

impl House {
    pub(crate) async fn open(fittings: Fittings) -> Self {
        let mut stage = Stage::set().await;
        let folder = stage.folder().to_owned();
        let disk = fittings.disk.map(|size| Disk::mount(&folder.join("postgres"), size));
        let postgres = Postgres::start(&folder).await;
        let rabbitmq = Rabbitmq::start(&folder).await;
        for service in ["ticketing", "inspection"] {
            postgres.database(service).await;
        }
        // The ledger is not hurt: it is only asked for devices.
        let broker = BrokerSettings { url: Secret::new(stage.broker()) };
        let config = inventory::Config { database: stage.database().await, broker };
        let inventory = stage.start("inventory", config, Clock::default(), inventory::start).await;
        let mut ledger = proto::inventory::v1::inventory_client::InventoryClient::new(
            inventory.as_bearer(stage.issuer.sign(&stage.issuer.person("li", &["engineer"], &[AGENCY]))).await,
        );
        for device in 0..DEVICES {
            enter(&mut ledger, &format!("d-{device}")).await;
        }

        let ticketing_ways = Ways::to(&postgres, &rabbitmq).await;
        let inspection_ways = Ways::to(&postgres, &rabbitmq).await;
        let telemetry = fittings
            .otlp
            .map_or_else(String::new, |port| format!("[host.telemetry]\notlp = \"http://127.0.0.1:{port}\"\nlog = \"info\"\n"));
        let settings = ticketing_ways.settings("ticketing") + &stage.identity("ticketing") + &telemetry;
        let ticketing = Program::start("ticketing", &folder, &settings);
        let token = stage.token_file(&stage.issuer.workload("opsmesh", "inspection", "opsmesh-inventory"));
        let inspection_settings = format!(
            "[service.inventory]\nurl = \"{}\"\ntoken_file = \"{}\"\n{}{telemetry}",
            inventory.url(),
            token.display(),
            stage.identity("inspection")
        );
        let settings = inspection_ways.settings("inspection") + &inspection_settings;
        let inspection = Program::start("inspection", &folder, &settings);
        ticketing.ready().await;
        inspection.ready().await;
        Self {
            ticketing,
            inspection,
            postgres,
            rabbitmq,
            ticketing_ways,
            inspection_ways,
            killed: BTreeMap::new(),
            inspection_settings,
            _inventory: inventory,
            _disk: disk,
            stage,
        }
    }

    /// Another replica of inspection, with ways of its own.
    pub(crate) async fn another_inspection(&self) -> (Program, Ways) {
        let ways = Ways::to(&self.postgres, &self.rabbitmq).await;
        let settings = ways.settings("inspection") + &self.inspection_settings;
        let replica = Program::start("inspection", self.stage.folder(), &settings);
        replica.ready().await;
        (replica, ways)
    }

    /// A replica of inspection that nobody has migrated for.
    pub(crate) async fn inspection_before_its_schema(&self) -> (Program, Ways) {
        let ways = Ways::to(&self.postgres, &self.rabbitmq).await;
        let settings = ways.settings("inspection") + &self.inspection_settings;
        (Program::start_unmigrated("inspection", self.stage.folder(), &settings), ways)
    }

    /// Waits for a moment of a service's and holds it.
    pub(crate) async fn hold(&self, victim: Victim, moment: Moment) -> oneshot::Receiver<()> {
        let ways = if victim == Victim::Ticketing { &self.ticketing_ways } else { &self.inspection_ways };
        ways.hold(moment).await
    }

    /// Kills and starts again; what stood on it must be ready again by itself.
    pub(crate) async fn kill(&mut self, victim: Victim) {
        let ready = match victim {
            Victim::Ticketing => {
                self.ticketing.kill();
                self.ticketing.restart().await
            }
            Victim::Inspection => {
                self.inspection.kill();
                self.inspection.restart().await
            }
            Victim::Broker => {
                self.rabbitmq.kill();
                self.rabbitmq.restart().await;
                self.both_ready().await
            }
            Victim::Postmaster => {
                self.postgres.kill();
                self.postgres.restart().await;
                self.both_ready().await
            }
            Victim::PostgresImmediately => {
                self.postgres.stop_immediately();
                self.postgres.restart().await;
                self.both_ready().await
            }
        };
        let (kills, longest) = self.killed.entry(victim).or_default();
        *kills += 1;
        *longest = ready.max(*longest);
    }

    /// How long until both services say that they are ready, counted from their server's first answer.
    pub(crate) async fn both_ready(&self) -> Duration {
        let began = std::time::Instant::now();
        self.ticketing.ready().await;
        self.inspection.ready().await;
        began.elapsed()
    }

    /// Who was killed how often, and the longest way back to ready.
    pub(crate) fn summary(&self) -> String {
        let each = self
            .killed
            .iter()
            .map(|(victim, (kills, longest))| format!("{victim:?} {kills}, ready again within {:.2} s", longest.as_secs_f64()));
        each.collect::<Vec<_>>().join("; ")
    }

    /// A token that opens a service's door as a person of this role, or as the operator or a worker.
    pub(crate) fn token(&self, role: &str) -> String {
        let issuer = &self.stage.issuer;
        issuer.sign(&match role {
            "operator" => issuer.workload("opsmesh", OPERATOR.rsplit(':').next().unwrap(), "opsmesh-inspection"),
            "worker" => issuer.workload(crate::services::NAMESPACE, "default", "opsmesh-inspection"),
            role => issuer.person(role, &[role], &[AGENCY]),
        })
    }

    /// A way to a service; it is gone when the service is killed, and makes itself anew.
    pub(crate) fn way(&self, to: &Program, role: &str) -> Client {
        tests::way(to.grpc, self.token(role))
    }
}

impl Ways {
    async fn to(postgres: &Postgres, rabbitmq: &Rabbitmq) -> Self {
        Self { postgres: Road::to(postgres.port(), STATEMENTS).await, rabbitmq: Road::to(rabbitmq.port(), &[]).await }
    }

    /// What a service is told of its servers; its database and role have its name.
    fn settings(&self, name: &str) -> String {
        format!(
            "[service.database]\nurl = \"postgres://{name}@127.0.0.1:{}/{name}\"\nconnections = 8\n\
             [service.broker]\nurl = \"{}\"\n",
            self.postgres.port(),
            Rabbitmq::url(self.rabbitmq.port())
        )
    }

    /// Waits for a moment on one of them and holds it.
    pub(crate) async fn hold(&self, moment: Moment) -> oneshot::Receiver<()> {
        let sql = matches!(moment, Moment::CommitAsked(_) | Moment::CommitAnswered(_));
        let road = if sql { &self.postgres } else { &self.rabbitmq };
        road.tap.hold(moment).await
    }

    /// What becomes of what is said on both.
    pub(crate) fn weather(&self, weather: Weather) {
        self.postgres.weather.weather(weather);
        self.rabbitmq.weather.weather(weather);
    }
}

impl Road {
    async fn to(server: u16, statements: &'static [&'static str]) -> Self {
        let tap = Tap::on(server, statements).await;
        Self { weather: Proxy::before(([127, 0, 0, 1], tap.port).into()).await, tap }
    }

    /// Where it begins.
    pub(crate) fn port(&self) -> u16 {
        self.weather.port
    }

    /// Leads to another server from now on; who still speaks with the one before is hung up on.
    pub(crate) fn redirect(&self, server: u16) {
        self.tap.redirect(server);
    }
}

/// A disk that can be full; it is gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, mebibytes: u32) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status().unwrap();
        assert!(mounted.success(), "no tmpfs at {}", at.display());
        Self(at.to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still holds a file keeps it until it ends.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
