//! `./x logs NAME`: what a part, or a workload of the platform, has written.

use std::fs;
use std::os::unix::process::CommandExt as _;

use anyhow::{Context as _, Result, bail};

use crate::cluster::{kubectl, workloads};
use crate::errand;
use crate::instance::Instance;
use crate::platform::NAMESPACE;

/// How much of the past is shown.
const LINES: &str = "200";

/// Shows it; with `follow` until interrupted. Does not come back.
pub(crate) fn show(instance: &Instance, name: &str, follow: bool) -> Result<()> {
    let mut command = if instance.log(name).is_file() {
        let mut command = errand::program("tail");
        command.args(["-n", LINES]);
        if follow {
            command.arg("-F");
        }
        command.arg(instance.log(name));
        command
    } else {
        let workloads = workloads::names(instance, NAMESPACE).unwrap_or_default();
        if !workloads.iter().any(|workload| workload == name) {
            let known = [written(instance), workloads].concat().join(", ");
            bail!("nothing here is called {name}; there are {known}");
        }
        let mut command = kubectl(instance)?;
        command.args([
            "-n",
            NAMESPACE,
            "logs",
            "--all-pods",
            "--all-containers",
            "--prefix",
            "--request-timeout=0",
            "--tail",
            LINES,
        ]);
        if follow {
            command.arg("--follow");
        }
        command.arg(format!("deployment/{name}"));
        command
    };
    Err(command.exec()).context("cannot show the log")
}

/// Everything that has a log of its own.
fn written(instance: &Instance) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(instance.path("logs"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".log").map(str::to_owned))
        .collect();
    names.sort();
    names
}
