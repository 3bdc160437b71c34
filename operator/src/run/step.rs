//! What is to be done next for a run, from what there is to see: no memory, no hint of what changed. Pure.
use crds::{InspectionPlan, OperationRun, Phase, Trigger};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use crate::inspection;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask inspection to open the run.
    Open,
    /// Let the Job go with so many workers.
    Release { shards: i32 },
    /// Wait for the Job.
    Wait,
    /// Draw the balance; the cluster knows this of the end.
    Finish { why: String },
    /// Do nothing in this run, for a reason.
    Skip { reason: &'static str, message: String },
    /// The run is over but its Job still waits, and would hold up the next tick: end it.
    EndJob,
    /// Nothing more.
    Rest,
}

/// The next step of a run.
pub(crate) fn next(run: &OperationRun, job: Option<&Job>, plan: Option<&InspectionPlan>, now: Timestamp) -> Step {
    let status = run.status.clone().unwrap_or_default();
    match status.phase {
        Phase::Succeeded | Phase::Incomplete | Phase::Skipped => {
            if job.is_some_and(waits) {
                Step::EndJob
            } else {
                Step::Rest
            }
        }
        Phase::Pending | Phase::Running => match (status.run, job) {
            (None, Some(job)) if waits(job) => gate(run, plan, now),
            // Somebody let it go before we did, or it is gone: no worker knew what to do.
            (None, Some(_)) => Step::Skip {
                reason: "JobStartedElsewhere",
                message: "the Job was not suspended any more when its run began".into(),
            },
            (None, None) => Step::Skip { reason: "JobGone", message: "the Job was deleted before its run began".into() },
            (Some(_), None) => Step::Finish { why: "the Job was deleted".into() },
            (Some(_), Some(job)) => match ended(job) {
                Some(why) => Step::Finish { why },
                None if waits(job) => Step::Release { shards: status.shards.unwrap_or(1) },
                None => Step::Wait,
            },
        },
    }
}

/// Whether a run may begin: looked at again at the tick, because the plan may have changed since.
fn gate(run: &OperationRun, plan: Option<&InspectionPlan>, now: Timestamp) -> Step {
    let plan = plan.filter(|plan| {
        plan.metadata.deletion_timestamp.is_none() && plan.metadata.uid.as_deref() == Some(&run.spec.plan_ref.uid)
    });
    let Some(plan) = plan else {
        return Step::Skip { reason: "PlanGone", message: format!("the plan {} is gone", run.spec.plan_ref.name) };
    };
    match run.spec.trigger {
        // A person who asks for a run means it.
        Trigger::Manual => Step::Open,
        Trigger::Schedule => {
            if plan.spec.suspend {
                return Step::Skip { reason: "Suspended", message: "the plan is suspended".into() };
            }
            let late = now.duration_since(run.spec.scheduled_time.0);
            let allowed = inspection::duration(&plan.spec.schedule.starting_deadline);
            if allowed.is_some_and(|allowed| late > allowed) {
                let message = format!("the run could not begin within {} of its tick", plan.spec.schedule.starting_deadline);
                return Step::Skip { reason: "TooLate", message };
            }
            Step::Open
        }
    }
}

fn waits(job: &Job) -> bool {
    job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true)) && ended(job).is_none()
}

