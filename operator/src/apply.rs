//! Writing to the API server: server-side apply, one field manager a concern, and every write counted.
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Who writes what: an object that two concerns write has two managers, and neither takes away what the other said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concern {
    /// The children of a plan.
    Children,
    /// Letting a gated Job go, or ending it.
    Gate,
    /// The status of our own kinds.
    Status,
}

impl Concern {
    fn manager(self) -> &'static str {
        match self {
            Self::Children => "opsmesh-operator",
            Self::Gate => "opsmesh-operator/gate",
            Self::Status => "opsmesh-operator/status",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    verb: &'static str,
    kind: String,
}

/// Writes, and counts them: once nothing changes the count stands still.
#[derive(Debug, Clone)]
pub(crate) struct Writer(Family<Labels, Counter>);

/// A kind that lives in a namespace and can be written.
pub(crate) trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned
{
}
impl<K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned> Kind for K {}

impl Writer {
    pub(crate) fn new(meter: &chassis::Meter) -> Self {
        Self(meter.register("opsmesh_api_writes", "Writes to the Kubernetes API", Family::default()))
    }

    fn count<K: Kind>(&self, verb: &'static str) {
        self.0.get_or_create(&Labels { verb, kind: K::kind(&()).into_owned() }).inc();
    }

    /// Makes the fields that `object` names what it says.
    pub(crate) async fn apply<K: Kind>(&self, api: &Api<K>, name: &str, concern: Concern, object: &Value) -> kube::Result<K> {
        self.count::<K>("apply");
        api.patch(name, &PatchParams::apply(concern.manager()).force(), &Patch::Apply(object)).await
    }

    /// Makes the status what `status` says.
    pub(crate) async fn apply_status<K: Kind>(&self, api: &Api<K>, name: &str, status: &impl Serialize) -> kube::Result<K> {
        self.count::<K>("apply_status");
        let object = serde_json::json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": {"name": name},
            "status": status,
        });
        api.patch_status(name, &PatchParams::apply(Concern::Status.manager()).force(), &Patch::Apply(&object)).await
    }

    /// Makes an object, unless it is there. True if it was made.
    pub(crate) async fn create<K: Kind + Serialize>(&self, api: &Api<K>, object: &K) -> kube::Result<bool> {
        self.count::<K>("create");
        let by = PostParams { field_manager: Some(Concern::Children.manager().into()), ..PostParams::default() };
        match api.create(&by, object).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes an object, unless it is gone.
    pub(crate) async fn delete<K: Kind>(&self, api: &Api<K>, name: &str) -> kube::Result<()> {
        self.count::<K>("delete");
        match api.delete(name, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Whether `actual` says everything that `desired` does. What the API server adds of its own does not count.
pub(crate) fn says(actual: &Value, desired: &Value) -> bool {
    match (actual, desired) {
        (Value::Object(actual), Value::Object(desired)) => {
            desired.iter().all(|(key, value)| match actual.get(key) {
                Some(held) => says(held, value),
                // The API server drops what is empty.
                None => is_empty(value),
            })
        }
        (Value::Array(actual), Value::Array(desired)) => {
            actual.len() == desired.len() && actual.iter().zip(desired).all(|(actual, desired)| says(actual, desired))
        }
        (actual, desired) => actual == desired,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_adds_does_not_count_and_what_it_lacks_does() {
        let desired = json!({"spec": {"schedule": "* * * * *", "env": [{"name": "A", "value": "1"}], "labels": {}}});
        let actual =
            json!({"spec": {"schedule": "* * * * *", "env": [{"name": "A", "value": "1", "x": null}], "suspend": false}});
        assert!(says(&actual, &desired));
        assert!(!says(&json!({"spec": {"schedule": "0 * * * *", "env": []}}), &desired));
        assert!(!says(&json!({"spec": {"schedule": "* * * * *"}}), &desired));
    }
}
