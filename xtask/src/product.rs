//! The product: its programs, built for images, and its images.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cluster::{kubectl, reachable};
use crate::errand;
use crate::images::{self, Image};
use crate::instance::Instance;
use crate::part::Made;
use crate::progress::Progress;

/// The machine's own target, by its name: only then do the flags leave build scripts and macros alone.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Programs in images `FROM scratch` find no library there.
pub(crate) const STATIC: (&str, &str) = ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-C target-feature=+crt-static");

/// How everything that runs is compiled: what is tested is what is released.
pub(crate) const RELEASED: [&str; 4] = ["--locked", "--release", "--target", TARGET];

/// The images, and the programs in each; the first is what it runs.
const IMAGES: &[(&str, &[&str])] = &[
    ("ticketing", &["ticketing"]),
    ("inventory", &["inventory"]),
    ("inspection", &["inspection", "inspector"]),
    ("operator", &["operator"]),
];

/// Where its chart is.
pub(crate) fn chart(instance: &Instance) -> PathBuf {
    instance.source("helm/opsmesh")
}

/// Whether the checkout has what the platform is made from.
pub(crate) fn is_there(instance: &Instance) -> bool {
    chart(instance).join("Chart.yaml").exists() && instance.source("operator/src/main.rs").exists()
}

/// `cargo`, set up so that images, tests and benchmarks share what is compiled; it must be told [`TARGET`], or build scripts and macros would be static, too.
pub(crate) fn cargo_static(instance: &Instance) -> Command {
    let mut command = cargo(instance);
    command.env(STATIC.0, STATIC.1);
    command
}

/// `cargo`, in the checkout.
pub(crate) fn cargo(instance: &Instance) -> Command {
    let mut command = errand::program("cargo");
    command
        .current_dir(&instance.checkout)
        // These would silently win over the above.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("CARGO_TARGET_DIR");
    command
}

/// Compiles its programs, if they have changed.
pub(crate) fn build(instance: &Instance, progress: &Progress) -> Result<()> {
    if !is_there(instance) {
        return Ok(());
    }
    let step = progress.begin("product", "compiling the services (some minutes the first time)");
    let mut command = cargo_static(instance);
    command.args(["build", "--message-format=short"]).args(RELEASED);
    for (package, _) in IMAGES {
        command.args(["-p", package]);
    }
    let built = errand::record(&mut command, &instance.log("cargo"));
    match &built {
        Ok(()) => step.done("compiled"),
        Err(_) => step.failed("does not compile"),
    }
    built.context("the services do not compile")
}

/// Its images, as of the last [`build`].
pub(crate) fn images(instance: &Instance) -> Result<Vec<(&'static str, Image)>> {
    let folder = instance.source("target").join(TARGET).join("release");
    IMAGES
        .iter()
        .map(|(name, programs)| {
            let programs = programs.iter().map(|program| folder.join(program)).collect();
            Ok((*name, Image::of(name, programs)?))
        })
        .collect()
}

/// Brings its images to where the cluster finds them.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    if !is_there(instance) {
        return Ok(Made::Absent("the chart and the services are not in this checkout yet"));
    }
    let images = images(instance)?;
    if instance.settings.foreign.cluster.is_some() {
        let registry = registry(instance)?;
        for (_, image) in &images {
            image.push(instance, registry)?;
        }
        return Ok(Made::Now);
    }
    let present = images::present(instance)?;
    let mut made = Made::Already;
    for (_, image) in &images {
        if !present.contains(&image.full()) {
            image.import(instance)?;
            made = Made::Now;
        }
    }
    Ok(made)
}

/// Whether the cluster finds all of them.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    if !is_there(instance) || instance.settings.foreign.cluster.is_some() {
        return Ok(());
    }
    let missing = || -> Result<Option<String>> {
        let present = images::present(instance)?;
        let images = images(instance)?;
        let missing = images.into_iter().find(|(_, image)| !present.contains(&image.full()));
        Ok(missing.map(|(_, image)| image.reference()))
    };
    match missing() {
        Ok(None) => Ok(()),
        Ok(Some(image)) => Err(format!("the image {image} is not in the container runtime")),
        Err(error) => Err(error.to_string()),
    }
}

/// Where a cluster that is not ours pulls from.
pub(crate) fn registry(instance: &Instance) -> Result<&str> {
    match &instance.settings.registry {
        Some(registry) => Ok(registry),
        None => bail!(
            "KUBECONFIG names a cluster that is not ours, and it can only pull images: name a registry that it and this machine reach in OPSMESH_REGISTRY"
        ),
    }
}

/// A cluster that is not ours must be there, and must have somewhere to pull from.
pub(crate) fn foreign_cluster(instance: &Instance) -> Result<(), String> {
    registry(instance).map_err(|error| error.to_string())?;
    let foreign = &instance.settings.foreign;
    if foreign.database.is_none() || foreign.broker.is_none() {
        return Err("KUBECONFIG names a cluster that is not ours, and its pods do not reach servers on this machine's bridge: name servers that they reach in DATABASE_URL and AMQP_URL".into());
    }
    reachable(instance)
}

/// Asks the cluster something about the platform's namespace.
pub(crate) fn ask(instance: &Instance, words: &[&str]) -> Result<String> {
    let mut command = kubectl(instance)?;
    errand::ask(command.args(["-n", crate::platform::NAMESPACE]).args(words))
}
