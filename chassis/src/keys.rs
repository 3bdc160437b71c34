//! An issuer's public keys (JWKS): fetched when they are first needed, when a token names a key that we do not have, and now and then, because a key may
//! be withdrawn. An issuer that is away is done without for a while.
use std::{
    path::PathBuf,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use anyhow::Context;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::sync::Mutex;

/// A key may be withdrawn: nothing is trusted longer than this without asking again.
const FRESH: Duration = Duration::from_secs(300);
/// How long an issuer that is away does not invalidate what it said before: longer than it takes to restart one, shorter than a withdrawn key may matter.
const USABLE: Duration = Duration::from_secs(3_600);
/// Tokens with made-up key ids must not make us hammer the issuer, nor must an issuer that is away hold up every call.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Where the keys are.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// `http(s)://…`, or `file:/…` where the issuer cannot be reached.
    pub(crate) url: String,
    /// Trusted for this URL instead of the machine's authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// Sent as bearer token; read again at each fetch, because it rotates.
    pub(crate) bearer_file: Option<PathBuf>,
}

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) struct Keys {
    source: Source,
    held: RwLock<Held>,
    /// Whoever asks the issuer holds this: callers that come together wait for one answer instead of asking many times.
    asking: Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct Held {
    keys: Option<(Arc<JwkSet>, Instant)>,
    /// When the issuer was last asked, and whether it answered.
    asked: Option<(Instant, bool)>,
}

/// What is known of a key without asking.
enum Known {
    /// This is it, or there is none.
    Sure(Option<Jwk>),
    /// It was there the last time; the issuer is to be asked again.
    Stale(Jwk),
    /// The issuer is to be asked.
    Unknown,
    /// The issuer was asked just now and did not answer.
    Away,
}

impl Held {
    fn look(&self, kid: Option<&str>, now: Instant) -> Known {
        let age = |at: &Instant| now.saturating_duration_since(*at);
        let asked = self.asked.filter(|(at, _)| age(at) < ASK_AGAIN_AFTER);
        let usable = self.keys.as_ref().filter(|(_, at)| age(at) < USABLE);
        match (usable.map(|(keys, at)| (pick(keys, kid), age(at) < FRESH)), asked) {
            (Some((Some(key), true)), _) | (Some((Some(key), false)), Some(_)) => Known::Sure(Some(key)),
            (Some((Some(key), false)), None) => Known::Stale(key),
            (_, Some((_, false))) => Known::Away,
            (Some((None, _)), Some((_, true))) => Known::Sure(None),
            (Some((None, _)), None) | (None, _) => Known::Unknown,
        }
    }
}

impl Keys {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, held: RwLock::default(), asking: Mutex::new(()) }
    }

    /// The key called `kid` at the moment `now`, or the only key if the token names none. `None`: the issuer has no such key.
    pub(crate) async fn find(&self, kid: Option<&str>, now: Instant) -> anyhow::Result<Option<Jwk>> {
        let stale = match self.look(kid, now) {
            Known::Sure(key) => return Ok(key),
            Known::Away => anyhow::bail!("the issuer did not answer just now"),
            Known::Stale(key) => Some(key),
            Known::Unknown => None,
        };
        let _alone = match (self.asking.try_lock(), stale) {
            (Ok(alone), _) => alone,
            // Somebody asks already, and what it was the last time will do meanwhile.
            (Err(_), Some(key)) => return Ok(Some(key)),
            (Err(_), None) => self.asking.lock().await,
        };
        // Whoever asked before us may have been told.
        match self.look(kid, now) {
            Known::Sure(key) => return Ok(key),
            Known::Away => anyhow::bail!("the issuer did not answer just now"),
            Known::Stale(_) | Known::Unknown => {}
        }
        let answer = self.fetch().await;
        let mut held = self.held.write().expect("nobody panics while holding it");
        held.asked = Some((now, answer.is_ok()));
        match answer {
            Ok(keys) => {
                let found = pick(&keys, kid);
                held.keys = Some((Arc::new(keys), now));
                Ok(found)
            }
            Err(error) => match held.look(kid, now) {
                Known::Sure(Some(key)) => {
                    tracing::warn!(error = format!("{error:#}"), url = self.source.url, "keys of the issuer are not fresh");
                    Ok(Some(key))
                }
                _ => Err(error),
            },
        }
    }

    fn look(&self, kid: Option<&str>, now: Instant) -> Known {
        self.held.read().expect("nobody panics while holding it").look(kid, now)
    }

    async fn fetch(&self) -> anyhow::Result<JwkSet> {
        if let Some(path) = self.source.url.strip_prefix("file:") {
            let text = tokio::fs::read(path).await.with_context(|| path.to_owned())?;
            return Ok(serde_json::from_slice(&text)?);
        }
        let mut client = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy();
        if let Some(path) = &self.source.ca_file {
            let pem = tokio::fs::read(path).await.with_context(|| path.display().to_string())?;
            client = client.tls_certs_only(reqwest::Certificate::from_pem_bundle(&pem)?);
        }
        let mut request = client.build()?.get(&self.source.url);
        if let Some(path) = &self.source.bearer_file {
            let token = tokio::fs::read_to_string(path).await.with_context(|| path.display().to_string())?;
            request = request.bearer_auth(token.trim());
        }
        let answer = request.send().await?.error_for_status()?;
        Ok(answer.json().await?)
    }
}

