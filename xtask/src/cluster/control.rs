//! The controller manager and the scheduler: they make what the API server has been told.

use anyhow::Result;

use crate::addresses::{CONTROLLERS, LOOPBACK, PODS, Port, SCHEDULER};
use crate::certificates::{crt, key, kubeconfig};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::tools;

/// A node that is not heard of for so long is given up, and its pods with it: nobody is sent to them any more. Here is one node, which nobody can stand in for, and
/// when the API server is away nothing is heard of it (seen: away for 20 s, and its watchers back after another 30, it took a node that was well for lost).
const NODE_GRACE: &str = "5m";

/// The controller manager. There is one, so it need not win an election before it works.
pub(crate) fn launch_controllers(instance: &Instance) -> Result<Launch> {
    let file = |flag: &str, path: std::path::PathBuf| format!("--{flag}={}", path.display());
    Ok(component(instance, "kube-controller-manager", CONTROLLERS)?
        .args([
            "--use-service-account-credentials=true".into(),
            file("service-account-private-key-file", key(instance, "service-accounts")),
            file("root-ca-file", crt(instance, "cluster-authority")),
            file("cluster-signing-cert-file", crt(instance, "cluster-authority")),
            file("cluster-signing-key-file", key(instance, "cluster-authority")),
            format!("--cluster-cidr={PODS}"),
            "--allocate-node-cidrs=false".into(),
            format!("--node-monitor-grace-period={NODE_GRACE}"),
            "--cluster-name=opsmesh".into(),
        ])
        .reading(&crt(instance, "cluster-authority")))
}

/// The scheduler.
pub(crate) fn launch_scheduler(instance: &Instance) -> Result<Launch> {
    component(instance, "kube-scheduler", SCHEDULER)
}

/// Whether the controller manager is well.
pub(crate) fn controllers_ready(_: &Instance) -> Result<(), String> {
    healthy(CONTROLLERS)
}

/// Whether the scheduler is well.
pub(crate) fn scheduler_ready(_: &Instance) -> Result<(), String> {
    healthy(SCHEDULER)
}

fn component(instance: &Instance, name: &str, port: Port) -> Result<Launch> {
    let access = instance.path(&format!("cluster/{name}.kubeconfig"));
    let file = |flag: &str| format!("--{flag}={}", access.display());
    Ok(Launch::of(tools::path(instance, name)?)
        .args([
            file("kubeconfig"),
            file("authentication-kubeconfig"),
            file("authorization-kubeconfig"),
            format!("--bind-address={LOOPBACK}"),
            format!("--secure-port={}", port.number),
            "--leader-elect=false".into(),
            "--profiling=false".into(),
        ])
        .file(access.clone(), kubeconfig(instance, name)?))
}

/// They serve their health with TLS only; that they listen says that they got that far, and they end when they cannot go on.
fn healthy(port: Port) -> Result<(), String> {
    http::connect(&port.at(LOOPBACK)).map(drop)
}
