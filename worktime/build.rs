//! Reads every file in `data/holidays/<set>/` into the program: adding a year is adding a file.
#![expect(clippy::unwrap_used, reason = "a file that cannot be read, or makes no sense, fails the build")]
use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    year: i16,
    notices: Vec<Notice>,
    note: Option<String>,
    holidays: Vec<Holiday>,
    make_up: Vec<MakeUp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    title: String,
    number: Option<String>,
    issued: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    from: String,
    until: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MakeUp {
    name: String,
    date: String,
}

fn main() {
    #[expect(clippy::disallowed_methods, reason = "cargo speaks through the environment")]
    let told = |name| env::var(name).unwrap();
    let folder = Path::new(&told("CARGO_MANIFEST_DIR")).join("data/holidays");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut code = String::from("pub(super) static SETS: &[(&str, &[Year])] = &[\n");
    for set in listed(&folder) {
        println!("cargo::rerun-if-changed={}", set.display());
        writeln!(code, "({:?}, &[", set.file_name().unwrap().to_str().unwrap()).unwrap();
        for file in listed(&set) {
            println!("cargo::rerun-if-changed={}", file.display());
            let text = fs::read_to_string(&file).unwrap();
            let year: Year = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert_eq!(file.file_stem().unwrap().to_str().unwrap(), year.year.to_string(), "{}: its name", file.display());
            code.push_str(&year.code());
        }
        code.push_str("]),\n");
    }
    code.push_str("];\n");
    fs::write(Path::new(&told("OUT_DIR")).join("holidays.rs"), code).unwrap();
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

impl Year {
    /// A literal; the compiler itself refuses dates that do not exist.
    fn code(&self) -> String {
        let mut code = format!("Year {{ year: {}, note: {:?}, notices: &[", self.year, self.note.as_deref().unwrap_or(""));
        for Notice { title, number, issued } in &self.notices {
            let issued = issued.as_ref().map_or("None".into(), |issued| format!("Some({})", date(issued)));
            write!(code, "Notice {{ title: {title:?}, number: {number:?}, issued: {issued} }},").unwrap();
        }
        code.push_str("], holidays: &[");
        for Holiday { name, from, until } in &self.holidays {
            let until = date(until.as_ref().unwrap_or(from));
            write!(code, "({name:?}, {}, {until}),", date(from)).unwrap();
        }
        code.push_str("], make_up: &[");
        for MakeUp { name, date: day } in &self.make_up {
            write!(code, "({name:?}, {}),", date(day)).unwrap();
        }
        code.push_str("] },\n");
        code
    }
}

fn date(text: &str) -> String {
    let parts: Vec<i16> = text.split('-').map(|part| part.parse().unwrap()).collect();
    assert_eq!(parts.len(), 3, "`{text}` is not a date");
    format!("date({}, {}, {})", parts[0], parts[1], parts[2])
}
