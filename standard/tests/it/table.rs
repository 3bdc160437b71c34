//! The table of the gates, `docs/gates.md`, and their tests are generated from the procedures: `UPDATE=1 cargo test -p standard table`.
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use standard::procedure::{At, Gate, Procedure, Step, procedures};

/// The files of the tests, each with the clauses that it has.
const FILES: [(&str, &[&str]); 3] =
    [("assessment_and_routine", &["7.2", "7.3"]), ("response", &["7.4"]), ("optimisation", &["7.5"])];

fn gates() -> impl Iterator<Item = (&'static Procedure, &'static Step, &'static Gate)> {
    let steps = procedures().iter().flat_map(|procedure| procedure.steps.iter().map(move |step| (procedure, step)));
    steps.flat_map(|(procedure, step)| step.gates.iter().map(move |gate| (procedure, step, gate)))
}

fn test_of(step: &Step, gate: &Gate) -> String {
    format!("without_its_{}_{}_is_refused", gate.kind.key(), step.clause.replace('.', "_"))
}

fn file_of(step: &Step) -> &'static str {
    let has = |clauses: &[&str]| clauses.iter().any(|clause| step.clause.starts_with(&format!("{clause}.")));
    FILES.iter().find(|(_, clauses)| has(clauses)).unwrap().0
}

fn tests(file: &str) -> String {
    let mut text = String::from("//! Generated, see `table.rs`.\nuse standard::procedure::GateKind;\n\nuse crate::walk::shut;\n");
    for (procedure, step, gate) in gates().filter(|(_, step, _)| file_of(step) == file) {
        write!(
            text,
            "#[test]\nfn {}() {{\n    shut({:?}, {:?}, GateKind::{:?});\n}}\n",
            test_of(step, gate),
            procedure.code,
            step.clause,
            gate.kind
        )
        .unwrap();
    }
    text
}

fn table() -> String {
    let mut text = String::from(
        "# 条款、流程、门与测试\n\n\
         由 `UPDATE=1 cargo test -p standard table` 生成，勿手改。每行一个门：条款、流程、门的种类、何时生效、要求该门的原文、由谁确认或受告知，\
         以及走到该门而因缺证据被拒的测试。\n\n\
         | 条款 | 流程 | 门 | 何时 | 原文 | 相对方 | 测试 |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (procedure, step, gate) in gates() {
        let parties: Vec<&str> = gate.with.iter().flat_map(|with| &with.parties).map(|party| party.zh()).collect();
        let at = match gate.at {
            At::Start => "开始前",
            At::Finish => "完成前",
        };
        writeln!(
            text,
            "| {} | {} {} | {} `{}` | {at} | {} | {} | `standard::gates::{}::{}` |",
            step.clause,
            procedure.code,
            procedure.name.zh.value,
            gate.kind.zh(),
            gate.kind.key(),
            gate.words.as_deref().unwrap_or("（产品默认）"),
            parties.join("、"),
            file_of(step),
            test_of(step, gate)
        )
        .unwrap();
    }
    text
}

fn same(path: &Path, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, text).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), text, "{}: run with UPDATE=1", path.display());
}

#[test]
fn the_table_of_the_gates_and_their_tests_are_as_generated() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    same(&here.join("../docs/gates.md"), &table());
    for (file, _) in FILES {
        same(&here.join(format!("tests/it/gates/{file}.rs")), &tests(file));
    }
    assert_eq!(gates().count(), 133);
}
