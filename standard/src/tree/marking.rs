//! THE GIVING OUT OF MARKS. A mapping says `mark:` for itself and all below, `marks:` for paths below it (list indices left out).
//! The mark that names the deepest path wins; of two for the same path, the one that stands nearer. `en` is always a translation.
//! What is written is refused if it names no path that is there, even where another mark would win.
use std::cell::Cell;
use std::rc::Rc;
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

/// A mark that was read, with its place.
struct Said {
    mark: Written,
    node: Node,
    field: String,
    /// Whether its path is there.
    reached: Cell<bool>,
}

#[derive(Clone)]
struct Pending {
    path: Vec<String>,
    said: Rc<Said>,
}

/// What is inherited on the way down.
#[derive(Clone, Default)]
struct Down {
    mark: Option<Rc<Said>>,
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
        if let Some(entry) = entries.iter().find(|entry| entry.key == "clause" && entry.value.value != Value::Null)
            && !entry.value.text().is_some_and(|text| known.is_clause(text))
        {
            // Said here, because marks that mean the nearest clause would be refused in its place.
            return Err(entry.value.refuse(below(path, "clause"), "there is no such clause"));
        }
        if let Some(own) = take(entries, "mark") {
            down.mark = Some(Rc::new(say(own.value, below(path, "mark"), known)?));
        }
        // Those that stand nearer come first.
        let near = match take(entries, "marks") {
            Some(own) => near(own, &below(path, "marks"), known)?,
            None => Vec::new(),
        };
        down.pending.splice(0..0, near.iter().map(|(_, pending)| pending.clone()));
        for entry in entries {
            let mut further = down.clone();
            further.pending.retain(|pending| pending.path.first() == Some(&entry.key));
            for pending in &mut further.pending {
                pending.path.remove(0);
            }
            let hits = || further.pending.iter().filter(|pending| pending.path.is_empty());
            hits().for_each(|hit| hit.said.reached.set(true));
            if let Some(hit) = hits().next() {
                further.mark = Some(hit.said.clone());
            }
            further.pending.retain(|pending| !pending.path.is_empty());
            give(&mut entry.value, further, &below(path, &entry.key), known)?;
            if entry.key == "en" || entry.key == "obligation" {
                translated(&mut entry.value);
            }
        }
        if let Some((line, lost)) = near.iter().find(|(_, pending)| !pending.said.reached.get()) {
            return Err(Refused::new(node.file.as_ref(), *line, &lost.said.field, "nothing below has this path"));
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
    let Some(said) = &down.mark else { return Err(node.refuse(path, "a value without a mark")) };
    node.mark = Some(Arc::new(said.of(down.clause.as_deref())?));
    Ok(())
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The marks that a mapping gives to paths below it, with the lines of these.
fn near(marks: Entry, field: &str, known: &Known) -> Result<Vec<(u64, Pending)>, Refused> {
    let Value::Map(marks) = marks.value.value else {
        return Err(Refused::new(marks.value.file.as_ref(), marks.line, field, "marks is a mapping of paths"));
    };
    let pending = marks.into_iter().map(|entry| {
        let path = entry.key.split('.').map(str::to_owned).collect();
        let said = Rc::new(say(entry.value, format!("{field}.{}", entry.key), known)?);
        Ok((entry.line, Pending { path, said }))
    });
    pending.collect()
}

fn say(node: Node, field: String, known: &Known) -> Result<Said, Refused> {
    let mark: Written = de::read(&node, &field, known)?;
    for one in parts(&mark.source).into_iter().filter(|one| !is_of_the_nearest_clause(one)) {
        known.source(one).map_err(|why| node.get("source").unwrap_or(&node).refuse(format!("{field}.source"), why))?;
    }
    Ok(Said { mark, node, field, reached: Cell::new(false) })
}

/// A source that says only `standard` is that of the nearest clause.
fn is_of_the_nearest_clause(one: &str) -> bool {
    one.strip_prefix("standard").is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

impl Said {
    /// The mark of a value whose nearest clause is this.
    fn of(&self, clause: Option<&str>) -> Result<Mark, Refused> {
        let source = parts(&self.mark.source).into_iter().map(|one| match (is_of_the_nearest_clause(one), clause) {
            (false, _) => Ok(one.to_owned()),
            (true, Some(clause)) => Ok(one.replacen("standard", &format!("standard:{clause}"), 1)),
            (true, None) => Err(self.node.refuse(&self.field, "no clause says which part of the standard this is")),
        });
        let source = source.collect::<Result<Vec<_>, _>>()?.join("; ");
        Ok(Mark { replaced_by: self.mark.replaced_by.clone(), ..Mark::new(self.mark.status, source) })
    }
}

fn take(entries: &mut Vec<Entry>, key: &str) -> Option<Entry> {
    entries.iter().position(|entry| entry.key == key).map(|at| entries.remove(at))
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
