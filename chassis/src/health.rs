//! Whether the process lives (its event loop turns) and whether it is ready (what it needs answers), for Kubernetes over
//! HTTP and for clients over gRPC. A server that is down makes us unready, never dead.
use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::Meter;

/// How often readiness is looked at: a load balancer that probes every second sees the truth of that second.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So soon after a look that found it not ready the next one is: whoever has just started, or whose server is back, is wanted.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// A check that takes longer has failed.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

type Check = Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// What must answer for the process to be ready.
#[derive(Default)]
pub(crate) struct Checks(Vec<(&'static str, Check)>);

impl Checks {
    pub(crate) fn add(&mut self, name: &'static str, check: Check) {
        self.0.push((name, check));
    }

    async fn why_not_ready(&self) -> Option<String> {
        for (name, check) in &self.0 {
            match tokio::time::timeout(CHECK_WITHIN, check()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Some(format!("{name}: {error:#}")),
                Err(_) => return Some(format!("{name}: no answer within {CHECK_WITHIN:?}")),
            }
        }
        None
    }
}

/// The process's readiness, as last seen. `Some` says why not.
#[derive(Debug, Clone)]
pub(crate) struct Readiness(Arc<RwLock<Option<String>>>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Some("starting".into()))))
    }
}

impl Readiness {
    pub(crate) fn why_not(&self) -> Option<String> {
        self.0.read().expect("nobody panics while holding it").clone()
    }

    pub(crate) async fn set(&self, why_not: Option<String>, served: &[&'static str], reporter: &HealthReporter) {
        let before = std::mem::replace(&mut *self.0.write().expect("nobody panics while holding it"), why_not.clone());
        if before == why_not {
            return;
        }
        match &why_not {
            None => tracing::info!("ready"),
            Some(why) => tracing::warn!(why, "not ready"),
        }
        let status = if why_not.is_none() { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in served.iter().chain([&""]) {
            reporter.set_service_status(*name, status).await;
        }
    }
}

/// Looks at the checks until told to stop.
pub(crate) async fn watch(
    checks: Checks,
    readiness: Readiness,
    served: Vec<&'static str>,
    reporter: HealthReporter,
    stop: CancellationToken,
) {
    loop {
        let why_not = checks.why_not_ready().await;
        if stop.is_cancelled() {
            return;
        }
        let rest = if why_not.is_none() { LOOK_EVERY } else { AGAIN_AFTER };
        readiness.set(why_not, &served, &reporter).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Answers `/livez`, `/readyz` and `/metrics`.
pub(crate) async fn answer(
    listener: TcpListener,
    readiness: Readiness,
    meter: Meter,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/livez", get(async || "alive"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state((readiness, meter));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await?;
    Ok(())
}

async fn readyz(State((readiness, _)): State<(Readiness, Meter)>) -> impl IntoResponse {
    match readiness.why_not() {
        None => (StatusCode::OK, "ready".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn metrics(State((_, meter)): State<(Readiness, Meter)>) -> impl IntoResponse {
    ([("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")], meter.text())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use ::tests::within;

    use super::*;

    const LOOKS: u32 = 20;

    #[tokio::test]
    async fn who_is_not_ready_is_looked_at_again_sooner_than_who_is() {
        let looked = Arc::new(AtomicU32::new(0));
        let counted = looked.clone();
        let mut checks = Checks::default();
        checks.add(
            "server",
            Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                Box::pin(async { anyhow::bail!("away") })
            }),
        );
        let (reporter, _) = tonic_health::server::health_reporter();
        let (readiness, stop) = (Readiness::default(), CancellationToken::new());
        let watched = watch(checks, readiness.clone(), Vec::new(), reporter, stop.clone());
        let seen = async {
            // Looking as seldom as at those who are ready would take twice that.
            within(LOOK_EVERY * LOOKS / 2, "many looks", || async {
                let looked = looked.load(Ordering::Relaxed);
                if looked >= LOOKS { Ok(()) } else { Err(looked) }
            })
            .await;
            assert_eq!(readiness.why_not().as_deref(), Some("server: away"));
            stop.cancel();
        };
        tokio::join!(watched, seen);
    }
}
