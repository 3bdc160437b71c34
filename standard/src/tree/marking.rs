//! THE GIVING OUT OF MARKS. A mapping says `mark:` for itself and all below, `marks:` for paths below it (list indices left out).
//! The mark that names the deepest path wins; of two for the same path, the one that stands nearer. `en` is always a translation.
use std::sync::Arc;

use serde::Deserialize;

use super::{Entry, Known, Node, Value, de};
use crate::{Mark, Refused, Status};

/// A mark as a file writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    status: Status,
    source: String,
    #[serde(default)]
    replaced_by: String,
}

#[derive(Clone)]
struct Pending {
    path: Vec<String>,
    mark: Node,
}

/// What is inherited on the way down.
#[derive(Clone, Default)]
struct Down {
    mark: Option<Node>,
    pending: Vec<Pending>,
    clause: Option<String>,
}

impl Node {
    /// Gives every value of a file its mark and takes the writing of marks out of the tree.
    pub(crate) fn give_marks(&mut self, known: &Known) -> Result<(), Refused> {
        give(self, Down::default(), "", known)
    }
}

fn give(node: &mut Node, mut down: Down, path: &str, known: &Known) -> Result<(), Refused> {
    if let Value::Map(entries) = &mut node.value {
        for key in ["id", "clause", "table_row"] {
            if let Some(found) = entries.iter().find(|entry| entry.key == key).and_then(|entry| entry.value.text())
                && known.is_clause(found)
            {
                down.clause = Some(found.into());
            }
        }
        if let Some(own) = take(entries, "mark") {
            down.mark = Some(own);
        }
        if let Some(marks) = take(entries, "marks") {
            let Value::Map(marks) = marks.value else { return Err(node.refuse(path, "marks is a mapping of paths")) };
            // Those that stand nearer come first.
            let mut near: Vec<Pending> = Vec::new();
            for entry in marks {
                near.push(Pending { path: entry.key.split('.').map(str::to_owned).collect(), mark: entry.value });
            }
            near.append(&mut down.pending);
            down.pending = near;
        }
        for entry in entries {
            let mut below = down.clone();
            below.pending.retain(|pending| pending.path.first() == Some(&entry.key));
            for pending in &mut below.pending {
                pending.path.remove(0);
            }
            if let Some(hit) = below.pending.iter().find(|pending| pending.path.is_empty()) {
                below.mark = Some(hit.mark.clone());
            }
            below.pending.retain(|pending| !pending.path.is_empty());
            let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
            give(&mut entry.value, below, &path, known)?;
            if entry.key == "en" || entry.key == "obligation" {
                translated(&mut entry.value);
            }
        }
    } else if let Value::List(list) = &mut node.value {
        for (index, one) in list.iter_mut().enumerate() {
            give(one, down.clone(), &format!("{path}[{index}]"), known)?;
        }
    }
    // Structure has no mark of its own: its parts have.
    let structure = match &node.value {
        Value::Map(_) => true,
        Value::List(list) => list.iter().any(|one| matches!(one.value, Value::Map(_))),
        _ => false,
    };
    if structure {
        return Ok(());
    }
    let Some(mark) = &down.mark else { return Err(node.refuse(path, "a value without a mark")) };
    node.mark = Some(Arc::new(written(mark, down.clause.as_deref(), path, known)?));
    Ok(())
}

fn take(entries: &mut Vec<Entry>, key: &str) -> Option<Node> {
    entries.iter().position(|entry| entry.key == key).map(|at| entries.remove(at).value)
}

fn translated(node: &mut Node) {
    if let Some(mark) = &node.mark {
        node.mark = Some(Arc::new(Mark { status: Status::Translation, ..Mark::clone(mark) }));
    }
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(translated),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| translated(&mut entry.value)),
        _ => {}
    }
}

/// A source that says only `standard` is that of the nearest clause.
fn written(node: &Node, clause: Option<&str>, path: &str, known: &Known) -> Result<Mark, Refused> {
    let field = if path.is_empty() { "mark".to_owned() } else { format!("{path}.mark") };
    let written: Written = de::read(node, &field, known)?;
    let source = parts(&written.source).into_iter().map(|one| match one.strip_prefix("standard") {
        Some(rest) if !rest.starts_with(':') => match clause {
            Some(clause) => Ok(format!("standard:{clause}{rest}")),
            None => Err(node.refuse(&field, "no clause says which part of the standard this is")),
        },
        _ => known.source(one).map(|()| one.to_owned()).map_err(|why| node.refuse(&field, why)),
    });
    let source = source.collect::<Result<Vec<_>, _>>()?.join("; ");
    Ok(Mark { status: written.status, source, replaced_by: written.replaced_by })
}

/// The parts of a source: separated by `; ` outside of remarks in parentheses.
fn parts(source: &str) -> Vec<&str> {
    let (mut found, mut from, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in source.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ';' if depth == 0 => {
                found.push(source[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(source[from..].trim());
    found
}
