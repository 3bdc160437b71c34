//! MAKING IT SO: plans become CronJobs, ticks become runs. Reconciling is look up, check, draw up, apply, tell the status;
//! check and draw up are pure. One invariant: once nothing changes, nothing is written; and whatever was written when the
//! process died, beginning again leads to the same end.

mod apply;
mod backoff;
mod conditions;
mod controllers;
mod inspection;
mod job;
mod leader;
mod news;
mod plan;
mod run;
mod schedule;

use chassis::{Host, Mode, Upstream, UpstreamSettings};
use proto::inspection::v1::inspection_client::InspectionClient;
use serde::Deserialize;

use controllers::Context;

/// The shipped settings file.
pub const SETTINGS: &str = include_str!("../settings.toml");

/// What the operator is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Namespaces whose plans are looked after; none: all.
    pub namespaces: Vec<String>,
    /// Where the lease of the leader is.
    pub lease_namespace: String,
    /// This replica's name in the lease: its pod's.
    pub identity: String,
    /// Where inspection is.
    pub inspection: UpstreamSettings,
    /// What every worker's pod is made of.
    pub worker: WorkerSettings,
}

/// What every worker's pod is made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerSettings {
    /// The image with `/inspector`.
    pub image: String,
    /// `IfNotPresent`, `Always` or `Never`.
    pub image_pull_policy: String,
    /// Where a worker finds inspection.
    pub inspection_url: String,
    /// For whom a worker's token is made out.
    pub audience: String,
    /// Where a worker's spans go; empty keeps them.
    pub otlp: String,
}

/// Puts the operator together: the whole of it at a glance.
pub async fn start(config: Config, host: &mut Host) -> anyhow::Result<()> {
    if host.mode() == Mode::Migrate {
        return Ok(());
    }
    let client = kube::Client::try_default().await?;
    let inspection = InspectionClient::new(Upstream::new(&config.inspection)?);
    let lease = leader::Lease::new(client.clone(), &config.lease_namespace, &config.identity);
    let context = Context::new(client, inspection, config, host.clock(), &host.meter());
    host.spawn("controllers", |stop| leader::lead(lease, stop.clone(), move || controllers::run(context, stop)));
    Ok(())
}
