//! A service as a process of its own, that can be killed as a machine kills it: compiled as it is released, told by a settings file.
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{Port, servers::signal, told, within};

/// Longer than a start that waits for its servers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of the log that a failing test shows: what led to it, and not all the calls before.
const LAST_WORDS: usize = 30;

/// A service's process.
pub struct Program {
    name: &'static str,
    settings: PathBuf,
    log: PathBuf,
    /// Where gRPC listens, each time it is started.
    pub grpc: SocketAddr,
    http: SocketAddr,
    _ports: [Port; 2],
    child: Child,
}

impl Program {
    /// Migrates and starts it. `settings` is TOML without the table `host`'s addresses.
    pub fn start(name: &'static str, folder: &Path, settings: &str) -> Self {
        Self::start_after(name, folder, settings, |file| migrate(name, file))
    }

    /// Starts it on whatever schema there is.
    pub fn start_unmigrated(name: &'static str, folder: &Path, settings: &str) -> Self {
        Self::start_after(name, folder, settings, |_| {})
    }

    fn start_after(name: &'static str, folder: &Path, settings: &str, prepare: impl FnOnce(&Path)) -> Self {
        let ports = [Port::claim(), Port::claim()];
        let [grpc, http] = ports.each_ref().map(|port| SocketAddr::from(([127, 0, 0, 1], port.number())));
        // Several replicas differ in where they listen.
        let file = folder.join(format!("{name}-{}.toml", grpc.port()));
        std::fs::write(
            &file,
            format!(
                "[host]\ngrpc = \"{grpc}\"\nhttp = \"{http}\"\ndrain = \"0s\"\npolicies = \"{}\"\n{settings}",
                crate::policies().display()
            ),
        )
        .unwrap();
        let log = file.with_extension("log");
        prepare(&file);
        let child = launch(name, &file, &log);
        Self { name, settings: file, log, grpc, http, _ports: ports, child }
    }

    /// Migrates for it, as a Job of the chart's does.
    pub fn migrate(&self) {
        migrate(self.name, &self.settings);
    }

    /// Kills it where it stands.
    pub fn kill(&mut self) {
        // It may have ended by itself; then that is what the test finds in its log.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Stops it where it stands without ending it, as a machine without breath does; until [`Program::thaw`].
    pub fn freeze(&self) {
        signal("-STOP", self.child.id());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal("-CONT", self.child.id());
    }

    /// Tells it to stop, as Kubernetes does, and waits until it has ended well, at most so long; how long that took.
    pub async fn stop(&mut self, patience: Duration) -> Duration {
        let began = Instant::now();
        signal("-TERM", self.child.id());
        let child = Mutex::new(&mut self.child);
        let what = format!("{} to stop (its log: {})", self.name, self.log.display());
        let ended = within(patience, &what, || async { child.lock().unwrap().try_wait().unwrap().ok_or("it lives") }).await;
        assert!(ended.success(), "{ended} (its log: {})", self.log.display());
        began.elapsed()
    }

    /// Starts it again; how long until it was ready.
    pub async fn restart(&mut self) -> Duration {
        let began = Instant::now();
        self.child = launch(self.name, &self.settings, &self.log);
        self.ready().await;
        began.elapsed()
    }

    /// What it counts and measures, as Prometheus reads it.
    pub async fn metrics(&self) -> reqwest::Result<String> {
        reqwest::get(format!("http://{}/metrics", self.http)).await?.text().await
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&self) {
        let url = format!("http://{}/readyz", self.http);
        within(PATIENCE, &format!("{} to be ready (its log: {})", self.name, self.log.display()), || async {
            let answer = reqwest::Client::new().get(&url).send().await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
        })
        .await;
    }

    /// Waits until it says that this is why it is not ready.
    pub async fn unready(&self, why: &str) {
        let url = format!("http://{}/readyz", self.http);
        within(PATIENCE, &format!("{} to say why it is not ready (its log: {})", self.name, self.log.display()), || async {
            let answer = reqwest::Client::new().get(&url).send().await.map_err(|error| error.to_string())?;
            let (status, said) = (answer.status(), answer.text().await.unwrap_or_default());
            if !status.is_success() && said.contains(why) { Ok(()) } else { Err(said) }
        })
        .await;
    }

    /// What it wrote goes with the test's folder: of a test that failed, the instance keeps it beside its servers' logs.
    #[expect(clippy::print_stdout, reason = "whoever reads of the failure reads this")]
    fn tell(&self) {
        let kept = Path::new(&told("OPSMESH_HOME")).join("logs").join(self.log.file_name().unwrap_or_default());
        let Ok(written) = std::fs::read_to_string(&self.log) else { return };
        let place = if std::fs::write(&kept, &written).is_ok() { kept.display().to_string() } else { "not kept".into() };
        let lines: Vec<&str> = written.lines().collect();
        let end = &lines[lines.len().saturating_sub(LAST_WORDS)..];
        println!("the end of {}'s log (all of it: {place}):\n{}", self.name, end.join("\n"));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            self.tell();
        }
    }
}

/// The program that was compiled with this test.
fn command(name: &str, settings: &Path) -> Command {
    let test = std::env::current_exe().unwrap();
    let release = test.parent().unwrap().parent().unwrap();
    let mut command = Command::new(release.join(name));
    command.arg("--settings").arg(settings).env("OPSMESH_INSTANCE", told("OPSMESH_HOME")).stdin(Stdio::null());
    command
}

fn migrate(name: &str, settings: &Path) {
    let migrated = command(name, settings).arg("migrate").output().unwrap();
    assert!(migrated.status.success(), "{name} migrate: {}", String::from_utf8_lossy(&migrated.stderr));
}

fn launch(name: &str, settings: &Path, log: &Path) -> Child {
    let log = std::fs::File::options().append(true).create(true).open(log).unwrap();
    command(name, settings).arg("serve").stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}
