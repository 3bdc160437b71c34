//! The pool of connections, and who watches over it. A server that dies without a word (a lost node, a firewall that forgets) answers
//! neither a query nor the question whether it is still there, and sqlx 0.9 waits for that answer without a bound: a place in the
//! pool is lost for ever (its issue 4349). So every such question here has a bound; and if no place has been free for longer than any
//! statement may take, although the server answers, the whole pool is exchanged for a new one.
use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::reach::Reach;

/// A caller waits at most this long for a connection: longer, and its own deadline is near.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that does not answer an empty question within this is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// A connection that was used within this is not asked whether it is still there: on a busy pool that would be one round trip in four. Once another was found dead that does not hold for
/// those that were used before: a server that went away took them all, and whoever comes again would find one after the other.
const TRUSTED: Duration = Duration::from_secs(1);
/// Nobody has had a connection for so long, though somebody waited for one: longer than any statement may take (10 s), so one would be
/// back if they all were not lost.
const STUCK: Duration = Duration::from_secs(12);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the server is told of each session: bounds that it keeps for us, also when this process cannot any more, and how to work.
const SESSION: [(&str, &str); 5] = [
    // No statement of ours is meant to take longer.
    ("statement_timeout", "10s"),
    // Nobody waits longer for a lock: the holder is stuck, and the caller can retry.
    ("lock_timeout", "4s"),
    // A transaction whose process hangs lets its locks go.
    ("idle_in_transaction_session_timeout", "15s"),
    // A statement whose process has gone is given up; the server would else notice at its end.
    ("client_connection_check_interval", "5s"),
    // None of ours works long enough to be worth compiling; one of whose table the planner believes too much would be (measured: 100 ms for nothing).
    ("jit", "off"),
];

/// The pool: the newest of its generations.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    settings: PgConnectOptions,
    reach: Reach,
    connections: u32,
    first: Generation,
    /// How often somebody has had a connection, and how often somebody has waited for one in vain.
    had: AtomicU64,
    waited: AtomicU64,
}

/// Generations are only added, so that whoever holds an old one holds it as long as they like: some hundred bytes for each of the rare
/// times that one is exchanged.
#[derive(Debug)]
struct Generation {
    pool: PgPool,
    next: OnceLock<Box<Generation>>,
}

/// When a connection was last found dead.
#[derive(Debug, Clone, Default)]
struct Lost(Arc<Mutex<Option<Instant>>>);

impl Lost {
    /// What a connection answered; one that did not is dead.
    fn or(&self, answer: sqlx::Result<bool>) -> sqlx::Result<bool> {
        if answer.is_err() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        answer
    }

    fn is_before(&self, used: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|lost| lost < used)
    }
}

impl Generation {
    fn new(settings: &PgConnectOptions, connections: u32) -> Self {
        let lost = Lost::default();
        let also = lost.clone();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .before_acquire(move |connection, place| {
                let trusted = place.idle_for < TRUSTED && lost.is_before(Instant::now() - place.idle_for);
                let lost = lost.clone();
                Box::pin(async move { if trusted { Ok(true) } else { lost.or(answers(connection).await) } })
            })
            .after_release(move |connection, _| {
                let lost = also.clone();
                Box::pin(async move { lost.or(answers(connection).await) })
            })
            .connect_lazy_with(settings.clone());
        Self { pool, next: OnceLock::new() }
    }

    fn newest(&self) -> &Self {
        let mut newest = self;
        while let Some(next) = newest.next.get() {
            newest = next;
        }
        newest
    }
}

/// Whether the other end is still there: an error means that the connection is closed without another word.
async fn answers(connection: &mut PgConnection) -> sqlx::Result<bool> {
    match timeout(ANSWER_WITHIN, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

impl Pool {
    /// Without connecting.
    pub(crate) fn new(settings: PgConnectOptions, connections: u32) -> Self {
        let settings = settings.options(SESSION);
        let first = Generation::new(&settings, connections);
        let (had, waited) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Watched { reach: Reach::of(&settings), settings, connections, first, had, waited }))
    }

    /// The pool as it is now.
    pub(crate) fn now(&self) -> &PgPool {
        &self.0.first.newest().pool
    }

    /// How its connections are made.
    pub(crate) fn settings(&self) -> &PgConnectOptions {
        &self.0.settings
    }

    /// What somebody wanted of the pool, with a bound of their own; sooner, that the server refuses connections.
    pub(crate) async fn had<T>(&self, wanted: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let outcome = self.0.reach.or_refused(wanted).await;
        match &outcome {
            Ok(_) => self.0.had.fetch_add(1, Ordering::Relaxed),
            Err(sqlx::Error::PoolTimedOut) => self.0.waited.fetch_add(1, Ordering::Relaxed),
            Err(_) => 0,
        };
        outcome
    }

    /// Exchanges the pool when all its places are lost, until told to stop.
    pub(crate) async fn watch(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut seen = self.seen();
        let mut since = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.seen();
            if !now.full || now.had != seen.had {
                (seen, since) = (now, Instant::now());
            } else if now.waited > seen.waited && since.elapsed() >= STUCK && self.server_answers().await {
                self.exchange();
                (seen, since) = (self.seen(), Instant::now());
            }
        }
    }

    fn seen(&self) -> Seen {
        let pool = self.now();
        Seen {
            full: pool.size() >= self.0.connections && pool.num_idle() == 0,
            had: self.0.had.load(Ordering::Relaxed),
            waited: self.0.waited.load(Ordering::Relaxed),
        }
    }

    /// A server that is away, or has no connection left for us, is not helped by a new pool.
    async fn server_answers(&self) -> bool {
        let asked = async { PgConnection::connect_with(&self.0.settings).await?.close().await };
        timeout(ACQUIRE, asked).await.is_ok_and(|asked| asked.is_ok())
    }

    fn exchange(&self) {
        let newest = self.0.first.newest();
        tracing::error!(
            connections = self.0.connections,
            "no place in the pool has been free for too long: a new one takes over"
        );
        let next = Generation::new(&self.0.settings, self.0.connections);
        // Only the watcher adds generations.
        let _ = newest.next.set(Box::new(next));
        // Closed from this call on; what still comes back is not waited for.
        drop(newest.pool.close());
    }
}

/// What the watcher looks at.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// No place is free and none can be made.
    full: bool,
    had: u64,
    waited: u64,
}
