//! Taking an instance down: nothing of it is left running, mounted, routed or filtered. What it has written stays, unless it is purged.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Error, Result};
use rustix::process::Signal;

use crate::cgroups::Cgroups;
use crate::cluster::node;
use crate::instance::Instance;
use crate::leftovers;
use crate::part::{Kind, Part};
use crate::processes::{Process, kill_all};
use crate::progress::Progress;
use crate::{huge_pages, launch, network, wait};

/// How long what runs in pods may take to end: longer than an orderly end takes, shorter than Kubernetes' half minute.
const PODS_GRACE: Duration = Duration::from_secs(5);

/// Stops all, in the order in which nothing is missed: nobody who would start pods again, the pods, then everything else side by side.
pub(crate) fn down(instance: &Instance, parts: &[Part], progress: &Progress) -> Result<()> {
    let running = Process::of(instance);
    if !running.is_empty() {
        let step = progress.begin("pods", "ending");
        for name in ["kubelet", "kube-controller-manager"] {
            stop(instance, parts, name)?;
        }
        let pods = node::pods(instance);
        for process in &pods {
            process.send(Signal::TERM);
        }
        drop(wait::until(PODS_GRACE, || if node::pods(instance).is_empty() { Ok(()) } else { Err(String::new()) }));
        node::end_pods(instance)?;
        step.done(&format!("{} processes ended", pods.len()));

        let step = progress.begin("parts", "stopping");
        std::thread::scope(|scope| -> Result<()> {
            let stopping: Vec<_> = parts
                .iter()
                .map(|part| part.name)
                // The port mapper stays until the broker has signed off, etcd until the API server has.
                .filter(|name| !matches!(*name, "epmd" | "etcd"))
                .map(|name| scope.spawn(move || stop(instance, parts, name)))
                .collect();
            for thread in stopping {
                thread.join().map_err(|_| Error::msg("a stop panicked"))??;
            }
            Ok(())
        })?;
        for name in ["epmd", "etcd"] {
            stop(instance, parts, name)?;
        }
        // Whatever is left: shims, a pod's children, what an earlier version called otherwise.
        kill_all(|| Process::of(instance)).map_err(Error::msg)?;
        step.done("stopped");
    }
    let step = progress.begin("network", "clearing");
    network::clear(instance)?;
    huge_pages::release(instance)?;
    leftovers::unmount(instance)?;
    Cgroups::find()?.clear(&instance.name).map_err(Error::msg)?;
    step.done("cleared");
    Ok(())
}

/// Removes what it has written, too.
pub(crate) fn purge(instance: &Instance) -> Result<()> {
    // Another ./x of this instance that waits for the lock must not find half of it.
    fs::remove_dir_all(instance.home()).with_context(|| format!("cannot remove {}", instance.home().display()))
}

/// Stops one part, if it is a process.
pub(crate) fn stop(instance: &Instance, parts: &[Part], name: &str) -> Result<()> {
    match parts.iter().find(|part| part.name == name).map(|part| part.kind) {
        Some(Kind::Server { stop, .. }) => launch::stop(instance, name, stop),
        Some(Kind::Thing { .. } | Kind::Foreign) | None => Ok(()),
    }
}
