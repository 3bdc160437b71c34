//! The sample estate: a small city's servers, as manifests and as devices in the ledger.

use std::fs;

use anyhow::{Context as _, Result};

use crate::addresses::{ALL, BRIDGE, LOOPBACK};
use crate::cluster::{apply, kubectl};
use crate::errand;
use crate::identity::{self, Claims};
use crate::instance::Instance;
use crate::notes::Note;
use crate::part::Made;
use crate::product;
use crate::servers::postgres;
use crate::tools;

const FOLDER: &str = "samples/gz-demo";
const DEVICES: &str = "samples/gz-demo/devices.json";
const REGISTER: &str = "opsmesh.inventory.v1.Inventory/CreateDevice";

/// Applies its manifests and registers its devices; both can be repeated, a device is known by the `request_id` in its line.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    let folder = instance.source(FOLDER);
    if !product::is_there(instance) || !folder.is_dir() {
        return Ok(Made::Absent("samples/gz-demo is not in this checkout yet"));
    }
    let manifests = manifests(instance)?;
    let devices = fs::read_to_string(instance.source(DEVICES)).unwrap_or_default();
    let devices = filled(&devices);
    // A ledger that was lost with its database is filled anew.
    let ledger = postgres::made(instance);
    let note = Note::of(instance, "estate", &format!("{manifests}{devices}{ledger:?}"));
    if note.stands() && is_there(instance, &manifests) {
        return Ok(Made::Already);
    }
    register(instance, &devices)?;
    if !manifests.is_empty() {
        apply(instance, &manifests)?;
    }
    note.keep()?;
    Ok(Made::Now)
}

/// Nothing of it runs: once made, it is there.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    Ok(())
}

/// All manifests in one stream, with this machine's addresses in place.
fn manifests(instance: &Instance) -> Result<String> {
    let mut files: Vec<_> = fs::read_dir(instance.source(FOLDER))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .collect();
    files.sort();
    let texts: Vec<String> = files.iter().map(fs::read_to_string).collect::<Result<_, _>>()?;
    Ok(filled(&texts.join("\n---\n")))
}

/// `${BRIDGE}`, `${LOOPBACK}` and every port of the table by its name, such as `${HTTP_PORT}`.
fn filled(text: &str) -> String {
    let text = text.replace("${BRIDGE}", BRIDGE).replace("${LOOPBACK}", LOOPBACK);
    ALL.iter().fold(text, |text, port| text.replace(&format!("${{{}}}", port.name), &port.number.to_string()))
}

fn is_there(instance: &Instance, manifests: &str) -> bool {
    manifests.is_empty()
        || kubectl(instance)
            .is_ok_and(|mut command| errand::tell(command.args(["get", "-f", "-", "-o", "name"]), manifests).is_ok())
}

/// One request a line; with reflection, so that no list of protos is needed here.
fn register(instance: &Instance, devices: &str) -> Result<()> {
    if devices.trim().is_empty() {
        return Ok(());
    }
    let address = product::ask(
        instance,
        &["get", "service", "inventory", "-o", r#"jsonpath={.spec.clusterIP}:{.spec.ports[?(@.name=="grpc")].port}"#],
    )
    .context("the service `inventory` with a port named `grpc` is not there")?;
    let token = identity::token(instance, &Claims::of("liang"))?;
    for (number, line) in devices.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut command = tools::program(instance, "grpcurl")?;
        command.args(["-plaintext", "-max-time", "20", "-H"]).arg(format!("authorization: Bearer {token}")).args([
            "-d",
            "@",
            address.trim(),
            REGISTER,
        ]);
        errand::tell(&mut command, line).with_context(|| format!("{DEVICES}:{}: the device cannot be registered", number + 1))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_this_machines_addresses() {
        assert_eq!(filled("http://${BRIDGE}:${HTTP_PORT}/"), "http://10.213.0.1:17080/");
    }
}
