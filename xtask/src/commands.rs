//! The words after `./x`.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Parser, Subcommand};

use crate::cluster::kubeconfig;
use crate::identity::{self, Claims, PEOPLE};
use crate::instance::Instance;
use crate::part::{Kind, Part, Stop};
use crate::parts::{needed, parts};
use crate::progress::{Progress, say};
use crate::settings::Settings;
use crate::wait::spoken;
use crate::{
    bench, doctor, environment, launch, leftovers, logs, network, platform, product, prove, provision, servers, shutdown,
    startup, test,
};

/// opsmesh on this machine: all of it, for real.
#[derive(Parser)]
#[command(name = "./x", disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Install what is missing, build, and start everything; a second run changes nothing.
    Up {
        /// Only these parts, as `./x status` names them, and what they need.
        parts: Vec<String>,
        /// Take the services as they were last compiled.
        #[arg(long)]
        as_compiled: bool,
    },
    /// Stop everything and leave nothing behind but what was written.
    Down {
        /// Remove what was written, too.
        #[arg(long)]
        purge: bool,
    },
    /// Say of each part whether it is ready, or why not.
    Status,
    /// Show what a part or a service has written.
    Logs {
        /// A part as `./x status` names it, or a deployment of the platform.
        name: String,
        /// Keep showing what comes.
        #[arg(short, long)]
        follow: bool,
    },
    /// Say what this machine can and cannot do.
    Doctor,
    /// Run every test, on an instance of their own.
    Test(test::Choice),
    /// Run a test in its long form, and write what was seen into docs/proofs.md.
    Prove(prove::Choice),
    /// Run benchmarks against what is up.
    Bench(bench::Choice),
    /// Print what a shell needs to use what is up: eval "$(./x env)".
    Env,
    /// Print a token that says who somebody is.
    Token(Claims),
    /// Start one part.
    Start {
        /// A part as `./x status` names it.
        name: String,
    },
    /// Stop one part.
    Stop {
        /// A part as `./x status` names it.
        name: String,
        /// Kill it instead of asking it.
        #[arg(long)]
        kill: bool,
    },
    /// List whatever of this instance is on the machine; fails if there is anything.
    Leftovers,
    /// Serve the documents of the local issuer of tokens.
    #[command(hide = true)]
    Issuer {
        /// The public key.
        public: String,
    },
    /// Serve the list of pods that Prometheus scrapes.
    #[command(hide = true)]
    Targets {
        /// The program to ask the cluster with.
        kubectl: String,
    },
}

/// Does what the words say.
pub(crate) fn run() -> Result<ExitCode> {
    let word = Line::parse().word;
    // What runs as a server of an instance asks nothing of the environment.
    match &word {
        Word::Issuer { public } => return served(servers::issuer::serve(public)),
        Word::Targets { kubectl } => return served(servers::targets::serve(kubectl)),
        _ => {}
    }
    let instance = Instance::at(Settings::read())?;
    match word {
        Word::Up { parts, as_compiled } => up(&instance, &parts, as_compiled)?,
        Word::Down { purge } => return down(&instance, purge),
        Word::Status => return status(&instance),
        Word::Logs { name, follow } => {
            network::enter(&instance)?;
            logs::show(&instance, &name, follow)?;
        }
        Word::Doctor => return examine(&instance),
        Word::Test(choice) => return test::run(&instance, &choice),
        Word::Prove(choice) => return prove::run(&instance, &choice),
        Word::Bench(choice) => return bench::run(&instance, &choice),
        Word::Env => say(environment::exports(&instance)?.trim_end()),
        Word::Token(claims) => say(&identity::token(&instance, &claims)?),
        Word::Start { name } => {
            as_root()?;
            network::enter(&instance)?;
            let _held = instance.hold()?;
            startup::one(&instance, &named(&instance, &name)?, &Progress::new())?;
        }
        Word::Stop { name, kill } => {
            as_root()?;
            let _held = instance.hold()?;
            let (part, stop) = process(&instance, &name)?;
            if kill {
                launch::kill(&instance, part.name, stop)?;
            } else {
                launch::stop(&instance, part.name, stop)?;
            }
            say(&format!("{name} is stopped; ./x start {name} starts it again"));
        }
        Word::Leftovers => return left(&instance),
        Word::Issuer { .. } | Word::Targets { .. } => unreachable!("served above"),
    }
    Ok(ExitCode::SUCCESS)
}

fn served(outcome: Result<()>) -> Result<ExitCode> {
    outcome.map(|()| ExitCode::SUCCESS)
}

