//! The shape of the house: dependencies point down only, and every room is in its place.
use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each room may lean on. A new arrow is a decision: write it here, and into ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("chassis", &["proto"]),
    ("crds", &[]),
    ("inspection", &["chassis", "mailbox", "proto"]),
    ("inventory", &["chassis", "mailbox", "proto"]),
    ("mailbox", &["chassis", "proto"]),
    ("operator", &["chassis", "crds", "proto"]),
    ("proto", &[]),
    ("standard", &[]),
    ("tests", &["chassis"]),
    ("ticketing", &["chassis", "mailbox", "proto"]),
    ("worktime", &[]),
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
