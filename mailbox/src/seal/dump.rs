//! Facts and seals as `pg_dump` writes them: plain text, a `COPY … FROM stdin` block a table. Read as a stream, so that the dump
//! may be larger than memory.
use std::{borrow::Cow, io::BufRead};

use super::{Content, Disposal, Hash, Seal, Sealed, Suite};

/// A fact as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub number: i64,
    /// Its transaction.
    pub tx: u64,
    /// The hash of the rest.
    pub leaves: Leaves,
}

/// The hash of a fact in each suite that its seal may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leaves {
    international: Option<Hash>,
    national: Option<Hash>,
}

impl Leaves {
    /// The hashes of what a fact says.
    #[must_use]
    pub fn of(content: &Content<'_>, suites: &[Suite]) -> Self {
        let hash = |suite| suites.contains(&suite).then(|| content.hash(suite));
        Self { international: hash(Suite::International), national: hash(Suite::National) }
    }

    /// The hash in this suite, if it was asked for.
    #[must_use]
    pub fn by(&self, suite: Suite) -> Option<Hash> {
        match suite {
            Suite::International => self.international,
            Suite::National => self.national,
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Hash> {
        [self.international, self.national].into_iter().flatten()
    }
}

/// What an audit needs of a dump.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// The facts of all partitions.
    pub facts: Vec<Seen>,
    /// The seals.
    pub seals: Vec<Sealed>,
    /// Seals whose row is not even the form of one.
    pub garbled: Vec<i64>,
    /// What was dropped because its time was over.
    pub disposals: Vec<Disposal>,
}

/// A dump that is none, and where.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read.
    #[error("the dump cannot be read")]
    Io(#[from] std::io::Error),
    /// A line is not what `pg_dump` writes.
    #[error("line {0}: {1}")]
    Line(u64, String),
}

/// Where in a block the columns are that we need.
struct Columns<const N: usize>([usize; N]);

const FACT: [&str; 11] = ["seq", "at", "tx", "id", "agency", "kind", "subject", "actor", "traceparent", "clause", "data"];
const SEAL: [&str; 11] =
    ["number", "service", "at", "facts", "horizon", "floor", "root", "previous", "key", "signature", "leaves"];

const DISPOSAL: [&str; 6] = ["service", "month", "at", "facts", "key", "signature"];

enum Block {
    Facts(Columns<11>),
    Seals(Columns<11>),
    Disposals(Columns<6>),
    Other,
}

impl Dump {
    /// Reads what `pg_dump --table='facts*' --table=seals --table=disposals` (or of a whole database) wrote; facts are hashed in `suites`.
    pub fn read(mut from: impl BufRead, suites: &[Suite]) -> Result<Self, Unreadable> {
        let mut dump = Self::default();
        let mut block: Option<Block> = None;
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            if from.read_until(b'\n', &mut line)? == 0 {
                return Ok(dump);
            }
            number += 1;
            let text = std::str::from_utf8(&line).map_err(|error| Unreadable::Line(number, error.to_string()))?;
            let text = text.strip_suffix('\n').unwrap_or(text);
            block = match block {
                None => begins(text).map_err(|why| Unreadable::Line(number, why))?,
                Some(_) if text == "\\." => None,
                Some(block) => {
                    dump.take(&block, text, suites).map_err(|why| Unreadable::Line(number, why))?;
                    Some(block)
                }
            };
        }
    }

    fn take(&mut self, block: &Block, row: &str, suites: &[Suite]) -> Result<(), String> {
        match block {
            Block::Facts(columns) => self.facts.push(fact(&columns.of(row)?, suites)?),
            Block::Seals(columns) => {
                let row = columns.of(row)?;
                match seal(&row) {
                    Some(sealed) => self.seals.push(sealed),
                    None => self.garbled.push(text(&row, 0)?.parse().map_err(|_| "a seal without a number")?),
                }
            }
            // One that is none excuses nothing.
            Block::Disposals(columns) => self.disposals.extend(disposal(&columns.of(row)?)),
            Block::Other => {}
        }
        Ok(())
    }
}

/// The block that a line begins, if it does.
fn begins(line: &str) -> Result<Option<Block>, String> {
    let Some(rest) = line.strip_prefix("COPY ") else { return Ok(None) };
    let Some((table, rest)) = rest.split_once(" (") else { return Ok(None) };
    let Some(columns) = rest.strip_suffix(") FROM stdin;") else { return Ok(None) };
    let table = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
    let columns: Vec<&str> = columns.split(", ").map(|column| column.trim_matches('"')).collect();
    Ok(Some(if table == "facts" || table.starts_with("facts_") {
        Block::Facts(Columns::find(FACT, &columns)?)
    } else if table == "seals" {
        Block::Seals(Columns::find(SEAL, &columns)?)
    } else if table == "disposals" {
        Block::Disposals(Columns::find(DISPOSAL, &columns)?)
    } else {
        Block::Other
    }))
}

impl<const N: usize> Columns<N> {
    fn find(names: [&str; N], columns: &[&str]) -> Result<Self, String> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            *place =
                columns.iter().position(|column| *column == name).ok_or_else(|| format!("the column {name} is not there"))?;
        }
        Ok(Self(places))
    }

    /// The values of a row in our order; `None` is NULL.
    fn of<'a>(&self, row: &'a str) -> Result<[Option<Cow<'a, str>>; N], String> {
        let fields: Vec<&str> = row.split('\t').collect();
        let mut values = [const { None }; N];
        for (value, place) in values.iter_mut().zip(self.0) {
            let field = *fields.get(place).ok_or("the row is shorter than its columns")?;
            *value = (field != "\\N").then(|| unescaped(field));
        }
        Ok(values)
    }
}

