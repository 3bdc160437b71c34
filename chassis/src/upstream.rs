//! Calls to other services: with our token, our trace and a deadline.
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header::AUTHORIZATION};
use opentelemetry::{global, propagation::Injector};
use serde::Deserialize;
use tonic::{
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::Service;
use tracing::{Instrument, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{channel, settings};

/// Where another service is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamSettings {
    /// `http://host:port`.
    pub url: String,
    /// The file with our token for it; empty sends none.
    pub token_file: PathBuf,
    /// No call takes longer.
    #[serde(deserialize_with = "settings::duration")]
    pub timeout: Duration,
}

/// A file's token is read again after this: projected tokens rotate, and are renewed long before they expire.
const TOKEN_FRESH: Duration = Duration::from_secs(30);
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_WITHIN: Duration = Duration::from_secs(5);

/// Another service, as a generated client wants it: `InventoryClient::new(upstream)`.
#[derive(Debug, Clone)]
pub struct Upstream {
    channel: Channel,
    token: Token,
    timeout: Duration,
}

impl Upstream {
    /// Prepares the way; connecting waits for the first call.
    pub fn new(settings: &UpstreamSettings) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(settings.url.clone())?
            .connect_timeout(CONNECT_WITHIN)
            .timeout(settings.timeout)
            .http2_keep_alive_interval(KEEPALIVE_EVERY)
            .keep_alive_timeout(KEEPALIVE_WITHIN)
            .keep_alive_while_idle(true);
        let token = Token { file: settings.token_file.clone(), held: Arc::default() };
        Ok(Self { channel: channel(&endpoint), token, timeout: settings.timeout })
    }
}

impl Service<Request<Body>> for Upstream {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, tonic::transport::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let method = request.uri().path().trim_start_matches('/').to_owned();
        let span = tracing::info_span!(
            target: "chassis",
            "call",
            otel.name = method,
            otel.kind = "client",
            otel.status_code = field::Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
        );
        let headers = request.headers_mut();
        global::get_text_map_propagator(|propagator| propagator.inject_context(&span.context(), &mut Headers(headers)));
        if let Some(token) = self.token.header() {
            headers.insert(AUTHORIZATION, token);
        }
        // The other side need not work longer than we wait.
        if !headers.contains_key("grpc-timeout") {
            let milliseconds = HeaderValue::from_str(&format!("{}m", self.timeout.as_millis()));
            headers.insert("grpc-timeout", milliseconds.expect("digits and a letter"));
        }
        let answer = self.channel.call(request);
        let recorded = span.clone();
        let outcome = async move {
            let outcome = answer.await;
            if outcome.is_err() {
                recorded.record("otel.status_code", "ERROR");
            }
            outcome
        };
        Box::pin(outcome.instrument(span))
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

/// The token in a file.
#[derive(Debug, Clone)]
struct Token {
    file: PathBuf,
    held: Arc<Mutex<Option<(HeaderValue, Instant)>>>,
}

impl Token {
    fn header(&self) -> Option<HeaderValue> {
        if self.file.as_os_str().is_empty() {
            return None;
        }
        let mut held = self.held.lock().expect("nobody panics while reading");
        if let Some((header, at)) = &*held
            && at.elapsed() < TOKEN_FRESH
        {
            return Some(header.clone());
        }
        match std::fs::read_to_string(&self.file) {
            Ok(token) => {
                let mut header = HeaderValue::try_from(format!("Bearer {}", token.trim())).ok()?;
                header.set_sensitive(true);
                *held = Some((header.clone(), Instant::now()));
                Some(header)
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, file = %self.file.display(), "our token cannot be read");
                held.as_ref().map(|(header, _)| header.clone())
            }
        }
    }
}