/// How a Job ended, if it did.
fn ended(job: &Job) -> Option<String> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let ended = conditions
        .iter()
        .find(|condition| condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed"))?;
    let reason = ended.reason.as_deref().unwrap_or(&ended.type_);
    Some(ended.message.as_ref().map_or_else(|| reason.to_owned(), |message| format!("{reason}: {message}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::tests::{now, plan};

    fn run(trigger: Trigger, status: Value) -> OperationRun {
        serde_json::from_value(json!({
            "apiVersion": "opsmesh.io/v1alpha1",
            "kind": "OperationRun",
            "metadata": {"name": "web-1", "namespace": "gz-demo"},
            "spec": {
                "planRef": {"kind": "InspectionPlan", "name": "web", "uid": "e6ac237d"},
                "scheduledTime": "2026-11-23T01:02:00Z", "trigger": trigger, "jobUid": "77",
            },
            "status": status,
        }))
        .unwrap()
    }

    fn job(suspend: bool, condition: Option<&str>) -> Job {
        let conditions = condition.map(|type_| json!([{"type": type_, "status": "True", "reason": "DeadlineExceeded"}]));
        serde_json::from_value(json!({"spec": {"suspend": suspend, "template": {}}, "status": {"conditions": conditions}}))
            .unwrap()
    }

    fn opened() -> Value {
        json!({"phase": "Pending", "run": "agencies/gz/runs/7", "shards": 3})
    }

    #[test]
    fn a_run_goes_from_opening_to_its_balance() {
        let plan = plan("* * * * *", "UTC");
        assert_eq!(next(&run(Trigger::Schedule, json!({})), Some(&job(true, None)), Some(&plan), now()), Step::Open);
        assert_eq!(
            next(&run(Trigger::Schedule, opened()), Some(&job(true, None)), Some(&plan), now()),
            Step::Release { shards: 3 }
        );
        assert_eq!(next(&run(Trigger::Schedule, opened()), Some(&job(false, None)), Some(&plan), now()), Step::Wait);
        let finish = next(&run(Trigger::Schedule, opened()), Some(&job(false, Some("Failed"))), Some(&plan), now());
        assert_eq!(finish, Step::Finish { why: "DeadlineExceeded".into() });
        assert_eq!(
            next(&run(Trigger::Schedule, json!({"phase": "Succeeded"})), Some(&job(false, Some("Complete"))), Some(&plan), now()),
            Step::Rest
        );
    }

    #[test]
    fn a_run_whose_plan_is_gone_or_made_anew_is_skipped() {
        let mut anew = plan("* * * * *", "UTC");
        anew.metadata.uid = Some("another".into());
        for plan in [None, Some(&anew)] {
            let step = next(&run(Trigger::Schedule, json!({})), Some(&job(true, None)), plan, now());
            assert!(matches!(step, Step::Skip { reason: "PlanGone", .. }), "{step:?}");
        }
    }

    #[test]
    fn a_suspended_plan_skips_its_ticks_but_not_a_person() {
        let mut plan = plan("* * * * *", "UTC");
        plan.spec.suspend = true;
        let step = next(&run(Trigger::Schedule, json!({})), Some(&job(true, None)), Some(&plan), now());
        assert!(matches!(step, Step::Skip { reason: "Suspended", .. }), "{step:?}");
        assert_eq!(next(&run(Trigger::Manual, json!({})), Some(&job(true, None)), Some(&plan), now()), Step::Open);
    }

    #[test]
    fn a_tick_that_waited_too_long_is_skipped() {
        let later = now() + jiff::SignedDuration::from_hours(2);
        let step = next(&run(Trigger::Schedule, json!({})), Some(&job(true, None)), Some(&plan("* * * * *", "UTC")), later);
        assert!(matches!(step, Step::Skip { reason: "TooLate", .. }), "{step:?}");
    }

    #[test]
    fn a_skipped_runs_job_is_ended_so_that_the_next_tick_can_come() {
        let skipped = run(Trigger::Schedule, json!({"phase": "Skipped"}));
        assert_eq!(next(&skipped, Some(&job(true, None)), None, now()), Step::EndJob);
        assert_eq!(next(&skipped, Some(&job(false, Some("Complete"))), None, now()), Step::Rest);
        assert_eq!(next(&skipped, None, None, now()), Step::Rest);
    }

    #[test]
    fn a_job_that_vanishes_ends_its_run_with_what_is_recorded() {
        assert!(matches!(next(&run(Trigger::Schedule, opened()), None, None, now()), Step::Finish { .. }));
        let unopened = next(&run(Trigger::Schedule, json!({})), None, None, now());
        assert!(matches!(unopened, Step::Skip { reason: "JobGone", .. }), "{unopened:?}");
    }
}
