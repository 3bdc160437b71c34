//! The definitions as the API server gets them.
use std::{fs, path::Path};

use crds::{InspectionPlan, OperationRun};
use kube::CustomResourceExt;
use serde_json::Value;

/// What `kubectl apply` may put into its last-applied annotation, with room for growth.
const LARGEST: usize = 200 * 1024;

fn definitions() -> [(String, Value); 2] {
    [InspectionPlan::crd(), OperationRun::crd()].map(|crd| {
        let mut value = serde_json::to_value(&crd).expect("a definition is JSON");
        // Deleting a definition deletes every object of it; no uninstallation may do that by the way.
        value["metadata"]["annotations"] = serde_json::json!({"helm.sh/resource-policy": "keep"});
        value["metadata"]["labels"] = serde_json::json!({"app.kubernetes.io/part-of": "opsmesh"});
        // The same order whatever other rooms ask of serde_json.
        value.sort_all_objects();
        (format!("{}.yaml", crd.metadata.name.expect("a definition has a name")), value)
    })
}

#[test]
fn the_yaml_beside_the_crate_and_in_the_chart_is_what_the_types_say() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [beside.to_owned(), beside.join("../helm/opsmesh/definitions")];
    for (file, definition) in definitions() {
        let text = serde_saphyr::to_string(&definition).expect("a definition is YAML");
        let text = format!("# Generated from crds/src. Do not edit: UPDATE=1 cargo test -p crds\n{text}");
        assert!(text.len() < LARGEST, "{file} has {} bytes", text.len());
        for path in folders.iter().map(|folder| folder.join(&file)) {
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&path, &text).expect("the folder can be written");
            }
            let held = fs::read_to_string(&path).unwrap_or_default();
            assert!(held == text, "{} is stale: UPDATE=1 cargo test -p crds", path.display());
        }
    }
}

#[test]
fn every_field_is_described() {
    for (file, definition) in definitions() {
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        for part in ["spec", "status"] {
            let mut missing = Vec::new();
            undescribed(&schema["properties"][part], part, &mut missing);
            // The words of a Kubernetes type of its own are Kubernetes's.
            missing.retain(|path| !path.contains(".resources"));
            assert!(missing.is_empty(), "{file}: no description at {missing:?}");
        }
    }
}

fn undescribed(schema: &Value, path: &str, missing: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            let path = format!("{path}.{name}");
            if property["description"].as_str().is_none_or(str::is_empty) {
                missing.push(path.clone());
            }
            undescribed(property, &path, missing);
        }
    }
    if schema["items"].is_object() {
        undescribed(&schema["items"], &format!("{path}[]"), missing);
    }
}
