//! An instance of a test's own, asked and looked at as a person would: by `./x`, and by what the machine shows.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Compiling is not what is looked at here.
pub(crate) const UP: &[&str] = &["up", "--as-compiled"];
/// The variables that name servers that exist already.
const FOREIGN: [&str; 5] = ["KUBECONFIG", "DATABASE_URL", "AMQP_URL", "REDIS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Where it is, and what it is told.
pub(crate) struct Outside {
    pub(crate) home: String,
    network: String,
    told: Vec<(String, String)>,
}

impl Outside {
    /// At this state directory, in this network namespace, with no servers but its own.
    pub(crate) fn new(home: &str, network: &str) -> Self {
        Self { home: home.into(), network: network.into(), told: Vec::new() }
    }

    /// The same, told of other servers.
    pub(crate) fn told(mut self, told: Vec<(String, String)>) -> Self {
        self.told = told;
        self
    }

    /// `./x` for this instance.
    pub(crate) fn x(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        for variable in FOREIGN {
            command.env_remove(variable);
        }
        command
            .args(words)
            .env("OPSMESH_HOME", &self.home)
            .env("OPSMESH_NETNS", &self.network)
            .envs(self.told.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("./x can be run")
    }

    /// What `./x env` says, by name.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        must(self.x(&["env"]))
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
            .collect()
    }

    /// A program of the instance, in its network.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.network)).arg("--");
        command.arg(if name.contains('/') { name.into() } else { Path::new(&self.home).join("bin").join(name) });
        command
    }

    /// `kubectl` for its own cluster.
    pub(crate) fn kubectl(&self, words: &[&str]) -> Output {
        let mut command = self.program("kubectl");
        command.args(words).env("KUBECONFIG", Path::new(&self.home).join("kubeconfig")).output().expect("kubectl can be run")
    }

    /// Kills every process of the instance at once, until none is left; how many there were.
    pub(crate) fn kill_everything(&self) -> usize {
        let mut killed = 0;
        loop {
            let processes = self.processes();
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
    pub(crate) fn left(&self) -> Vec<String> {
        let mut left: Vec<String> = self.processes().into_iter().map(|(pid, name)| format!("process {pid} {name}")).collect();
        let name = self.name();
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("a table of mounts");
        left.extend(mounts.lines().filter(|line| line.contains(name)).map(str::to_owned));
        if Path::new("/run/netns").join(&self.network).exists() {
            left.push(format!("network namespace {}", self.network));
        }
        let groups = fs::read_dir("/sys/fs/cgroup").expect("control groups");
        for hierarchy in groups.flatten().map(|entry| entry.path()) {
            if hierarchy.join(name).exists() || hierarchy.ends_with(name) {
                left.push(format!("control group in {}", hierarchy.display()));
            }
        }
        left
    }

    /// Number and name of every process that carries the instance's mark or is in one of its control groups, and has not ended.
    pub(crate) fn processes(&self) -> Vec<(String, String)> {
        let mark = format!("OPSMESH_INSTANCE={}", self.home);
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
                    .any(|line| line.split(':').nth(2).is_some_and(|path| path[1..].split('/').next() == Some(self.name())));
                !ended && (marked || grouped)
            })
            .map(|pid| {
                let name = read(&pid, "comm").trim().to_owned();
                (pid, name)
            })
            .collect()
    }

    /// What its control groups are called: its directory's name, as all of these lie in `/var/lib`.
    fn name(&self) -> &str {
        self.home.strip_prefix("/var/lib/").expect("a directory in /var/lib")
    }
}

/// What it said; it must have been well.
pub(crate) fn must(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    said
}
