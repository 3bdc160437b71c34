//! What comes from Debian: packages, installed when missing, with no service started by their installation.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::errand;
use crate::instance::Instance;
use crate::progress::Progress;

/// The servers, and what the node needs.
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "containerd",
    "containernetworking-plugins",
    "conntrack",
    "iproute2",
    "nftables",
    "nginx-light",
    "postgresql-15",
    "prometheus",
    "rabbitmq-server",
    "redis-server",
    "runc",
    "util-linux",
];
/// What benchmarks measure against.
const PEERS: &[&str] = &["monitoring-plugins-basic"];
/// What tests stand beside an instance: a registry that a cluster pulls from.
const BESIDE: &[&str] = &["docker-registry", PUSHER];
/// Pushes images; only a cluster that is not ours needs it.
const PUSHER: &str = "skopeo";

/// Asked by every package before it starts a service.
const NO_SERVICES: &str = "/usr/sbin/policy-rc.d";
/// Asked by PostgreSQL's package before it makes a cluster.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";
/// Ends the text of both.
const STANDS_IN: &str = "# stands here while opsmesh installs packages\n";

/// Installs what is missing.
pub(crate) fn provide(instance: &Instance, progress: &Progress) -> Result<()> {
    // What a killed installation has left standing.
    for path in [NO_SERVICES, NO_CLUSTER] {
        drop(Stand(path.into()));
    }
    let missing = missing(instance);
    provide_these(instance, &missing, progress)
}

/// Installs what benchmarks measure against.
pub(crate) fn provide_peers(instance: &Instance, progress: &Progress) -> Result<()> {
    provide_these(instance, &not_installed(PEERS), progress)
}

/// Installs what only tests need.
pub(crate) fn provide_for_tests(instance: &Instance, progress: &Progress) -> Result<()> {
    provide_these(instance, &not_installed(BESIDE), progress)
}

fn not_installed(packages: &[&'static str]) -> Vec<&'static str> {
    packages.iter().copied().filter(|package| !is_installed(package)).collect()
}

fn provide_these(instance: &Instance, missing: &[&str], progress: &Progress) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let step = progress.begin("debian", &format!("installing {}", missing.join(", ")));
    let installed = install(instance, missing);
    match &installed {
        Ok(()) => step.done(&format!("installed {}", missing.join(", "))),
        Err(_) => step.failed("not installed"),
    }
    installed.with_context(|| {
        format!("apt-get could not install {}: set right what it complains of, or install them yourself", missing.join(", "))
    })
}

/// The packages that are not installed.
pub(crate) fn missing(instance: &Instance) -> Vec<&'static str> {
    let pusher = instance.settings.foreign.cluster.is_some();
    PACKAGES.iter().copied().chain(pusher.then_some(PUSHER)).filter(|package| !is_installed(package)).collect()
}

fn is_installed(package: &str) -> bool {
    errand::ask(errand::program("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]))
        .is_ok_and(|status| status == "installed")
}

fn install(instance: &Instance, packages: &[&str]) -> Result<()> {
    // While these are in place, no service is started and no default PostgreSQL cluster is made; what stood there before stands there after.
    let _no_services = Stand::in_for(NO_SERVICES, "#!/bin/sh\nexit 101\n", 0o755)?;
    let _no_cluster = Stand::in_for(NO_CLUSTER, "create_main_cluster = false\n", 0o644)?;
    let apt = |words: &[&str]| {
        let mut command = errand::program("apt-get");
        command
            .args(["-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"])
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8");
        command
    };
    let log = instance.settings.cache.join("apt.log");
    errand::record(&mut apt(&["update"]), &log)?;
    let mut command = apt(&["install", "--no-install-recommends"]);
    errand::record(command.args(packages), &log)
}

/// A file that stands where another stood, until it is dropped; the other waits beside it, so that it is found even if this program is killed meanwhile.
struct Stand(PathBuf);

impl Stand {
    fn in_for(path: &str, text: &str, mode: u32) -> Result<Self> {
        let stand = Self(path.into());
        if let Some(folder) = stand.0.parent() {
            fs::create_dir_all(folder)?;
        }
        if stand.0.exists() && !stand.is_ours() {
            fs::rename(&stand.0, stand.aside())?;
        }
        fs::write(&stand.0, format!("{text}{STANDS_IN}")).with_context(|| format!("cannot write {}", stand.0.display()))?;
        fs::set_permissions(&stand.0, fs::Permissions::from_mode(mode))?;
        Ok(stand)
    }

    fn is_ours(&self) -> bool {
        fs::read_to_string(&self.0).is_ok_and(|text| text.ends_with(STANDS_IN))
    }

    fn aside(&self) -> PathBuf {
        let mut name = self.0.as_os_str().to_owned();
        name.push(".before-opsmesh");
        name.into()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if !self.is_ours() {
            return;
        }
        let restored = if self.aside().exists() { fs::rename(self.aside(), &self.0) } else { fs::remove_file(&self.0) };
        // If this fails the file still says what it is, and the next `up` tries again.
        drop(restored);
    }
}
