//! Hot writes, together: what arrives for an agency while a transaction of it is under way is written in the next one, in one statement for
//! all of it, and committed once (measured: 7 to 9 times the rate at an eighth of the latency, nothing less durable). Nobody waits for
//! company: the first is written at once, and those who are company enough do not wait for the disk either.
//!
//! One that fails never fails its neighbours: they are written again without it. Whether a commit whose answer was lost took
//! place is not guessed: the same is asked again, and whoever wrote it finds it by its key.
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::{Agency, Database, Host, Meter, Scope, Session, Stroke};
use prometheus_client::metrics::{
    counter::Counter,
    histogram::{Histogram, exponential_buckets},
};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Pauses, pause},
    patience, trouble,
    waiting::{Full, Room, Waiting},
};

/// Written in one transaction at most: beyond this the statement itself takes longer than the commit that is saved.
const MOST: usize = 256;
/// Transactions that are written at once. Of one agency that is one: what comes while it is written is worth more together (measured: a tenth of the rate).
const WRITERS: usize = 3;
/// Where so many of an agency wait behind its transaction they are worth one of their own beside it: its end is a wait for the disk, in which the processors would rest
/// (measured: a twelfth more at 64, and half of that at 32).
const LONG: usize = 64;
/// A second's work and more of a slow disk; whoever comes when it is full would wait beyond reason.
const ROOM: Room = Room { all: 8_192, agency: 2_048 };
/// While the server is in trouble the same is tried this often; then its callers are told, who have deadlines of their own.
const ATTEMPTS: u32 = 3;
/// From so many on it is hoped that nobody among them comes again: for fewer it would bring nothing, and each hope that is not fulfilled is an error in the server's log.
const HOPE_FROM: usize = 16;
/// A writer that hoped in vain does not for so long: callers who come again come in numbers, after an outage.
const DOUBT: Duration = Duration::from_secs(1);
/// A writer that always has a turn gives its connection back after this, and takes its place behind whoever waits for one: where the pool is small, they wait that long.
const KEPT: Duration = Duration::from_millis(250);

/// Something that is written together with others of its kind.
pub trait Combined: Send + Sync + 'static {
    /// What is asked for. It has a key by which a repetition is known.
    type Item: Send + Sync + 'static;
    /// What is answered.
    type Answer: Send + 'static;

    /// Writes all `items`, which are of the agency of `stroke`, in its one statement, and gives an answer to each, in their order. An item that was
    /// written before, by its key, is not written again: its answer is that of the first time, or the statement of a [hopeful](Stroke::hopeful) stroke fails
    /// and is asked for once more without hope. If one makes the statement fail, the others are asked for again without it.
    ///
    /// Where many of an agency wait two of its statements may be under way at once: an item that comes again finds the first by its key, committed or not, and waits for it.
    fn write(&self, stroke: Stroke<'_>, items: &[Self::Item]) -> impl Future<Output = sqlx::Result<Vec<Self::Answer>>> + Send;
}

/// Why something was not written, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// Too many wait. Nothing was done; come again in a moment.
    #[error("too many requests wait to be written")]
    Full,
    /// The process is to stop. Nothing was done.
    #[error("the process is to stop")]
    Stopping,
    /// The server was lost at the commit and has not come back: whether it took place is found out by asking again for the same.
    #[error("whether the request was written is not known")]
    Unknown,
    /// The database failed. Nothing was done.
    #[error("the database failed")]
    Store(#[from] sqlx::Error),
}

/// Where to ask. Clones ask the same.
pub struct Combiner<C: Combined>(Arc<Shared<C>>);

struct Shared<C: Combined> {
    combined: C,
    /// `None` once the process is to stop.
    waiting: Mutex<Option<Waiting<Asked<C>>>>,
    arrived: Notify,
    written: Written,
}

struct Asked<C: Combined> {
    item: C::Item,
    reply: oneshot::Sender<Reply<C>>,
}

/// What was asked for comes back with its answer: whoever asked need not keep another.
type Reply<C> = Result<(<C as Combined>::Item, <C as Combined>::Answer), NotWritten>;

