//! Bad data: corruptions of every kind over all files; each is refused in its file at its line, and none makes the reader panic.
use std::collections::BTreeMap;

use standard::{FILES, Parts, Refused};

/// How far from the corrupted line the refusal may point.
#[derive(Clone, Copy)]
enum Where {
    /// To that line.
    There,
    /// To that line or the next: the second of two keys, the text that a broken line runs into.
    Beside,
    /// To the row in which something is missing: at or before that line.
    Row,
}

/// A kind of corruption: its name, what it makes of a line that can bear it, and where it is found.
type Kind = (&'static str, fn(&str) -> Option<Vec<u8>>, Where);

const KINDS: [Kind; 16] = [
    ("a wrong clause", |line| scalar(line, &["clause"], "7.4.99"), Where::There),
    ("a clause of another kind", |line| scalar(line, &["clause"], "[7]"), Where::There),
    ("a dangling source", |line| source(line).map(|line| line.replace("found:S", "found:X").into()), Where::There),
    ("a dangling reference", |line| scalar(line, &REFERENCES, "nowhere"), Where::There),
    ("a key twice", |line| plain(line).map(|_| [line, "\n", &line.replacen("- ", "  ", 1)].concat().into()), Where::Beside),
    (
        "an unknown field",
        |line| known(line).map(|key| line.replacen(&format!("{key}:"), &format!("{key}x:"), 1).into()),
        Where::There,
    ),
    ("a field that is missing", |line| required(line).map(|_| b"".into()), Where::Row),
    ("an impossible time", |line| scalar(line, &TIMES, "0"), Where::There),
    ("a time that is too long", |line| scalar(line, &TIMES, "99999999"), Where::There),
    ("a negative number", |line| scalar(line, &TIMES, "-5"), Where::There),
    ("a number with a unit", |line| scalar(line, &TIMES, "5 min"), Where::There),
    ("a wrong unit", |line| scalar(line, &["unit"], "parsec"), Where::There),
    ("bytes of GB18030", |line| key(line).map(|_| [line.as_bytes(), b" # \xd6\xd0\xce\xc4"].concat()), Where::There),
    ("a byte order mark", |line| key(line).map(|_| format!("\u{feff}{line}").into()), Where::There),
    ("a line end of another system", |line| key(line).map(|_| format!("{line}\r").into()), Where::There),
    ("a tab", |line| key(line).map(|_| format!("\t{line}").into()), Where::Beside),
];

const TIMES: [&str; 9] = [
    "response_minutes",
    "recovery_minutes",
    "update_minutes",
    "resolve_hours",
    "answer_seconds",
    "interval_seconds",
    "final_report_workdays",
    "review_months",
    "shelf_life_months",
];

const REFERENCES: [&str; 8] =
    ["calendar", "intake_calendar", "frequency", "automation", "statistic", "direction", "repair_group", "computable"];

/// The key of a line that says one.
fn key(line: &str) -> Option<&str> {
    let (key, rest) = line.trim_start_matches([' ', '-']).split_once(':')?;
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (plain && !line.starts_with('#') && (rest.is_empty() || rest.starts_with(' '))).then_some(key)
}

/// The key of a line that has its whole value.
fn plain(line: &str) -> Option<&str> {
    let quotes = line.matches('\'').count().is_multiple_of(2);
    key(line).filter(|_| !line.trim_end().ends_with(':') && quotes && line.matches('{').count() == line.matches('}').count())
}

/// Of these keys nothing else of the book speaks, so that the row itself is what is wrong without them.
fn known(line: &str) -> Option<&str> {
    plain(line).filter(|key| TIMES.contains(key) || REFERENCES.contains(key) || ["unit", "kind", "review_months"].contains(key))
}

fn required(line: &str) -> Option<&str> {
    let often_absent = ["unit", "frequency", "shelf_life_months", "direction"];
    known(line).filter(|key| !line.trim_start().starts_with('-') && !often_absent.contains(key))
}

/// A line with a mark that names a source.
fn source(line: &str) -> Option<&str> {
    Some(line).filter(|line| line.contains("{status: ") && line.contains("found:S"))
}

fn scalar(line: &str, wanted: &[&str], value: &str) -> Option<Vec<u8>> {
    let (head, _) = line.split_once(':')?;
    wanted.contains(&plain(line)?).then(|| format!("{head}: {value}").into())
}

/// The file with one line of it changed.
fn spoilt(lines: &[&str], at: usize, line: &[u8]) -> Vec<u8> {
    let before = lines[..at].iter().flat_map(|line| [line.as_bytes(), b"\n"]);
    let after = lines[at + 1..].iter().flat_map(|line| [line.as_bytes(), b"\n"]);
    before.chain([line, b"\n"]).chain(after).collect::<Vec<_>>().concat()
}

fn is_there(refused: &Refused, file: &str, line: usize, place: Where) -> bool {
    let line = line as u64 + 1;
    let at = match place {
        Where::There => refused.line == line,
        Where::Beside => refused.line == line || refused.line == line + 1,
        Where::Row => refused.line <= line && refused.why.contains("missing field"),
    };
    at && refused.file == file && !refused.why.is_empty()
}

#[test]
fn hundreds_of_corruptions_are_each_refused_at_their_line() {
    let shipped = Parts::read(FILES).unwrap();
    let (mut done, mut wrong) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for (number, (name, spoil, place)) in KINDS.iter().enumerate() {
        // Thirteen of each, in files as far apart as there are, each at a line of its own.
        for round in 0..FILES.len() * 3 {
            let (file, bytes) = FILES[(number * 7 + round) % FILES.len()];
            let lines: Vec<&str> = std::str::from_utf8(bytes).unwrap().lines().collect();
            let from = (round / FILES.len() * 7919 + number * 31) % lines.len();
            let found = (0..lines.len()).map(|step| (from + step) % lines.len()).find_map(|at| Some((at, spoil(lines[at])?)));
            let Some((at, line)) = found else { continue };
            let mut parts = shipped.clone();
            match parts.put(file, &spoilt(&lines, at, &line)).and_then(|()| parts.book()) {
                Ok(_) => wrong.push(format!("{name} at {file}:{}: nobody minded: {}", at + 1, lines[at])),
                Err(refused) if is_there(&refused, file, at, *place) => {}
                Err(refused) => wrong.push(format!("{name} at {file}:{}: {} — {refused}", at + 1, lines[at])),
            }
            let count = done.entry(name).or_default();
            *count += 1;
            if *count == 13 {
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(done.len(), KINDS.len(), "{done:?}");
    assert!(done.values().sum::<usize>() >= 200, "{done:?}");
}

/// A shipped file with the first of these texts changed, and the refusal of it.
fn changed(file: &str, from: &str, to: &str) -> Refused {
    let (_, bytes) = FILES.iter().find(|(name, _)| *name == file).unwrap();
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    let mut parts = Parts::read(FILES).unwrap();
    parts.put(file, text.replacen(from, to, 1).as_bytes()).and_then(|()| parts.book().map(drop)).unwrap_err()
}

#[test]
fn a_mark_for_nothing_is_refused_with_its_line_and_path() {
    let refused = changed("spares.yaml", "  checks: {status", "  chequers: {status");
    assert_eq!((refused.file.as_str(), refused.line, refused.field.as_str()), ("spares.yaml", 4, "marks.chequers"));
    assert_eq!(refused.why, "nothing below has this path");
    let refused = changed("repair.yaml", "  rows.when.warranty: {", "  rows.when.guarantee: {");
    assert_eq!((refused.line, refused.field.as_str()), (9, "marks.rows.when.guarantee"));
    let refused = changed("spares.yaml", "source: 'standard:5.1.4.2'}", "source: 'standard:5.1.4.9'}");
    assert_eq!((refused.line, refused.field.as_str()), (5, "marks.storage_points.source"));
    assert_eq!(changed("spares.yaml", "source: 'standard:5.1.4.2'}", "source: standards}").why, "standards is no source");
}

#[test]
fn a_file_that_no_book_has_or_that_is_there_twice_or_not_at_all_is_refused() {
    let refused = Parts::default().put("spare.yaml", b"mark: {}").unwrap_err();
    assert_eq!((refused.file.as_str(), refused.why.as_str()), ("spare.yaml", "a book has no file of this name"));
    let twice = [FILES, &FILES[..1]].concat();
    assert_eq!(Parts::read(&twice).unwrap_err().why, "the file is there twice");
    let (last, rest) = FILES.split_last().unwrap();
    let refused = Parts::read(rest).unwrap().book().unwrap_err();
    assert_eq!((refused.file.as_str(), refused.why.as_str()), (last.0, "the file is missing"));
}
