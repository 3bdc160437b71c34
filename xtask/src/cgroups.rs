//! Control groups: how a process is known to be ours whatever it does to its name or its environment. Each part runs in a group of its own,
//! `/<instance>/<part>`, and the kubelet hangs its pods under `/<instance>/kubepods`. Works on version 1, version 2 and the two side by side.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::wait;

/// Where the machine has its hierarchies mounted.
#[derive(Debug)]
pub(crate) struct Cgroups {
    mounts: Vec<PathBuf>,
    tracking: PathBuf,
}

impl Cgroups {
    /// As the kernel's table of mounts says.
    pub(crate) fn find() -> Result<Self> {
        let table = fs::read_to_string("/proc/self/mountinfo")?;
        let (mut mounts, mut tracking) = (Vec::new(), None);
        for (point, kind) in hierarchies(&table) {
            // Version 2 keeps processes apart even where no controller is attached to it; version 1's `pids` is everywhere else.
            if kind == "cgroup2" || (tracking.is_none() && point.ends_with("pids")) {
                tracking = Some(PathBuf::from(point));
            }
            mounts.push(PathBuf::from(point));
        }
        let tracking = tracking.context("this machine has no control groups mounted: mount them at /sys/fs/cgroup")?;
        Ok(Self { mounts, tracking })
    }

    /// Whether version 2 alone is mounted.
    pub(crate) fn is_unified(&self) -> bool {
        self.mounts.len() == 1
    }

    /// The group of a part, made if need be: writing a process's number to its `cgroup.procs` moves the process there.
    pub(crate) fn of_part(&self, instance: &str, part: &str) -> Result<PathBuf> {
        let group = self.tracking.join(instance).join(part);
        fs::create_dir_all(&group).with_context(|| format!("cannot create the control group {}", group.display()))?;
        Ok(group)
    }

    /// The instance's own group in every hierarchy: the kubelet wants to find it.
    pub(crate) fn make(&self, instance: &str) -> Result<()> {
        for mount in &self.mounts {
            fs::create_dir_all(mount.join(instance))
                .with_context(|| format!("cannot create a control group under {}", mount.display()))?;
        }
        Ok(())
    }

    /// Every group of the instance that is there, innermost first.
    pub(crate) fn left(&self, instance: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for mount in &self.mounts {
            descend(&mount.join(instance), &mut found);
        }
        found
    }

    /// Removes the instance's groups once their processes are gone.
    pub(crate) fn clear(&self, instance: &str) -> Result<(), String> {
        // A group can be removed a moment after its last process has gone, not at once.
        wait::until(std::time::Duration::from_secs(5), || {
            for group in self.left(instance) {
                drop(fs::remove_dir(group));
            }
            match self.left(instance).first() {
                None => Ok(()),
                Some(group) => Err(format!("the control group {} is in use", group.display())),
            }
        })
    }
}

/// Mount points of control groups in a `mountinfo` table, each hierarchy once.
fn hierarchies(table: &str) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let mut devices = Vec::new();
    for line in table.lines() {
        let Some((mount, filesystem)) = line.split_once(" - ") else {
            continue;
        };
        let mut mount = mount.split(' ').skip(2);
        let (Some(device), Some(_), Some(point)) = (mount.next(), mount.next(), mount.next()) else {
            continue;
        };
        let kind = filesystem.split(' ').next().unwrap_or_default();
        if matches!(kind, "cgroup" | "cgroup2") && !devices.contains(&device) {
            devices.push(device);
            found.push((point, kind));
        }
    }
    found
}

fn descend(group: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(group) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            descend(&entry.path(), found);
        }
    }
    found.push(group.to_path_buf());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hierarchy_is_found_once() {
        let table = "30 25 0:26 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids\n\
                     31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                     32 25 0:26 / /mnt/again rw - cgroup cgroup rw,pids\n\
                     33 25 8:1 / /home rw - ext4 /dev/sda1 rw\n";
        assert_eq!(hierarchies(table), [("/sys/fs/cgroup/pids", "cgroup"), ("/sys/fs/cgroup/unified", "cgroup2")]);
    }
}
