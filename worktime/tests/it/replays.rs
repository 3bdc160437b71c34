//! What a replay counts, clock by clock, and how it is told.
use jiff::SignedDuration;
use worktime::{
    clock::Reason,
    explain::Language,
    policy::{Event, Policy, What},
    replay::{Comparison, Outcome, Regime, compare, outcome},
};

use crate::policies::{POLICY, at, event, history, policy, timeline};

/// The stricter policy has half an hour for a response, and excuses nothing.
fn stricter() -> Policy {
    let mut policy = policy(POLICY);
    policy.clocks[0].targets.insert("3".into(), SignedDuration::from_mins(30));
    policy.clocks[1].stands_for.clear();
    policy
}

/// Two tickets on which the same happened.
fn compared(events: &[Event], after: &Policy, now: &str) -> Comparison {
    let timeline = timeline("");
    let (before, tickets) = (policy(POLICY), [history(events.to_vec()), history(events.to_vec())]);
    let regime = |policy| Regime { policy, timeline: &timeline };
    compare(&tickets, regime(&before), regime(after), at(now)).unwrap()
}

#[test]
fn a_clock_runs_until_the_instant_at_which_it_is_due() {
    let (timeline, due) = (timeline(""), at("2026-06-05T18:00:00+08:00"));
    let seen = |events: Vec<Event>, now: &str| {
        let clocks = policy(POLICY).clocks(&history(events)).unwrap();
        outcome(&clocks[0], &timeline, at(now)).unwrap()
    };
    assert_eq!(seen(vec![], "2026-06-05T17:59:59+08:00"), Outcome::Running { due });
    assert_eq!(seen(vec![], "2026-06-05T18:00:00+08:00"), Outcome::Breached { due });
    let responded = |at_text| vec![event(at_text, What::Reached("responded".into()))];
    let last = "2026-06-05T18:00:00+08:00";
    assert_eq!(seen(responded(last), last), Outcome::Met { due: Some(due) });
    assert_eq!(seen(responded("2026-06-05T18:00:01+08:00"), "2026-06-06T18:00:00+08:00"), Outcome::Breached { due });
    // What came later is not known yet.
    assert_eq!(seen(responded("2026-06-05T17:50:00+08:00"), "2026-06-05T17:30:00+08:00"), Outcome::Running { due });
}

#[test]
fn each_clock_that_is_due_at_another_time_or_turned_out_otherwise_is_told() {
    let comparison = compared(&[], &stricter(), "2026-06-05T17:45:00+08:00");
    let Comparison { clocks, breaches_before, breaches_after, moved, .. } = comparison;
    assert_eq!((clocks, breaches_before, breaches_after, moved), (4, 0, 2, 2));
    let told = "4 clocks replayed: breaches 0 → 2, 2 due at another time, 2 with another outcome\n\
                t1  response  running → breached\nt1  response  running → breached\n";
    assert_eq!(comparison.text(Language::En), told);
    let events = [
        event("2026-06-05T17:10:00+08:00", What::Paused(Reason::User)),
        event("2026-06-05T17:40:00+08:00", What::Reached("responded".into())),
    ];
    let comparison = compared(&events, &stricter(), "2026-06-05T17:45:00+08:00");
    assert_eq!(comparison.moved, 4);
    let told = comparison.text(Language::Zh);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "重放 4 个计时：超时 0 → 2，到期时间变化 4 个，结果变化 4 个");
    assert_eq!(lines[1..3], ["t1  response  按时 → 超时", "t1  resolution  暂停中 → 进行中"]);
    let told = comparison.text(Language::En);
    assert_eq!(told.lines().nth(1), Some("t1  response  met → breached"));
    assert_eq!(told.lines().nth(2), Some("t1  resolution  standing → running"));
}

#[test]
fn clocks_that_only_one_of_the_policies_has_are_counted_by_name() {
    let mut other = policy(POLICY);
    other.clocks[1].name = "recovery".into();
    let comparison = compared(&[], &other, "2026-06-05T17:45:00+08:00");
    assert_eq!((comparison.clocks, comparison.moved), (2, 0));
    assert_eq!(comparison.unmatched, [("resolution".to_owned(), 2), ("recovery".to_owned(), 2)]);
    let zh = "resolution：只有一方的策略有此计时，2 个工单未比较";
    assert!(comparison.text(Language::Zh).contains(zh));
    assert!(comparison.text(Language::En).ends_with(
        "resolution: only one of the policies has this clock; 2 tickets were not compared\n\
         recovery: only one of the policies has this clock; 2 tickets were not compared\n"
    ));
}
