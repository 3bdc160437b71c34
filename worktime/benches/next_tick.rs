//! Next ticks a second on one core: eight usual expressions on the working days of a calendar with three years of holidays,
//! beside the cron libraries of Go and npm, which are given the same expressions, zone and instants but no calendar, for they
//! know none. Their first answers are checked against ours without one.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]
use std::{
    env,
    hint::black_box,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use worktime::{
    Calendar, Schedule,
    calendar::{Description as Written, Layer, Week},
    schedule::{Description, On},
};

/// Rounds, of which the median counts.
const ROUNDS: usize = 5;
/// Questions of a round.
const QUESTIONS: usize = 2_000_000;
const ZONE: &str = "Asia/Shanghai";
const EXPRESSIONS: [&str; 8] =
    ["*/5 * * * *", "30 9 * * 1-5", "0 3 * * *", "0 8-18/2 * * 1-5", "15 2 1 * *", "0 0 1 1 *", "45 23 * * 0", "0 12 1,15 * *"];

fn main() {
    let week = Week::working_days(&["09:00-12:00".parse().unwrap(), "13:00-17:00".parse().unwrap()]);
    let layers = vec![Layer { national: Some("cn".into()), weeks: vec![week], ..Layer::new("市") }];
    let calendar = Calendar::try_new(Written { zone: ZONE.into(), layers }).unwrap();
    let schedules = |days, calendar: Option<&Calendar>| -> Vec<Schedule> {
        let read = |cron: &&str| {
            let description = Description { cron: (*cron).into(), zone: ZONE.into(), days, ..Description::default() };
            Schedule::try_new(description, calendar.cloned()).unwrap()
        };
        EXPRESSIONS.iter().map(read).collect()
    };
    let ours = schedules(On::WorkingDays, Some(&calendar));
    // Not a multiple of the number of expressions: each of them meets every start.
    let starts: Vec<i64> = (0..997).map(|index| 1_704_067_200 + index * 94_907).collect();
    let instants: Vec<Timestamp> = starts.iter().map(|start| Timestamp::from_second(*start).unwrap()).collect();
    let round = || {
        let began = Instant::now();
        for question in 0..QUESTIONS {
            let start = instants[question % instants.len()];
            black_box(ours[question % ours.len()].next(black_box(start)));
        }
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        let done = QUESTIONS as f64;
        done / began.elapsed().as_secs_f64()
    };
    round();
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    rates.sort_unstable_by(f64::total_cmp);
    let rate = rates[rates.len() / 2];

    let plain = schedules(On::EveryDay, None);
    let first: Vec<i64> =
        plain.iter().zip(&instants).map(|(schedule, start)| schedule.next(*start).unwrap().as_second()).collect();
    let given = json!({"zone": ZONE, "expressions": EXPRESSIONS, "starts": starts}).to_string();
    let told = |name: &str| env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run it with ./x bench"));
    let go = Command::new(told("OPSMESH_CRON_PEERS"));
    let mut node = Command::new("node");
    node.env("NODE_PATH", told("OPSMESH_PEERS_NPM"));
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/cron.js"));
    let mut peers = measure(go, &given);
    peers.extend(measure(node, &given));
    for peer in &peers {
        assert_eq!(peer["first"], json!(first), "{} finds other ticks", peer["name"]);
        say(&json!({"name": format!("next-tick-{}", peer["name"].as_str().unwrap()), "unit": "ticks/s", "ours": peer["rate"]}));
    }
    let best = peers.iter().max_by(|one, other| rate_of(one).total_cmp(&rate_of(other))).unwrap();
    say(&json!({
        "name": "next-tick", "unit": "ticks/s", "ours": rate, "peer": rate_of(best), "peer_name": best["name"],
        "ratio": rate / rate_of(best),
    }));
}

fn rate_of(peer: &Value) -> f64 {
    peer["rate"].as_f64().unwrap()
}

fn measure(mut command: Command, given: &str) -> Vec<Value> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} failed");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[expect(clippy::print_stdout, reason = "this is what it is asked for")]
fn say(measured: &Value) {
    println!("{measured}");
}
