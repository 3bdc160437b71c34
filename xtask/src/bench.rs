//! `./x bench`: every benchmark of the workspace, against what is up. A benchmark is a `[[bench]]` target without a harness: it is told where everything is
//! as tests are, and prints one JSON object a line.

use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::errand;
use crate::instance::Instance;
use crate::network;
use crate::product::{TARGET, cargo, cargo_static};
use crate::progress::{Progress, say};
use crate::tools::{self, BENCH_KITS};
use crate::{debian, environment};

/// Which, and in what form.
#[derive(Args)]
pub(crate) struct Choice {
    /// Only those whose name contains this.
    name: Option<String>,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
}

/// What a benchmark has measured.
#[derive(Debug, Deserialize, Serialize)]
struct Measured {
    name: String,
    unit: String,
    ours: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_name: Option<String>,
    /// How many times better ours is than the peer's, whatever the unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms: Option<f64>,
}

/// Runs them one after the other: they must not disturb each other.
pub(crate) fn run(instance: &Instance, choice: &Choice) -> Result<ExitCode> {
    debian::provide_peers(instance, &Progress::new())?;
    tools::provide(instance, BENCH_KITS, &Progress::new())?;
    network::enter(instance)?;
    let environment = environment::all(instance)?;
    let wanted = choice.name.as_deref().unwrap_or_default();
    let benches = benches(instance)?;
    let chosen: Vec<_> = benches.iter().filter(|(_, name)| name.contains(wanted)).collect();
    let known = || benches.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    ensure!(!chosen.is_empty(), "no benchmark's name contains `{wanted}`; there are: {}", known());
    if !choice.json {
        say(&format!("{:<40} {:>12} {:>12} {:>7} {:>9} {:>9}", "", "ours", "peer", "ratio", "p50 ms", "p99 ms"));
    }
    // One that fails costs an hour of the others nothing.
    let mut failed = Vec::new();
    for (package, name) in chosen {
        let output = cargo_static(instance)
            .args(["bench", "--quiet", "--locked", "--profile", "release", "--target", TARGET])
            .args(["-p", package, "--bench", name])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            failed.push(name.as_str());
            continue;
        }
        for line in String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with('{')) {
            let measured: Measured = serde_json::from_str(line)
                .with_context(|| format!("the benchmark {name} printed a line that is not a measurement: {line}"))?;
            if choice.json {
                say(&serde_json::to_string(&measured)?);
            } else {
                say(&measured.row());
            }
        }
    }
    ensure!(failed.is_empty(), "these benchmarks failed: {}", failed.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// Package and name of every benchmark in the workspace.
fn benches(instance: &Instance) -> Result<Vec<(String, String)>> {
    let text = errand::ask(cargo(instance).args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let is_bench = target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bench"));
            if let (true, Some(package), Some(name)) = (is_bench, package["name"].as_str(), target["name"].as_str()) {
                found.push((package.to_owned(), name.to_owned()));
            }
        }
    }
    Ok(found)
}

impl Measured {
    fn row(&self) -> String {
        let number = |value: Option<f64>| value.map_or_else(|| "–".into(), |value| format!("{value:.1}"));
        let peer = match (self.peer, &self.peer_name) {
            (Some(value), Some(name)) => format!("{value:.1} ({name})"),
            (value, _) => number(value),
        };
        format!(
            "{:<40} {:>12} {:>12} {:>7} {:>9} {:>9}",
            format!("{} [{}]", self.name, self.unit),
            number(Some(self.ours)),
            peer,
            number(self.ratio),
            number(self.p50_ms),
            number(self.p99_ms),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_without_a_peer_is_a_row_too() {
        let line = r#"{"name":"open tickets","unit":"1/s","ours":1234.56,"p50_ms":0.9}"#;
        let measured: Measured = serde_json::from_str(line).unwrap();
        assert!(measured.row().starts_with("open tickets [1/s]"));
        assert!(measured.row().contains("1234.6"));
    }
}
