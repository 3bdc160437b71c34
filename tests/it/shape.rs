//! The shape of the house: dependencies point down only, and every room is in its place.
use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each room may lean on. A new arrow is a decision: write it here, and into ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("chassis", &["proto"]),
    ("crds", &[]),
    ("inspection", &["chassis", "mailbox", "proto"]),
    ("inventory", &["chassis", "mailbox", "proto"]),
    ("mailbox", &["chassis", "proto"]),
    ("operator", &["chassis", "crds", "proto", "worktime"]),
    ("proto", &[]),
    ("standard", &[]),
    ("tests", &["chassis"]),
    ("ticketing", &["chassis", "mailbox", "proto"]),
    ("worktime", &[]),
    ("worktime-command", &["worktime"]),
    ("xtask", &[]),
];

/// Which room alone may know a technology. The inspector's probes speak to the devices of its estate, and so inspection has
/// three clients that are not for its own use.
const FIREWALLS: &[(&str, &[&str])] = &[
    ("kube", &["crds", "operator"]),
    ("lapin", &["inspection", "mailbox"]),
    ("redis", &["chassis", "inspection"]),
    ("opentelemetry-otlp", &["chassis"]),
    ("axum", &["chassis"]),
    ("jsonwebtoken", &["chassis", "tests"]),
];

fn edges() -> Vec<(String, Vec<String>)> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let mut rooms: Vec<(String, Vec<String>)> = metadata
        .packages
        .iter()
        .map(|package| {
            let mut all: Vec<String> = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect();
            all.sort();
            (package.name.to_string(), all)
        })
        .collect();
    rooms.sort();
    rooms
}

#[test]
fn dependencies_point_down() {
    let edges = edges();
    let names: Vec<&str> = edges.iter().map(|(name, _)| name.as_str()).collect();
    let own: Vec<(&str, Vec<&str>)> = edges
        .iter()
        .map(|(name, all)| {
            (name.as_str(), all.iter().map(String::as_str).filter(|dependency| names.contains(dependency)).collect())
        })
        .collect();
    let expected: Vec<(&str, Vec<&str>)> = ARROWS.iter().map(|(name, all)| (*name, all.to_vec())).collect();
    assert_eq!(own, expected);
}

#[test]
fn each_technology_has_its_rooms() {
    let edges = edges();
    for (technology, rooms) in FIREWALLS {
        let knowing: Vec<&str> = edges
            .iter()
            .filter(|(_, all)| all.iter().any(|dependency| dependency == technology))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(&knowing, rooms, "who knows {technology}");
    }
}

#[test]
fn every_test_that_the_page_on_faults_names_is_there() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let page = std::fs::read_to_string(root.join("docs/faults.md")).unwrap();
    let named: Vec<&str> = page
        .split('`')
        .filter(|words| {
            words.len() > 20
                && words.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        })
        .collect();
    assert!(named.len() > 20, "{named:?}");
    let mut sources = String::new();
    for room in ["tests/it", "mailbox/tests", "chassis/src", "chassis/tests", "services"] {
        read(&root.join(room), &mut sources);
    }
    let missing: Vec<&&str> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_statement_asks_for_whatever_columns_there_are() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut sources = String::new();
    for room in ["chassis/src", "mailbox/src", "services/ticketing/src", "services/inventory/src", "services/inspection/src"] {
        read(&root.join(room), &mut sources);
    }
    let asking: Vec<&str> = sources.lines().filter(|line| line.contains("SELECT *") || line.contains("RETURNING *")).collect();
    assert!(asking.is_empty(), "a later version's column would make it fail: {asking:?}");
    assert!(sources.matches("columns!()").count() > 15, "they are named");
}

fn read(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
