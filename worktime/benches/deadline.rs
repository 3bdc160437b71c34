//! Deadlines a second of one core: 8 shifts a week, 3 years of holidays with make-up days, 20 pauses each, every deadline
//! computed anew from what happened. Beside it the libraries that people use for working hours, each given the nearest that it
//! can do: the same week and holidays and the same target, but no pauses and no make-up days, which they do not know. Their
//! first answer is checked against ours.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]
use std::{
    env,
    hint::black_box,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use worktime::{
    Calendar, Timeline,
    calendar::{Description, Layer, Shift, Week, Weekday},
    clock::{Basis, Clock, Due, Reason, Rule},
    holidays,
    policy::{Event, History, Policy, What},
    replay::{Regime, compare},
};

/// Rounds, of which the median counts.
const ROUNDS: usize = 5;
/// Clocks of a round.
const CLOCKS: usize = 2_000;
/// How often each is asked in a round.
const TURNS: usize = 200;
/// Working time that each has: longer than the 20 pauses take to come.
const TARGET: SignedDuration = SignedDuration::from_mins(40 * 60);
const YEARS: std::ops::RangeInclusive<i16> = 2024..=2026;

fn main() {
    let calendar = Calendar::try_new(Description {
        zone: "Asia/Shanghai".into(),
        layers: vec![Layer { national: Some("cn".into()), weeks: vec![week()], ..Layer::new("市") }],
    })
    .unwrap();
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let timeline = Timeline::compile(&calendar, at("2023-12-31T16:00:00Z"), at("2026-12-31T16:00:00Z"));
    let clocks: Vec<Clock> = (0..CLOCKS).map(|index| clock(&calendar, index)).collect();
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| round(&clocks, &timeline)).collect();
    let ours = median(&mut rates);
    let beside = |name: &str, peer: f64, peer_name: &str| {
        let ratio = ours / peer;
        say(&json!({
            "name": name, "unit": "deadlines/s", "ours": ours, "peer": peer, "peer_name": peer_name, "ratio": ratio,
        }));
    };
    let peers = ["dayjs-business-time", "moment-business-time", "businesstimedelta"];
    let rates = peers.map(|name| (peer(name, &calendar, &timeline), name));
    for (number, (rate, name)) in rates.iter().enumerate() {
        beside(&format!("deadline-{}", number + 1), *rate, name);
    }
    let (best, name) = rates.into_iter().max_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
    beside("deadline", best, name);
    say(&json!({"name": "replay", "unit": "clocks/s", "ours": replay(&timeline)}));
}

/// 8 shifts, 35 hours.
fn week() -> Week {
    let shifts = |texts: &[&str]| -> Vec<Shift> { texts.iter().map(|text| text.parse().unwrap()).collect() };
    let (long, short) = (shifts(&["09:00-12:00", "13:00-17:00"]), shifts(&["09:00-16:00"]));
    let mut week = Week::working_days(&long);
    (week.thursday, week.friday) = (short.clone(), short);
    week
}

/// Starts on the days of three years, 20 pauses of an hour or more, a few hours apart.
fn clock(calendar: &Calendar, index: usize) -> Clock {
    let index = i64::try_from(index).unwrap();
    let day = Date::constant(2024, 1, 2) + (index % 900).days();
    let mut at = calendar.zone().to_timestamp(day.at(9, 0, 0, 0)).unwrap() + SignedDuration::from_secs(index * 7 % 30_000);
    let mut clock = Clock::start(Rule::new("处理", Basis::WorkingTime, TARGET), at).unwrap();
    for pause in 0..20 {
        at += SignedDuration::from_mins(150 + (index + pause) * 13 % 60);
        clock.pause(at, Reason::User).unwrap();
        at += SignedDuration::from_mins(60 + (index * pause) * 17 % 240);
        clock.resume(at).unwrap();
    }
    clock
}

fn round(clocks: &[Clock], timeline: &Timeline) -> f64 {
    let began = worked();
    for _ in 0..TURNS {
        for clock in clocks {
            assert!(matches!(black_box(black_box(clock).due(timeline)), Ok(Due::At(_))));
        }
    }
    rate(CLOCKS * TURNS, began)
}

