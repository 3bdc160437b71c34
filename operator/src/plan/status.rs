//! What a plan's status says. Pure.
use crds::{ConditionType, Counts, InspectionPlan, InspectionPlanStatus, LastRun, OperationRun, Phase};
use jiff::Timestamp;
use kube::ResourceExt;

use crate::{
    conditions::Conditions,
    plan::check::{Fit, Unfit},
};

/// How far a plan got.
#[derive(Debug)]
pub(crate) enum Outcome<'a> {
    /// A person has to act.
    Stalled(&'a Unfit),
    /// Something of ours has to answer first.
    Waiting { fit: &'a Fit, why: String },
    /// Scheduled and programmed.
    Settled(&'a Fit),
}

/// The status of a plan after that outcome, with these runs of it.
pub(crate) fn status(
    plan: &InspectionPlan,
    outcome: &Outcome<'_>,
    runs: &[OperationRun],
    now: Timestamp,
) -> InspectionPlanStatus {
    let before = plan.status.clone().unwrap_or_default();
    let mut conditions = Conditions::after(&before.conditions, plan.metadata.generation, now);
    let (mut name, mut next) = (before.plan.clone(), None);
    match outcome {
        Outcome::Stalled(unfit) => {
            conditions.say(ConditionType::Ready, false, unfit.reason(), unfit.to_string());
            conditions.say(ConditionType::Stalled, true, unfit.reason(), unfit.to_string());
            // What was in force stays in force.
            conditions.keep(ConditionType::Scheduled);
            conditions.keep(ConditionType::Programmed);
        }
        Outcome::Waiting { fit, why } => {
            name = Some(fit.resource_name());
            next = next_tick(fit, now);
            conditions.say(ConditionType::Ready, false, "InspectionAway", why);
            conditions.say(ConditionType::Reconciling, true, "InspectionAway", why);
            conditions.keep(ConditionType::Scheduled);
            conditions.say(ConditionType::Programmed, false, "InspectionAway", why);
        }
        Outcome::Settled(fit) => {
            name = Some(fit.resource_name());
            next = next_tick(fit, now);
            let (reason, message) = if plan.spec.suspend {
                ("Suspended", "no new runs are started")
            } else {
                ("Scheduled", "runs are started by the schedule")
            };
            let message = match fit.schedule.quiet(now).filter(|_| !plan.spec.suspend) {
                Some(quiet) => format!("{message}; {quiet}"),
                None => message.to_owned(),
            };
            conditions.say(ConditionType::Ready, true, reason, message);
            conditions.say(ConditionType::Scheduled, true, reason, "the CronJob is in place");
            conditions.say(ConditionType::Programmed, true, "Programmed", "the inspection service holds this generation");
        }
    }
    let last = runs.iter().max_by_key(|run| run.spec.scheduled_time.0);
    let finished = runs.iter().filter(|run| is_over(run)).max_by_key(|run| run.spec.scheduled_time.0);
    if let Some(run) = finished {
        let status = run.status.clone().unwrap_or_default();
        let reason = status.reason.unwrap_or_else(|| format!("{:?}", status.phase));
        let message = status.message.unwrap_or_else(|| format!("run {}", run.name_any()));
        conditions.say(ConditionType::LastRunSucceeded, status.phase == Phase::Succeeded, &reason, message);
    }
    InspectionPlanStatus {
        observed_generation: plan.metadata.generation,
        conditions: conditions.all(),
        plan: name,
        next_schedule_time: next,
        // The history of runs is bounded; the last one is remembered when its object is gone.
        last_run: last.map(last_run).or(before.last_run),
    }
}

/// Whether a run has come to its end.
pub(crate) fn is_over(run: &OperationRun) -> bool {
    match run.status.as_ref().map(|status| status.phase).unwrap_or_default() {
        Phase::Pending | Phase::Running => false,
        Phase::Succeeded | Phase::Incomplete | Phase::Skipped => true,
    }
}

fn next_tick(fit: &Fit, now: Timestamp) -> Option<String> {
    if fit.plan.spec.suspend {
        return None;
    }
    fit.schedule.next(now).map(|tick| tick.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

fn last_run(run: &OperationRun) -> LastRun {
    let status = run.status.clone().unwrap_or_default();
    LastRun {
        name: run.name_any(),
        scheduled_time: run.spec.scheduled_time.clone(),
        phase: status.phase,
        summary: status.counts.filter(|_| is_over(run)).map(summary),
        counts: status.counts,
        trace_id: status.trace_id,
    }
}

/// Passed of expected, for a person at a glance.
pub(crate) fn summary(counts: Counts) -> String {
    format!("{}/{}", counts.passed, counts.expected)
}

#[cfg(test)]
mod tests {
    use crds::{Condition, ConditionStatus};

    use super::*;
    use crate::plan::check::{
        check,
        tests::{now, plan},
    };

    fn run(minute: i64, phase: Phase) -> OperationRun {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "opsmesh.io/v1alpha1",
            "kind": "OperationRun",
            "metadata": {"name": format!("web-{minute}"), "namespace": "gz-demo"},
            "spec": {
                "planRef": {"kind": "InspectionPlan", "name": "web", "uid": "e6ac237d"},
                "scheduledTime": Timestamp::from_second(minute * 60).unwrap().to_string(),
                "trigger": "Schedule",
                "jobUid": "1",
            },
            "status": {"phase": phase, "counts": {"targets": 1, "expected": 2, "recorded": 2, "passed": 1, "flagged": 0, "failed": 1}},
        }))
        .unwrap()
    }

    fn condition(status: &InspectionPlanStatus, type_: ConditionType) -> Option<&Condition> {
        status.conditions.iter().find(|condition| condition.type_ == type_)
    }

    #[test]
    fn a_settled_plan_is_ready_and_knows_its_next_tick_and_last_run() {
        let plan = plan("30 9 * * *", "Asia/Shanghai");
        let fit = check(&plan, Some("gz"), now()).unwrap();
        let status = status(&plan, &Outcome::Settled(&fit), &[run(1, Phase::Succeeded), run(2, Phase::Running)], now());
        assert_eq!(status.next_schedule_time.as_deref(), Some("2026-11-23T09:30:00+08:00"));
        assert_eq!(condition(&status, ConditionType::Ready).map(|ready| ready.status), Some(ConditionStatus::True));
        assert!(condition(&status, ConditionType::Stalled).is_none());
        let last = status.last_run.clone().unwrap();
        assert_eq!((last.name.as_str(), last.phase, last.summary), ("web-2", Phase::Running, None));
        assert_eq!(condition(&status, ConditionType::LastRunSucceeded).map(|said| said.status), Some(ConditionStatus::True));
    }

    #[test]
    fn a_plan_that_does_nothing_for_a_year_is_ready_and_says_so() {
        let plan = plan("0 3 29 2 *", "Asia/Shanghai");
        let fit = check(&plan, Some("gz"), now()).unwrap();
        let status = status(&plan, &Outcome::Settled(&fit), &[], now());
        let ready = condition(&status, ConditionType::Ready).unwrap();
        assert_eq!(ready.status, ConditionStatus::True);
        assert!(ready.message.ends_with("it does not fire for over a year: next on 2028-02-29 03:00"), "{}", ready.message);
    }

    #[test]
    fn a_failed_inspection_does_not_make_the_plan_unready() {
        let plan = plan("30 9 * * *", "Asia/Shanghai");
        let fit = check(&plan, Some("gz"), now()).unwrap();
        let status = status(&plan, &Outcome::Settled(&fit), &[run(1, Phase::Incomplete)], now());
        assert_eq!(condition(&status, ConditionType::Ready).map(|ready| ready.status), Some(ConditionStatus::True));
        assert_eq!(condition(&status, ConditionType::LastRunSucceeded).map(|said| said.status), Some(ConditionStatus::False));
    }

    #[test]
    fn a_stalled_plan_says_what_to_do_and_keeps_what_was_in_force() {
        let good = plan("30 9 * * *", "Asia/Shanghai");
        let fit = check(&good, Some("gz"), now()).unwrap();
        let before = status(&good, &Outcome::Settled(&fit), &[], now());
        let mut bad = plan("0 0 31 2 *", "Asia/Shanghai");
        bad.status = Some(before);
        let unfit = check(&bad, Some("gz"), now()).unwrap_err();
        let after = status(&bad, &Outcome::Stalled(&unfit), &[], now());
        assert_eq!(condition(&after, ConditionType::Stalled).map(|stalled| stalled.reason.as_str()), Some("InvalidSchedule"));
        assert_eq!(condition(&after, ConditionType::Scheduled).map(|said| said.status), Some(ConditionStatus::True));
    }

    #[test]
    fn saying_the_same_again_is_the_same_status() {
        let mut plan = plan("30 9 * * *", "Asia/Shanghai");
        let fit = check(&plan, Some("gz"), now()).unwrap();
        let first = status(&plan, &Outcome::Settled(&fit), &[run(1, Phase::Succeeded)], now());
        plan.status = Some(first.clone());
        let later = now() + jiff::SignedDuration::from_secs(60);
        assert_eq!(status(&plan, &Outcome::Settled(&fit), &[run(1, Phase::Succeeded)], later), first);
    }
}
