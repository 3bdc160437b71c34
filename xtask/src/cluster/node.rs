//! The node: the kubelet, and the mount namespace that it shares with the container runtime. Whatever they mount is seen by them alone and goes when
//! they go, so a crash leaves no mount behind, and the places that they insist on (`/var/lib/kubelet`, `/var/lib/cni`, `/run/containerd`) are each
//! instance's own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::addresses::{BRIDGE, DNS_SERVICE, KUBELET, KUBELET_HEALTH, LOOPBACK};
use crate::certificates::{NODE, crt, key, kubeconfig};
use crate::cgroups::Cgroups;
use crate::cluster::kubectl;
use crate::errand;
use crate::http;
use crate::instance::{Instance, folder_with};
use crate::launch::{self, Launch};
use crate::processes::{Process, kill_all};
use crate::tools;

/// The part that holds the mount namespace.
pub(crate) const MOUNTS: &str = "mounts";

/// Sets the namespace up and stays, so that there is one. Other instances' network namespaces are let go: a copy of their mounts would keep them alive.
const HOLD: &str = r#"set -e
while umount -R /run/netns 2>/dev/null; do :; done
mount --bind "$1/kubelet" /var/lib/kubelet
mount --bind "$1/cni" /var/lib/cni
mount -t tmpfs -o mode=711 opsmesh /run/containerd
mount --make-rshared /
exec sleep infinity"#;

/// A new namespace means that no container can be left: what a crash left of them is ended, and their addresses are free again.
pub(crate) fn prepare_mounts(instance: &Instance) -> Result<()> {
    end_pods(instance)?;
    for part in ["kubelet", "containerd"] {
        launch::end_group(instance, part)?;
    }
    drop(fs::remove_dir_all(instance.path("cni/networks")));
    drop(fs::remove_dir_all(instance.path("cni/results")));
    for place in ["/var/lib/kubelet", "/var/lib/cni", "/run/containerd"] {
        folder_with(place.as_ref(), 0o755)?;
    }
    for folder in ["kubelet", "cni"] {
        folder_with(&instance.path(folder), 0o755)?;
    }
    Ok(())
}

/// The holder of the namespace.
pub(crate) fn launch_mounts(instance: &Instance) -> Result<Launch> {
    Ok(Launch::of("/usr/bin/unshare")
        .args(["--mount", "--propagation=private", "--", "sh", "-c", HOLD, "sh"])
        .arg(instance.home().to_string_lossy()))
}

/// Whether the namespace is set up.
pub(crate) fn mounts_ready(instance: &Instance) -> Result<(), String> {
    holder(instance)
        .filter(|process| process.name == "sleep")
        .map(drop)
        .ok_or_else(|| "the node's mount namespace is not set up".into())
}

/// The file that names the namespace.
pub(crate) fn mounts(instance: &Instance) -> Result<PathBuf> {
    let holder = holder(instance).context("the node's mount namespace is not there")?;
    Ok(holder.mounts())
}

/// When the namespace began, in seconds since 1970: no container of the node is older.
pub(crate) fn began(instance: &Instance) -> Option<u64> {
    // A second less, for clocks that are read in whole seconds.
    Some(holder(instance)?.began_at()? - 1)
}

/// Ends every process that runs in a pod.
pub(crate) fn end_pods(instance: &Instance) -> Result<()> {
    kill_all(|| pods(instance)).map_err(anyhow::Error::msg)
}

/// Every process that runs in a pod.
pub(crate) fn pods(instance: &Instance) -> Vec<Process> {
    let group = format!("{}/kubepods", instance.name);
    Process::all().into_iter().filter(|process| process.is_under(&group)).collect()
}

/// The kubelet wants its control group to be there.
pub(crate) fn prepare_kubelet(instance: &Instance) -> Result<()> {
    Cgroups::find()?.make(&instance.name)
}

/// The kubelet.
pub(crate) fn launch_kubelet(instance: &Instance) -> Result<Launch> {
    let configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": BRIDGE,
        "port": KUBELET.number,
        "healthzBindAddress": LOOPBACK,
        "healthzPort": KUBELET_HEALTH.number,
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": crt(instance, "cluster-authority")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": crt(instance, "kubelet-server"),
        "tlsPrivateKeyFile": key(instance, "kubelet-server"),
        "containerRuntimeEndpoint": format!("unix://{}", instance.path("run/containerd.sock").display()),
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": instance.path("cluster/resolv.conf"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", instance.name),
        "failCgroupV1": false,
        "failSwapOn": false,
        "podLogsDir": instance.path("pod-logs"),
        // We have no need of iptables, so none of its chains is left behind.
        "makeIPTablesUtilChains": false,
        // Our images cannot be pulled again: none is thrown away to make room. A disk that is all but full still stops pods.
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "1%"},
        "registerNode": true,
    });
    let access = instance.path("cluster/kubelet.kubeconfig");
    let file = instance.path("cluster/kubelet.json");
    Ok(Launch::of(tools::path(instance, "kubelet")?)
        .in_mounts(mounts(instance)?)
        .args([
            format!("--config={}", file.display()),
            format!("--kubeconfig={}", access.display()),
            format!("--hostname-override={NODE}"),
            format!("--node-ip={BRIDGE}"),
        ])
        .file(access, kubeconfig(instance, "kubelet")?)
        .file(instance.path("cluster/resolv.conf"), resolvers(instance).concat())
        .file(file, configuration.to_string())
        .reading(&crt(instance, "kubelet-server")))
}

/// Whether the kubelet is well and the node takes pods. The node's own word is believed only if it is younger than the node: an older one is what the API
/// server remembers.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    http::get(&KUBELET_HEALTH.at(LOOPBACK), "/healthz")?;
    let mut command = kubectl(instance).map_err(|error| error.to_string())?;
    let template = r#"jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime} {.message}{end}"#;
    let condition = errand::ask(command.args(["get", "node", NODE, "-o", template])).map_err(|error| error.to_string())?;
    let mut words = condition.splitn(3, ' ');
    let (status, heard, message) = (words.next(), words.next(), words.next());
    let young = heard.and_then(super::workloads::seconds).zip(began(instance)).is_some_and(|(heard, began)| heard >= began);
    match status {
        Some("True") if young => Ok(()),
        Some("True") => Err("the node has not been heard of yet".into()),
        _ => Err(message.unwrap_or("there is no node yet").into()),
    }
}

/// The name servers for what is not in the cluster: this machine's, if pods can reach them.
pub(crate) fn resolvers(instance: &Instance) -> Vec<String> {
    if instance.settings.network.is_some() {
        return Vec::new();
    }
    fs::read_to_string("/etc/resolv.conf")
        .unwrap_or_default()
        .lines()
        .filter(|line| {
            line.strip_prefix("nameserver").is_some_and(|address| !address.trim().starts_with("127.") && address.trim() != "::1")
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

fn holder(instance: &Instance) -> Option<Process> {
    launch::running(instance, MOUNTS)
}
