//! Conditions: the closed set of what our objects say of themselves (kstatus: `Reconciling` and `Stalled` beside `Ready`).
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionType {
    /// Accepted, scheduled, and programmed into the services; the next tick is known, or there is none for a good reason.
    Ready,
    /// A newer generation is being worked on. Present only then.
    Reconciling,
    /// A person has to act. Present only then.
    Stalled,
    /// The CronJob is in place.
    Scheduled,
    /// The inspection service holds this generation.
    Programmed,
    /// The last finished run recorded everything that was expected.
    LastRunSucceeded,
}

/// Whether it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It is.
    True,
    /// It is not.
    False,
    /// Nobody knows yet.
    Unknown,
}

/// A condition, in the shape of `metav1.Condition`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub type_: ConditionType,
    /// Whether it is so.
    pub status: ConditionStatus,
    /// The generation of the object that this was said of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the status last changed.
    pub last_transition_time: Time,
    /// Why, in one CamelCase word that programs compare.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}
