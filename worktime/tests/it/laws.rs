//! Laws of every clock.
use jiff::SignedDuration;
use proptest::{prelude::*, test_runner::TestCaseError};
use worktime::{
    Calendar, Timeline,
    clock::{Clock, Pause, Reason, Refusal},
};

use crate::random::{Case, case, life};

fn timeline(case: &Case) -> Result<Timeline, TestCaseError> {
    let calendar = Calendar::try_new(case.description.clone()).map_err(|_| TestCaseError::reject("never open"))?;
    Ok(Timeline::compile(&calendar, case.from, case.from + SignedDuration::from_hours(24 * 60)))
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 4096, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn what_remains_only_falls_while_a_clock_runs_and_stays_while_it_stands((case, life) in (case(3), life(4_000))) {
        let timeline = timeline(&case)?;
        let clock = life.clock(case.from, 60);
        let mut last = SignedDuration::ZERO;
        for hour in 0..24 * 20 {
            let now = case.from + SignedDuration::from_mins(60 * hour + hour % 7);
            let elapsed = clock.elapsed(&timeline, now).unwrap();
            prop_assert!(elapsed >= last, "elapsed fell at {now}");
            last = elapsed;
        }
        for Pause { from, until, .. } in clock.pauses() {
            let at_first = clock.elapsed(&timeline, *from).unwrap();
            for (part, whole) in [(1, 3), (2, 3), (1, 1)] {
                let until = until.unwrap_or(*from + SignedDuration::from_hours(100));
                let within = *from + until.duration_since(*from) * part / whole;
                prop_assert_eq!(clock.elapsed(&timeline, within).unwrap(), at_first);
            }
        }
    }

    #[test]
    fn splitting_a_pause_changes_nothing((case, life, part) in (case(3), life(4_000), 1i32..10)) {
        let timeline = timeline(&case)?;
        let clock = life.clock(case.from, 60);
        let mut record = serde_json::to_value(&clock).unwrap();
        let split: Vec<Pause> = clock.pauses().iter().flat_map(|pause| {
            let length = pause.until.map_or(SignedDuration::from_hours(1), |until| until.duration_since(pause.from));
            let middle = pause.from + length * part / 10;
            // The last of a lasting pause lasts, and its first half does not.
            [Pause { until: Some(middle), ..pause.clone() }, Pause { from: middle, ..pause.clone() }]
        }).collect();
        record["pauses"] = serde_json::to_value(split).unwrap();
        let split: Clock = match serde_json::from_value(record) {
            Ok(split) => split,
            // A change of target in the hour that was made up cannot be told apart from one before; it does not happen in life.
            Err(error) => return Err(TestCaseError::reject(error.to_string())),
        };
        prop_assert_eq!(split.due(&timeline), clock.due(&timeline));
        for hour in 0..24 * 20 {
            let now = case.from + SignedDuration::from_hours(hour);
            prop_assert_eq!(split.elapsed(&timeline, now), clock.elapsed(&timeline, now));
        }
    }

    #[test]
    fn a_clock_that_was_written_down_is_the_same_when_it_is_read((case, life) in (case(3), life(4_000))) {
        let clock = life.clock(case.from, 60);
        let text = serde_json::to_string(&clock).unwrap();
        prop_assert_eq!(serde_json::from_str::<Clock>(&text).unwrap(), clock);
        let text = serde_saphyr::to_string(&case.description).unwrap();
        prop_assert_eq!(serde_saphyr::from_str::<worktime::calendar::Description>(&text).unwrap(), case.description);
    }
}

#[test]
fn a_record_out_of_order_is_not_a_clock() {
    let record = |pauses: &str, rest: &str| {
        let text = format!(
            r#"{{"rule":{{"name":"n","basis":"working_time","target":"PT1H"}},"started":"2026-01-05T00:00:00Z","pauses":[{pauses}]{rest}}}"#
        );
        serde_json::from_str::<Clock>(&text).map_err(|error| error.to_string())
    };
    assert!(record("", "").is_ok());
    let early = record(r#"{"from":"2026-01-04T00:00:00Z","until":null,"reason":"user"}"#, "").unwrap_err();
    assert!(early.contains("before"), "{early}");
    let lasting = r#"{"from":"2026-01-06T00:00:00Z","reason":"user"},{"from":"2026-01-07T00:00:00Z","reason":"user"}"#;
    assert!(record(lasting, "").unwrap_err().contains("stands already"));
    let stopped = r#"{"from":"2026-01-06T00:00:00Z","until":"2026-01-08T00:00:00Z","reason":"user"}"#;
    assert!(record(stopped, r#","stopped":"2026-01-07T00:00:00Z""#).unwrap_err().contains("before"));
    assert!(record("", r#","colour":"red""#).unwrap_err().contains("colour"));
}

#[test]
fn what_a_clock_cannot_do_it_refuses() {
    use worktime::clock::{Basis, Rule};
    let start = "2026-01-05T00:00:00Z".parse().unwrap();
    let hour = SignedDuration::from_hours(1);
    let rule = Rule::new("n", Basis::WorkingTime, hour);
    let mut clock = Clock::start(rule.clone(), start).unwrap();
    assert_eq!(clock.resume(start), Err(Refusal::Running));
    assert_eq!(clock.reopen(start), Err(Refusal::Running));
    clock.pause(start + hour, Reason::User).unwrap();
    assert_eq!(clock.pause(start + hour, Reason::User), Err(Refusal::Paused));
    assert_eq!(clock.resume(start), Err(Refusal::Backwards { at: start, last: start + hour }));
    clock.stop(start + hour * 2).unwrap();
    assert_eq!(clock.standing(), None, "a pause ends with the clock");
    assert_eq!(clock.stop(start + hour * 3), Err(Refusal::Stopped));
    assert_eq!(clock.reopen(start), Err(Refusal::Backwards { at: start, last: start + hour * 2 }));
    clock.reopen(start + hour * 3).unwrap();
    assert_eq!(
        clock.retarget(start + hour * 2, hour, ""),
        Err(Refusal::Backwards { at: start + hour * 2, last: start + hour * 3 })
    );
    assert_eq!(clock.retarget(start + hour * 4, SignedDuration::ZERO, ""), Err(Refusal::Target { target: SignedDuration::ZERO }));
    let warns = Rule { warnings: vec![80, 0], ..rule };
    assert_eq!(Clock::start(warns, start), Err(Refusal::Warning { percent: 0 }));
}

#[test]
fn a_warning_is_not_early_by_a_microsecond() {
    use worktime::clock::{Basis, Due, Rule};
    let start: jiff::Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    let calendar = r#"{"zone": "UTC", "layers": [{"name": "a", "weeks": [{"monday": ["09:00-17:00"]}]}]}"#;
    let calendar = Calendar::try_new(serde_json::from_str(calendar).unwrap()).unwrap();
    let timeline = Timeline::compile(&calendar, start, start + SignedDuration::from_hours(200));
    let mut rule = Rule::new("n", Basis::WorkingTime, SignedDuration::from_micros(3));
    rule.warnings = vec![50, 100, 150];
    let warnings = Clock::start(rule, start).unwrap().warnings(&timeline).unwrap();
    let due: Vec<Due> = warnings.into_iter().map(|warning| warning.due).collect();
    let after = |micros| Due::At(start + SignedDuration::from_micros(micros));
    assert_eq!(due, [after(2), after(3), after(5)]);
}
