//! How much one agency may ask, so that none is starved by another: a token bucket each, kept in Redis so that replicas share
//! it, and changed there by one script. Without Redis each replica keeps its own share: correct still, only slower. What
//! Redis has may be lost at any time: a bucket that is not there is full.
//!
//! The bucket is one number (GCRA): the moment at which it will be full again, in microseconds.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use redis::{AsyncConnectionConfig, Client, Script, aio::MultiplexedConnection};
use serde::Deserialize;

use crate::{
    Secret,
    caller::{Reach, Who},
};

/// What an agency may ask.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// `redis://…`; empty: each replica keeps its own share.
    pub redis: Secret,
    /// Calls a second, on the average; 0: no limit.
    pub per_second: u32,
    /// Calls at once after a rest.
    pub burst: u32,
    /// How many replicas share the limit while Redis is away.
    pub replicas: u32,
}

/// Redis answers in less, or is done without.
const ANSWER_WITHIN: Duration = Duration::from_millis(50);
const CONNECT_WITHIN: Duration = Duration::from_millis(200);
/// After a failure Redis is left alone this long: callers do not wait for it one by one.
const LEFT_ALONE: Duration = Duration::from_secs(1);
/// Buckets kept without Redis: full ones are forgotten first, and being forgotten is being full.
const KEPT: usize = 10_000;
const PREFIX: &str = "opsmesh:limit:";
const SECOND: u64 = 1_000_000;

/// The same rule as [`Budget::take`], where all replicas see it. ARGV: interval, tolerance, and the time in microseconds, or
/// nothing for the time of Redis itself.
const TAKE: &str = r"
local now = tonumber(ARGV[3])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
full = math.min(math.max(full, now), now + tolerance)
local after = full + interval
local wait = after - now - tolerance
if wait > 0 then
    return wait
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'EX', math.ceil((after - now) / 1000000) + 60)
return 0
";

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Budget {
    /// A token's time, in microseconds.
    interval: u64,
    /// The time of all tokens that the bucket holds.
    tolerance: u64,
}

impl Budget {
    /// `None`: no limit.
    fn new(per_second: u32, burst: u32) -> Option<Self> {
        let interval = SECOND.checked_div(u64::from(per_second))?.max(1);
        Some(Self { interval, tolerance: interval * u64::from(burst.max(1)) })
    }

    /// A replica's share of it: slower in proportion, and one token at the least.
    fn share(self, replicas: u32) -> Self {
        let replicas = u64::from(replicas.max(1));
        let interval = self.interval * replicas;
        Self { interval, tolerance: self.tolerance.max(interval) }
    }

    /// Takes a token at `now` from the bucket that is full again at `full`: when it now will be full, or how long to wait.
    /// A moment farther ahead than the bucket is deep is of a clock that went back: then the bucket is empty, not worse.
    fn take(self, full: Option<u64>, now: u64) -> Result<u64, Duration> {
        let full = full.unwrap_or(now).clamp(now, now + self.tolerance);
        let after = full + self.interval;
        match (after - now).checked_sub(self.tolerance) {
            None | Some(0) => Ok(after),
            Some(wait) => Err(Duration::from_micros(wait)),
        }
    }
}

/// The limits of a process.
#[derive(Clone)]
pub(crate) struct Limiter(Option<Arc<Limits>>);

struct Limits {
    budget: Budget,
    share: Budget,
    script: Script,
    redis: Option<Redis>,
    begun: Instant,
    own: Mutex<HashMap<Arc<str>, u64>>,
}

struct Redis {
    client: Client,
    state: Mutex<State>,
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
enum State {
    #[default]
    New,
    Connected(MultiplexedConnection),
    Away(Instant),
}

/// Who is limited together.
pub(crate) fn budget_of(who: &Who) -> Option<Arc<str>> {
    // The platform's own parts do what agencies asked for; to hold them up would hold up everybody.
    if who.roles.iter().any(|role| !role.is_post()) && who.reach == Reach::Everywhere {
        return None;
    }
    match &who.reach {
        Reach::Agencies(agencies) if agencies.len() == 1 => agencies.first().map(|agency| agency.name().into()),
        Reach::Namespace(namespace) => Some(format!("namespaces/{namespace}").into()),
        Reach::Agencies(_) | Reach::Everywhere => Some(format!("callers/{}", who.subject).into()),
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Limiter").field(&self.0.as_ref().map(|limits| limits.budget)).finish()
    }
}

impl Limiter {
    pub(crate) fn new(settings: &LimitSettings) -> anyhow::Result<Self> {
        let Some(budget) = Budget::new(settings.per_second, settings.burst) else { return Ok(Self(None)) };
        let redis = match settings.redis.expose() {
            "" => None,
            url => Some(Redis { client: Client::open(url)?, state: Mutex::default(), connecting: tokio::sync::Mutex::default() }),
        };
        Ok(Self(Some(Arc::new(Limits {
            budget,
            share: budget.share(settings.replicas),
            script: Script::new(TAKE),
            redis,
            begun: Instant::now(),
            own: Mutex::default(),
        }))))
    }

