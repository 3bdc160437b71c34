//! containerd: runs the containers, and gives pods their network.

use std::process::Command;

use anyhow::Result;
use serde_json::json;

use crate::addresses::PODS;
use crate::cluster::node;
use crate::errand;
use crate::images;
use crate::instance::Instance;
use crate::launch::Launch;

/// The daemon.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let file = instance.path("containerd/config.toml");
    let networks = instance.path("containerd/networks");
    let configuration = format!(
        r#"version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]
[grpc]
address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{root}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
# Without CAP_SYS_RESOURCE a sandbox's score cannot be lowered, and every pod fails with "can't get final child's PID from pipe: EOF".
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{networks}"
"#,
        root = instance.path("containerd/root").display(),
        socket = socket(instance),
        pause = images::pause(instance)?.reference(),
        networks = networks.display(),
    );
    // No `portmap`: a host port would listen on every address of this machine. No masquerading here either, the guard of the bridge does it.
    let network = json!({
        "cniVersion": "0.4.0",
        "name": instance.name,
        "plugins": [{
            "type": "bridge",
            "bridge": crate::addresses::BRIDGE_LINK,
            "isGateway": true,
            "ipMasq": false,
            "hairpinMode": true,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
        }],
    });
    Ok(Launch::of("/usr/bin/containerd")
        .in_mounts(node::mounts(instance)?)
        .arg("--config")
        .arg(file.to_string_lossy())
        .file(file, configuration)
        .file(networks.join("10-opsmesh.conflist"), network.to_string()))
}

/// Whether it answers, and its plugin for Kubernetes with it.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    errand::ask(ctr(instance).args(["plugins", "ls", "id==cri"])).map_err(|error| error.to_string()).and_then(|plugins| {
        let well = plugins.lines().any(|line| line.contains("cri") && line.trim_end().ends_with("ok"));
        if well { Ok(()) } else { Err("its CRI plugin is not loaded; see its log".into()) }
    })
}

/// containerd's own client.
pub(crate) fn ctr(instance: &Instance) -> Command {
    let mut command = errand::program("/usr/bin/ctr");
    command.args(["--address", &socket(instance), "--namespace", "k8s.io"]);
    command
}

fn socket(instance: &Instance) -> String {
    instance.path("run/containerd.sock").to_string_lossy().into_owned()
}
