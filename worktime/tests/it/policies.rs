//! Policies, and what another one would have done.
use jiff::{SignedDuration, Timestamp};
use worktime::{
    Calendar, Timeline,
    clock::{Due, Reason},
    explain::Language,
    policy::{Event, History, Policy, What},
    replay::{Outcome, Regime, compare},
};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) const POLICY: &str = r"
name: 基本
clocks:
- {name: response, basis: around_the_clock, until: responded, targets: {'1': PT15M, '2': PT30M, '3': PT1H}, warnings: [50, 75]}
- {name: resolution, basis: working_time, until: resolved, targets: {'1': PT2H, '2': PT4H, '3': PT8H}, stands_for: [user, vendor, spare]}
";

pub(crate) fn policy(text: &str) -> Policy {
    serde_saphyr::from_str(text).unwrap()
}

pub(crate) fn timeline(national: &str) -> Timeline {
    let yaml = format!(
        "{{zone: Asia/Shanghai, layers: [{{name: 市{national}, weeks: [{{monday: &d ['09:00-12:00', '14:00-18:00'], tuesday: *d,
        wednesday: *d, thursday: *d, friday: *d}}]}}]}}"
    );
    let calendar = Calendar::try_new(serde_saphyr::from_str(&yaml).unwrap()).unwrap();
    Timeline::compile(&calendar, at("2025-12-01T00:00:00Z"), at("2027-03-01T00:00:00Z"))
}

pub(crate) fn event(at_text: &str, what: What) -> Event {
    Event { at: at(at_text), what }
}

pub(crate) fn history(events: Vec<Event>) -> History {
    History { ticket: "t1".into(), opened: at("2026-06-05T17:00:00+08:00"), priority: "3".into(), events }
}

#[test]
fn response_runs_around_the_clock_while_resolution_counts_working_time_and_stands() {
    let timeline = timeline("");
    let clocks = policy(POLICY)
        .clocks(&history(vec![
            event("2026-06-05T17:10:00+08:00", What::Paused(Reason::User)),
            event("2026-06-05T17:40:00+08:00", What::Resumed),
            event("2026-06-08T09:30:00+08:00", What::Priority("2".into())),
        ]))
        .unwrap();
    // 17:00, and an hour: the user's silence does not excuse the response, and Monday's priority does not undo the miss.
    assert_eq!(clocks[0].due(&timeline), Ok(Due::At(at("2026-06-05T18:00:00+08:00"))));
    // Friday ten minutes and twenty, Monday's half hour; three of the four hours are left.
    assert_eq!(clocks[1].elapsed(&timeline, at("2026-06-08T09:30:00+08:00")), Ok(SignedDuration::from_mins(60)));
    assert_eq!(clocks[1].due(&timeline), Ok(Due::At(at("2026-06-08T14:30:00+08:00"))));
}

#[test]
fn a_reason_that_does_not_excuse_ends_a_pause_that_did() {
    let timeline = timeline("");
    let other = Reason::Other("内部讨论".into());
    let clocks = policy(POLICY)
        .clocks(&history(vec![
            event("2026-06-08T10:00:00+08:00", What::Paused(Reason::Spare)),
            event("2026-06-08T11:00:00+08:00", What::Paused(other)),
            event("2026-06-08T12:00:00+08:00", What::Resumed),
        ]))
        .unwrap();
    assert_eq!(clocks[1].elapsed(&timeline, at("2026-06-08T12:00:00+08:00")), Ok(SignedDuration::from_hours(3)));
}

#[test]
fn a_priority_changed_after_the_end_counts_only_once_it_is_reopened() {
    let timeline = timeline("");
    let mut events = vec![
        event("2026-06-08T10:00:00+08:00", What::Reached("resolved".into())),
        event("2026-06-08T10:30:00+08:00", What::Priority("1".into())),
    ];
    let clocks = policy(POLICY).clocks(&history(events.clone())).unwrap();
    assert_eq!(clocks[1].target(), SignedDuration::from_hours(8));
    events.push(event("2026-06-08T11:00:00+08:00", What::Reopened("resolved".into())));
    let clocks = policy(POLICY).clocks(&history(events)).unwrap();
    // Two hours had passed before the end: due at the moment of reopening.
    assert_eq!(clocks[1].due(&timeline), Ok(Due::At(at("2026-06-08T11:00:00+08:00"))));
}

