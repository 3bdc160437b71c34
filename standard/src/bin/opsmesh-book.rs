//! THE ORGANISATION'S VALUES on paper: checks a folder of own values (`docs/own-book.md`) and prints what differs from the book that ships.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program: what differs is what it is for")]
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use serde_json::json;
use standard::{Book, Own};

const HELP: &str = "\
opsmesh-book：检查本单位的设定，并列出与随附标准数据的差异

用法：opsmesh-book diff 目录 [--json]
      opsmesh-book values [路径开头]

  diff    检查设定，列出差异
  values  列出标准数据中可设定的路径和现值
  目录    其中每个.yaml文件按docs/own-book.md书写
  --json  以JSON输出
  --help  显示本说明

退出码：0 设定可用；1 设定被拒绝或不能读取；2 用法不对
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (folder, as_json) = match words[..] {
        ["--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["values"] => return ended(values("")),
        ["values", start] => return ended(values(start)),
        ["diff", folder] if !folder.starts_with('-') => (folder, false),
        ["diff", folder, "--json"] | ["diff", "--json", folder] => (folder, true),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    let files = match files(Path::new(folder)) {
        Ok(files) => files,
        Err(error) => {
            eprintln!("不能读取{folder}：{error}");
            return ExitCode::FAILURE;
        }
    };
    let named: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let own = match Own::read(&named) {
        Ok(own) => own,
        Err(refused) => {
            eprintln!("{refused}");
            return ExitCode::FAILURE;
        }
    };
    ended(print(&own, as_json))
}

fn ended(written: io::Result<()>) -> ExitCode {
    match written {
        // Who reads only the first lines (`| head`) is not told of an error.
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("不能输出：{error}");
            ExitCode::FAILURE
        }
    }
}

/// The paths that begin so, with their values, as an organisation's file would say them. What the standard says is not among them.
fn values(start: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let all = Book::shipped().values();
    for (path, node) in all.iter().filter(|(path, _)| path.starts_with(start) && !path.starts_with("clauses/")) {
        let mark = node.mark.as_ref().map_or(String::new(), |mark| format!("  # {mark}"));
        writeln!(out, "{path}: {}{mark}", serde_json::to_string(node).map_err(io::Error::other)?)?;
    }
    Ok(())
}

/// The YAML files of a folder, by name.
fn files(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push((path.display().to_string(), fs::read(&path)?));
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "其中没有.yaml文件"));
    }
    Ok(found)
}

fn print(own: &Own, as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let differences = own.differences();
    if as_json {
        return writeln!(out, "{:#}", json!({ "differences": differences }));
    }
    writeln!(out, "与随附标准数据相差{}处", differences.len())?;
    for difference in differences {
        writeln!(out, "{}", Book::shipped().explain(difference))?;
    }
    Ok(())
}