fn pick(keys: &JwkSet, kid: Option<&str>) -> Option<Jwk> {
    match (kid, keys.keys.as_slice()) {
        (Some(kid), _) => keys.find(kid).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An issuer whose keys are in a file of this test's own.
    struct Published(PathBuf);

    impl Published {
        fn new(test: &str) -> (Self, Asked) {
            let file = std::env::temp_dir().join(format!("opsmesh-{}-keys-{test}.json", std::process::id()));
            let url = format!("file:{}", file.display());
            (Self(file), Asked(Keys::new(Source { url, ca_file: None, bearer_file: None }), Instant::now()))
        }

        fn say(&self, kids: &[&str]) {
            let keys: Vec<_> = kids.iter().map(|kid| json!({"kty": "oct", "kid": kid, "k": "AAAA"})).collect();
            std::fs::write(&self.0, json!({"keys": keys}).to_string()).unwrap();
        }

        fn fall_silent(&self) {
            std::fs::remove_file(&self.0).unwrap();
        }
    }

    /// An issuer's keys, asked at moments that a test chooses.
    struct Asked(Keys, Instant);

    impl Asked {
        async fn has(&self, kid: &str) -> Option<bool> {
            self.0.find(Some(kid), self.1).await.ok().map(|key| key.is_some())
        }

        fn later(&mut self, by: Duration) {
            self.1 += by;
        }
    }

    #[tokio::test]
    async fn a_new_key_is_found_soon_and_one_that_is_withdrawn_is_dropped_when_its_time_is_over() {
        let (issuer, mut keys) = Published::new("rotation");
        issuer.say(&["old"]);
        assert_eq!(keys.has("old").await, Some(true));
        issuer.say(&["old", "new"]);
        assert_eq!(keys.has("new").await, Some(false), "the issuer was asked a moment ago");
        keys.later(ASK_AGAIN_AFTER);
        assert_eq!(keys.has("new").await, Some(true));
        issuer.say(&["new"]);
        assert_eq!(keys.has("old").await, Some(true), "what was said is believed for a while");
        keys.later(FRESH);
        assert_eq!(keys.has("old").await, Some(false));
        assert_eq!(keys.has("new").await, Some(true));
    }

    #[tokio::test]
    async fn made_up_key_ids_do_not_make_us_hammer_the_issuer() {
        let (issuer, mut keys) = Published::new("throttle");
        issuer.say(&["first"]);
        assert_eq!(keys.has("first").await, Some(true));
        // Whoever knows a key that it says only now has asked it.
        issuer.say(&["second"]);
        for made_up in 0..1_000 {
            assert_eq!(keys.has(&made_up.to_string()).await, Some(false));
        }
        assert_eq!(keys.has("second").await, Some(false), "a thousand made-up ids did not make us ask");
        keys.later(ASK_AGAIN_AFTER);
        assert_eq!(keys.has("made up").await, Some(false));
        assert_eq!(keys.has("second").await, Some(true), "one did, when it was time");
    }

    #[tokio::test]
    async fn without_its_issuer_a_key_goes_on_for_an_hour_and_not_longer() {
        let (issuer, mut keys) = Published::new("gone");
        issuer.say(&["key"]);
        assert_eq!(keys.has("key").await, Some(true));
        issuer.fall_silent();
        keys.later(FRESH);
        assert_eq!(keys.has("key").await, Some(true));
        assert_eq!(keys.has("unknown").await, None, "it may be one that we were not told of");
        keys.later(USABLE - FRESH - ASK_AGAIN_AFTER);
        assert_eq!(keys.has("key").await, Some(true));
        keys.later(ASK_AGAIN_AFTER);
        assert_eq!(keys.has("key").await, None);
        issuer.say(&["key"]);
        keys.later(ASK_AGAIN_AFTER);
        assert_eq!(keys.has("key").await, Some(true), "and comes back with it");
    }
}