#[test]
fn policies_that_no_ticket_could_be_held_to_are_refused_with_the_place() {
    let history = History { priority: "9".into(), ..history(Vec::new()) };
    let refused = policy(POLICY).clocks(&history).unwrap_err().to_string();
    assert_eq!(refused, "policy `基本`, clock `response`, targets: none for priority `9` of ticket `t1`");
    let mut twice = policy(POLICY);
    twice.clocks[1].name = "response".into();
    assert_eq!(twice.check().unwrap_err().to_string(), "policy `基本`, clocks: `response` is there twice");
    let mut zero = policy(POLICY);
    zero.clocks[0].targets.insert("4".into(), SignedDuration::ZERO);
    assert!(zero.check().unwrap_err().to_string().contains("clock `response`: target"), "{:?}", zero.check());
}

/// Tickets opened through the year at every hour, resolved after half a day to five days.
fn tickets(number: usize) -> Vec<History> {
    let start = at("2026-01-01T00:00:00+08:00");
    let hours = |hours: usize| SignedDuration::from_hours(i64::try_from(hours).unwrap());
    (0..number)
        .map(|index| {
            let opened = start + hours(index * 7 % 8000);
            let stop = |after, name: &str| Event { at: opened + after, what: What::Reached(name.into()) };
            let events = vec![stop(SignedDuration::from_mins(20), "responded"), stop(hours(12 + index * 5 % 108), "resolved")];
            History { ticket: format!("t{index}"), opened, priority: (index % 3 + 1).to_string(), events }
        })
        .collect()
}

#[test]
fn a_replay_says_which_tickets_would_have_come_out_otherwise() {
    let (plain, with_holidays) = (timeline(""), timeline(", national: cn"));
    let mut looser = policy(POLICY);
    looser.clocks[1].targets.insert("1".into(), SignedDuration::from_hours(6));
    let (old, tickets, now) = (policy(POLICY), tickets(10_000), at("2027-01-15T00:00:00Z"));
    let before = Regime { policy: &old, timeline: &plain };
    let after = Regime { policy: &looser, timeline: &with_holidays };
    let comparison = compare(&tickets, before, after, now).unwrap();
    assert_eq!(comparison.clocks, 20_000);
    // Counted once more, one by one.
    let breaches = |policy: &Policy, timeline: &Timeline| {
        let late = |history: &History| {
            let clocks = policy.clocks(history).unwrap();
            let is_late = |clock: &&worktime::Clock| clock.read(timeline, now).unwrap().is_breached;
            clocks.iter().filter(is_late).count()
        };
        tickets.iter().map(late).sum::<usize>()
    };
    assert_eq!(comparison.breaches_before, breaches(&old, &plain));
    assert_eq!(comparison.breaches_after, breaches(&looser, &with_holidays));
    let turned = |from: bool, to: bool| {
        let turns = |change: &&worktime::replay::Change| (change.before.is_breach(), change.after.is_breach()) == (from, to);
        comparison.changed.iter().filter(turns).count()
    };
    assert!(turned(true, false) > 0 && turned(false, true) > 0, "both ways: {}", comparison.text(Language::En));
    assert_eq!(comparison.breaches_before + turned(false, true) - turned(true, false), comparison.breaches_after);
    assert!(comparison.text(Language::Zh).starts_with("重放 20000 个计时：超时 "));
    let unchanged = compare(&tickets, before, before, now).unwrap();
    assert_eq!((unchanged.moved, unchanged.changed.len()), (0, 0));
}

#[test]
fn what_still_runs_or_stands_is_not_a_breach() {
    let timeline = timeline("");
    let open = history(vec![event("2026-06-05T17:10:00+08:00", What::Paused(Reason::User))]);
    let old = policy(POLICY);
    let mut stricter = policy(POLICY);
    stricter.clocks[1].stands_for.clear();
    let (before, after) = (Regime { policy: &old, timeline: &timeline }, Regime { policy: &stricter, timeline: &timeline });
    let comparison = compare(&[open], before, after, at("2026-06-10T00:00:00Z")).unwrap();
    let due = at("2026-06-08T18:00:00+08:00");
    assert_eq!((comparison.breaches_before, comparison.breaches_after), (1, 2), "the response was missed under both");
    assert_eq!(comparison.changed[0].before, Outcome::Standing);
    assert_eq!(comparison.changed[0].after, Outcome::Breached { due });
}
