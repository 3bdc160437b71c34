//! Whatever of an instance is left on the machine: processes, mounts, control groups, network.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cgroups::Cgroups;
use crate::errand;
use crate::instance::Instance;
use crate::network;
use crate::processes::Process;

/// All of it, in words.
pub(crate) fn list(instance: &Instance) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for process in Process::of(instance) {
        left.push(format!("process {} ({})", process.pid, process.command()));
    }
    for point in mounts(instance)? {
        left.push(format!("mount {}", point.display()));
    }
    for group in Cgroups::find()?.left(&instance.name) {
        left.push(format!("control group {}", group.display()));
    }
    left.extend(network::left(instance));
    Ok(left)
}

/// Takes away mounts under the state directory that this machine sees. There are none, unless somebody entered the node and mounted something.
pub(crate) fn unmount(instance: &Instance) -> Result<()> {
    for point in mounts(instance)?.iter().rev() {
        errand::ask(errand::program("umount").arg("--lazy").arg(point))?;
    }
    if let Some(point) = mounts(instance)?.first() {
        bail!("{} is still mounted", point.display());
    }
    Ok(())
}

fn mounts(instance: &Instance) -> Result<Vec<PathBuf>> {
    Ok(below(&fs::read_to_string("/proc/self/mountinfo")?, instance.home()))
}

fn below(table: &str, home: &Path) -> Vec<PathBuf> {
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| PathBuf::from(point.replace(r"\040", " ")))
        .filter(|point| point != home && point.starts_with(home))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_mounted_below_counts() {
        let table = "1 0 8:1 / / rw - ext4 x rw\n\
             2 1 0:5 / /var/lib/opsmesh rw - ext4 y rw\n\
             3 2 0:6 / /var/lib/opsmesh/kubelet/a\\040b rw - tmpfs z rw\n\
             4 1 0:7 / /var/lib/opsmesh-test/c rw - tmpfs z rw\n";
        let expected = PathBuf::from("/var/lib/opsmesh/kubelet/a b");
        assert_eq!(below(table, Path::new("/var/lib/opsmesh")), [expected]);
    }
}
