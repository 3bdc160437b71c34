//! `fact-publish`: facts a second from an outbox to a quorum queue, beside a loop that publishes one message, waits for its confirm, and publishes the next; the
//! same facts through the same exchange to the same queue, a message each. Then how many a writer
//! and the relay bring there together when the writer does not rest, and, at half of that, how long after its commit a fact is where it is consumed.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark panics where something is not as it must be, and prints"
)]

mod backlog;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use backlog::{Config, SCHEMAS, announcing, fill, letter, median};
use chassis::{Agency, Clock, Database, Host, Scope, Secret, Tx};
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions},
    types::FieldTable,
};
use mailbox::{BrokerSettings, Reactions, Received, Unhandled};
use prost::Name;
use proto::inventory::v1::DeviceCreated;
use serde_json::json;
use tests::Stage;

const FACTS: usize = 20_000;
/// Of the loop: it is slower.
const MESSAGES: usize = 2_000;
const ROUNDS: usize = 3;
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// At half load.
const PACED_FOR: Duration = Duration::from_secs(5);
/// So long nothing comes, and all have come.
const SILENCE: Duration = Duration::from_secs(1);
/// Between two transactions of a writer that keeps a pace.
const BEAT: Duration = Duration::from_millis(10);
/// Facts in one transaction of a writer.
const AT_ONCE: usize = 1_000;
const QUEUE: &str = "opsmesh.publish-receiver";

/// Leaves a queue, and takes nothing from it.
struct Nobody;

impl Reactions for Nobody {
    fn kinds(&self) -> Vec<String> {
        vec![DeviceCreated::full_name()]
    }

    async fn react(&self, _: &mut Tx, _: &Received) -> Result<(), Unhandled> {
        Ok(())
    }
}

async fn reacting((database, broker): Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&database, SCHEMAS).await?;
    mailbox::react(host, &broker, &db, Nobody).await
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let post = runtime.block_on(Post::open());
        ours.push(runtime.block_on(post.carried()));
        peers.push(runtime.block_on(post.looped()));
        runtime.block_on(async { drop(post) });
    }
    let (ours, peer) = (median(ours), median(peers));
    println!(
        "{}",
        json!({"name": "fact-publish", "unit": "1/s", "ours": ours, "peer": peer, "peer_name": "a loop with confirms", "ratio": ours / peer})
    );
    let full = runtime.block_on(async { Post::open().await.written_and_carried().await });
    let pinned = runtime.block_on(async { Post::open().await.beside_an_open_transaction().await });
    println!(
        "{}",
        json!({"name": "fact-publish beside an open transaction", "unit": "1/s", "ours": pinned, "peer": full,
            "peer_name": "without it", "ratio": pinned / full})
    );
    println!("{}", json!({"name": "fact-publish, written meanwhile", "unit": "1/s", "ours": full}));
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (rate, mut took) = runtime.block_on(async { Post::open().await.paced(full / 2.0).await });
        took.sort_unstable_by(f64::total_cmp);
        rounds.push((rate, took[took.len() / 2], took[took.len() * 99 / 100]));
    }
    let of = |part: fn(&(f64, f64, f64)) -> f64| median(rounds.iter().map(part).collect());
    println!(
        "{}",
        json!({"name": "fact-publish at half load", "unit": "1/s", "ours": of(|round| round.0),
            "p50_ms": of(|round| round.1), "p99_ms": of(|round| round.2)})
    );
}

/// An outbox, and a queue at the other end.
struct Post {
    stage: Stage,
    from: Config,
    db: Database,
}

impl Post {
    async fn open() -> Self {
        let mut stage = Stage::set().await;
        stage.seal_key = None;
        let broker = BrokerSettings { url: Secret::new(stage.broker()) };
        let (from, to) = ((stage.database().await, broker.clone()), (stage.database().await, broker));
        stage.start("publish-sender", from.clone(), Clock::default(), announcing).await.stop().await.unwrap();
        stage.start("publish-receiver", to, Clock::default(), reacting).await.stop().await.unwrap();
        let db = Database::open("bench", &from.0, SCHEMAS).unwrap();
        Self { stage, from, db }
    }

    /// Facts a second that the broker has confirmed.
    async fn carried(&self) -> f64 {
        fill(&self.db, FACTS).await;
        let running = self.stage.start("publish-sender", self.from.clone(), Clock::default(), announcing).await;
        let (first, began) = self.waiting(FACTS - 1).await;
        let (_, ended) = self.waiting(0).await;
        running.stop().await.unwrap();
        first as f64 / (ended - began).as_secs_f64()
    }

