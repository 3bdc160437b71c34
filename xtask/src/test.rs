//! `./x test`: everything that a machine can check, in the order in which it fails soonest; then every test, against an instance of their own that lives in a
//! network namespace and shares nothing with one that is up.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::errand;
use crate::instance::Instance;
use crate::product::{cargo, cargo_static, chart, is_there};
use crate::progress::{Progress, say};
use crate::settings::{FOREIGN, Settings};
use crate::tools::{self, KITS, TEST_KITS};
use crate::wait::spoken;
use crate::{debian, environment, product};

/// The tests' own instance; both names are fixed, so that what a killed run left is found by the next.
const HOME: &str = "/var/lib/opsmesh-test";
const NETWORK: &str = "opsmesh-test";

/// Which, and what stays.
#[derive(Args)]
pub(crate) struct Choice {
    /// Only tests whose name contains this; the checks before them are left out.
    filter: Option<String>,
    /// Leave the tests' instance up for the next run.
    #[arg(long)]
    keep: bool,
    /// What a long form of a test is told besides.
    #[arg(skip)]
    told: Vec<(&'static str, String)>,
}

impl Choice {
    /// The tests of this name in their long form.
    pub(crate) fn long(name: &str, told: Vec<(&'static str, String)>) -> Self {
        Self { filter: Some(name.into()), keep: false, told }
    }
}

/// Times of the steps, for the last line.
#[derive(Default)]
struct Times(Vec<(&'static str, Duration)>);

/// Runs them.
pub(crate) fn run(caller: &Instance, choice: &Choice) -> Result<ExitCode> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "tests start servers and a cluster, and only root can: run it as root, or with `sudo -E ./x test`"
    );
    let mut settings = Settings::read();
    settings.home = HOME.into();
    settings.network = Some(NETWORK.into());
    settings.foreign = crate::settings::Foreign::default();
    let instance = Instance::at(settings)?;
    let began = Instant::now();
    let mut times = Times::default();
    let outcome = steps(caller, &instance, choice, &mut times);
    let took: Vec<String> = times.0.iter().map(|(name, took)| format!("{name} {}", spoken(*took))).collect();
    say(&format!("\n{} in {} ({})", if outcome.is_ok() { "Passed" } else { "Failed" }, spoken(began.elapsed()), took.join(", ")));
    outcome.map(|()| ExitCode::SUCCESS)
}

fn steps(caller: &Instance, instance: &Instance, choice: &Choice, times: &mut Times) -> Result<()> {
    // Pinned tools take longest when they are not there; what they are not needed for goes on beside them.
    let progress = Progress::new();
    drop(instance.hold()?);
    std::thread::scope(|scope| -> Result<()> {
        let building = scope.spawn(|| -> Result<()> {
            debian::provide(caller, &progress)?;
            debian::provide_for_tests(caller, &progress)?;
            tools::provide(instance, KITS, &progress)
        });
        times.measure("tools", || tools::provide(instance, TEST_KITS, &progress))?;
        let checked = checks(caller, choice, &progress, times);
        let compiled = checked.and_then(|()| times.measure("compiling", || compile(caller, &progress)));
        let built =
            times.measure("building tools", || building.join().map_err(|_| anyhow::anyhow!("building the tools panicked"))?);
        compiled?;
        built?;
        lint_chart(caller, choice, &progress)
    })?;
    drop(progress);
    say("\nThe tests' own instance:");
    let up = times.measure("up", || itself(instance, &["up", "--as-compiled"]));
    let tested = up.and_then(|()| times.measure("tests", || tests(caller, instance, choice)));
    if tested.is_err() {
        record_cluster(instance);
    }
    if choice.keep {
        return tested;
    }
    // Its logs are told of by a failure; they stay until the next run.
    let words: &[&str] = if tested.is_ok() { &["down", "--purge"] } else { &["down"] };
    let down = times.measure("down", || itself(instance, words));
    tested?;
    down
}

/// What can be said of the sources without running them.
fn checks(caller: &Instance, choice: &Choice, progress: &Progress, times: &mut Times) -> Result<()> {
    if choice.filter.is_some() {
        return Ok(());
    }
    let mut run = |name: &'static str, command: &mut Command| times.measure(name, || check(caller, progress, name, command));
    run("fmt", cargo(caller).args(["fmt", "--all", "--check"]))?;
    run(
        "clippy",
        cargo(caller).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--message-format=short",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    let mut deny = tools::program(caller, "cargo-deny")?;
    run("deny", deny.current_dir(&caller.checkout).args(["--locked", "check", "licenses", "bans", "sources"]))?;
    let mut buf = tools::program(caller, "buf")?;
    run("buf", buf.current_dir(&caller.checkout).arg("lint"))?;
    let mut squawk = tools::program(caller, "squawk")?;
    run("squawk", squawk.current_dir(&caller.checkout).args(["*/migrations/*.sql", "services/*/migrations/*.sql"]))
}

/// A chart that does not render is told before a cluster is started for it.
fn lint_chart(caller: &Instance, choice: &Choice, progress: &Progress) -> Result<()> {
    if choice.filter.is_some() || !is_there(caller) {
        return Ok(());
    }
    let mut helm = tools::program(caller, "helm")?;
    check(caller, progress, "chart", helm.arg("lint").arg(chart(caller)))
}

/// Runs a check to its end.
fn check(caller: &Instance, progress: &Progress, name: &str, command: &mut Command) -> Result<()> {
    let step = progress.begin(name, "checking");
    let checked = errand::record(command, &caller.settings.cache.join(format!("{name}.log")));
    match &checked {
        Ok(()) => step.done("is well"),
        Err(_) => step.failed("is not well"),
    }
    checked
}

/// Programs and tests, compiled in one go before their instance is up: together they need each dependency once, and what is tested is what runs.
fn compile(caller: &Instance, progress: &Progress) -> Result<()> {
    let step = progress.begin("workspace", "compiling programs and tests (some minutes the first time)");
    let mut command = cargo_static(caller);
    command.args(["build", "--workspace", "--bins", "--tests", "--message-format=short"]).args(product::RELEASED);
    let compiled = errand::record(&mut command, &caller.settings.cache.join("workspace.log"));
    match &compiled {
        Ok(()) => step.done("compiled"),
        Err(_) => step.failed("does not compile"),
    }
    compiled.context("programs and tests do not compile")
}

/// The tests, inside the network of their instance.
fn tests(caller: &Instance, instance: &Instance, choice: &Choice) -> Result<()> {
    let inner = nextest(caller, instance)?;
    let mut command = errand::program("nsenter");
    command
        .arg(format!("--net=/run/netns/{NETWORK}"))
        .arg("--")
        .arg(inner.get_program())
        .args(inner.get_args())
        .arg("--offline")
        .args(choice.filter.as_ref())
        .args((!choice.told.is_empty()).then_some(["--profile", "long", "--no-capture"]).into_iter().flatten())
        .envs(choice.told.iter().map(|(name, value)| (name, value)))
        .current_dir(&caller.checkout);
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    for (name, value) in environment::all(instance)? {
        command.env(name, value);
    }
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    bail!(
        "tests failed; what servers and cluster said is in {}, what pods said in {}; with --keep all of it stays up: OPSMESH_HOME={HOME} OPSMESH_NETNS={NETWORK} ./x status",
        instance.path("logs").display(),
        instance.path("pod-logs").display()
    )
}

/// What the cluster looked like when tests failed: it is gone when somebody reads of it. Best done, not needed.
fn record_cluster(instance: &Instance) {
    const ASKED: &str =
        "kubectl get all -A -o wide; kubectl get events -A --sort-by=.lastTimestamp; kubectl get insp,orun -A -o yaml";
    let mut command = errand::program("nsenter");
    command.arg(format!("--net=/run/netns/{NETWORK}")).args(["--", "sh", "-c", ASKED]);
    if let Ok(environment) = environment::all(instance) {
        command.envs(environment);
        drop(errand::record(&mut command, &instance.log("cluster")));
    }
}

/// `cargo nextest run` of the whole workspace, compiled as the images are.
fn nextest(caller: &Instance, instance: &Instance) -> Result<Command> {
    let mut command = cargo_static(caller);
    let path = format!("{}:{}", instance.path("bin").display(), caller.settings.path);
    command.env("PATH", path).args(["nextest", "run", "--workspace"]).args(product::RELEASED);
    Ok(command)
}

/// This very program, for the tests' instance.
fn itself(instance: &Instance, words: &[&str]) -> Result<()> {
    let mut command = errand::program(std::env::current_exe()?);
    // The caller's servers are nothing to the tests.
    for variable in FOREIGN {
        command.env_remove(variable);
    }
    command
        .args(words)
        .env("OPSMESH_HOME", HOME)
        .env("OPSMESH_NETNS", NETWORK)
        // Interrupted together with this command, it would leave a half of itself behind.
        .process_group(0);
    let status = command.status()?;
    ensure!(
        status.success(),
        "the tests' instance does not come {}: its logs are in {}",
        words[0],
        instance.path("logs").display()
    );
    Ok(())
}

impl Times {
    fn measure<T>(&mut self, name: &'static str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        let began = Instant::now();
        let outcome = act();
        self.0.push((name, began.elapsed()));
        outcome
    }
}
