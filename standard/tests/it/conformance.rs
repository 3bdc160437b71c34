//! Who answers for the obligations: every one has a row, and every test that a row names is in the sources and runs.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use standard::conformance::{Conformance, Cover, FILES, Kind, conformance};
use standard::procedure::procedures;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files of a folder, however deep.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The tests of a file that run: `#[test]` or `#[tokio::test…]` before the function, and no `#[ignore…]` or `#[cfg…]` among its attributes.
fn tests(text: &str) -> Vec<String> {
    let (mut is_test, mut is_left_out, mut found) = (false, false, Vec::new());
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.starts_with("#[ignore") || line.starts_with("#[cfg") {
            is_left_out = true;
        } else if let Some(name) = line.trim_start_matches("async ").strip_prefix("fn ") {
            if is_test && !is_left_out {
                found.push(name.split('(').next().unwrap().to_owned());
            }
            (is_test, is_left_out) = (false, false);
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            (is_test, is_left_out) = (false, false);
        }
    }
    found
}

/// Every test of the workspace that runs, as `crate::file::name`. A crate is called like its folder.
fn all_tests() -> BTreeMap<String, usize> {
    let root = root();
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let members = below(root.clone()).chain(below(root.join("services"))).filter(|folder| folder.join("Cargo.toml").is_file());
    let mut all = BTreeMap::new();
    for member in members {
        let name = member.file_name().unwrap().to_str().unwrap().to_owned();
        for folder in ["src", "tests/it", "it"] {
            let (folder, mut files) = (member.join(folder), Vec::new());
            sources(&folder, &mut files);
            for file in files {
                let inside = file.strip_prefix(&folder).unwrap().with_extension("");
                let inside = inside.to_str().unwrap().replace('/', "::");
                for test in tests(&fs::read_to_string(&file).unwrap()) {
                    *all.entry(format!("{name}::{inside}::{test}")).or_default() += 1;
                }
            }
        }
    }
    all
}

#[test]
fn every_obligation_has_a_row() {
    assert_eq!(conformance().rows().len(), 292);
    assert_eq!(Cover::ALL.map(|cover| conformance().count(cover)).iter().sum::<usize>(), 292);
}

#[test]
fn every_test_that_an_answer_names_is_in_the_sources_once_and_runs() {
    let there = all_tests();
    for row in conformance().rows() {
        for test in row.answers.iter().flat_map(|answer| &answer.tests) {
            assert_eq!(there.get(test), Some(&1), "{}: {test}", row.clause);
        }
    }
}

#[test]
fn every_room_that_an_answer_names_is_there() {
    for row in conformance().rows() {
        for answer in &row.answers {
            assert!(root().join(&answer.room).exists(), "{}: {}", row.clause, answer.room);
        }
    }
}

#[test]
fn a_test_that_is_ignored_or_left_out_counts_for_nothing() {
    let text = "#[test]\nfn one() {}\n#[test]\n#[ignore]\nfn two() {}\n#[tokio::test(flavor = \"x\")]\nasync fn three() {}\nfn four() {}\n\
                #[cfg(windows)]\n#[test]\nfn five() {}\n// #[test]\nfn six() {}\n";
    assert_eq!(tests(text), ["one", "three"]);
}

#[test]
fn what_only_the_engine_knows_is_no_cover_as_long_as_no_service_calls_it() {
    let services_call_it = fs::read_dir(root().join("services"))
        .unwrap()
        .any(|entry| fs::read_to_string(entry.unwrap().path().join("Cargo.toml")).is_ok_and(|text| text.contains("\nstandard")));
    for row in conformance().rows() {
        for answer in row.answers.iter().filter(|answer| answer.room.starts_with("standard/")) {
            assert!(answer.kind == Kind::RuleOnly || services_call_it, "{}", row.clause);
        }
    }
}

#[test]
fn every_gate_is_answered_by_its_own_test() {
    let named: BTreeSet<&str> =
        conformance().rows().iter().flat_map(|row| &row.answers).flat_map(|answer| &answer.tests).map(String::as_str).collect();
    for step in procedures().iter().flat_map(|procedure| &procedure.steps) {
        for gate in &step.gates {
            let test = format!("without_its_{}_{}_is_refused", gate.kind.key(), step.clause.replace('.', "_"));
            assert!(named.iter().any(|named| named.ends_with(&test)), "{test}");
        }
    }
}

/// The files that ship, with one thing in one of them changed.
fn changed(file: &str, from: &str, to: &str) -> String {
    let files: Vec<(&str, String)> = FILES
        .iter()
        .map(|(name, text)| (*name, if *name == file { text.replacen(from, to, 1) } else { (*text).to_owned() }))
        .collect();
    assert!(files.iter().zip(FILES).any(|((_, new), (_, old))| new != old), "nothing was changed");
    Conformance::read(files.iter().map(|(name, text)| (*name, text.as_str()))).unwrap_err().to_string()
}

#[test]
fn a_wish_is_refused_with_its_line() {
    let file = "conformance/7.1.yaml";
    let gone = |refusal: String, what: &str| assert!(refusal.contains(what), "{refusal}");
    gone(changed(file, "clause: '7.1'", "clause: '7.9'"), "conformance/7.1.yaml:3: rows[0].clause: 7.9 is no clause");
    gone(changed(file, "clause: '7.1'", "clause: '7.2'"), "7.2 is no clause that obliges to anything");
    gone(changed(file, "clause: '7.1'", "clause: 7.2.1"), "7.2.1 is there twice");
    gone(changed(file, "kind: rule_only", "kind: done"), "conformance/7.1.yaml:5");
    gone(changed(file, "  open: ", "  opened: "), "conformance/7.1.yaml:10");
    gone(changed(file, "    tests:\n    - ", "    tests: []\n    # - "), "an answer without a test is a wish");
    gone(changed(file, "  open: ", "  # "), "say what is open");
    let no_rows = Conformance::read(FILES[1..].iter().copied()).unwrap_err();
    assert_eq!(no_rows.to_string(), "conformance/8_A_B.yaml:1: rows: 4 has no row");
}

#[test]
fn the_command_prints_the_table() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_opsmesh-conformance")).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = run(&[]);
    assert_eq!(code, 0);
    assert!(text.starts_with("T/DGAG 038—2025 符合性：共292项要求\n"), "{text}");
    assert!(
        text.contains("7.4.1.6 ") && text.contains("测试 ticketing::ticket::a_ticket_is_closed_only_after_its_user_confirmed")
    );
    let (_, json) = run(&["--json", "--uncovered"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["obligations"], 292);
    assert_eq!(json["rows"].as_array().unwrap().len(), 292 - conformance().count(Cover::Whole));
    assert_eq!(json["summary"]["none"], conformance().count(Cover::None));
    assert_eq!(run(&["--uncoverd"]).0, 2);
    assert_eq!(run(&["--help"]).0, 0);
}
