//! THE AUDITOR: finds what was changed in a service's facts since they were sealed. It needs a dump and the public keys; no
//! server, and nobody's word.
#![expect(clippy::print_stdout, reason = "this is a command-line program: it tells its findings to whoever typed the command")]

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use chassis::Secret;
use clap::{Parser, Subcommand};
use mailbox::{
    BrokerSettings,
    seal::{Audit, Dump, PublicKey, Seal, SealKey, Suite},
};

#[derive(Debug, Parser)]
#[command(name = "opsmesh-verify", version, about = "Finds what was changed in a service's facts since they were sealed")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hold a dump against its seals. Ends with 0 if everything is as it was sealed, with 1 if something is not.
    Facts {
        /// What `pg_dump --table='facts*' --table=seals --table=disposals` wrote, as plain text.
        dump: PathBuf,
        /// Whose facts: the service's name.
        #[arg(long)]
        service: String,
        /// The public key: the service logs it when it starts. Of a service whose key was changed, all of them.
        #[arg(long = "key", required = true)]
        keys: Vec<PublicKey>,
        /// Copies of seals, one JSON object a line, as `copies` collects them: without them a tail that was cut off is not seen.
        #[arg(long)]
        copies: Option<PathBuf>,
    },
    /// Move the copies of seals that the broker keeps to the end of a file.
    Copies {
        /// `amqp://user:password@host:port/vhost`
        #[arg(long, env = "AMQP_URL")]
        broker: String,
        /// Where to.
        file: PathBuf,
    },
    /// Print the public key of the seed on standard input.
    Key,
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Facts { dump, service, keys, copies } => {
            let audit = audit(&dump, &service, &keys, copies.as_deref())?;
            println!("{} facts, {} seals; {} facts are too new to be sealed", audit.facts, audit.seals, audit.unsealed);
            if audit.disposed > 0 {
                println!("{} facts were dropped by the service, their time being over", audit.disposed);
            }
            for wrong in &audit.wrong {
                println!("{wrong}");
            }
            Ok(if audit.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Copies { broker, file } => {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let mut to = OpenOptions::new().create(true).append(true).open(&file).context("the file of copies")?;
            let settings = BrokerSettings { url: Secret::new(broker) };
            let moved = runtime.block_on(mailbox::collect_copies(&settings, |line| {
                to.write_all(line)?;
                to.write_all(b"\n")?;
                // Only what is on the disk is taken away from the broker.
                to.sync_data()
            }))?;
            println!("{moved} copies");
            Ok(ExitCode::SUCCESS)
        }
        Command::Key => {
            let mut seed = String::new();
            std::io::stdin().read_line(&mut seed)?;
            println!("{}", SealKey::of(&Secret::new(seed.trim()))?.public());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn audit(dump: &Path, service: &str, keys: &[PublicKey], copies: Option<&Path>) -> anyhow::Result<Audit> {
    let file = File::open(dump).with_context(|| dump.display().to_string())?;
    let suites: Vec<Suite> = keys.iter().map(PublicKey::suite).collect();
    let dump = Dump::read(BufReader::with_capacity(1 << 20, file), &suites).with_context(|| dump.display().to_string())?;
    let copies = match copies {
        Some(file) => read_copies(file).with_context(|| file.display().to_string())?,
        None => Vec::new(),
    };
    Ok(Audit::of(keys, service, dump, copies))
}

fn read_copies(file: &Path) -> anyhow::Result<Vec<Seal>> {
    let lines = BufReader::new(File::open(file)?).lines();
    let copy = |(number, line): (usize, std::io::Result<String>)| {
        serde_json::from_str(&line?).with_context(|| format!("line {}", number + 1))
    };
    lines.enumerate().map(copy).collect()
}
