//! `restart`: how soon a service that was killed says that it is ready, its servers being there; and what it takes of memory at rest.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run has nothing to say, and one that ran prints"
)]
use std::time::Duration;

use serde_json::json;
use tests::{Program, Stage};

const ROUNDS: usize = 9;
/// Nobody has called for so long.
const REST: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let mut stage = Stage::set().await;
    let database = stage.database().await;
    let settings = format!(
        "{}[service.database]\nurl = \"{}\"\nconnections = 5\n[service.broker]\nurl = \"{}\"\n",
        stage.identity("ticketing"),
        database.url.expose(),
        stage.broker()
    );
    let mut program = Program::start("ticketing", stage.folder(), &settings);
    program.ready().await;
    let mut seconds = Vec::new();
    for _ in 0..ROUNDS {
        program.kill();
        seconds.push(program.restart().await.as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    println!("{}", json!({"name": "ready after a restart", "unit": "s", "ours": seconds[ROUNDS / 2]}));
    tokio::time::sleep(REST).await;
    let metrics = program.metrics().await.unwrap();
    let line = metrics.lines().find(|line| line.starts_with("process_resident_memory_bytes ")).unwrap();
    let bytes: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
    println!("{}", json!({"name": "memory of a service at rest", "unit": "MB", "ours": bytes / 1e6}));
}
