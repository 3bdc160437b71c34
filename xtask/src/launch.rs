//! How a process of ours is started, found again, and stopped.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use crate::cgroups::Cgroups;
use crate::errand;
use crate::instance::{Instance, MARK, PART_MARK, fingerprint};
use crate::part::Stop;
use crate::processes::{Process, kill_all};
use crate::wait;

/// A log that has grown past this is put aside when its part starts.
const LOG_LIMIT: u64 = 64 << 20;
/// The steps between this program and the server, each of which replaces the one before, so that the process keeps its number: into its own
/// control group and as many open files as the machine allows, then a session of its own.
const ENTRY: &str = r#"echo $$ >"$0/cgroup.procs" && ulimit -n "$(ulimit -Hn)" && exec setsid "$@""#;

/// Everything that determines how a process runs. Equal launches make equal processes.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    user: Option<&'static str>,
    mounts: Option<PathBuf>,
    files: Vec<Shipped>,
    folders: Vec<(PathBuf, u32)>,
    read: Vec<String>,
}

/// A file that is written before the process starts.
#[derive(Debug)]
struct Shipped {
    path: PathBuf,
    text: String,
    mode: u32,
}

impl Launch {
    /// This program, as root, with nothing else.
    pub(crate) fn of(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), ..Self::default() }
    }

    /// With one more argument.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With more arguments.
    pub(crate) fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// With a variable in its environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// As this user; what it owns ([`Launch::file`], [`Launch::folder`]) is theirs.
    pub(crate) fn user(mut self, user: &'static str) -> Self {
        self.user = Some(user);
        self
    }

    /// In the mount namespace that this file names.
    pub(crate) fn in_mounts(mut self, mounts: PathBuf) -> Self {
        self.mounts = Some(mounts);
        self
    }

    /// With a file that only its user can read.
    pub(crate) fn file(mut self, path: PathBuf, text: impl Into<String>) -> Self {
        self.files.push(Shipped { path, text: text.into(), mode: 0o600 });
        self
    }

    /// With a directory that only its user can enter.
    pub(crate) fn folder(self, path: PathBuf) -> Self {
        self.folder_with(path, 0o700)
    }

    /// With a directory of its user's.
    pub(crate) fn folder_with(mut self, path: PathBuf, mode: u32) -> Self {
        self.folders.push((path, mode));
        self
    }

    /// A file that it reads when it starts: other contents make another launch.
    pub(crate) fn reading(mut self, file: &Path) -> Self {
        self.read.push(fingerprint(&fs::read(file).unwrap_or_default()));
        self
    }

    /// Tells launches apart; a program that was replaced on the disk makes a difference.
    fn made_from(&self) -> String {
        let mut text = format!("{self:?}");
        if let Ok(file) = fs::metadata(&self.program) {
            let _ = write!(text, "{} {}", file.len(), file.mtime());
        }
        fingerprint(text.as_bytes())
    }
}

/// The record of a started process: `<number> <beginning> <launch>`.
struct Record {
    process: Process,
    made_from: String,
}

fn record(instance: &Instance, part: &str) -> Option<Record> {
    let text = fs::read_to_string(instance.path(&format!("run/{part}"))).ok()?;
    let mut words = text.split_whitespace();
    let pid = words.next()?.parse().ok()?;
    let began: u64 = words.next()?.parse().ok()?;
    let made_from = words.next()?.to_owned();
    // After a reboot another process may have the number, and even the beginning: it is ours only in our control group.
    let process = Process::find(pid).filter(|p| p.began == began && p.is_under(&format!("{}/{part}", instance.name)))?;
    Some(Record { process, made_from })
}

/// The part's process, if it runs.
pub(crate) fn running(instance: &Instance, part: &str) -> Option<Process> {
    record(instance, part).map(|record| record.process)
}