#[derive(Debug)]
struct Written {
    together: Histogram,
    again: Counter,
    refused: Counter,
}

impl Written {
    fn new(meter: &Meter) -> Self {
        Self {
            together: meter.register(
                "opsmesh_combined_writes",
                "How many requests were written in one transaction",
                // 1 to 256.
                Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            ),
            again: meter.register(
                "opsmesh_combined_again",
                "Transactions that were written a second time because a request in them had come before",
                Counter::default(),
            ),
            refused: meter.register("opsmesh_combined_refused", "Requests for which there was no room", Counter::default()),
        }
    }
}

impl<C: Combined> Clone for Combiner<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Combined> Combiner<C> {
    /// Keeps writing what it is asked for until the process stops; what waits then is still written.
    pub fn start(host: &mut Host, db: &Database, combined: C) -> Self {
        let shared = Arc::new(Shared {
            combined,
            waiting: Mutex::new(Some(Waiting::new(ROOM, LONG))),
            arrived: Notify::new(),
            written: Written::new(&host.meter()),
        });
        for _ in 0..WRITERS {
            let (service, db, shared) = (host.name(), db.clone(), shared.clone());
            host.spawn("combiner", |stop| async move { shared.run(service, &db, stop).await });
        }
        Self(shared)
    }

    /// Asks for `item` in the scope of its agency, and waits for it and its answer.
    pub async fn ask(&self, agency: &Agency, item: C::Item) -> Result<(C::Item, C::Answer), NotWritten> {
        let (reply, answer) = oneshot::channel();
        match self.0.lines().as_mut().map(|waiting| waiting.push(agency, Asked { item, reply })) {
            None => return Err(NotWritten::Stopping),
            Some(Err(Full)) => {
                self.0.written.refused.inc();
                return Err(NotWritten::Full);
            }
            // Whoever writes this agency's looks again, or another is awake for them already; to wake one more would cost more than it brings.
            Some(Ok(false)) => {}
            Some(Ok(true)) => self.0.arrived.notify_one(),
        }
        // A writer that ends without a word has panicked; it may have committed.
        answer.await.unwrap_or(Err(NotWritten::Unknown))
    }
}