    /// How many facts wait, once no more than that do, and when that was.
    async fn waiting(&self, few: usize) -> (usize, Instant) {
        loop {
            let count: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(self.db.pool()).await.unwrap();
            let count = usize::try_from(count).unwrap();
            if count <= few {
                return (count, Instant::now());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Messages a second of the loop.
    async fn looped(&self) -> f64 {
        let body = self.one_of_ours().await;
        let (_connection, channel) = self.channel().await;
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let key = format!("{}.gz", DeviceCreated::full_name());
        let began = Instant::now();
        for _ in 0..MESSAGES {
            let durable = BasicProperties::default().with_delivery_mode(2);
            let publishing = channel.basic_publish("opsmesh.facts".into(), key.as_str().into(), mandatory, &body, durable);
            let confirmed = publishing.await.unwrap().await.unwrap();
            assert!(matches!(confirmed, Confirmation::Ack(None)), "{confirmed:?}");
        }
        MESSAGES as f64 / began.elapsed().as_secs_f64()
    }

    async fn channel(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.stage.broker(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        (connection, channel)
    }

    /// The body of one that lies in the queue, and stays there.
    async fn one_of_ours(&self) -> Vec<u8> {
        let (_connection, channel) = self.channel().await;
        let consuming = channel.basic_consume(QUEUE.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
        facts(&consuming.await.unwrap().next().await.unwrap().unwrap().data).remove(0)
    }

    /// Facts a second from a writer that does not rest to the broker.
    async fn written_and_carried(&self) -> f64 {
        let pace = Pace { config: self.from.clone(), rate: f64::INFINITY, committed: Arc::default() };
        let began = Instant::now();
        let running = self.stage.start("publish-sender", pace.clone(), Clock::default(), writing).await;
        tokio::time::sleep(PACED_FOR).await;
        let (_, ended) = self.waiting(0).await;
        running.stop().await.unwrap();
        let written = pace.committed.lock().unwrap().len();
        written as f64 / (ended - began).as_secs_f64()
    }

    /// The same while somebody's transaction is older than all of it, as a dump's is: nothing that has left can be cleared away.
    async fn beside_an_open_transaction(&self) -> f64 {
        let mut open = self.db.pool().begin().await.unwrap();
        let own = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET LOCAL idle_in_transaction_session_timeout = 0";
        sqlx::raw_sql(own).execute(&mut *open).await.unwrap();
        sqlx::query("SELECT pg_current_xact_id()").execute(&mut *open).await.unwrap();
        let rate = self.written_and_carried().await;
        open.commit().await.unwrap();
        rate
    }

    /// The pace that was kept, and how many milliseconds after its commit each fact came out of the queue.
    async fn paced(&self, rate: f64) -> (f64, Vec<f64>) {
        let (_connection, channel) = self.channel().await;
        let unacknowledged = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let mut consumer = channel.basic_consume(QUEUE.into(), "".into(), unacknowledged, FieldTable::default()).await.unwrap();
        let pace = Pace { config: self.from.clone(), rate, committed: Arc::default() };
        let running = self.stage.start("publish-sender", pace.clone(), Clock::default(), writing).await;
        // Read when all are there: whoever reads while they come measures its own reading, too.
        let mut heard = Vec::new();
        while let Ok(delivery) = tokio::time::timeout(SILENCE, consumer.next()).await {
            heard.push((delivery.unwrap().unwrap().data, Instant::now()));
        }
        running.stop().await.unwrap();
        let committed = pace.committed.lock().unwrap();
        let (first, last) = (committed[0], committed[committed.len() - 1]);
        let took: Vec<f64> = heard
            .iter()
            .flat_map(|(body, at)| facts(body).into_iter().map(move |fact| (number(&fact), *at)))
            .map(|(number, at)| at.saturating_duration_since(committed[number]).as_secs_f64() * 1e3)
            .collect();
        assert!(took.len() >= committed.len(), "{} of {} facts came out", took.len(), committed.len());
        (committed.len() as f64 / (last - first).as_secs_f64(), took)
    }
}

/// The facts of a message: one, or a list of them.
fn facts(body: &[u8]) -> Vec<Vec<u8>> {
    match serde_json::from_slice::<Vec<&serde_json::value::RawValue>>(body) {
        Ok(several) => several.into_iter().map(|fact| fact.get().into()).collect(),
        Err(_) => vec![body.into()],
    }
}

/// Which fact it is.
fn number(body: &[u8]) -> usize {
    let created = Received::read(body).unwrap().open::<DeviceCreated>().unwrap().unwrap();
    created.device.unwrap().etag.parse().unwrap()
}

/// A service that writes so many facts a second for a while.
#[derive(Clone)]
struct Pace {
    config: Config,
    rate: f64,
    /// When each of them was committed.
    committed: Arc<Mutex<Vec<Instant>>>,
}

/// In the service itself, as every service writes: its relay hears of each commit, while other processes' facts it finds when it looks.
async fn writing(Pace { config: (database, broker), rate, committed }: Pace, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&database, SCHEMAS).await?;
    mailbox::announce(host, &broker, &db).await?;
    host.spawn("writer", |stop| async move {
        let agency: Agency = "gz".parse()?;
        let scope = Scope::reaction("bench", &agency);
        let began = Instant::now();
        let (mut beat, mut written) = (tokio::time::interval(BEAT), 0);
        while began.elapsed() < PACED_FOR {
            beat.tick().await;
            let due = ((rate * began.elapsed().as_secs_f64()) as usize).min(written + AT_ONCE);
            let mut tx = db.begin(&scope).await?;
            mailbox::post_all(&mut tx, (written..due).map(|number| letter(&agency, number)).collect()).await?;
            tx.commit().await?;
            committed.lock().unwrap().resize(due, Instant::now());
            written = due;
        }
        stop.cancelled().await;
        Ok(())
    });
    Ok(())
}
