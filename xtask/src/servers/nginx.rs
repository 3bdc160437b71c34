//! nginx: a web server for the sample estate's plans to inspect, with and without TLS.

use anyhow::Result;

use crate::addresses::{BRIDGE, HTTP, HTTPS, LOOPBACK};
use crate::certificates::{crt, key};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;

/// The server; `/` answers at once and `/healthz` says `ok`.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let home = instance.path("nginx");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {}/{kind};\n", home.display()))
        .concat();
    let listen: String = [LOOPBACK, BRIDGE]
        .map(|address| format!("    listen {};\n    listen {} ssl;\n", HTTP.at(address), HTTPS.at(address)))
        .concat();
    let configuration = format!(
        "daemon off;\nworker_processes 1;\npid {home}/pid;\nerror_log stderr;\nevents {{ worker_connections 256; }}\nhttp {{\n  access_log off;\n{temporary}\
         \x20 server {{\n{listen}    ssl_certificate {crt};\n    ssl_certificate_key {key};\n    default_type text/plain;\n\
         \x20   location = /healthz {{ return 200 \"ok\\n\"; }}\n    location / {{ return 200 \"the sample estate's web server\\n\"; }}\n  }}\n}}\n",
        home = home.display(),
        crt = crt(instance, "nginx").display(),
        key = key(instance, "nginx").display(),
    );
    let file = home.join("nginx.conf");
    Ok(Launch::of("/usr/sbin/nginx")
        .args(["-e", "stderr", "-p"])
        .arg(home.to_string_lossy())
        .arg("-c")
        .arg(file.to_string_lossy())
        .user("www-data")
        .folder(home)
        .file(file, configuration)
        .reading(&crt(instance, "nginx")))
}

/// Whether it answers.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    http::get(&HTTP.at(LOOPBACK), "/healthz").map(drop)
}
