//! THE TREE: a file of the book as it was written, each value with its file, its line and its mark.
//!
//! Sources: YAML 1.2 for what a value can be; that each has its place and its mark is ours: no clause says how the text is
//! kept.
mod de;
mod marking;
mod path;
mod read;

use std::sync::Arc;

pub(crate) use de::Known;
pub(crate) use path::identity;
use serde::Serialize;

use crate::{Mark, Refused};

/// A value of a file with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// The file that says it.
    pub file: Arc<str>,
    /// The line there, from 1.
    pub line: u64,
    /// Where it comes from; none before marks have been given out, and for structure that is made of marked parts only.
    pub mark: Option<Arc<Mark>>,
}

/// What a [`Node`] can be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The line of the key.
    pub line: u64,
    /// The value.
    pub value: Node,
}

impl Serialize for Node {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Map(entries) => serializer.collect_map(entries.iter().map(|entry| (&entry.key, &entry.value))),
            other => other.serialize(serializer),
        }
    }
}

impl Node {
    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a list; none of anything else.
    pub fn list(&self) -> &[Node] {
        match &self.value {
            Value::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// Reads a type from this node, which is at `path` in its file.
    pub(crate) fn typed<'a, T: serde::Deserialize<'a>>(&'a self, path: &str, known: &'a Known) -> Result<T, Refused> {
        de::read(self, path, known)
    }

    /// The name of the file that says it.
    pub(crate) fn file_name(&self) -> &str {
        &self.file
    }

    pub(crate) fn refuse(&self, field: impl Into<String>, why: impl Into<String>) -> Refused {
        Refused::new(self.file.as_ref(), self.line, field, why)
    }
}