/// PostgreSQL's text format of COPY, undone.
fn unescaped(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return field.into();
    }
    let mut text = String::with_capacity(field.len());
    let mut parts = field.split('\\');
    text.push_str(parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        let mut rest = part.chars();
        match rest.next() {
            // Two in a row are one.
            None => {
                text.push('\\');
                text.push_str(parts.next().unwrap_or_default());
                continue;
            }
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('v') => text.push('\u{b}'),
            Some(itself) => text.push(itself),
        }
        text.push_str(rest.as_str());
    }
    text.into()
}

type Row<'a, const N: usize = 11> = [Option<Cow<'a, str>>; N];

fn text<'a>(row: &'a Row<'_>, at: usize) -> Result<&'a str, String> {
    row[at].as_deref().ok_or_else(|| "a value is missing".to_owned())
}

fn fact(row: &Row<'_>, suites: &[Suite]) -> Result<Seen, String> {
    let content = Content {
        at: text(row, 1)?.parse().map_err(|error| format!("at: {error}"))?,
        tx: text(row, 2)?.parse().map_err(|error| format!("tx: {error}"))?,
        id: text(row, 3)?,
        agency: text(row, 4)?,
        kind: text(row, 5)?,
        subject: text(row, 6)?,
        actor: text(row, 7)?,
        traceparent: row[8].as_deref(),
        clause: row[9].as_deref(),
        data: text(row, 10)?,
    };
    let number = text(row, 0)?.parse().map_err(|error| format!("seq: {error}"))?;
    Ok(Seen { number, tx: content.tx, leaves: Leaves::of(&content, suites) })
}

fn disposal(row: &Row<'_, 6>) -> Option<Disposal> {
    let text = |at: usize| row[at].as_deref();
    Some(Disposal {
        service: text(0)?.to_owned(),
        month: text(1)?.parse().ok()?,
        at: text(2)?.parse().ok()?,
        facts: text(3)?.parse().ok()?,
        key: text(4)?.to_owned(),
        signature: bytes(text(5)?)?,
    })
}

/// A `bytea`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("\\x")?).ok()
}

fn seal(row: &Row<'_>) -> Option<Sealed> {
    let text = |at: usize| row[at].as_deref();
    let bytes = |at: usize| bytes(text(at)?);
    let leaves = bytes(10)?;
    let (leaves, rest) = leaves.as_chunks::<32>();
    let seal = Seal {
        number: text(0)?.parse().ok()?,
        service: text(1)?.to_owned(),
        at: text(2)?.parse().ok()?,
        facts: text(3)?.parse().ok()?,
        horizon: text(4)?.parse().ok()?,
        floor: text(5)?.parse().ok()?,
        root: bytes(6)?.try_into().ok()?,
        previous: bytes(7)?.try_into().ok()?,
        key: text(8)?.to_owned(),
        signature: bytes(9)?,
    };
    rest.is_empty().then(|| Sealed { seal, leaves: leaves.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_copy_escapes_is_read_back() {
        for (field, meant) in [
            ("plain 中文", "plain 中文"),
            (r"a\tb\nc", "a\tb\nc"),
            (r#"{"x":"a\\"b"}"#, r#"{"x":"a\"b"}"#),
            (r"\\\\n", r"\\n"),
            (r"\\", r"\"),
            (r"\\\t", "\\\t"),
            ("", ""),
        ] {
            assert_eq!(unescaped(field), meant, "{field}");
        }
    }

    #[test]
    fn a_fact_is_found_by_its_columns_names_whatever_their_order() {
        let lines = "COPY public.facts_2026_11 (at, seq, tx, id, agency, kind, subject, actor, traceparent, clause, data) FROM stdin;\n\
             2026-11-23 09:02:03.456789+08\t7\t9\t019f\tgz\tk\ts\tli\t\\N\t7.4.1.6\t{\"x\": \"\\\\n\"}\n\\.\n\
             COPY public.other (seq) FROM stdin;\nx\n\\.\n";
        let content = Content {
            at: "2026-11-23T01:02:03.456789Z".parse().unwrap(),
            tx: 9,
            id: "019f",
            agency: "gz",
            kind: "k",
            subject: "s",
            actor: "li",
            traceparent: None,
            clause: Some("7.4.1.6"),
            data: r#"{"x": "\n"}"#,
        };
        for suite in [Suite::International, Suite::National] {
            let dump = Dump::read(lines.as_bytes(), &[suite]).unwrap();
            assert_eq!(dump.facts, [Seen { number: 7, tx: 9, leaves: Leaves::of(&content, &[suite]) }]);
            assert_eq!(dump.facts[0].leaves.by(suite), Some(content.hash(suite)));
        }
    }

    #[test]
    fn what_is_no_dump_is_refused_with_its_line() {
        for (text, line) in [
            ("COPY public.facts (seq) FROM stdin;\n", "line 1: the column at is not there"),
            (
                "--\nCOPY public.seals (number, service, at, facts, horizon, floor, root, previous, key, signature, leaves) FROM stdin;\nx\n",
                "line 3",
            ),
        ] {
            let refused = Dump::read(text.as_bytes(), &[]).unwrap_err().to_string();
            assert!(refused.starts_with(line), "{refused}");
        }
    }
}