/// The part's process, if it runs and was started by an equal launch.
pub(crate) fn running_as(instance: &Instance, part: &str, launch: &Launch) -> Option<Process> {
    record(instance, part).filter(|record| record.made_from == launch.made_from()).map(|record| record.process)
}

/// Starts it; what an earlier one left behind is ended first.
pub(crate) fn start(instance: &Instance, part: &str, launch: &Launch, stop: Stop) -> Result<Child> {
    self::stop(instance, part, stop)?;
    let owner = launch.user.map(account).transpose()?;
    for (folder, mode) in &launch.folders {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(*mode))?;
        own(folder, owner)?;
    }
    for file in &launch.files {
        write(file, owner)?;
    }
    let group = Cgroups::find()?.of_part(&instance.name, part)?;
    let log = instance.log(part);
    if fs::metadata(&log).is_ok_and(|file| file.len() > LOG_LIMIT) {
        fs::rename(&log, log.with_extension("log.old"))?;
    }
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = errand::program("sh");
    command.args(["-c", ENTRY]).arg(&group);
    if let Some(mounts) = &launch.mounts {
        command.arg("nsenter").arg(format!("--mount={}", mounts.display()));
        command.arg("--");
    }
    if let Some((user, group)) = owner {
        command.args(["setpriv", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]);
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
    }
    let child = command
        .arg(&launch.program)
        .args(&launch.args)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", instance.home())
        .env(MARK, instance.home())
        .env(PART_MARK, part)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .current_dir(instance.home())
        .stdout(log.try_clone()?)
        .stderr(log)
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start `sh`")?;
    let pid = child.id() as i32;
    let began = Process::find(pid).map_or(0, |process| process.began);
    fs::write(instance.path(&format!("run/{part}")), format!("{pid} {began} {}\n", launch.made_from()))?;
    Ok(child)
}

/// Asks it to end, makes it end, and ends what is left in its control group; nothing to do is well done.
pub(crate) fn stop(instance: &Instance, part: &str, stop: Stop) -> Result<()> {
    if let Some(process) = running(instance, part) {
        process.send(stop.signal);
        let ended = wait::until(stop.grace, || if process.lives() { Err(String::new()) } else { Ok(()) });
        if ended.is_err() {
            kill_all(|| process.lives().then(|| process.clone()).into_iter().collect()).map_err(anyhow::Error::msg)?;
        }
    }
    if stop.with_children {
        end_group(instance, part)?;
    }
    Ok(())
}

/// Kills the part at once.
pub(crate) fn kill(instance: &Instance, part: &str, stop: Stop) -> Result<()> {
    self::stop(instance, part, stop.by(Signal::KILL))
}

/// Ends whatever runs in the part's control group.
pub(crate) fn end_group(instance: &Instance, part: &str) -> Result<()> {
    let group = format!("{}/{part}", instance.name);
    kill_all(|| Process::all().into_iter().filter(|process| process.is_under(&group)).collect()).map_err(anyhow::Error::msg)
}

/// User and group of an account: by name, or a number that needs no account.
pub(crate) fn account(user: &str) -> Result<(u32, u32)> {
    if let Ok(number) = user.parse() {
        return Ok((number, number));
    }
    let table = fs::read_to_string("/etc/passwd")?;
    table
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&user))
        .and_then(|fields| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))
        .with_context(|| format!("this machine has no user {user}; its package is missing"))
}

/// Gives a file to a user.
pub(crate) fn own(path: &Path, owner: Option<(u32, u32)>) -> Result<()> {
    let (user, group) = owner.unwrap_or((0, 0));
    chown(path, Some(user), Some(group)).with_context(|| format!("cannot give {} to its user", path.display()))
}

fn write(file: &Shipped, owner: Option<(u32, u32)>) -> Result<()> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut fresh = file.path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    fs::write(&fresh, &file.text).with_context(|| format!("cannot write {}", file.path.display()))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(file.mode))?;
    own(&fresh, owner)?;
    fs::rename(&fresh, &file.path)?;
    Ok(())
}
