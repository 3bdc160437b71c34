//! The front door's stream: what happens to the tickets of an agency, as it happens.
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::{Agency, Database, Host, PageToken, Scope};
use futures::{StreamExt, stream, stream::BoxStream};
use mailbox::{Bookmark, Unread};
use proto::{Invalid, reasons, ticketing::v1 as pb};
use tokio::time::Instant;
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
const WATCHERS: usize = 128;
/// Of one agency, so that the others still find a place.
const WATCHERS_OF_AN_AGENCY: usize = 16;
/// Read at once: some hundred KB.
const AT_ONCE: i64 = 200;

/// What is said to whoever watches.
pub(crate) type Told = BoxStream<'static, Result<pb::WatchTicketsResponse, Status>>;

/// Everybody who watches.
pub(crate) struct Watches {
    db: Database,
    stop: CancellationToken,
    places: Arc<Places>,
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
        Self { db: db.clone(), stop, places: Arc::default() }
    }

    /// Begins to tell of `agency`, in whose scope it is asked.
    pub(crate) async fn begin(&self, agency: &Agency, scope: Scope, request: pb::WatchTicketsRequest) -> Result<Told, Status> {
        let pb::WatchTicketsRequest { parent, resume_token, follow } = request;
        let place = self.places.take(agency).ok_or_else(|| reasons::TOO_MANY_WATCH.refusal())?;
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

/// How many of each agency watch.
#[derive(Debug, Default)]
struct Places(Mutex<BTreeMap<Agency, usize>>);

/// Somebody's place, until they leave it.
struct Place {
    places: Arc<Places>,
    agency: Agency,
}

impl Places {
    /// A place, if there is one.
    fn take(self: &Arc<Self>, agency: &Agency) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (taken.values().sum::<usize>(), taken.get(agency).copied().unwrap_or(0));
        if all >= WATCHERS || own >= WATCHERS_OF_AN_AGENCY {
            return None;
        }
        taken.insert(agency.clone(), own + 1);
        Some(Place { places: self.clone(), agency: agency.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&self.agency).copied().unwrap_or(0);
        if own > 1 {
            taken.insert(self.agency.clone(), own - 1)
        } else {
            taken.remove(&self.agency)
        };
    }
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
    _place: Place,
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
        let news = async { mailbox::news(&mut self.db.begin(&self.scope).await?, self.at.clone(), KINDS, AT_ONCE).await };
        let (facts, then) = news.await.map_err(|unread| match unread {
            Unread::TooOld => reasons::RESUME_TOKEN_TOO_OLD.refusal().into(),
            Unread::Store(error) => chassis::database_fault(&error),
        })?;
        for (fact, behind) in facts {
            let told = wire::news(fact, self.token(&behind));
            self.ready.push_back(told);
        }
        self.at = then;
        Ok(())
    }

    fn say_where(&mut self) {
        let resume_token = self.token(&self.at);
        self.ready.push_back(pb::WatchTicketsResponse { resume_token, ..Default::default() });
    }

    fn token(&self, at: &Bookmark) -> String {
        PageToken::after(&["watch", &self.parent], &at.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_agency_takes_all_places_and_whoever_leaves_gives_theirs_back() {
        let places = Arc::<Places>::default();
        let agency = |number: usize| format!("a-{number}").parse::<Agency>().unwrap();
        let mut taken: Vec<Place> = (0..WATCHERS_OF_AN_AGENCY).map(|_| places.take(&agency(0)).unwrap()).collect();
        assert!(places.take(&agency(0)).is_none());
        for number in WATCHERS_OF_AN_AGENCY..WATCHERS {
            taken.push(places.take(&agency(number)).unwrap());
        }
        assert!(places.take(&agency(WATCHERS)).is_none(), "all are taken");
        taken.clear();
        assert!(places.0.lock().unwrap().is_empty());
        assert!(places.take(&agency(0)).is_some());
    }
}
