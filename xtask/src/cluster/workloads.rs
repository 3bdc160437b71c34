//! Whether what runs in the cluster really runs. After a crash the API server still remembers the world before it; a container that claims to be older than
//! its node is not believed.

use anyhow::Result;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cluster::{kubectl, node};
use crate::errand;
use crate::instance::Instance;

/// Whether every Deployment of a namespace has all its pods as last asked for, ready, and alive; else what is missing.
pub(crate) fn ready(instance: &Instance, namespace: &str) -> Result<(), String> {
    let seen = || -> Result<Value> {
        let mut command = kubectl(instance)?;
        command.args(["-n", namespace, "get", "deployments,pods", "-o", "json"]);
        Ok(serde_json::from_str(&errand::ask(&mut command)?)?)
    };
    let seen = seen().map_err(|error| error.to_string())?;
    let began = node::began(instance).unwrap_or(0);
    judge(&seen, began).map_err(|missing| format!("{missing} (namespace {namespace})"))
}

/// The Deployments of a namespace.
pub(crate) fn names(instance: &Instance, namespace: &str) -> Result<Vec<String>> {
    let mut command = kubectl(instance)?;
    command.args(["-n", namespace, "get", "deployments", "-o", "jsonpath={range .items[*]}{.metadata.name}{\"\\n\"}{end}"]);
    Ok(errand::ask(&mut command)?.lines().map(str::to_owned).collect())
}

/// Seconds since 1970 of a time as Kubernetes writes it.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp()).ok()
}

fn judge(seen: &Value, began: u64) -> Result<(), String> {
    let of_kind = |kind: &'static str| {
        let items = seen["items"].as_array().into_iter().flatten();
        items.filter(move |item| item["kind"] == kind)
    };
    let mut deployments = 0;
    for deployment in of_kind("Deployment") {
        deployments += 1;
        let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
        let (spec, status) = (&deployment["spec"], &deployment["status"]);
        let number = |field: &str| status[field].as_u64().unwrap_or(0);
        let wanted = spec["replicas"].as_u64().unwrap_or(1);
        if status["observedGeneration"] != deployment["metadata"]["generation"] {
            return Err(format!("{name} has been changed a moment ago"));
        }
        if number("updatedReplicas") < wanted || number("replicas") > wanted {
            return Err(format!("{name} is being rolled out"));
        }
        let own = || of_kind("Pod").filter(|pod| belongs(pod, &spec["selector"]["matchLabels"]));
        let alive = own().filter(|pod| is_alive(pod, began)).count() as u64;
        if alive < wanted {
            return Err(format!("{name} has {alive} of {wanted} pods{}", why(own())));
        }
    }
    if deployments == 0 {
        return Err("no deployment is there".into());
    }
    Ok(())
}

fn belongs(pod: &Value, selector: &Value) -> bool {
    selector.as_object().is_some_and(|wanted| wanted.iter().all(|(label, value)| pod["metadata"]["labels"][label] == *value))
}

/// Ready, and every container of it younger than the node.
fn is_alive(pod: &Value, began: u64) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let containers = pod["status"]["containerStatuses"].as_array();
    let ready = conditions.filter(|condition| condition["type"] == "Ready").any(|condition| condition["status"] == "True");
    let young = containers.is_some_and(|containers| {
        containers.iter().all(|container| {
            container["state"]["running"]["startedAt"].as_str().and_then(seconds).is_some_and(|started| started >= began)
        })
    });
    ready && young && pod["metadata"]["deletionTimestamp"].is_null()
}

/// Why pods are not ready, as far as their containers say.
fn why<'a>(pods: impl Iterator<Item = &'a Value>) -> String {
    for pod in pods {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        for container in pod["status"]["containerStatuses"].as_array().into_iter().flatten() {
            let waiting = &container["state"]["waiting"];
            if let Some(reason) = waiting["reason"].as_str() {
                let message = waiting["message"].as_str().unwrap_or_default();
                return format!(": {name} is {reason}, {message}");
            }
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn world(ready: &str, started: &str) -> Value {
        let pod = |name: &str| {
            json!({"kind": "Pod", "metadata": {"name": name, "labels": {"app": "desk", "x": "y"}}, "status": {
                "conditions": [{"type": "Ready", "status": ready}],
                "containerStatuses": [{"state": {"running": {"startedAt": started}}}],
            }})
        };
        json!({"items": [
            {"kind": "Deployment", "metadata": {"name": "desk", "generation": 3},
             "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "desk"}}},
             "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}},
            pod("desk-1"),
            pod("desk-2"),
        ]})
    }

    #[test]
    fn a_deployment_needs_all_its_pods() {
        let began = seconds("2026-11-23T10:00:00Z").unwrap();
        assert_eq!(judge(&world("True", "2026-11-23T10:00:05Z"), began), Ok(()));
        let missing = judge(&world("False", "2026-11-23T10:00:05Z"), began).unwrap_err();
        assert_eq!(missing, "desk has 0 of 2 pods");
    }

    #[test]
    fn a_pod_from_before_the_node_is_a_ghost() {
        let began = seconds("2026-11-23T10:00:00Z").unwrap();
        assert!(judge(&world("True", "2026-11-23T09:59:00Z"), began).is_err());
    }
}
