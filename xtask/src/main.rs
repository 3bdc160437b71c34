//! HOW IT RUNS HERE: servers, cluster, sample estate, tests and benchmarks of opsmesh on one machine, behind the script `./x`.
#![expect(
    clippy::print_stderr,
    reason = "this is a command-line program: it tells the person who typed the command what went wrong"
)]

use std::process::ExitCode;

mod addresses;
mod bench;
mod certificates;
mod cgroups;
mod cluster;
mod commands;
mod copies;
mod debian;
mod doctor;
mod environment;
mod errand;
mod estate;
mod foreign;
mod http;
mod huge_pages;
mod identity;
mod images;
mod instance;
mod keys;
mod launch;
mod leftovers;
mod listeners;
mod logs;
mod network;
mod notes;
mod part;
mod parts;
mod platform;
mod processes;
mod product;
mod progress;
mod prove;
mod provision;
mod servers;
mod settings;
mod shutdown;
mod startup;
mod test;
mod tools;
mod wait;

fn main() -> ExitCode {
    match commands::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("x: {error:#}");
            ExitCode::FAILURE
        }
    }
}
