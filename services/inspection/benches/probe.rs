//! How many web pages a second one inspector looks at, beside `check_http` of the monitoring-plugins, the tool that most
//! schedulers start for the same: same server, same concurrency, turn and turn about in one run.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]
use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use chassis::Clock;
use futures::{StreamExt, stream};
use inspection::{
    inspector::Prober,
    item::{Item, Probe, Severity},
};
use serde_json::json;
use tests::told;

/// Probes at once, for both.
const CONCURRENCY: usize = 32;
/// Rounds of each, of which the median counts.
const ROUNDS: usize = 5;
/// Probes a round: few enough that all rounds together leave ports free on this machine.
const OURS: usize = 2_000;
const PEERS: usize = 300;
/// nginx of the instance that is up.
const PORT: u16 = 17080;

const PEER: &str = "/usr/lib/nagios/plugins/check_http";

/// What a round took, and each of its probes.
struct Round {
    rate: f64,
    probes: Vec<Duration>,
}

#[tokio::main]
async fn main() {
    assert!(std::path::Path::new(PEER).exists(), "{PEER} is missing: apt-get install monitoring-plugins-basic");
    tests::provide_tls();
    let address = told("OPSMESH_BRIDGE");
    let page = Item {
        id: "page".into(),
        title: "页面".into(),
        probe: Probe::Http {
            port: PORT,
            tls: false,
            path: "/".into(),
            host: None,
            expect_status: vec![200],
            expect_body: None,
            insecure_skip_verify: false,
        },
        limits: Vec::new(),
        severity: Severity::Major,
        timeout: Duration::from_secs(5),
    };
    let prober = Prober::new(PathBuf::new(), Clock::default());
    let ours = async || {
        round(OURS, async || {
            let (_, seen) = prober.observe(&page, "web", &address).await;
            assert!(seen.error.is_none(), "{:?}", seen.error);
        })
        .await
    };
    let port = PORT.to_string();
    let peers = async || {
        round(PEERS, async || {
            let mut command = tokio::process::Command::new(PEER);
            command.args(["-I", &address, "-p", &port, "-u", "/", "-e", "200", "-t", "5"]).stdout(Stdio::null());
            assert!(command.status().await.unwrap().success());
        })
        .await
    };
    // Neither pays for the first connection, page fault or file.
    ours().await;
    peers().await;
    let (mut our_rounds, mut peer_rounds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_rounds.push(ours().await);
        peer_rounds.push(peers().await);
    }
    let (rate, peer) = (median(&our_rounds), median(&peer_rounds));
    let mut probes: Vec<Duration> = our_rounds.into_iter().flat_map(|round| round.probes).collect();
    probes.sort_unstable();
    let at = |share: usize| probes[probes.len() * share / 100].as_secs_f64() * 1e3;
    let measured = json!({
        "name": "probe-http", "unit": "probes/s", "ours": rate, "peer": peer, "peer_name": "check_http",
        "ratio": rate / peer, "p50_ms": at(50), "p99_ms": at(99),
    });
    #[expect(clippy::print_stdout, reason = "this is what it is asked for")]
    {
        println!("{measured}");
    }
}

async fn round(probes: usize, probe: impl AsyncFn()) -> Round {
    let began = Instant::now();
    let one = async |_| {
        let began = Instant::now();
        probe().await;
        began.elapsed()
    };
    let taken: Vec<Duration> = stream::iter(0..probes).map(one).buffer_unordered(CONCURRENCY).collect().await;
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    Round { rate: probes as f64 / seconds, probes: taken }
}

fn median(rounds: &[Round]) -> f64 {
    let mut rates: Vec<f64> = rounds.iter().map(|round| round.rate).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}
