//! One ticket, two promises: a response within half an hour, day and night, and a resolution within four working hours that
//! does not count while the user is waited for. The priority is raised on the way, and what has elapsed stays.
#![expect(clippy::print_stdout, reason = "an example shows")]
use jiff::{SignedDuration, Timestamp};
use worktime::{
    Calendar, Timeline,
    clock::{Due, Reason},
    policy::{Event, History, Policy, What},
};

const CALENDAR: &str = r#"{"zone": "Asia/Shanghai", "layers": [{"name": "市", "national": "cn", "weeks": [{
    "monday": ["08:30-12:00", "14:00-17:30"], "tuesday": ["08:30-12:00", "14:00-17:30"],
    "wednesday": ["08:30-12:00", "14:00-17:30"], "thursday": ["08:30-12:00", "14:00-17:30"],
    "friday": ["08:30-12:00", "14:00-17:30"]}]}]}"#;

const POLICY: &str = r#"{"name": "基本", "clocks": [
    {"name": "响应", "basis": "around_the_clock", "until": "responded", "targets": {"2": "PT30M", "1": "PT10M"}},
    {"name": "解决", "basis": "working_time", "until": "resolved", "targets": {"2": "PT4H", "1": "PT2H"},
     "stands_for": ["user"], "warnings": [75]}]}"#;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let calendar = Calendar::try_new(serde_json::from_str(CALENDAR)?)?;
    let policy: Policy = serde_json::from_str(POLICY)?;
    policy.check()?;
    let at = |text: &str| text.parse::<Timestamp>();
    let timeline = Timeline::compile(&calendar, at("2026-01-01T00:00Z")?, at("2026-12-31T00:00Z")?);

    let history = History {
        ticket: "INC-1".into(),
        opened: at("2026-06-12T16:30+08:00")?,
        priority: "2".into(),
        events: vec![
            Event { at: at("2026-06-12T16:50+08:00")?, what: What::Reached("responded".into()) },
            Event { at: at("2026-06-12T17:00+08:00")?, what: What::Paused(Reason::User) },
            Event { at: at("2026-06-15T09:30+08:00")?, what: What::Resumed },
            Event { at: at("2026-06-15T10:00+08:00")?, what: What::Priority("1".into()) },
        ],
    };
    let now = at("2026-06-15T10:30+08:00")?;
    for clock in policy.clocks(&history)? {
        let reading = clock.read(&timeline, now)?;
        println!("{}: {:#} elapsed, {:#} remain, {:?}", clock.rule().name, reading.elapsed, reading.remaining, reading.due);
        for warning in clock.warnings(&timeline)? {
            println!("    warns at {} %: {:?}", warning.percent, warning.due);
        }
    }
    // Half an hour on Friday, an hour on Monday: half an hour of the two hours is left at 10:30.
    let resolution = policy.clocks(&history)?.remove(1).read(&timeline, now)?;
    assert_eq!(resolution.elapsed, SignedDuration::from_mins(90));
    assert_eq!(resolution.due, Due::At(at("2026-06-15T11:00+08:00")?));
    Ok(())
}
