//! An instance, seen from outside: it comes up after whatever was done to it, and leaves nothing when it goes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

/// An instance for this test alone, in a network namespace of its own.
const HOME: &str = "/var/lib/opsmesh-lifecycle";
const NAME: &str = "opsmesh-lifecycle";

mod alone {
    use super::*;

    #[test]
    fn what_was_killed_comes_up_again_with_its_data_and_down_leaves_nothing() {
        x(&["down", "--purge"]);
        must(x(UP));
        remember("first");

        let began = Instant::now();
        let second = must(x(UP));
        assert!(!second.contains("started"), "a second run starts nothing:\n{second}");
        println!("a second run: {:?}", began.elapsed());

        let killed = kill_everything();
        assert!(killed > 20, "only {killed} processes were there to be killed");
        must(x(UP));
        must(x(&["status"]));
        assert_eq!(remembered(), "first", "after a kill of everything");

        must(x(&["down"]));
        assert_eq!(left(), Vec::<String>::new());
        must(x(&["leftovers"]));

        let began = Instant::now();
        must(x(UP));
        println!("up after down: {:?}", began.elapsed());
        assert_eq!(remembered(), "first", "after a plain down");

        must(x(&["down", "--purge"]));
        assert_eq!(left(), Vec::<String>::new());
        assert!(!Path::new(HOME).exists(), "--purge leaves no data");
    }
}

/// Compiling is not what is looked at here.
const UP: &[&str] = &["up", "--as-compiled"];

/// `./x` for this instance.
fn x(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(words)
        .env("OPSMESH_HOME", HOME)
        .env("OPSMESH_NETNS", NAME)
        .output()
        .expect("./x can be run")
}

fn must(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    said
}

/// Something that the cluster must still know afterwards.
fn remember(what: &str) {
    must(kubectl(&["create", "configmap", "memory", &format!("--from-literal=it={what}")]));
}

fn remembered() -> String {
    must(kubectl(&["get", "configmap", "memory", "-o", "jsonpath={.data.it}"]))
}

fn kubectl(words: &[&str]) -> Output {
    Command::new("nsenter")
        .args([&format!("--net=/run/netns/{NAME}"), "--"])
        .arg(Path::new(HOME).join("bin/kubectl"))
        .args(words)
        .env("KUBECONFIG", Path::new(HOME).join("kubeconfig"))
        .output()
        .expect("kubectl can be run")
}

/// Kills every process of the instance at once, until none is left; how many there were.
fn kill_everything() -> usize {
    let mut killed = 0;
    loop {
        let processes = processes();
        if processes.is_empty() {
            return killed;
        }
        killed += processes.len();
        let pids = processes.iter().map(|(pid, _)| pid);
        // Some are gone before they are killed.
        drop(Command::new("kill").arg("-KILL").args(pids).output());
    }
}

/// What is left, found without asking `./x`.
fn left() -> Vec<String> {
    let mut left: Vec<String> = processes().into_iter().map(|(pid, name)| format!("process {pid} {name}")).collect();
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("a table of mounts");
    left.extend(mounts.lines().filter(|line| line.contains(NAME)).map(str::to_owned));
    if Path::new("/run/netns").join(NAME).exists() {
        left.push(format!("network namespace {NAME}"));
    }
    let groups = fs::read_dir("/sys/fs/cgroup").expect("control groups");
    for hierarchy in groups.flatten().map(|entry| entry.path()) {
        if hierarchy.join(NAME).exists() || hierarchy.ends_with(NAME) {
            left.push(format!("control group in {}", hierarchy.display()));
        }
    }
    left
}

/// Number and name of every process that carries the instance's mark or is in one of its control groups, and has not ended.
fn processes() -> Vec<(String, String)> {
    let mark = format!("OPSMESH_INSTANCE={HOME}");
    let read = |pid: &str, file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    fs::read_dir("/proc")
        .expect("a table of processes")
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| {
            let stat = read(pid, "stat");
            let ended = stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']));
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let marked = environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes());
            let grouped = read(pid, "cgroup")
                .lines()
                .any(|line| line.split(':').nth(2).is_some_and(|path| path[1..].split('/').next() == Some(NAME)));
            !ended && (marked || grouped)
        })
        .map(|pid| {
            let name = read(&pid, "comm").trim().to_owned();
            (pid, name)
        })
        .collect()
}
