//! The front door's stream: what happens to the tickets of an agency, as it happens.
use std::{collections::VecDeque, sync::Arc, time::Duration};

use chassis::{Database, Host, PageToken, Scope};
use futures::{StreamExt, stream, stream::BoxStream};
use mailbox::{Bookmark, Unread};
use proto::{Invalid, reasons, ticketing::v1 as pb};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::wire;

/// What is told of.
const KINDS: &str = "opsmesh.ticketing.v1.";
/// How soon what has happened is told.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Whoever hears nothing for so long cannot tell a quiet agency from a broken line.
const SAY_SOMETHING_EVERY: Duration = Duration::from_secs(15);
/// A right that was taken away is felt by then; whoever goes on asks again.
const WATCH_FOR: Duration = Duration::from_secs(600);
/// In one replica: each asks the database twice a second.
const WATCHERS: usize = 64;
/// Read at once: some hundred KB.
const AT_ONCE: i64 = 200;

/// What is said to whoever watches.
pub(crate) type Told = BoxStream<'static, Result<pb::WatchTicketsResponse, Status>>;

/// Everybody who watches.
pub(crate) struct Watches {
    db: Database,
    stop: CancellationToken,
    room: Arc<Semaphore>,
}

impl Watches {
    pub(crate) fn new(host: &mut Host, db: &Database) -> Self {
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        // Whoever watches is let go of as soon as the process is to stop, so that nobody waits for them.
        host.spawn("watches", |told| async move {
            told.cancelled().await;
            stopping.cancel();
            Ok(())
        });
        Self { db: db.clone(), stop, room: Arc::new(Semaphore::new(WATCHERS)) }
    }

    /// Begins to tell of the agency `parent`, in whose scope it is asked.
    pub(crate) async fn begin(&self, scope: Scope, request: pb::WatchTicketsRequest) -> Result<Told, Status> {
        let pb::WatchTicketsRequest { parent, resume_token, follow } = request;
        let place = self.room.clone().try_acquire_owned().map_err(|_| reasons::TOO_MANY_WATCH.refusal())?;
        let from = PageToken::read(&["watch", &parent], &resume_token).map_err(|error| Invalid::new("resume_token", error))?;
        let from = from.map(|text| text.parse::<Bookmark>()).transpose().map_err(|error| Invalid::new("resume_token", error))?;
        let at = match from {
            Some(bookmark) => bookmark,
            None => now(&self.db, &scope).await.map_err(|error| chassis::database_fault(&error))?,
        };
        let mut watch = Watch {
            db: self.db.clone(),
            stop: self.stop.clone(),
            scope,
            parent,
            at,
            follow,
            until: Instant::now() + WATCH_FOR,
            said: Instant::now(),
            ready: VecDeque::new(),
            ended: false,
            _place: place,
        };
        if follow {
            // At once, so that they know that they watch.
            watch.say_where();
        }
        Ok(stream::try_unfold(watch, Watch::next).boxed())
    }
}

async fn now(db: &Database, scope: &Scope) -> sqlx::Result<Bookmark> {
    Bookmark::now(&mut db.begin(scope).await?).await
}

/// One who watches.
struct Watch {
    db: Database,
    stop: CancellationToken,
    scope: Scope,
    parent: String,
    at: Bookmark,
    follow: bool,
    until: Instant,
    /// When anything was said last.
    said: Instant,
    ready: VecDeque<pb::WatchTicketsResponse>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    /// What is said next; `None`: that was all.
    async fn next(mut self) -> Result<Option<(pb::WatchTicketsResponse, Self)>, Status> {
        loop {
            if let Some(said) = self.ready.pop_front() {
                self.said = Instant::now();
                return Ok(Some((said, self)));
            }
            if self.ended {
                return Ok(None);
            }
            self.look().await?;
            if !self.ready.is_empty() {
                continue;
            }
            let now = Instant::now();
            if !self.follow || self.stop.is_cancelled() || now >= self.until {
                self.ended = true;
                self.say_where();
            } else if now - self.said >= SAY_SOMETHING_EVERY {
                self.say_where();
            } else {
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
        }
    }

    async fn look(&mut self) -> Result<(), Status> {
        let news = async { mailbox::news(&mut self.db.begin(&self.scope).await?, self.at, KINDS, AT_ONCE).await };
        let (facts, then) = news.await.map_err(|unread| match unread {
            Unread::TooOld => reasons::RESUME_TOKEN_TOO_OLD.refusal().into(),
            Unread::Store(error) => chassis::database_fault(&error),
        })?;
        for (fact, behind) in facts {
            let told = wire::news(fact, self.token(behind));
            self.ready.push_back(told);
        }
        self.at = then;
        Ok(())
    }

    fn say_where(&mut self) {
        let resume_token = self.token(self.at);
        self.ready.push_back(pb::WatchTicketsResponse { resume_token, ..Default::default() });
    }

    fn token(&self, at: Bookmark) -> String {
        PageToken::after(&["watch", &self.parent], &at.to_string())
    }
}
