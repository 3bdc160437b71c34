//! OperationRun (执行记录, T/DGAG 038-2025 7.3.2.1.5): one execution of a plan. Made by the operator; it outlives its plan.
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One execution of a plan. Everything in it was decided when it was made.
#[derive(CustomResource, Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "opsmesh.io",
    version = "v1alpha1",
    kind = "OperationRun",
    namespaced,
    status = "OperationRunStatus",
    shortname = "orun",
    category = "opsmesh",
    derive = "PartialEq",
    doc = "执行记录 (T/DGAG 038-2025 7.3.2.1.5): one execution of a plan.",
    selectable = ".spec.planRef.kind",
    selectable = ".spec.planRef.name",
    printcolumn(name = "Plan", type_ = "string", json_path = ".spec.planRef.name"),
    printcolumn(name = "Trigger", type_ = "string", json_path = ".spec.trigger"),
    printcolumn(name = "Scheduled", type_ = "date", json_path = ".spec.scheduledTime"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Targets", type_ = "integer", json_path = ".status.counts.targets"),
    printcolumn(name = "Passed", type_ = "integer", json_path = ".status.counts.passed"),
    printcolumn(name = "Flagged", type_ = "integer", json_path = ".status.counts.flagged", priority = 1),
    printcolumn(name = "Failed", type_ = "integer", json_path = ".status.counts.failed"),
    printcolumn(name = "Trace", type_ = "string", json_path = ".status.traceId"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("a run's spec does not change"))]
pub struct OperationRunSpec {
    /// The plan.
    pub plan_ref: PlanRef,
    /// The tick; for a run started by hand the moment its Job was made.
    pub scheduled_time: Time,
    /// What made it.
    pub trigger: Trigger,
    /// The uid of the Job that does the work.
    #[schemars(length(min = 1, max = 63))]
    pub job_uid: String,
}

/// A plan, as it was when the run was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanRef {
    /// Its kind.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Its name.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Its uid.
    #[schemars(length(min = 1, max = 63))]
    pub uid: String,
}

/// What makes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Trigger {
    /// A tick of the schedule.
    Schedule,
    /// A person: `kubectl create job --from=cronjob/…`.
    Manual,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Waiting to be opened and released.
    #[default]
    Pending,
    /// Workers probe and submit.
    Running,
    /// Everything expected is recorded.
    Succeeded,
    /// It ended before everything expected was recorded.
    Incomplete,
    /// Nothing was done, for a reason.
    Skipped,
}

/// The balance of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Devices selected.
    pub targets: i32,
    /// Results to be had: items times devices.
    pub expected: i32,
    /// Results recorded.
    pub recorded: i32,
    /// Of these well.
    pub passed: i32,
    /// Of these between well and failed.
    pub flagged: i32,
    /// Of these failed.
    pub failed: i32,
}

/// What the operator says of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationRunStatus {
    /// Where it stands.
    #[serde(default)]
    pub phase: Phase,
    /// Why it was skipped or is incomplete, in one CamelCase word that programs compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The run in the inspection service, `agencies/{agency}/runs/{run}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How many workers share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<i32>,
    /// The balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The trace that leads through it: 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// When its workers were released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_time: Option<Time>,
}
