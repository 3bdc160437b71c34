//! etcd: where the API server keeps everything.

use anyhow::Result;

use crate::addresses::{ETCD, ETCD_HEALTH, ETCD_PEER, LOOPBACK};
use crate::certificates::{crt, key};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::tools;

/// One member, for clients with a certificate of etcd's own authority.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let client = format!("https://{}", ETCD.at(LOOPBACK));
    let peer = format!("https://{}", ETCD_PEER.at(LOOPBACK));
    let data = instance.path("etcd");
    let certificate = crt(instance, "etcd");
    Ok(Launch::of(tools::path(instance, "etcd")?)
        .folder(data.clone())
        .args([
            "--name=opsmesh".into(),
            format!("--data-dir={}", data.display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=opsmesh={peer}"),
            format!("--listen-metrics-urls=http://{}", ETCD_HEALTH.at(LOOPBACK)),
            format!("--cert-file={}", certificate.display()),
            format!("--key-file={}", key(instance, "etcd").display()),
            format!("--trusted-ca-file={}", crt(instance, "etcd-authority").display()),
            format!("--peer-trusted-ca-file={}", crt(instance, "etcd-authority").display()),
            "--client-cert-auth".into(),
            format!("--peer-cert-file={}", certificate.display()),
            format!("--peer-key-file={}", key(instance, "etcd").display()),
            "--auto-compaction-retention=1h".into(),
            "--log-level=warn".into(),
        ])
        .reading(&certificate))
}

/// Whether it has a leader and answers.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    http::get(&ETCD_HEALTH.at(LOOPBACK), "/health").map(drop)
}
