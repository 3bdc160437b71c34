//! kube-proxy: makes addresses of Services lead to pods.

use anyhow::Result;
use serde_json::json;

use crate::addresses::{BRIDGE, LOOPBACK, PODS, PROXY_HEALTH, PROXY_METRICS};
use crate::certificates::{NODE, kubeconfig};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::tools;

/// The process; it writes nftables of its own, in a table of its own.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let access = instance.path("cluster/kube-proxy.kubeconfig");
    let file = instance.path("cluster/kube-proxy.json");
    let configuration = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "bindAddress": BRIDGE,
        "hostnameOverride": NODE,
        "healthzBindAddress": PROXY_HEALTH.at(LOOPBACK),
        "metricsBindAddress": PROXY_METRICS.at(LOOPBACK),
        "clientConnection": {"kubeconfig": access},
        "clusterCIDR": PODS,
        "detectLocalMode": "ClusterCIDR",
        // A pod that calls a Service which leads to its neighbour must be answered through us, not across the bridge.
        "nftables": {"masqueradeAll": true},
        // The kernel's own limits stay: they are not ours to write.
        "conntrack": {"maxPerCore": 0, "min": 0},
    });
    Ok(Launch::of(tools::path(instance, "kube-proxy")?)
        .arg(format!("--config={}", file.display()))
        .file(access, kubeconfig(instance, "kube-proxy")?)
        .file(file, configuration.to_string()))
}

/// Whether it has written its rules.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    http::get(&PROXY_HEALTH.at(LOOPBACK), "/healthz").map(drop)
}