    /// Takes one call from the budget `key`, or says how long to wait.
    pub(crate) async fn take(&self, key: &Arc<str>) -> Result<(), Duration> {
        let Some(limits) = &self.0 else { return Ok(()) };
        // In a box, and only where there is somebody to ask: what is in none every call carries.
        let asked = if limits.redis.is_some() { Box::pin(limits.ask(key, None)).await } else { None };
        match asked {
            Some(0) => Ok(()),
            Some(wait) => Err(Duration::from_micros(wait)),
            None => limits.take_own(key, u64::try_from(limits.begun.elapsed().as_micros()).unwrap_or(u64::MAX / 2)),
        }
    }
}

impl Limits {
    /// What Redis says: microseconds to wait, 0 for a token. `None`: it is away.
    async fn ask(&self, key: &str, now: Option<u64>) -> Option<u64> {
        let redis = self.redis.as_ref()?;
        let mut connection = redis.connection().await?;
        let mut call = self.script.key(format!("{PREFIX}{key}"));
        call.arg(self.budget.interval).arg(self.budget.tolerance);
        if let Some(now) = now {
            call.arg(now);
        }
        match call.invoke_async(&mut connection).await {
            Ok(wait) => Some(wait),
            Err(error) => {
                redis.leave_alone(&error);
                None
            }
        }
    }

    fn take_own(&self, key: &Arc<str>, now: u64) -> Result<(), Duration> {
        let mut own = self.own.lock().expect("nobody panics while counting");
        if own.len() >= KEPT && !own.contains_key(key) {
            own.retain(|_, full| *full > now);
            if own.len() >= KEPT {
                own.clear();
            }
        }
        let full = self.share.take(own.get(key).copied(), now)?;
        own.insert(key.clone(), full);
        Ok(())
    }
}

impl Redis {
    /// The connection, made by the first who needs it; whoever comes meanwhile does without.
    async fn connection(&self) -> Option<MultiplexedConnection> {
        match &*self.state() {
            State::Connected(connection) => return Some(connection.clone()),
            State::Away(since) if since.elapsed() < LEFT_ALONE => return None,
            State::New | State::Away(_) => {}
        }
        let _alone = self.connecting.try_lock().ok()?;
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_WITHIN)).set_response_timeout(Some(ANSWER_WITHIN));
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                *self.state() = State::Connected(connection.clone());
                Some(connection)
            }
            Err(error) => {
                self.leave_alone(&error);
                None
            }
        }
    }

    fn leave_alone(&self, error: &redis::RedisError) {
        tracing::warn!(error = error as &dyn std::error::Error, "redis is away: limits are kept here");
        *self.state() = State::Away(Instant::now());
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_window_takes_more_than_the_burst_and_what_time_fills(
            per_second in 1..2_000_u32, burst in 1..50_u32, steps in prop::collection::vec(0..20_000_u64, 1..200),
        ) {
            let budget = Budget::new(per_second, burst).unwrap();
            let (mut now, mut full, mut taken) = (1_795_000_000_000_000, None, 0_u64);
            let begun = now;
            for step in steps {
                now += step;
                if let Ok(after) = budget.take(full, now) {
                    full = Some(after);
                    taken += 1;
                }
                prop_assert!(taken <= u64::from(burst) + (now - begun) / budget.interval);
            }
        }

        #[test]
        fn whoever_waits_as_long_as_told_is_let_in(per_second in 1..2_000_u32, burst in 1..50_u32, ahead in 0..1_000_000_000_u64) {
            let budget = Budget::new(per_second, burst).unwrap();
            let now = 1_795_000_000_000_000;
            if let Err(wait) = budget.take(Some(now + ahead), now) {
                prop_assert!(wait <= Duration::from_micros(budget.interval), "{:?}", wait);
                let full = Some((now + ahead).min(now + budget.tolerance));
                prop_assert!(budget.take(full, now + u64::try_from(wait.as_micros()).unwrap()).is_ok());
            }
        }

        #[test]
        fn a_share_is_never_more_than_the_whole(per_second in 1..2_000_u32, burst in 1..50_u32, replicas in 1..10_u32) {
            let budget = Budget::new(per_second, burst).unwrap();
            let share = budget.share(replicas);
            prop_assert!(share.interval >= budget.interval && share.tolerance / share.interval <= budget.tolerance / budget.interval);
        }
    }

    #[test]
    fn no_limit_is_no_limit() {
        assert_eq!(Budget::new(0, 7), None);
    }

    fn limiter(redis: &str, per_second: u32, burst: u32) -> Limiter {
        Limiter::new(&LimitSettings { redis: Secret::new(redis), per_second, burst, replicas: 2 }).unwrap()
    }

    /// Once from the beginning; `false` where Redis did not answer in time, and nobody knows what it has counted.
    async fn agrees(limits: &Limits, key: &str) -> bool {
        let (mut now, mut full) = (4_000_000_000_000_000, None);
        for step in 0..200_u64 {
            now += step * 7_919 % 23_000;
            let expected = match limits.budget.take(full, now) {
                Ok(after) => {
                    full = Some(after);
                    0
                }
                Err(wait) => u64::try_from(wait.as_micros()).unwrap(),
            };
            let Some(answer) = limits.ask(key, Some(now)).await else { return false };
            assert_eq!(answer, expected, "step {step}");
        }
        true
    }

    #[tokio::test]
    async fn redis_decides_as_the_rule_does() {
        let limiter = limiter(&::tests::told("REDIS_URL"), 100, 5);
        let limits = limiter.0.as_ref().unwrap();
        for attempt in 0..20 {
            if agrees(limits, &format!("test-{}-{attempt}", std::process::id())).await {
                return;
            }
        }
        panic!("Redis never answers two hundred times in time");
    }

    #[tokio::test]
    async fn without_redis_a_limit_still_holds() {
        let limiter = limiter("redis://127.0.0.1:1/", 1, 3);
        let key: Arc<str> = "agencies/gz".into();
        let mut taken = 0;
        while limiter.take(&key).await.is_ok() {
            taken += 1;
            assert!(taken <= 10, "no limit holds");
        }
        assert!(taken >= 1);
        assert!(limiter.take(&"agencies/sz".into()).await.is_ok(), "another agency's budget is its own");
    }
}
