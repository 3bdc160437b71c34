//! Checking a plan: everything that drawing up needs, known present; or why a person has to act. Pure.
use crds::InspectionPlan;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};

use crate::{
    inspection,
    schedule::{Schedule, Unkeepable},
};

/// A plan that the cluster can act on.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    pub(crate) plan: InspectionPlan,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) generation: i64,
    pub(crate) owner: OwnerReference,
    pub(crate) agency: chassis::Agency,
    pub(crate) schedule: Schedule,
    pub(crate) deadline: SignedDuration,
    pub(crate) starting_deadline: SignedDuration,
}

impl Fit {
    /// The plan in the inspection service.
    pub(crate) fn resource_name(&self) -> String {
        format!("agencies/{}/plans/{}.{}", self.agency, self.namespace, self.name)
    }
}

/// Why a person has to act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Schedule(#[from] Unkeepable),
    #[error(
        "namespace `{0}` belongs to no agency; a cluster administrator says whose it is: kubectl label namespace {0} opsmesh.io/agency=AGENCY"
    )]
    NoAgency(String),
    #[error("namespace `{namespace}` has the label opsmesh.io/agency={label}, which is no agency's id: {why}")]
    NotAnAgency { namespace: String, label: String, why: String },
    #[error("{0}: is not a duration, e.g. 10m")]
    Duration(&'static str),
    /// Inspection will not have it.
    #[error("{0}")]
    Refused(String),
    /// The API server will not have the CronJob.
    #[error("the CronJob of this plan is refused: {0}")]
    CronJob(String),
}

impl Unfit {
    /// In one word, for programs.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Schedule(_) => "InvalidSchedule",
            Self::NoAgency(_) | Self::NotAnAgency { .. } => "NamespaceWithoutAgency",
            Self::Duration(_) | Self::Refused(_) => "InvalidPlan",
            Self::CronJob(_) => "InvalidCronJob",
        }
    }
}

/// Checks a plan of a namespace with that agency label.
pub(crate) fn check(plan: &InspectionPlan, agency: Option<&str>, now: Timestamp) -> Result<Fit, Unfit> {
    let namespace = plan.namespace().expect("the API server gives a plan a namespace");
    let agency = agency.ok_or_else(|| Unfit::NoAgency(namespace.clone()))?;
    let agency = agency.parse().map_err(|error: chassis::NotAnAgency| Unfit::NotAnAgency {
        namespace: namespace.clone(),
        label: agency.to_owned(),
        why: error.to_string(),
    })?;
    let seed = format!("{namespace}/{}", plan.name_any());
    let schedule = Schedule::parse(&plan.spec.schedule.cron, &plan.spec.schedule.time_zone, &seed, now)?;
    let duration = |field, text: &str| inspection::duration(text).ok_or(Unfit::Duration(field));
    Ok(Fit {
        name: plan.name_any(),
        uid: plan.uid().expect("the API server gives a plan a uid"),
        generation: plan.metadata.generation.expect("the API server gives a plan a generation"),
        owner: plan.controller_owner_ref(&()).expect("a plan with a uid can own"),
        deadline: duration("spec.deadline", &plan.spec.deadline)?,
        starting_deadline: duration("spec.schedule.startingDeadline", &plan.spec.schedule.starting_deadline)?,
        plan: plan.clone(),
        namespace,
        agency,
        schedule,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn now() -> Timestamp {
        "2026-11-23T01:02:03Z".parse().unwrap()
    }

    pub(crate) fn plan(cron: &str, zone: &str) -> InspectionPlan {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "opsmesh.io/v1alpha1",
            "kind": "InspectionPlan",
            "metadata": {"name": "web", "namespace": "gz-demo", "uid": "e6ac237d", "generation": 3},
            "spec": {
                "schedule": {"cron": cron, "timeZone": zone},
                "items": [{"id": "port", "title": "端口", "probe": {"tcp": {"port": 80}}}],
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_namespace_without_an_agency_is_told_the_remedy() {
        let unfit = check(&plan("* * * * *", "UTC"), None, now()).unwrap_err();
        assert_eq!(unfit.reason(), "NamespaceWithoutAgency");
        assert!(unfit.to_string().contains("kubectl label namespace gz-demo opsmesh.io/agency="), "{unfit}");
        assert!(matches!(check(&plan("* * * * *", "UTC"), Some("GZ"), now()), Err(Unfit::NotAnAgency { .. })));
    }

    #[test]
    fn an_impossible_schedule_is_told_its_field() {
        let unfit = check(&plan("0 0 31 2 *", "Asia/Shanghai"), Some("gz"), now()).unwrap_err();
        assert_eq!(unfit.reason(), "InvalidSchedule");
        assert!(unfit.to_string().starts_with("spec.schedule.cron: "), "{unfit}");
        let unfit = check(&plan("* * * * *", "Mars/Olympus"), Some("gz"), now()).unwrap_err();
        assert!(unfit.to_string().starts_with("spec.schedule.timeZone: "), "{unfit}");
    }

    #[test]
    fn a_fit_plan_has_the_defaults_of_its_schema() {
        let fit = check(&plan("* * * * *", "Asia/Shanghai"), Some("gz"), now()).unwrap();
        assert_eq!(fit.resource_name(), "agencies/gz/plans/gz-demo.web");
        assert_eq!((fit.deadline, fit.starting_deadline), (SignedDuration::from_mins(10), SignedDuration::from_hours(1)));
    }
}