/// One library, for a second.
fn peer(name: &str, calendar: &Calendar, timeline: &Timeline) -> f64 {
    let starts: Vec<String> = (0..900)
        .map(|day| (Date::constant(2025, 6, 16) - 500.days() + ((day + 500) % 900).days()).at(9, 0, 0, 0).to_string())
        .collect();
    let shifts = |weekday: Weekday| -> Vec<Value> {
        let texts = week().hours(weekday).iter().map(ToString::to_string).collect::<Vec<_>>();
        texts.iter().map(|text| json!(text.split('-').collect::<Vec<_>>())).collect()
    };
    let week: Vec<Vec<Value>> = (0..7).map(|day| shifts(Weekday::ALL[(day + 6) % 7])).collect();
    let days = holidays::national("cn").unwrap().iter().filter(|year| YEARS.contains(&year.year));
    let days: Vec<String> = days
        .flat_map(|year| year.holidays)
        .flat_map(|(_, from, until)| from.series(1.day()).take_while(move |day| day <= until))
        .map(|day| day.to_string())
        .collect();
    let given = json!({"week": week, "holidays": days, "starts": starts, "minutes": TARGET.as_mins()});
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    let told = |name: &str| env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run it with ./x bench"));
    let mut command = match name {
        "dayjs-business-time" | "moment-business-time" => {
            let mut node = Command::new("node");
            node.env("NODE_PATH", told("OPSMESH_PEERS_NPM"));
            node.arg(scripts.join(if name.starts_with("dayjs") { "dayjs.js" } else { "moment.js" }));
            node
        }
        _ => {
            let mut python = Command::new("python3");
            python.env("PYTHONPATH", told("OPSMESH_PEERS_PYTHON")).arg(scripts.join("timedelta.py"));
            python
        }
    };
    command.env("TZ", "Asia/Shanghai").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name} failed");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    // No pause, no make-up day: the same deadline, so the same task.
    let zone: &TimeZone = calendar.zone();
    let start = zone.to_timestamp(Date::constant(2025, 6, 16).at(9, 0, 0, 0)).unwrap();
    let alike = Clock::start(Rule::new("处理", Basis::WorkingTime, TARGET), start).unwrap().due(timeline);
    let Ok(Due::At(due)) = alike else { panic!("{alike:?}") };
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let due = due.as_second() as f64;
    let first = answer["first"].as_f64().unwrap();
    assert!((first - due).abs() < 1.0, "{name} finds another deadline: {first} for {due}");
    answer["rate"].as_f64().unwrap()
}

/// Two policies over 10,000 tickets with a response and a resolution clock each.
fn replay(timeline: &Timeline) -> f64 {
    let policy = |hours: &str| -> Policy {
        let promise = |name: &str, basis: &str, until: &str, target: &str| json!({"name": name, "basis": basis, "until": until, "targets": {"3": target}, "stands_for": ["user", "vendor"]});
        let clocks = [
            promise("response", "around_the_clock", "responded", "PT1H"),
            promise("resolution", "working_time", "resolved", hours),
        ];
        serde_json::from_value(json!({"name": hours, "clocks": clocks})).unwrap()
    };
    let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let histories: Vec<History> = (0..10_000i64)
        .map(|index| {
            let opened = start + SignedDuration::from_mins(index * 130);
            let event = |minutes: i64, what| Event { at: opened + SignedDuration::from_mins(minutes), what };
            let events = vec![
                event(20, What::Reached("responded".into())),
                event(60, What::Paused(Reason::Vendor)),
                event(60 + index % 3000, What::Resumed),
                event(3100 + index % 4000, What::Reached("resolved".into())),
            ];
            History { ticket: index.to_string(), opened, priority: "3".into(), events }
        })
        .collect();
    let (old, new) = (policy("PT16H"), policy("PT24H"));
    let (before, after) = (Regime { policy: &old, timeline }, Regime { policy: &new, timeline });
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = worked();
            let compared = compare(black_box(&histories), before, after, timeline.until()).unwrap();
            assert!(compared.breaches_after < compared.breaches_before);
            rate(compared.clocks, began)
        })
        .collect();
    median(&mut rates)
}

#[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
fn rate(done: usize, began: Duration) -> f64 {
    done as f64 / (worked() - began).as_secs_f64()
}

/// What this thread has had of its core: what else the machine does is not ours. The libraries are measured alike.
fn worked() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[expect(clippy::print_stdout, reason = "this is what it is asked for")]
fn say(measured: &Value) {
    println!("{measured}");
}
