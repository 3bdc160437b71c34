//! Jaeger: traces go in by OTLP and are asked for over HTTP; kept on the disk, so that a trace survives a restart.

use anyhow::Result;

use crate::addresses::{BRIDGE, JAEGER_ADMIN, JAEGER_GRPC, JAEGER_HTTP, LOOPBACK, OTLP, OTLP_HTTP, TRACES, TRACES_GRPC};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::tools;

/// The server, all in one process. It listens on the bridge where others ask; its further doors cannot be switched off, so they are on loopback.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let data = instance.path("jaeger");
    let folder = |name: &str| data.join(name).to_string_lossy().into_owned();
    Ok(Launch::of(tools::for_everyone(instance, "jaeger")?)
        // It reads what pods send: an account of nobody's, with nothing but its own data.
        .user("65532")
        .env("SPAN_STORAGE_TYPE", "badger")
        .folder(data.clone())
        .folder(data.join("keys"))
        .folder(data.join("values"))
        .args([
            "--badger.ephemeral=false".into(),
            format!("--badger.directory-key={}", folder("keys")),
            format!("--badger.directory-value={}", folder("values")),
            "--badger.span-store-ttl=72h".into(),
            "--collector.otlp.enabled=true".into(),
            format!("--collector.otlp.grpc.host-port={}", OTLP.at(BRIDGE)),
            format!("--collector.otlp.http.host-port={}", OTLP_HTTP.at(BRIDGE)),
            format!("--query.http-server.host-port={}", TRACES.at(BRIDGE)),
            format!("--query.grpc-server.host-port={}", TRACES_GRPC.at(LOOPBACK)),
            format!("--admin.http.host-port={}", JAEGER_ADMIN.at(LOOPBACK)),
            format!("--collector.grpc-server.host-port={}", JAEGER_GRPC.at(LOOPBACK)),
            format!("--collector.http-server.host-port={}", JAEGER_HTTP.at(LOOPBACK)),
            "--log-level=warn".into(),
        ]))
}

/// Whether it takes and gives traces.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    http::get(&JAEGER_ADMIN.at(LOOPBACK), "/")?;
    http::connect(&OTLP.at(BRIDGE))?;
    http::get(&TRACES.at(BRIDGE), "/api/services").map(drop)
}