impl<C: Combined> Shared<C> {
    fn lines(&self) -> std::sync::MutexGuard<'_, Option<Waiting<Asked<C>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, service: &'static str, db: &Database, stop: CancellationToken) -> anyhow::Result<()> {
        let mut pen = Pen { service, db, kept: None, doubt: None };
        loop {
            let next = {
                let mut lines = self.lines();
                let next = lines.as_mut().and_then(|waiting| waiting.next(MOST));
                if lines.as_ref().is_some_and(Waiting::has_turn) {
                    // Several that came at once may have woken only this one.
                    self.arrived.notify_one();
                }
                if next.is_none() && stop.is_cancelled() {
                    // From now on whoever asks is told; who waits behind what is being written is left to whoever writes it.
                    if lines.as_ref().is_some_and(Waiting::is_empty) {
                        *lines = None;
                    }
                    return Ok(());
                }
                next
            };
            match next {
                Some((agency, asked)) => {
                    self.write(&mut pen, &agency, asked).await;
                    if let Some(waiting) = self.lines().as_mut() {
                        waiting.done(&agency);
                    }
                }
                None => {
                    pen.kept = None;
                    tokio::select! {
                        () = self.arrived.notified() => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Writes what was taken from a line, in as few transactions as it goes.
    async fn write(&self, pen: &mut Pen<'_>, agency: &Agency, asked: Vec<Asked<C>>) {
        let mut groups = vec![asked];
        while let Some(mut group) = groups.pop() {
            // Whoever has given up is not written.
            group.retain(|asked| !asked.reply.is_closed());
            let (items, replies): (Vec<_>, Vec<_>) = group.into_iter().map(|Asked { item, reply }| (item, reply)).unzip();
            if items.is_empty() {
                continue;
            }
            match self.insist(pen, agency, &items).await {
                Ok(answers) => {
                    self.written.together.observe(f64::from(u32::try_from(items.len()).unwrap_or(u32::MAX)));
                    for ((reply, item), answer) in replies.into_iter().zip(items).zip(answers) {
                        // A caller who has given up meanwhile asks again and finds it.
                        let _ = reply.send(Ok((item, answer)));
                    }
                }
                Err(NotWritten::Store(error)) if items.len() > 1 && !trouble::passes(&error) => {
                    let mut halves: Vec<Asked<C>> =
                        items.into_iter().zip(replies).map(|(item, reply)| Asked { item, reply }).collect();
                    let second = halves.split_off(halves.len() / 2);
                    groups.extend([second, halves]);
                }
                Err(error) => tell_all(replies, error),
            }
        }
    }

    /// Writes all of `items`, again while the server is in trouble.
    async fn insist(&self, pen: &mut Pen<'_>, agency: &Agency, items: &[C::Item]) -> Result<Vec<C::Answer>, NotWritten> {
        let mut pauses = Pauses::default();
        let mut unknown = false;
        let mut attempt = 0;
        loop {
            let hopeful = items.len() >= HOPE_FROM && pen.hopes();
            let (lost_at_commit, error) = match self.once(pen, agency, items, hopeful).await {
                Ok(answers) => return Ok(answers),
                Err((_, error)) if hopeful && chassis::came_again(&error) => {
                    self.written.again.inc();
                    pen.doubt = Some(Instant::now());
                    continue;
                }
                Err(failed) => failed,
            };
            attempt += 1;
            unknown |= lost_at_commit;
            // One that is no row, where there was one a moment ago: its time was over between two looks.
            let passes = trouble::passes(&error) || matches!(error, sqlx::Error::RowNotFound);
            if !passes || attempt == ATTEMPTS {
                return Err(if unknown { NotWritten::Unknown } else { error.into() });
            }
            tracing::warn!(error = &error as &dyn std::error::Error, attempt, unknown, "requests are written again");
            pause(pauses.next(), &CancellationToken::new()).await;
        }
    }

    /// Writes all of `items` in one transaction. The error says whether it may have been committed all the same.
    async fn once(
        &self,
        pen: &mut Pen<'_>,
        agency: &Agency,
        items: &[C::Item],
        hopeful: bool,
    ) -> Result<Vec<C::Answer>, (bool, sqlx::Error)> {
        let (mut session, since) = pen.take().await.map_err(|error| (false, error))?;
        let stroke = session.stroke(Scope::reaction(pen.service, agency));
        let stroke = if hopeful { stroke.hopeful() } else { stroke };
        let written = patience::answered(self.combined.write(stroke, items)).await;
        let answers = written.map_err(|error| (trouble::is_unknown(&error), error))?;
        assert_eq!(answers.len(), items.len(), "an answer each");
        pen.kept = Some((session, since));
        Ok(answers)
    }
}

/// What a writer writes with.
struct Pen<'a> {
    service: &'static str,
    db: &'a Database,
    /// Its connection, and since when it has it.
    kept: Option<(Session, Instant)>,
    /// When it last hoped in vain.
    doubt: Option<Instant>,
}

impl Pen<'_> {
    /// The connection that it has, or another.
    async fn take(&mut self) -> sqlx::Result<(Session, Instant)> {
        // What it had too long is given back before another is asked for.
        match self.kept.take().filter(|(_, since)| since.elapsed() < KEPT) {
            Some(kept) => Ok(kept),
            None => Ok((self.db.session().await?, Instant::now())),
        }
    }

    /// Whether it hopes that nobody comes again.
    fn hopes(&self) -> bool {
        self.doubt.is_none_or(|doubt| doubt.elapsed() >= DOUBT)
    }
}

/// Tells all callers what befell them together.
fn tell_all<A>(replies: Vec<oneshot::Sender<Result<A, NotWritten>>>, error: NotWritten) {
    let mut error = Some(error);
    for reply in replies {
        let own = match &error {
            Some(NotWritten::Unknown) => NotWritten::Unknown,
            // The first gets the error itself; for the others it is the same trouble of the server.
            _ => error.take().unwrap_or(NotWritten::Store(sqlx::Error::PoolTimedOut)),
        };
        let _ = reply.send(Err(own));
    }
}
