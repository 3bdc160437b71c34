//! Which pods Prometheus scrapes. Debian builds Prometheus without its knowledge of Kubernetes, so it asks here instead, and here the API server is asked.

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value, json};
use tiny_http::{Header, Response, Server};

use crate::addresses::{LOOPBACK, TARGETS};
use crate::certificates::kubeconfig;
use crate::errand;
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;
use crate::tools;

/// Where Prometheus asks.
pub(crate) fn url() -> String {
    format!("http://{}/", TARGETS.at(LOOPBACK))
}

/// This very program, with Prometheus' own right to list pods and no other.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let home = instance.path("targets");
    let who = match &instance.settings.foreign.cluster {
        None => kubeconfig(instance, "prometheus")?,
        Some(foreign) => std::fs::read_to_string(foreign)?,
    };
    let kubectl = tools::for_everyone(instance, "kubectl")?;
    let access = home.join("kubeconfig");
    Ok(Launch::of(tools::own_program(instance)?)
        .user("prometheus")
        .arg("targets")
        .arg(kubectl.to_string_lossy())
        .env("KUBECONFIG", access.to_string_lossy())
        .folder(home)
        .file(access, who))
}

/// Whether it has an answer.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    http::get(&TARGETS.at(LOOPBACK), "/").map(drop)
}

/// Serves until it is stopped. Each question is asked anew: Prometheus asks every few seconds, and an answer that is remembered could only be an old one.
pub(crate) fn serve(kubectl: &str) -> Result<()> {
    let place = TARGETS.at(LOOPBACK);
    let server = Server::http(&place).map_err(|error| anyhow!("cannot listen on {place}: {error}"))?;
    let json = Header::from_bytes("content-type", "application/json").expect("a header");
    for request in server.incoming_requests() {
        let pods = errand::ask(errand::program(kubectl).args([
            "get",
            "pods",
            "--all-namespaces",
            "--output=json",
            "--request-timeout=4s",
        ]))
        .and_then(|text| serde_json::from_str(&text).context("the API server answers no JSON"));
        let answered = match pods {
            Ok(pods) => {
                let body = scraped(&pods).to_string();
                request.respond(Response::from_string(body).with_header(json.clone()))
            }
            // Prometheus then keeps to what it knows.
            Err(error) => request.respond(Response::from_string(format!("{error:#}\n")).with_status_code(503)),
        };
        // A client that hung up has nobody left to be told.
        drop(answered);
    }
    Ok(())
}

/// The running pods that ask for it: `prometheus.io/scrape: "true"`, with `prometheus.io/port` and, if it is not `/metrics`, `prometheus.io/path`.
fn scraped(pods: &Value) -> Value {
    pods["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pod| {
            let note = |name: &str| pod["metadata"]["annotations"][format!("prometheus.io/{name}")].as_str();
            let (address, port) = (pod["status"]["podIP"].as_str()?, note("port")?);
            if note("scrape") != Some("true") || pod["status"]["phase"] != "Running" {
                return None;
            }
            Some(json!({
                "targets": [format!("{address}:{port}")],
                "labels": {
                    "__metrics_path__": note("path").unwrap_or("/metrics"),
                    "namespace": pod["metadata"]["namespace"].as_str().unwrap_or_default(),
                    "pod": pod["metadata"]["name"].as_str().unwrap_or_default(),
                    "app": pod["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or_default(),
                },
            }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_running_pods_that_ask_for_it_are_scraped() {
        let pod = |scrape: &str, phase: &str| {
            json!({
                "metadata": {"namespace": "opsmesh", "name": "desk-1", "annotations": {"prometheus.io/scrape": scrape, "prometheus.io/port": "9464"}},
                "status": {"phase": phase, "podIP": "10.213.0.7"},
            })
        };
        let pods = json!({"items": [pod("true", "Running"), pod("false", "Running"), pod("true", "Pending")]});
        let scraped = scraped(&pods);
        assert_eq!(scraped.as_array().map(Vec::len), Some(1));
        assert_eq!(scraped[0]["targets"][0], "10.213.0.7:9464");
        assert_eq!(scraped[0]["labels"]["__metrics_path__"], "/metrics");
    }
}
