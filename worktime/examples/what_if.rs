//! Before a policy is changed: what would it have done to the tickets that we had? Here the service would be open on
//! Saturdays too, and the promise be shorter for it.
#![expect(clippy::print_stdout, reason = "an example shows")]
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use worktime::{
    Calendar, Timeline,
    explain::Language,
    policy::{Event, History, Policy, What},
    replay::{Regime, compare},
};

fn timeline(saturday: &[&str]) -> Result<Timeline, Box<dyn std::error::Error>> {
    let day = ["09:00-12:00", "14:00-18:00"];
    let week = json!({"monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day, "saturday": saturday});
    let described = json!({"zone": "Asia/Shanghai", "layers": [{"name": "市", "national": "cn", "weeks": [week]}]});
    let calendar = Calendar::try_new(serde_json::from_value(described)?)?;
    Ok(Timeline::compile(&calendar, "2025-12-01T00:00Z".parse()?, "2027-06-01T00:00Z".parse()?))
}

fn policy(target: &str) -> Result<Policy, serde_json::Error> {
    let clock = json!({"name": "解决", "basis": "working_time", "until": "resolved", "targets": {"3": target}});
    serde_json::from_value(json!({"name": target, "clocks": [clock]}))
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let first: Timestamp = "2026-01-01T09:00+08:00".parse()?;
    let ticket = |index: i64| {
        let opened = first + SignedDuration::from_hours(index * 31);
        let resolved = opened + SignedDuration::from_hours(20 + index * 11 % 60);
        let events = vec![Event { at: resolved, what: What::Reached("resolved".into()) }];
        History { ticket: format!("INC-{index}"), opened, priority: "3".into(), events }
    };
    let tickets: Vec<History> = (1..=200).map(ticket).collect();

    let (old, new) = (policy("PT16H")?, policy("PT14H")?);
    let (weekdays, saturdays) = (timeline(&[])?, timeline(&["09:00-12:00"])?);
    let before = Regime { policy: &old, timeline: &weekdays };
    let after = Regime { policy: &new, timeline: &saturdays };
    let comparison = compare(&tickets, before, after, "2027-01-01T00:00Z".parse()?)?;
    println!("{}", comparison.text(Language::Zh));
    println!("{}", comparison.text(Language::En));
    assert_eq!(comparison.clocks, 200);
    Ok(())
}
