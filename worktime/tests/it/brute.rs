//! V6: what the clock says is what a brute force finds that watches the wall minute by minute, and second by second at the edges.
use jiff::SignedDuration;
use proptest::{prelude::*, test_runner::TestCaseError};
use worktime::{
    Calendar, OutOfRange, Timeline,
    clock::{Clock, Due},
};

use crate::{
    random::{Case, Life, case, life},
    stepper::Stepper,
};

/// Everything that a clock answers, beside what the stepper counts.
fn agree(case: &Case, life: &Life, step: i64, steps: usize) -> Result<(), TestCaseError> {
    let Ok(calendar) = Calendar::try_new(case.description.clone()) else {
        return Err(TestCaseError::reject("never open"));
    };
    let stepper = Stepper::watch(&case.description, case.from, step, steps);
    let timeline = Timeline::compile(&calendar, stepper.from, stepper.last());
    let mut open = 0;
    for (index, is_open) in stepper.open.iter().enumerate() {
        let until = stepper.at(index);
        prop_assert_eq!(timeline.open_between(stepper.from, until), Ok(SignedDuration::from_secs(open)), "open until {}", until);
        open += if *is_open { step } else { 0 };
    }
    let clock = life.clock(case.from, step);
    let ends = clock.pauses().iter().filter_map(|pause| pause.until).chain(clock.stopped()).max();
    if ends.is_some_and(|end| end > stepper.last()) || clock.started() > stepper.last() {
        return Ok(());
    }
    let counted = stepper.count(&clock);
    for index in (0..counted.len()).step_by(97) {
        let at = stepper.at(index);
        let until = clock
            .stopped()
            .map_or(index, |stopped| usize::try_from((stopped - stepper.from).get_seconds() / step).unwrap().min(index));
        prop_assert_eq!(clock.elapsed(&timeline, at), Ok(SignedDuration::from_secs(counted[until])), "elapsed at {}", at);
    }
    due(&stepper, &clock, &counted, 100, &clock.due(&timeline))?;
    for percent in &clock.rule().warnings {
        // A percentage is a stretch of time, and not of steps: only those that fall on a step can be watched.
        let targets = clock.retargets().iter().map(|retarget| retarget.target).chain([clock.rule().target]);
        let percent = i64::from(*percent);
        if targets.into_iter().all(|target| target.as_secs() * percent % (100 * step) == 0) {
            let Ok(warnings) = clock.warnings(&timeline) else { continue };
            let warning = warnings.into_iter().find(|warning| i64::from(warning.percent) == percent).unwrap();
            due(&stepper, &clock, &counted, percent, &Ok(warning.due))?;
        }
    }
    Ok(())
}

fn due(
    stepper: &Stepper,
    clock: &Clock,
    counted: &[i64],
    percent: i64,
    said: &Result<Due, OutOfRange>,
) -> Result<(), TestCaseError> {
    let mut found = stepper.due(clock, counted, percent);
    if clock.rule().hold_to_service_hours {
        found = found.and_then(|index| stepper.hold(index));
    }
    match (said, found) {
        (Ok(Due::At(at)), Some(index)) => prop_assert_eq!(*at, stepper.at(index)),
        (Ok(Due::At(at)), None) => prop_assert!(*at > stepper.last(), "due at {at}, which the stepper has passed"),
        (Ok(Due::Standing { remaining }), None) => {
            prop_assert_eq!(remaining.as_secs(), clock.target().as_secs() * percent / 100 - counted.last().unwrap());
            prop_assert!(clock.standing().is_some());
        }
        (Err(_), None) => {}
        (said, found) => prop_assert!(false, "said {said:?}, found {:?}", found.map(|index| stepper.at(index))),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 4096, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn clocks_agree_with_a_brute_force_that_steps_by_minutes((case, life) in (case(3), life(2_000))) {
        agree(&case, &life, 60, 7 * 1440)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn clocks_agree_with_a_brute_force_that_steps_by_seconds((case, life) in (case(0), life(20_000))) {
        let case = Case { from: case.from - SignedDuration::from_hours(9), ..case };
        agree(&case, &life, 1, 86_400)?;
    }
}
