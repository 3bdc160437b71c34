//! THE ORGANISATION'S OWN: files that set any part of the book by its path. `docs/own-book.md` explains them to those who write one.
//!
//! Sources: T/DGAG 038-2025, A.1, B.1 and B.2, let a provider adjust their tables (可根据实际情况进行调整); that every product default
//! can be set, by its path, is ours: they say what the text leaves open.
mod defaults;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::book::{is_file, known};
use crate::procedure::{Procedures, procedures};
use crate::tree::{Node, Value};
use crate::{Book, Difference, Mark, Refused, Status, yaml};

/// What an organisation works by: the book and the procedures with its own values in them, each marked with its name, its decision and its line.
#[derive(Debug, Clone)]
pub struct Own {
    /// The book.
    pub book: Book,
    /// The procedures, which differ in their defaults only: steps and gates are the standard's.
    pub procedures: Procedures,
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    organisation: String,
    source: String,
    #[serde(rename = "values")]
    _values: serde::de::IgnoredAny,
}

/// A value that an organisation sets.
struct Set {
    path: String,
    line: u64,
    value: Node,
}

impl Set {
    fn refuse(&self, why: impl Into<String>) -> Refused {
        Refused::new(self.value.file_name(), self.line, format!("values.{}", self.path), why)
    }
}

impl Own {
    /// What ships, with the values of these files (names to refuse with, and bytes) in it.
    ///
    /// # Errors
    /// As [`Own::over`].
    pub fn read(files: &[(&str, &[u8])]) -> Result<Self, Refused> {
        Self::over(Book::shipped(), procedures(), files)
    }

    /// A book and procedures with the values of these files in them: a city's over what ships, an agency's over the city's.
    ///
    /// # Errors
    /// A path that is not there, that two lines set, or that is not for an organisation to set; a value that does not fit; a book that
    /// contradicts itself then. Each with the organisation's file and line.
    pub fn over(book: &Book, procedures: &Procedures, files: &[(&str, &[u8])]) -> Result<Self, Refused> {
        let mut sets: Vec<Set> = Vec::new();
        for (file, text) in files {
            sets.extend(read(file, text)?);
        }
        once(&sets)?;
        let (of_procedures, of_book): (Vec<Set>, Vec<Set>) =
            sets.into_iter().partition(|set| set.path.starts_with("procedures/"));
        let mut own = Self { book: with(book, &of_book)?, procedures: procedures.clone(), differences: Vec::new() };
        own.differences = book.diff(&own.book);
        for set in &of_procedures {
            let difference = own.procedures.set(&set.path, &set.value).map_err(|why| set.refuse(why))?;
            own.differences.push(difference);
        }
        own.differences.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(own)
    }

    /// What differs from what these files were laid over, by path.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }
}

/// That no value is set by two lines, be it as a part of another.
fn once(sets: &[Set]) -> Result<(), Refused> {
    let mut taken: BTreeMap<&str, &Set> = BTreeMap::new();
    for set in sets {
        let dots = set.path.match_indices('.').map(|(at, _)| &set.path[..at]);
        let whole = dots.chain([set.path.as_str()]).find_map(|path| taken.get(path));
        let below = format!("{}.", set.path);
        let part = || taken.range(below.as_str()..).next().filter(|(path, _)| path.starts_with(&below)).map(|(_, set)| set);
        if let Some(other) = whole.or_else(part) {
            return Err(set.refuse(format!("{} is set in {}:{} already", other.path, other.value.file, other.line)));
        }
        taken.insert(&set.path, set);
    }
    Ok(())
}

/// The values of a file, marked as the organisation's.
fn read(file: &str, text: &[u8]) -> Result<Vec<Set>, Refused> {
    let head: Head = yaml::read(file, yaml::text(file, text)?)?;
    let own = Node::read(file, text)?;
    let blank = |field: &str, value: &str| match value.trim().is_empty() {
        true => Err(own.get(field).unwrap_or(&own).refuse(field, "this says who set the values and by what")),
        false => Ok(()),
    };
    blank("organisation", &head.organisation)?;
    blank("source", &head.source)?;
    let Some(Value::Map(entries)) = own.get("values").map(|values| &values.value) else {
        return Err(own.get("values").unwrap_or(&own).refuse("values", "values is a mapping of paths"));
    };
    let mark = Mark::new(Status::Organisation, format!("{}：{}", head.organisation, head.source));
    let sets = entries.iter().map(|entry| {
        let mut value = entry.value.clone();
        mark_all(&mut value, &mark);
        Set { path: entry.key.clone(), line: entry.line, value }
    });
    Ok(sets.collect())
}

fn mark_all(node: &mut Node, mark: &Mark) {
    node.mark = Some(Arc::new(Mark { set_in: format!("{}:{}", node.file, node.line), ..mark.clone() }));
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(|one| mark_all(one, mark)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| mark_all(&mut entry.value, mark)),
        _ => {}
    }
}

/// A book with these values in it.
fn with(book: &Book, sets: &[Set]) -> Result<Book, Refused> {
    let Some(first) = sets.first() else { return Ok(book.clone()) };
    let mut trees = book.trees().to_vec();
    for set in sets {
        put(&mut trees, set)?;
    }
    let read = known(&trees).and_then(|known| Book::of(trees, &known));
    read.map_err(|refused| {
        let of_the_organisation = sets.iter().any(|set| set.value.file_name() == refused.file);
        // What ships is not wrong by itself: some value of the organisation does not go with it.
        if of_the_organisation { refused } else { first.refuse(format!("with the values from here on: {refused}")) }
    })
}

/// Puts a value where its path leads: into a file, in its place, or (a class of devices) beside the others as a file of its own.
fn put(trees: &mut Vec<Node>, set: &Set) -> Result<(), Refused> {
    if set.path.starts_with("clauses/") {
        return Err(set.refuse("what the standard says is not for an organisation to set"));
    }
    let leads = |tree: &Node| {
        let rest = set.path.strip_prefix(tree.file_name().trim_end_matches(".yaml"))?;
        rest.strip_prefix('.').or_else(|| rest.is_empty().then_some("")).map(str::to_owned)
    };
    let found = trees.iter().enumerate().find_map(|(at, tree)| Some((at, leads(tree)?)));
    match found {
        Some((at, rest)) if rest.is_empty() => trees[at] = named(set, trees[at].file.clone()),
        Some((at, rest)) if trees[at].put(&rest, set.value.clone()) => {}
        None if set.path.starts_with("devices/") && !set.path.contains('.') && is_file(&format!("{}.yaml", set.path)) => {
            trees.push(named(set, Arc::from(format!("{}.yaml", set.path))));
        }
        Some(_) | None => return Err(set.refuse("the book has no such path")),
    }
    Ok(())
}

/// A whole file of the book, which goes by its own name there; what is in it still says where it was set.
fn named(set: &Set, file: Arc<str>) -> Node {
    Node { file, ..set.value.clone() }
}
