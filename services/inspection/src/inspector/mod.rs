//! The inspector: asks for its part of a run, probes, and hands in what it saw. It knows the protocols of the devices it
//! looks at, and of the platform only inspection's front door. Killed and started again it goes on where it was.

mod desk;
mod probe;
mod round;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use chassis::{Clock, Origin, Upstream, UpstreamSettings};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use desk::{Desk, Work};
pub use probe::Prober;

/// The shipped settings file.
pub const SETTINGS: &str = include_str!("../../inspector.toml");
/// Told something impossible: starting again changes nothing. The Job's policy fails the index for it.
pub const BAD_CONFIGURATION: u8 = 42;
/// Told to stop before everything was seen, as SIGTERM would have it: somebody else has to go on.
pub const STOPPED: u8 = 128 + 15;

/// What the inspector is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `agencies/{agency}/runs/{run}`.
    pub run: String,
    /// Which part.
    pub shard: i32,
    /// The span of the run that this part belongs to.
    pub traceparent: String,
    /// Probes at once.
    pub concurrency: usize,
    /// The folder with `{name}.username` and `{name}.password` files.
    pub credentials: PathBuf,
    /// Where inspection is.
    pub inspection: UpstreamSettings,
}

/// Works on one part of a run, to the end.
pub async fn work(config: Config, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let span = tracing::info_span!(
        "shard",
        otel.name = "inspect shard",
        opsmesh.run = config.run,
        opsmesh.shard = config.shard,
        opsmesh.results = tracing::field::Empty,
    );
    match config.traceparent.parse::<Origin>() {
        Ok(origin) => origin.adopt(&span),
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the run's trace is not known"),
    }
    inspect(config, stop).instrument(span).await
}

async fn inspect(config: Config, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let desk = Desk::new(Upstream::new(&config.inspection).context("service.inspection")?, config.run, config.shard);
    let todo = match desk.work(&stop).await? {
        Work::Todo(todo) => todo,
        Work::Over => {
            tracing::info!("the run is over");
            return Ok(ExitCode::SUCCESS);
        }
        Work::Impossible(why) => {
            tracing::error!(why, "the work is impossible");
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    let probes = todo.len();
    tracing::info!(probes, "work begins");
    let prober = Prober::new(config.credentials, Clock::default());
    let (handed_in, end) = round::go(&prober, &desk, todo, config.concurrency, &stop).await?;
    tracing::Span::current().record("opsmesh.results", handed_in);
    match end {
        round::End::Everything => tracing::info!(results = handed_in, "work ends"),
        round::End::Over => tracing::warn!(results = handed_in, probes, "the run ended before everything was seen"),
        round::End::Stopped => {
            tracing::warn!(results = handed_in, probes, "stopped before everything was seen");
            return Ok(ExitCode::from(STOPPED));
        }
    }
    Ok(ExitCode::SUCCESS)
}
