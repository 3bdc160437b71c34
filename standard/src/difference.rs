//! THE DIFFERENCE between two books: what is not as it was, with both marks and places.
//!
//! Source: ours: no clause asks what an organisation has changed.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::tree::{Node, Value, identity};
use crate::{Book, Mark};

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
    /// Where it comes from; none for a list that has no rows.
    pub mark: Option<Mark>,
    /// The file that says it.
    pub file: String,
    /// The line there, from 1.
    pub line: u64,
}

impl Side {
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            value: node.value.clone(),
            mark: node.mark.as_deref().cloned(),
            file: node.file_name().to_owned(),
            line: node.line,
        }
    }
}

impl Book {
    /// Every value of the book (scalars, and lists that have no rows) by its path, as an organisation's file names it.
    pub fn values(&self) -> BTreeMap<String, &Node> {
        let mut found = BTreeMap::new();
        for tree in self.trees() {
            walk(tree, tree.file_name().trim_end_matches(".yaml").to_owned(), &mut found);
        }
        found
    }

    /// What differs between this book and another, by path.
    pub fn diff(&self, other: &Self) -> Vec<Difference> {
        let (before, after) = (self.values(), other.values());
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differs = |path: &&&String| match (before.get(**path), after.get(**path)) {
            (Some(before), Some(after)) => before.value != after.value || before.mark != after.mark,
            _ => true,
        };
        let side = |node: Option<&&Node>| node.map(|node| Side::of(node));
        paths
            .iter()
            .filter(differs)
            .map(|path| Difference { path: (*path).clone(), before: side(before.get(*path)), after: side(after.get(*path)) })
            .collect()
    }

    /// A difference in Chinese, for people: `incidents/grades / grades / I / 响应时限（分钟）：5〔…〕 → 3〔…〕`.
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
