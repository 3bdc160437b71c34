//! An issuer's public keys (JWKS), fetched when they are first needed and again when a token names a key we do not have.
use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::{sync::Mutex, time::Instant};

/// A key may be withdrawn: nothing is trusted longer than this without asking again.
const FRESH: Duration = Duration::from_secs(300);
/// Tokens with made-up key ids must not make us hammer the issuer.
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
    held: Mutex<Option<(Arc<JwkSet>, Instant)>>,
}

impl Keys {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, held: Mutex::new(None) }
    }

    /// The key called `kid`, or the only key if the token names none. `None`: the issuer has no such key.
    pub(crate) async fn find(&self, kid: Option<&str>) -> anyhow::Result<Option<Jwk>> {
        // Held over the fetch: callers that come together wait for one answer instead of asking many times.
        let mut held = self.held.lock().await;
        if let Some((keys, at)) = &*held {
            let found = pick(keys, kid);
            let age = at.elapsed();
            if found.is_some() && age < FRESH || found.is_none() && age < ASK_AGAIN_AFTER {
                return Ok(found);
            }
        }
        match self.fetch().await {
            Ok(keys) => {
                let found = pick(&keys, kid);
                *held = Some((Arc::new(keys), Instant::now()));
                Ok(found)
            }
            // An issuer that is away does not invalidate what it said before.
            Err(error) => match held.as_ref().and_then(|(keys, _)| pick(keys, kid)) {
                Some(key) => {
                    tracing::warn!(error = format!("{error:#}"), url = self.source.url, "keys of the issuer are not fresh");
                    Ok(Some(key))
                }
                None => Err(error),
            },
        }
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
