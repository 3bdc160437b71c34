//! The machine's processes, as `/proc` tells them: which are ours, and how they are made to go.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::instance::{Instance, MARK};
use crate::{network, wait};

/// A process that was seen a moment ago.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: i32,
    /// Its parent's number.
    pub(crate) parent: i32,
    /// When it began, in the kernel's ticks since boot: with the number it names a process for good.
    pub(crate) began: u64,
    /// Its name, as the kernel has it.
    pub(crate) name: String,
    /// Its control groups, one for each hierarchy.
    pub(crate) groups: Vec<String>,
}

impl Process {
    /// The process with this number, unless it has ended (one that nobody has reaped has ended).
    pub(crate) fn find(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, state, parent, began) = dissect(&stat)?;
        if matches!(state, 'Z' | 'X') {
            return None;
        }
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.splitn(3, ':').nth(2))
            .map(str::to_owned)
            .collect();
        Some(Self { pid, parent, began, name: name.to_owned(), groups })
    }

    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(Self::find).collect()
    }

    /// Those of an instance: in its control groups, or with its mark, or in its network namespace unless that is another's; never this program or who called it.
    pub(crate) fn of(instance: &Instance) -> Vec<Self> {
        let all = Self::all();
        let mark = format!("{MARK}={}", instance.home().display());
        let network = instance
            .settings
            .network
            .as_ref()
            .filter(|name| !network::is_anothers(instance, name))
            .and_then(|name| fs::metadata(Path::new("/run/netns").join(name)).ok())
            .map(|file| (file.dev(), file.ino()));
        let mut callers = vec![std::process::id() as i32];
        while let Some(process) = all.iter().find(|p| Some(&p.pid) == callers.last()) {
            callers.push(process.parent);
        }
        all.into_iter()
            .filter(|process| !callers.contains(&process.pid))
            .filter(|process| {
                process.is_under(&instance.name) || process.carries(&mark) || (network.is_some() && process.network() == network)
            })
            .collect()
    }

    /// Whether it is in this control group or below, in any hierarchy.
    pub(crate) fn is_under(&self, group: &str) -> bool {
        self.groups.iter().any(|path| {
            path.strip_prefix('/')
                .and_then(|path| path.strip_prefix(group))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether it was started with this `NAME=value` in its environment.
    pub(crate) fn carries(&self, variable: &str) -> bool {
        fs::read(format!("/proc/{}/environ", self.pid))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes()))
    }

    /// What it was called as.
    pub(crate) fn command(&self) -> String {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        // In one line, and short: an argument can be a whole script.
        let line = words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() { self.name.clone() } else { line.chars().take(60).collect() }
    }

    /// When it began, in seconds since 1970, give or take one.
    pub(crate) fn began_at(&self) -> Option<u64> {
        // The kernel tells beginnings in hundredths of a second since boot, whatever its own clock ticks in.
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let boot: u64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(boot + self.began / 100)
    }

    /// The file that names its mount namespace.
    pub(crate) fn mounts(&self) -> PathBuf {
        format!("/proc/{}/ns/mnt", self.pid).into()
    }

    fn network(&self) -> Option<(u64, u64)> {
        let file = fs::metadata(format!("/proc/{}/ns/net", self.pid)).ok()?;
        Some((file.dev(), file.ino()))
    }

    /// Whether it is still there, and is still the same.
    pub(crate) fn lives(&self) -> bool {
        Self::find(self.pid).is_some_and(|now| now.began == self.began)
    }

    /// Sends a signal; that it has gone meanwhile is no error.
    pub(crate) fn send(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _gone_meanwhile = kill_process(pid, signal);
        }
    }
}

/// Kills whatever `find` finds until it finds nothing.
pub(crate) fn kill_all(find: impl Fn() -> Vec<Process>) -> Result<(), String> {
    // A process in the middle of writing to a busy disk takes its time to go.
    wait::until(Duration::from_secs(20), || {
        let left = find();
        for process in &left {
            process.send(Signal::KILL);
        }
        match left.first() {
            None => Ok(()),
            Some(process) => Err(format!("process {} ({}) does not go", process.pid, process.name)),
        }
    })
}

/// Name, state, parent and beginning from a line of `/proc/PID/stat`; the name may hold spaces and brackets.
fn dissect(stat: &str) -> Option<(&str, char, i32, u64)> {
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1;
    let mut fields = tail.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let began = fields.nth(17)?.parse().ok()?;
    Some((name, state, parent, began))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_is_read_whole() {
        let line = "42 (a (b) c) S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 10 20";
        assert_eq!(dissect(line), Some(("a (b) c", 'S', 7, 987_654)));
    }

    #[test]
    fn a_group_is_not_taken_for_another_whose_name_begins_alike() {
        let process =
            Process { pid: 1, parent: 0, began: 0, name: String::new(), groups: vec!["/opsmesh-test/kubepods/pod1".into()] };
        assert!(process.is_under("opsmesh-test"));
        assert!(process.is_under("opsmesh-test/kubepods"));
        assert!(!process.is_under("opsmesh"));
    }

    #[test]
    fn this_very_process_lives() {
        let own = Process::find(std::process::id() as i32).expect("it runs");
        assert!(own.lives());
    }
}