fn up(instance: &Instance, names: &[String], as_compiled: bool) -> Result<()> {
    as_root()?;
    let wanted = chosen(instance, names)?;
    let compiles = !as_compiled && wanted.iter().any(|part| part.name == "product");
    let progress = Progress::new();
    let held = instance.hold()?;
    if instance.settings.network.is_none() || !network::is_inside(instance) {
        provision::all(instance, compiles, &progress)?;
    }
    if !network::is_inside(instance) {
        drop((held, progress));
        return network::enter(instance);
    }
    startup::up(instance, &wanted, &progress)?;
    if names.is_empty() {
        platform::sweep(instance)?;
    }
    let took = spoken(progress.elapsed());
    drop(progress);
    say(&format!("\nReady after {took}."));
    // What a person would look at is not to be reached from outside a confined instance's network.
    if instance.settings.network.is_none() && names.is_empty() {
        say(&format!("\n{}", guide(instance)));
    }
    Ok(())
}

/// The parts of these names and what they need; without names all of them.
fn chosen(instance: &Instance, names: &[String]) -> Result<Vec<Part>> {
    let named = names.iter().map(|name| named(instance, name).map(|part| part.name)).collect::<Result<Vec<_>>>()?;
    let parts = parts(instance);
    Ok(if named.is_empty() { parts } else { needed(parts, named) })
}

/// Where to look, and what to try first.
fn guide(instance: &Instance) -> String {
    let people: String =
        PEOPLE.iter().map(|person| format!("  ./x token --as {:<8} {} ({})\n", person.name, person.does, person.role)).collect();
    let walk = if product::is_there(instance) {
        "  kubectl -n opsmesh get pods\n  kubectl get insp -A\n"
    } else {
        "  kubectl get pods -A\n"
    };
    format!(
        "In a shell:\n  eval \"$(./x env)\"        addresses, kubectl, helm, grpcurl and a token in $TOKEN\n{walk}\n\
         People of the sample estate (agency {}):\n{people}\n\
         Where to look:\n  {}   the cluster\n  {}   traces\n  {}   metrics\n  {}   everything that was written\n\n\
         ./x status · ./x logs NAME · ./x down\n",
        identity::AGENCY,
        kubeconfig(instance).display(),
        environment_url(crate::addresses::TRACES),
        environment_url(crate::addresses::PROMETHEUS),
        instance.path("logs").display(),
    )
}

fn environment_url(port: crate::addresses::Port) -> String {
    format!("http://{}", port.at(crate::addresses::BRIDGE))
}

fn down(instance: &Instance, purge: bool) -> Result<ExitCode> {
    as_root()?;
    if !instance.exists() {
        say("Nothing is here.");
        return left(instance);
    }
    let progress = Progress::new();
    let held = instance.hold()?;
    shutdown::down(instance, &parts(instance), &progress)?;
    if purge {
        shutdown::purge(instance)?;
    }
    drop(held);
    let took = spoken(progress.elapsed());
    drop(progress);
    let kept = if purge { "nothing is kept".into() } else { format!("data are kept in {}", instance.home().display()) };
    say(&format!("Down after {took}; {kept}."));
    left(instance)
}

fn left(instance: &Instance) -> Result<ExitCode> {
    let left = leftovers::list(instance)?;
    for thing in &left {
        say(&format!("left: {thing}"));
    }
    Ok(if left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn status(instance: &Instance) -> Result<ExitCode> {
    ensure!(instance.exists(), "nothing is here yet: run ./x up");
    if let Some(name) = &instance.settings.network
        && !std::path::Path::new("/run/netns").join(name).exists()
    {
        bail!("it is down: run ./x up");
    }
    network::enter(instance)?;
    let parts = parts(instance);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = parts.iter().map(|part| scope.spawn(|| (part.ready)(instance))).collect();
        asking.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("asking it panicked".into()))).collect()
    });
    for (part, answer) in parts.iter().zip(&answers) {
        match answer {
            Ok(()) => say(&format!("✓ {:<24} {}", part.name, part.what)),
            Err(why) => say(&format!("✗ {:<24} {}: {why}", part.name, part.what)),
        }
    }
    let well = answers.iter().all(Result::is_ok);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn examine(instance: &Instance) -> Result<ExitCode> {
    let findings = doctor::look(instance)?;
    for finding in &findings {
        let mark = match finding.well {
            Some(true) => '✓',
            Some(false) => '✗',
            None => '·',
        };
        say(&format!("{mark} {}", finding.said));
    }
    let well = findings.iter().all(|finding| finding.well != Some(false));
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn named(instance: &Instance, name: &str) -> Result<Part> {
    let parts = parts(instance);
    let known = || parts.iter().map(|part| part.name).collect::<Vec<_>>().join(", ");
    parts
        .iter()
        .find(|part| part.name == name)
        .copied()
        .with_context(|| format!("no part is called {name}; there are {}", known()))
}

fn process(instance: &Instance, name: &str) -> Result<(Part, Stop)> {
    let part = named(instance, name)?;
    match part.kind {
        Kind::Server { stop, .. } => Ok((part, stop)),
        Kind::Thing { .. } => bail!("{name} is not a process: it cannot be stopped alone"),
        Kind::Foreign => bail!("{name} is not ours: whoever runs it can stop it"),
    }
}

fn as_root() -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "servers and a cluster can be started by root only: run it as root, or with `sudo -E ./x …`"
    );
    Ok(())
}
