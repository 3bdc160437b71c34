//! THE TABLE OF CONFORMANCE on paper: which obligations of T/DGAG 038-2025 the product answers for today, and how one can see it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program: the table is what it is for")]
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;
use standard::conformance::{Conformance, Cover, Row, conformance};

const HELP: &str = "\
opsmesh-conformance：T/DGAG 038—2025 各项要求由谁落实、凭什么查证

用法：opsmesh-conformance [--json] [--uncovered]

  --json       以JSON输出
  --uncovered  只列尚未由运行中的产品完全落实的条款
  --help       显示本说明
";

fn main() -> ExitCode {
    let (mut json, mut uncovered) = (false, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            "--uncovered" => uncovered = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            other => {
                eprint!("不认识的参数：{other}\n\n{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    let all = conformance();
    let rows: Vec<&Row> = all.rows().iter().filter(|row| !uncovered || row.cover() != Cover::Whole).collect();
    match if json { as_json(all, &rows) } else { as_table(all, &rows) } {
        // Who reads only the first lines (`| head`) is not told of an error.
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("不能输出：{error}");
            ExitCode::FAILURE
        }
    }
}

fn as_json(all: &Conformance, rows: &[&Row]) -> io::Result<()> {
    let summary: serde_json::Map<String, serde_json::Value> =
        Cover::ALL.iter().map(|cover| (json!(cover).as_str().unwrap_or_default().to_owned(), json!(all.count(*cover)))).collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({ "clause": row.clause, "title": row.title, "cover": row.cover(), "answers": row.answers, "open": row.open })
        })
        .collect();
    let table = json!({ "standard": "T/DGAG 038—2025", "obligations": all.rows().len(), "summary": summary, "rows": rows });
    writeln!(io::stdout(), "{table:#}")
}

fn as_table(all: &Conformance, rows: &[&Row]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "T/DGAG 038—2025 符合性：共{}项要求", all.rows().len())?;
    for cover in Cover::ALL {
        writeln!(out, "  {}：{}项", cover.zh(), all.count(cover))?;
    }
    for row in rows {
        writeln!(out, "\n{} {}\n  【{}】", row.clause, row.title, row.cover().zh())?;
        for answer in &row.answers {
            writeln!(out, "  {}：{}（{}）", answer.kind.zh(), answer.what, answer.room)?;
            for test in &answer.tests {
                writeln!(out, "    测试 {test}")?;
            }
        }
        if let Some(open) = &row.open {
            writeln!(out, "  未落实：{open}")?;
        }
    }
    Ok(())
}
