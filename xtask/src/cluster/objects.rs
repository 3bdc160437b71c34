//! Objects that the cluster must hold before anything else is asked of it: what the local Prometheus may see.

use anyhow::Result;

use crate::cluster::{apply, kubectl};
use crate::errand;
use crate::instance::Instance;
use crate::part::Made;

const OBJECTS: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: opsmesh-x-prometheus}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: opsmesh-x-prometheus}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: opsmesh-x-prometheus}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "opsmesh:prometheus"}]
"#;

/// Applies them, if they are not there.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    if ready(instance).is_ok() {
        return Ok(Made::Already);
    }
    apply(instance, OBJECTS)?;
    Ok(Made::Now)
}

/// Whether they are there.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    let mut command = kubectl(instance).map_err(|error| error.to_string())?;
    errand::ask(command.args(["get", "clusterrolebinding", "opsmesh-x-prometheus", "-o", "name"]))
        .map(drop)
        .map_err(|error| error.to_string())
}
