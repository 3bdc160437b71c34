//! Prometheus: the metrics of the pods that ask for it in their annotations.

use anyhow::Result;

use crate::addresses::{BRIDGE, PROMETHEUS};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::servers::targets;

/// Short intervals: somebody is watching, and tests wait for it.
const CONFIGURATION: &str = r#"
global: {scrape_interval: 5s, scrape_timeout: 4s}
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ["@SELF@"]}]
  - job_name: pods
    http_sd_configs: [{url: "@TARGETS@", refresh_interval: 5s}]
"#;

/// The server.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let home = instance.path("prometheus");
    let configuration = CONFIGURATION.replace("@SELF@", &PROMETHEUS.at(BRIDGE)).replace("@TARGETS@", &targets::url());
    let file = home.join("prometheus.yml");
    Ok(Launch::of("/usr/bin/prometheus")
        .user("prometheus")
        .folder(home.clone())
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", home.join("data").display()))
        .arg("--storage.tsdb.retention.time=7d")
        .arg(format!("--web.listen-address={}", PROMETHEUS.at(BRIDGE)))
        .file(file, configuration))
}

/// Whether it answers queries.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    http::get(&PROMETHEUS.at(BRIDGE), "/-/ready").map(drop)
}
