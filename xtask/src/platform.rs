//! The platform: opsmesh itself, installed by its own chart, as a platform team would.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::addresses::{BRIDGE, OTLP};
use crate::cluster::{kubeconfig, kubectl, workloads};
use crate::environment;
use crate::errand;
use crate::identity::AUDIENCE;
use crate::images;
use crate::instance::Instance;
use crate::notes::Note;
use crate::part::Made;
use crate::product;
use crate::servers::{issuer, postgres};
use crate::tools;

/// Where it lives in the cluster; the release has the same name.
pub(crate) const NAMESPACE: &str = "opsmesh";
/// All pods pull nothing and start in seconds; a migration of a large database takes longer.
const PATIENCE: &str = "5m";

/// Installs it, or makes it what chart, values and images now say.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    if !product::is_there(instance) {
        return Ok(Made::Absent("the chart helm/opsmesh is not in this checkout yet"));
    }
    let with_roles = match &instance.settings.foreign.database {
        Some(url) => postgres::may_make_roles(url)?,
        None => true,
    };
    let values = values(instance, with_roles)?;
    let note = Note::of(instance, "platform", &format!("{values}{}", chart_hash(instance)?));
    if note.stands() && is_deployed(instance) {
        return Ok(Made::Already);
    }
    if let Some(url) = &instance.settings.foreign.database {
        postgres::make_databases(instance, url, with_roles)?;
    }
    let file = instance.path("values.yaml");
    private(&file, &format!("{values:#}\n"))?;
    forget_half_done(instance)?;
    let mut command = tools::program(instance, "helm")?;
    command
        .env("KUBECONFIG", kubeconfig(instance))
        .args(["upgrade", "--install", NAMESPACE])
        .arg(product::chart(instance))
        .args(["--namespace", NAMESPACE, "--create-namespace", "--wait", "--timeout", PATIENCE])
        .arg("--values")
        .arg(&file);
    errand::record(&mut command, &instance.log("helm")).with_context(|| match workloads::ready(instance, NAMESPACE) {
        Ok(()) => "the chart could not be installed".into(),
        Err(missing) => format!("the chart could not be installed: {missing}"),
    })?;
    note.keep()?;
    Ok(Made::Now)
}

/// Whether it is installed and all of it runs.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    if !product::is_there(instance) {
        return Ok(());
    }
    workloads::ready(instance, NAMESPACE)
}

/// Removes images that an earlier version has left.
pub(crate) fn sweep(instance: &Instance) -> Result<()> {
    if !product::is_there(instance) || instance.settings.foreign.cluster.is_some() {
        return Ok(());
    }
    let images = product::images(instance)?;
    images::sweep(instance, &images.iter().map(|(_, image)| image).collect::<Vec<_>>())
}

/// What the chart is told about this machine.
fn values(instance: &Instance, with_roles: bool) -> Result<Value> {
    let foreign = &instance.settings.foreign;
    let (mut databases, mut seals) = (Map::new(), Map::new());
    for service in postgres::SERVICES {
        databases.insert((*service).into(), database(instance, service, with_roles)?.into());
        // 64 hexadecimal digits of what is kept with this instance's other secrets.
        let seed = Sha256::digest(instance.secret(&format!("seal-{service}"))?);
        seals.insert((*service).into(), format!("{seed:x}").into());
    }
    let mut tags = Map::new();
    for (name, image) in product::images(instance)? {
        tags.insert(name.into(), image.tag.into());
    }
    let (registry, policy) = match &foreign.cluster {
        None => ("", "Never"),
        Some(_) => (product::registry(instance)?, "IfNotPresent"),
    };
    let telemetry = format!("http://{}", OTLP.at(BRIDGE));
    Ok(json!({
        "images": {"registry": registry, "pullPolicy": policy, "tags": tags},
        "database": {"urls": databases},
        "seals": {"keys": seals},
        "broker": {"url": environment::broker(instance, BRIDGE)?},
        "telemetry": {"otlpEndpoint": foreign.telemetry.clone().unwrap_or(telemetry)},
        "identity": {"people": {"issuer": issuer::url(), "audience": AUDIENCE}},
    }))
}

/// A service's own database; on a server that is not ours it belongs to whoever `DATABASE_URL` names, if that is nobody who can make roles.
fn database(instance: &Instance, service: &str, with_roles: bool) -> Result<String> {
    match &instance.settings.foreign.database {
        None => postgres::url(instance, service, &postgres::database(service), BRIDGE),
        Some(url) => postgres::foreign_url(instance, service, url, with_roles),
    }
}

/// All files of the chart, those that it only links to as well.
fn chart_hash(instance: &Instance) -> Result<String> {
    let mut find = errand::program("find");
    find.arg("-L").arg(product::chart(instance)).args(["-type", "f", "-exec", "sha256sum", "{}", "+"]);
    let list = errand::ask(&mut find)?;
    let mut lines: Vec<&str> = list.lines().collect();
    lines.sort_unstable();
    Ok(lines.concat())
}

fn is_deployed(instance: &Instance) -> bool {
    let status = || -> Result<bool> {
        let mut command = tools::program(instance, "helm")?;
        command.env("KUBECONFIG", kubeconfig(instance)).args(["status", NAMESPACE, "--namespace", NAMESPACE, "--output", "json"]);
        let status: Value = serde_json::from_str(&errand::ask(&mut command)?)?;
        Ok(status["info"]["status"] == "deployed")
    };
    status().unwrap_or(false)
}

/// A release that was killed half way refuses every later one; its record goes, what it made is taken over by the next.
fn forget_half_done(instance: &Instance) -> Result<()> {
    let mut command = kubectl(instance)?;
    command.args([
        "-n",
        NAMESPACE,
        "delete",
        "secret",
        "--ignore-not-found",
        "-l",
        "owner=helm,status in (pending-install,pending-upgrade,pending-rollback,uninstalling)",
    ]);
    errand::ask(&mut command).map(drop)
}

fn private(file: &std::path::Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(file, "")?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    Ok(fs::write(file, text)?)
}
