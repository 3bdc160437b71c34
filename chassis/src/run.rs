//! The body of every service's `main`: settings, telemetry, `start`, and a life until SIGTERM.
use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use serde::de::DeserializeOwned;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{Clock, Host, Mode, settings, telemetry::Telemetry};

/// An errand that is told to stop hands in what it has; Kubernetes gives a pod 30 seconds.
const ERRAND_STOPS_WITHIN: Duration = Duration::from_secs(20);

/// A collector that is away does not hold up the end: 3 s of drain, 16 s to finish, these, and a second for threads that block
/// are less than the 25 s that are promised.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

#[derive(Debug, Parser)]
#[command(version, about = "A service of opsmesh")]
struct Arguments {
    /// A settings file (TOML), over the shipped defaults and under the environment.
    #[arg(long, global = true)]
    settings: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Command {
    /// Serve until SIGTERM (the default).
    Serve,
    /// Bring the database and the broker to where this binary needs them.
    Migrate,
    /// Read the settings, say what is wrong with them, and do nothing.
    CheckConfig,
    /// One of the service's own commands, with its words.
    #[command(external_subcommand)]
    Own(Vec<String>),
}

/// Runs the service `name`: `defaults` is its shipped settings file, `start` puts it together.
pub fn run<C: DeserializeOwned>(
    name: &'static str,
    defaults: &'static str,
    start: impl AsyncFnOnce(C, &mut Host) -> anyhow::Result<()>,
) -> ExitCode {
    let arguments = Arguments::parse();
    within_runtime(name, async { live(name, defaults, &arguments, start).await.map(|()| ExitCode::SUCCESS) })
}

fn within_runtime(name: &str, life: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    // Whoever asks first for TLS must find a provider; a second installation is refused and means no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lived = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Into::into).and_then(|runtime| {
        let lived = runtime.block_on(life);
        // Whatever blocks a thread now would block the exit.
        runtime.shutdown_timeout(Duration::from_secs(1));
        lived
    });
    lived.unwrap_or_else(|error| {
        last_words(name, &error);
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stderr, reason = "telemetry may not be up, or is already down")]
fn last_words(name: &str, error: &anyhow::Error) {
    eprintln!("{name}: {error:#}");
}

/// Runs a program that does one thing and ends: with settings and telemetry like a service, without doors. `work` is told
/// when it should stop.
pub fn errand<C: DeserializeOwned>(
    name: &'static str,
    defaults: &'static str,
    work: impl AsyncFnOnce(C, CancellationToken) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    let arguments = Arguments::parse();
    within_runtime(name, async {
        let settings = settings::load::<C>(name, defaults, arguments.settings.as_deref())?;
        let telemetry = Telemetry::start(name, &settings.host.telemetry)?;
        let stop = CancellationToken::new();
        let told = stop.clone();
        let worked = tokio::select! {
            worked = work(settings.service, stop) => worked,
            () = async {
                asked_to_stop().await;
                told.cancel();
                tokio::time::sleep(ERRAND_STOPS_WITHIN).await;
            } => Err(anyhow::anyhow!("stopped before the end")),
        };
        if let Err(error) = &worked {
            tracing::error!(error = format!("{error:#}"), "ending");
        }
        flush(telemetry).await;
        worked
    })
}

async fn live<C: DeserializeOwned>(
    name: &'static str,
    defaults: &'static str,
    arguments: &Arguments,
    start: impl AsyncFnOnce(C, &mut Host) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let settings = settings::load::<C>(name, defaults, arguments.settings.as_deref())?;
    let (mode, words) = match &arguments.command {
        Some(Command::CheckConfig) => return Ok(()),
        Some(Command::Migrate) => (Mode::Migrate, Vec::new()),
        Some(Command::Own(words)) => (Mode::Command, words.clone()),
        Some(Command::Serve) | None => (Mode::Serve, Vec::new()),
    };
    let telemetry = Telemetry::start(name, &settings.host.telemetry)?;
    let lived = async {
        let mut host = Host::bind(name, settings.host, mode, Clock::default()).await?;
        telemetry.show(&host.meter());
        start(settings.service, &mut host).await?;
        if mode == Mode::Command {
            return host.obey(words).await;
        }
        host.drive(asked_to_stop()).await
    }
    .await;
    if let Err(error) = &lived {
        tracing::error!(error = format!("{error:#}"), "ending");
    }
    flush(telemetry).await;
    lived
}

/// Sends the last spans, if their collector takes them in time; blocks on the exporter, which needs this runtime's other
/// threads.
async fn flush(telemetry: Telemetry) {
    let flushed = tokio::task::spawn_blocking(move || telemetry.flush());
    if tokio::time::timeout(FLUSH_WITHIN, flushed).await.is_err() {
        tracing::warn!(within = ?FLUSH_WITHIN, "the last spans are lost");
    }
}

async fn asked_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
