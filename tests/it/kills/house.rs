//! The house that is killed in: two services as processes, each with a tap on the way to each of its servers, which are the test's own.
use std::{collections::BTreeMap, time::Duration};

use chassis::{Clock, Secret};
use mailbox::BrokerSettings;
use tests::{
    Client, Moment, OPERATOR, Program, Running, Stage, Tap,
    servers::{Postgres, Rabbitmq, free_port},
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

/// Everything that runs.
pub(crate) struct House {
    pub(crate) ticketing: Program,
    pub(crate) inspection: Program,
    pub(crate) postgres: Postgres,
    rabbitmq: Rabbitmq,
    // To PostgreSQL and RabbitMQ.
    ticketing_taps: [Tap; 2],
    inspection_taps: [Tap; 2],
    killed: BTreeMap<Victim, (u32, Duration)>,
    _inventory: Running,
    pub(crate) stage: Stage,
}

impl House {
    pub(crate) async fn open(seed: u64) -> Self {
        let mut stage = Stage::set().await;
        let folder = stage.folder().to_owned();
        let postgres = Postgres::start(&folder, seed % 1_000).await;
        let rabbitmq = Rabbitmq::start(&folder, 2_000 + seed % 1_000).await;
        for service in ["ticketing", "inspection"] {
            postgres.database(service).await;
        }
        // The ledger is not killed: it is only asked for devices.
        let broker = BrokerSettings { url: Secret::new(stage.broker()) };
        let config = inventory::Config { database: stage.database().await, broker };
        let inventory = stage.start("inventory", config, Clock::default(), inventory::start).await;
        let mut ledger = proto::inventory::v1::inventory_client::InventoryClient::new(
            inventory.as_bearer(stage.issuer.sign(&stage.issuer.person("li", &["engineer"], &[AGENCY]))).await,
        );
        for device in 0..DEVICES {
            enter(&mut ledger, &format!("d-{device}")).await;
        }

        let taps = async || [Tap::on(postgres.port(), STATEMENTS).await, Tap::on(rabbitmq.port(), &[]).await];
        let (ticketing_taps, inspection_taps) = (taps().await, taps().await);
        let settings = |name: &str, [postgres, rabbitmq]: &[Tap; 2]| {
            format!(
                "{}[service.database]\nurl = \"postgres://{name}@127.0.0.1:{}/{name}\"\nconnections = 8\n\
                 [service.broker]\nurl = \"{}\"\n",
                stage.identity(name),
                postgres.port,
                Rabbitmq::url(rabbitmq.port)
            )
        };
        let ports = |from: u64| [free_port(from + seed % 1_000), free_port(from + 1_000 + seed % 1_000)];
        let ticketing = Program::start("ticketing", &folder, ports(4_000), &settings("ticketing", &ticketing_taps));
        let token = stage.token_file(&stage.issuer.workload("opsmesh", "inspection", "opsmesh-inventory"));
        let way = format!("[service.inventory]\nurl = \"{}\"\ntoken_file = \"{}\"\n", inventory.url(), token.display());
        let settings = settings("inspection", &inspection_taps) + &way;
        let inspection = Program::start("inspection", &folder, ports(6_000), &settings);
        ticketing.ready().await;
        inspection.ready().await;
        Self {
            ticketing,
            inspection,
            postgres,
            rabbitmq,
            ticketing_taps,
            inspection_taps,
            killed: BTreeMap::new(),
            _inventory: inventory,
            stage,
        }
    }

    /// Waits for a moment of a service's and holds it.
    pub(crate) async fn hold(&self, victim: Victim, moment: Moment) -> oneshot::Receiver<()> {
        let [postgres, rabbitmq] = match victim {
            Victim::Ticketing => &self.ticketing_taps,
            _ => &self.inspection_taps,
        };
        let tap = if matches!(moment, Moment::CommitAsked(_) | Moment::CommitAnswered(_)) { postgres } else { rabbitmq };
        tap.hold(moment).await
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
    async fn both_ready(&self) -> Duration {
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

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "whoever repeats or lengthens a run says so in the environment")]
pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}")))
}

/// Says something to whoever runs the test.
#[expect(clippy::print_stdout, reason = "seed and figures are read from what a test says")]
pub(crate) fn said(words: &str) {
    println!("{words}");
}

/// Says what was seen, and to `./x prove` in its file.
#[expect(clippy::disallowed_methods, reason = "`./x prove` says in the environment where it listens")]
pub(crate) fn noted(words: &str) {
    said(words);
    if let Ok(file) = std::env::var("OPSMESH_PROOF") {
        std::fs::write(file, words).unwrap();
    }
}

/// A seed that nobody chose.
#[expect(clippy::disallowed_methods, reason = "it is printed, and repeats the run")]
pub(crate) fn random() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1 >> 16
}

/// The `number`th draw of a seed (splitmix64).
pub(crate) fn draw(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
