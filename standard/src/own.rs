//! THE ORGANISATION'S OWN: a file that sets any part of the book by its path, and what differs then.
//!
//! ```yaml
//! organisation: 某某局
//! source: 某发〔2026〕1号
//! values:
//!   incidents/grades.grades.I.response_minutes: 3
//! ```
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::book::known;
use crate::tree::{Node, Value, identity};
use crate::{Book, Mark, Refused, Status, yaml};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    organisation: String,
    source: String,
    #[serde(rename = "values")]
    _values: serde::de::IgnoredAny,
}

/// One value that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Where: the file without `.yaml`, then keys and the names of rows.
    pub path: String,
    /// What it was; none if it is new.
    pub before: Option<Side>,
    /// What it is; none if it is gone.
    pub after: Option<Side>,
}

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub mark: Option<Mark>,
    /// The file that says it.
    pub file: String,
    /// The line there.
    pub line: u64,
}

impl Book {
    /// The book as an organisation has it: `text` is that of its file, `file` the name to refuse with. What it sets is marked as its own.
    ///
    /// # Errors
    /// A path that is not in the book, a value that does not fit, a book that contradicts itself: with the organisation's line.
    pub fn with(&self, file: &str, text: &[u8]) -> Result<Self, Refused> {
        let head: Head = yaml::read(file, yaml::text(file, text)?)?;
        let own = Node::read(file, text)?;
        let blank = |field: &str, value: &str| match value.trim().is_empty() {
            true => Err(own.get(field).unwrap_or(&own).refuse(field, "this says who set the values and by what")),
            false => Ok(()),
        };
        blank("organisation", &head.organisation)?;
        blank("source", &head.source)?;
        let mark = Arc::new(Mark::new(Status::Organisation, format!("{}：{}", head.organisation, head.source)));
        let mut trees = self.trees.clone();
        let Some(Value::Map(entries)) = own.get("values").map(|values| &values.value) else {
            return Err(own.get("values").unwrap_or(&own).refuse("values", "values is a mapping of paths"));
        };
        for entry in entries {
            let (path, line) = (entry.key.as_str(), entry.line);
            let unknown = || Refused::new(file, line, format!("values.{path}"), "the book has no such path");
            let mut value = entry.value.clone();
            mark_all(&mut value, &mark);
            let tree = trees.iter_mut().find(|tree| {
                path.strip_prefix(tree.file_name().trim_end_matches(".yaml")).is_some_and(|rest| rest.starts_with('.'))
            });
            let tree = tree.ok_or_else(unknown)?;
            if tree.file_name().starts_with("clauses/") {
                return Err(Refused::new(
                    file,
                    line,
                    format!("values.{path}"),
                    "what the standard says is not for an organisation to set",
                ));
            }
            let rest = &path[tree.file_name().trim_end_matches(".yaml").len() + 1..];
            *tree.at_mut(rest).ok_or_else(unknown)? = value;
        }
        let known = known(&trees)?;
        Self::of(trees, &known)
    }

    /// What differs between this book and another, by path.
    pub fn diff(&self, other: &Self) -> Vec<Difference> {
        let (before, after) = (leaves(self), leaves(other));
        let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
        paths.sort();
        paths.dedup();
        let differs = |path: &&String| match (before.get(*path), after.get(*path)) {
            (Some(before), Some(after)) => before.value != after.value || before.mark != after.mark,
            _ => true,
        };
        let side = |node: &&Node| Side {
            value: node.value.clone(),
            mark: node.mark.as_deref().cloned(),
            file: node.file.to_string(),
            line: node.line,
        };
        paths
            .into_iter()
            .filter(differs)
            .map(|path| Difference { path: path.clone(), before: before.get(path).map(side), after: after.get(path).map(side) })
            .collect()
    }

    /// A difference in Chinese, for people: `grades → I → 响应时限（分钟）：5（…） → 3（…）`.
    pub fn explain(&self, difference: &Difference) -> String {
        let steps: Vec<&str> = difference.path.split('.').map(|step| self.keys.zh(step)).collect();
        let side = |side: &Option<Side>| match side {
            None => "（无）".to_owned(),
            Some(side) => {
                let value = serde_json::to_string(&side.value).unwrap_or_default();
                let mark = side.mark.as_ref().map_or(String::new(), |mark| format!("〔{mark}〕"));
                format!("{}{mark}", value.trim_matches('"'))
            }
        };
        format!("{}：{} → {}", steps.join(" / "), side(&difference.before), side(&difference.after))
    }
}

fn mark_all(node: &mut Node, mark: &Arc<Mark>) {
    node.mark = Some(mark.clone());
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(|one| mark_all(one, mark)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| mark_all(&mut entry.value, mark)),
        _ => {}
    }
}

/// Every scalar of a book, and every list of scalars, by its path.
fn leaves(book: &Book) -> BTreeMap<String, &Node> {
    let mut found = BTreeMap::new();
    for tree in &book.trees {
        walk(tree, tree.file_name().trim_end_matches(".yaml").to_owned(), &mut found);
    }
    found
}

fn walk<'a>(node: &'a Node, path: String, found: &mut BTreeMap<String, &'a Node>) {
    match &node.value {
        Value::Map(entries) => entries.iter().for_each(|entry| walk(&entry.value, format!("{path}.{}", entry.key), found)),
        Value::List(list) if list.iter().any(|one| matches!(one.value, Value::Map(_))) => {
            for (index, one) in list.iter().enumerate() {
                walk(one, format!("{path}.{}", identity(one).unwrap_or_else(|| index.to_string())), found);
            }
        }
        _ => {
            found.insert(path, node);
        }
    }
}
