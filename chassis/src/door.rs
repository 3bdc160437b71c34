//! Every call comes through here: it gets its span, its caller (or no entry), and its place in the numbers.
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use futures::future::BoxFuture;
use http::{Extensions, HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use opentelemetry::{global, propagation::Extractor, trace::TraceContextExt};
use proto::{Refusal, reasons};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    Caller,
    caller::Rules,
    identity::Identity,
    limits::{self, Limiter},
    metrics::{RpcLabels, Rpcs},
    rejected::Rejected,
};

/// The one service that answers without a caller: it tells a load balancer whether we are ready, and nothing else.
const OPEN: &str = "/grpc.health.v1.Health/";

/// Wraps all services of a process; every call keeps one while it lasts.
#[derive(Debug, Clone)]
pub(crate) struct Door(Arc<Keeper>);

/// Who looks at all that come in.
#[derive(Debug)]
struct Keeper {
    identity: Identity,
    limiter: Limiter,
    rules: Rules,
    rpcs: Rpcs,
}

impl Door {
    pub(crate) fn new(identity: Identity, limiter: Limiter, rules: Rules, rpcs: Rpcs) -> Self {
        Self(Arc::new(Keeper { identity, limiter, rules, rpcs }))
    }
}

impl Keeper {
    /// Who comes with these headers, through the connection of which `extensions` tells, to `rpc`: if they are known and their agency has calls left.
    async fn enter(&self, headers: &HeaderMap, extensions: &Extensions, rpc: Arc<str>) -> Result<Caller, Refusal> {
        let who = self.identity.caller(headers, extensions).await.map_err(|rejected| {
            // Of all who are rejected only they are known: by their certificate.
            if let Rejected::Swapped(Some(badge)) = &rejected
                && let Some(agency) = &badge.agency
            {
                self.rules.denials.note(&badge.who.subject, &rpc, agency, reasons::TOKEN_SWAPPED.name);
            }
            Refusal::from(rejected)
        })?;
        Span::current().record("enduser.id", &*who.subject);
        if let Some(budget) = limits::budget_of(&who) {
            let taken = self.limiter.take(&budget).await;
            taken.map_err(|wait| reasons::RATE_LIMITED.with("budget", &budget).again_after(wait))?;
        }
        Ok(Caller::new(who, rpc, self.rules.clone()))
    }
}

impl<S> Layer<S> for Door {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, door: self.clone() }
    }
}

/// A service behind the door.
#[derive(Debug, Clone)]
pub(crate) struct Guarded<S> {
    inner: S,
    door: Door,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone takes the place of the one that was polled ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let door = self.door.clone();
        let path = request.uri().path();
        if path.starts_with(OPEN) {
            return Box::pin(async move { inner.call(request).await });
        }
        let rpc: Arc<str> = path.trim_start_matches('/').into();
        let span = span(&rpc, request.headers());
        let ended = Ended { span: span.clone(), begun: Instant::now(), rpc: rpc.clone(), door: door.clone() };
        let answer = async move {
            let response = match door.0.enter(request.headers(), request.extensions(), rpc).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner.call(request).await?
                }
                Err(refused) => Status::from(refused).into_http(),
            };
            Ok(ended.watch(response))
        };
        Box::pin(answer.instrument(span))
    }
}

/// The span of a call, continuing the caller's trace.
fn span(method: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: "chassis",
        "rpc",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = field::Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = field::Empty,
        enduser.id = field::Empty,
    );
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)));
    if parent.span().span_context().is_valid() {
        // Fails only where no trace is kept.
        let _ = span.set_parent(parent);
    }
    span
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// What is written down once the status of a call is known: at once if it is in the headers, else with the trailers.
struct Ended {
    span: Span,
    begun: Instant,
    rpc: Arc<str>,
    door: Door,
}

impl Ended {
    fn watch(self, response: Response<Body>) -> Response<Body> {
        if let Some(code) = code(response.headers()) {
            self.record(code);
            return response;
        }
        response.map(|body| Body::new(Watched { body, ended: Some(self) }))
    }

    fn record(self, code: Code) {
        let name = code_name(code);
        self.span.record("rpc.response.status_code", name);
        if matches!(
            code,
            Code::Internal | Code::Unknown | Code::DataLoss | Code::Unimplemented | Code::DeadlineExceeded | Code::Unavailable
        ) {
            self.span.record("otel.status_code", "ERROR");
        }
        let context = self.span.context();
        let trace = context.span().span_context().clone();
        let trace_id = trace.is_valid().then(|| trace.trace_id().to_string());
        let seconds = self.begun.elapsed().as_secs_f64();
        tracing::debug!(parent: &self.span, method = &*self.rpc, code = name, seconds, "call answered");
        let labels = RpcLabels { rpc_method: self.rpc.as_ref().into(), rpc_response_status_code: name };
        self.door.0.rpcs.record(labels, seconds, trace_id);
    }
}

fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// A body whose trailers are looked at as they pass.
struct Watched {
    body: Body,
    ended: Option<Ended>,
}

impl http_body::Body for Watched {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let code = match &frame {
            Some(Ok(frame)) => frame.trailers_ref().and_then(code),
            Some(Err(status)) => Some(status.code()),
            None => Some(Code::Unknown),
        };
        if let Some((code, ended)) = code.and_then(|code| Some((code, self.ended.take()?))) {
            ended.record(code);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The caller hung up before the end.
        if let Some(ended) = self.ended.take() {
            ended.record(Code::Cancelled);
        }
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
