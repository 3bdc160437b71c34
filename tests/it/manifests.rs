//! Manifests that are wrong: refused by the API server, or stalled with the reason and the remedy.
use serde_json::{Value, json};
use tests::eventually;

use crate::cluster::{Estate, kubectl, kubectl_json, kubectl_with};

fn plan(name: &str) -> Value {
    json!({
        "apiVersion": "opsmesh.io/v1alpha1", "kind": "InspectionPlan", "metadata": {"name": name},
        "spec": {
            "schedule": {"cron": "0 3 * * *"},
            "items": [{"id": "port", "title": "端口", "probe": {"tcp": {"port": 80}}}],
        },
    })
}

fn with(name: &str, pointer: &str, value: Value) -> Value {
    let mut plan = plan(name);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    plan.pointer_mut(parent).unwrap()[key] = value;
    plan
}

/// The condition of a plan, once the operator has said it.
async fn condition(estate: &Estate, name: &str, type_: &str) -> Value {
    eventually(&format!("{name} to say whether it is {type_}"), || async {
        let plan = estate.plan(name).await?;
        let conditions = plan["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.into_iter().find(|condition| condition["type"] == type_).ok_or_else(|| plan["status"].to_string())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_schema_forbids_never_gets_in() {
    let estate = Estate::found("refused").await;
    let long = "a".repeat(60);
    let cases = [
        ("a plan's name has at most 45 characters", with(&long, "/metadata/name", json!(long))),
        ("unknown field \"spec.shedule\"", with("x", "/spec/shedule", json!({}))),
        ("must have five fields", with("x", "/spec/schedule/cron", json!("0 3 * * * *"))),
        ("spec.items", with("x", "/spec/items", json!([]))),
        ("spec.items[0].probe", with("x", "/spec/items/0/probe", json!({"tcp": {"port": 80}, "icmp": {}}))),
        ("spec.items[0].probe.tcp.port", with("x", "/spec/items/0/probe", json!({"tcp": {"port": 0}}))),
        ("a limit needs at least one of", with("x", "/spec/items/0/limits", json!([{"measure": "latencyMs"}]))),
        ("must be 100ms to 60s", with("x", "/spec/items/0/timeout", json!("2h"))),
        (
            "spec.items[1]: Duplicate value",
            with("x", "/spec/items", json!([plan("x")["spec"]["items"][0], plan("x")["spec"]["items"][0]])),
        ),
    ];
    for (expected, manifest) in cases {
        let refused = estate.apply(&manifest).await.unwrap_err();
        assert!(refused.contains(expected), "expected `{expected}` in: {refused}");
    }
    assert!(kubectl_json(&["get", "insp", "-n", &estate.name]).await.unwrap()["items"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_work_is_stalled_and_a_mended_plan_recovers() {
    let estate = Estate::found("stalled").await;
    let cases = [
        (
            "never",
            "InvalidSchedule",
            "spec.schedule.cron: `0 0 31 2 *` never comes",
            with("never", "/spec/schedule/cron", json!("0 0 31 2 *")),
        ),
        (
            "nowhere",
            "InvalidSchedule",
            "spec.schedule.timeZone: `Mars/Olympus`",
            with("nowhere", "/spec/schedule/timeZone", json!("Mars/Olympus")),
        ),
        (
            "nonsense",
            "InvalidSchedule",
            "spec.schedule.cron: `61 * * * *`",
            with("nonsense", "/spec/schedule/cron", json!("61 * * * *")),
        ),
        (
            "measure",
            "InvalidPlan",
            "spec.items[0].limits[0].measure: this probe takes no `daysLeft`",
            with("measure", "/spec/items/0/limits", json!([{"measure": "daysLeft", "passMin": 1}])),
        ),
    ];
    for (name, reason, message, manifest) in &cases {
        estate.apply(manifest).await.unwrap();
        let stalled = condition(&estate, name, "Stalled").await;
        assert_eq!((stalled["status"].as_str(), stalled["reason"].as_str()), (Some("True"), Some(*reason)), "{stalled}");
        assert!(stalled["message"].as_str().unwrap().contains(message), "{stalled}");
        assert_eq!(condition(&estate, name, "Ready").await["status"], "False");
        assert!(kubectl(&["get", "cronjob", name, "-n", &estate.name]).await.is_err(), "nothing runs for {name}");
    }
    for (name, ..) in &cases {
        estate.apply(&plan(name)).await.unwrap();
        eventually(&format!("{name} to recover"), || async {
            let ready = condition(&estate, name, "Ready").await;
            if ready["status"] == "True" { Ok(()) } else { Err(ready) }
        })
        .await;
        let status = estate.plan(name).await.unwrap()["status"].clone();
        assert!(!status["conditions"].as_array().unwrap().iter().any(|condition| condition["type"] == "Stalled"), "{status:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_without_an_agency_is_told_the_remedy_and_wakes_when_it_is_applied() {
    let estate = Estate::found("nobody").await;
    kubectl(&["label", "namespace", &estate.name, "opsmesh.io/agency-"]).await.unwrap();
    estate.apply(&plan("portal")).await.unwrap();
    let stalled = condition(&estate, "portal", "Stalled").await;
    assert_eq!(stalled["reason"], "NamespaceWithoutAgency");
    let remedy = stalled["message"].as_str().unwrap().split_once("kubectl ").unwrap().1.replace("AGENCY", &estate.name);
    kubectl(&remedy.split(' ').collect::<Vec<_>>()).await.unwrap();
    eventually("the plan to become ready", || async {
        let ready = condition(&estate, "portal", "Ready").await;
        if ready["status"] == "True" { Ok(()) } else { Err(ready) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_that_matches_nothing_skips_its_runs_and_says_so() {
    let estate = Estate::found("empty").await;
    estate.apply(&plan("portal")).await.unwrap();
    assert_eq!(condition(&estate, "portal", "Ready").await["status"], "True");
    estate.run_now("portal", "by-hand").await;
    let run = estate.run_in("by-hand", &["Skipped"], std::time::Duration::from_secs(30)).await;
    assert_eq!(run["status"]["reason"], "NoTargets");
    assert!(run["status"]["message"].as_str().unwrap().contains("no device"), "{run:#}");
    let last = eventually("the plan to say so", || async {
        let last = condition(&estate, "portal", "LastRunSucceeded").await;
        if last["reason"] == "NoTargets" { Ok(last) } else { Err(last) }
    })
    .await;
    assert_eq!(last["status"], "False");
    // Its Job does not stand in the way of the next tick.
    eventually("the Job to be complete", || async {
        let job = kubectl_json(&["get", "job", "by-hand", "-n", &estate.name]).await?;
        if job["status"]["completionTime"].is_string() { Ok(()) } else { Err(job["status"].to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_converged_plan_is_written_no_more_and_a_deleted_child_comes_back() {
    let estate = Estate::found("quiet").await;
    estate.apply(&plan("portal")).await.unwrap();
    assert_eq!(condition(&estate, "portal", "Ready").await["status"], "True");
    let version = || async { estate.plan("portal").await.unwrap()["metadata"]["resourceVersion"].clone() };
    let child =
        || async { kubectl_json(&["get", "cronjob", "portal", "-n", &estate.name]).await.map(|job| job["metadata"].clone()) };
    let (before, child_before) = (version().await, child().await.unwrap());
    // Something that wakes the operator and changes nothing that it says.
    kubectl(&["annotate", "insp", "portal", "-n", &estate.name, "note=1"]).await.unwrap();
    let annotated = version().await;
    assert_ne!(before, annotated);

    kubectl(&["delete", "cronjob", "portal", "-n", &estate.name]).await.unwrap();
    eventually("the CronJob to come back", || async {
        match child().await {
            Ok(metadata) if metadata["uid"] != child_before["uid"] => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    // What somebody else changes in it is put right.
    let patch = json!({"spec": {"schedule": "0 4 * * *"}}).to_string();
    kubectl_with(&["patch", "cronjob", "portal", "-n", &estate.name, "--type=merge", "-p", &patch], "").await.unwrap();
    eventually("the schedule to be put right", || async {
        let job = kubectl_json(&["get", "cronjob", "portal", "-n", &estate.name]).await?;
        if job["spec"]["schedule"] == "0 3 * * *" { Ok(()) } else { Err(job["spec"]["schedule"].to_string()) }
    })
    .await;
    // It was woken three times since, and had nothing new to say.
    assert_eq!(version().await, annotated, "the operator wrote what it had already said");
}
