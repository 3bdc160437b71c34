//! What a user may ask of the cluster: the types of group `opsmesh.io` and the rules that the API server itself can check.
//! No client is in here, and no decision. The YAML beside this crate is generated from it (`UPDATE=1 cargo test -p crds`).
#![expect(clippy::duplicated_attributes, reason = "the columns of a kind have the same words")]
#![expect(unreachable_pub, reason = "the derive of kube writes each struct once more, in a place of its own")]

mod condition;
mod inspection_plan;
mod operation_run;
mod probe;

pub use condition::{Condition, ConditionStatus, ConditionType};
pub use inspection_plan::{
    DeviceClass, DeviceSelector, InspectionPlan, InspectionPlanSpec, InspectionPlanStatus, Item, LastRun, Limit, Runner,
    Schedule, Severity,
};
pub use operation_run::{Counts, OperationRun, OperationRunSpec, OperationRunStatus, Phase, PlanRef, Trigger};
pub use probe::{
    DnsProbe, HttpProbe, IcmpProbe, PostgresqlProbe, Probe, PrometheusProbe, RabbitmqProbe, RedisProbe, TcpProbe, TlsProbe,
};

/// The group of all our kinds.
pub const GROUP: &str = "opsmesh.io";

/// Labels and annotations that are part of the contract.
pub mod keys {
    /// Label: who looks after the object; its value is [`MANAGER`].
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// The value of [`MANAGED_BY`].
    pub const MANAGER: &str = "opsmesh-operator";
    /// Label: the kind of the plan behind the object.
    pub const PLAN_KIND: &str = "opsmesh.io/plan-kind";
    /// Label: the name of the plan behind the object.
    pub const PLAN_NAME: &str = "opsmesh.io/plan-name";
    /// Label: the uid of the plan behind the object; a plan made anew under the same name has another.
    pub const PLAN_UID: &str = "opsmesh.io/plan-uid";
    /// Label of a namespace, set by a cluster administrator: whose plans live in it.
    pub const AGENCY: &str = "opsmesh.io/agency";
    /// Annotation of a pod: the run it works on, `agencies/{agency}/runs/{run}`.
    pub const RUN: &str = "opsmesh.io/run";
    /// Annotation of a pod: the trace of its run, W3C `traceparent`.
    pub const TRACEPARENT: &str = "opsmesh.io/traceparent";
}
