//! The cluster: a whole Kubernetes with one node, each component in its file.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::errand;
use crate::instance::Instance;
use crate::tools;

pub(crate) mod apiserver;
pub(crate) mod control;
pub(crate) mod dns;
pub(crate) mod etcd;
pub(crate) mod node;
pub(crate) mod objects;
pub(crate) mod proxy;
pub(crate) mod runtime;
pub(crate) mod workloads;

/// Longer than an API server that is busy starting takes for an answer, shorter than a person's patience.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// `kubectl` for the cluster that this instance uses.
pub(crate) fn kubectl(instance: &Instance) -> Result<Command> {
    let mut command = tools::program(instance, "kubectl")?;
    command.env("KUBECONFIG", kubeconfig(instance));
    command.arg(format!("--request-timeout={}s", ANSWERS_WITHIN.as_secs()));
    Ok(command)
}

/// The file that leads to the cluster.
pub(crate) fn kubeconfig(instance: &Instance) -> std::path::PathBuf {
    match &instance.settings.foreign.cluster {
        Some(foreign) => foreign.into(),
        None => instance.path("kubeconfig"),
    }
}

/// Applies objects, server-side, under this room's own name.
pub(crate) fn apply(instance: &Instance, objects: &str) -> Result<()> {
    let mut command = kubectl(instance)?;
    command.args(["apply", "--server-side", "--force-conflicts", "--field-manager=opsmesh-x", "-f", "-"]);
    errand::tell(&mut command, objects).map(drop)
}

/// Whether the API server of a cluster that is not ours answers.
pub(crate) fn reachable(instance: &Instance) -> Result<(), String> {
    apiserver::ready(instance)
}
