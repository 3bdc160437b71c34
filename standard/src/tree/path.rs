//! THE PATH of a value: `incidents/grades.rows.I.response_min`; a row goes by its identity.
//!
//! Source: ours: no clause has paths. The names of rows are those of their file.
use super::{Entry, Node, Value};

/// The keys that name a row in its list, the first that is there.
const NAMES: [&str; 12] =
    ["id", "code", "fibre", "key", "at_percent", "min", "grade", "category", "table_row", "clause", "score", "zh"];

/// What names a row in its list: the value of its `id`, `code`, `key`, … or the scalar itself.
pub(crate) fn identity(node: &Node) -> Option<String> {
    match &node.value {
        Value::Map(_) => NAMES.iter().find_map(|name| node.get(name)).and_then(scalar),
        _ => scalar(node),
    }
}

fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The step from a node to one below it: the key and, of the rest of the path, what follows. Identities may have dots in them
/// (`7.4.1`), so that the longest one that fits is taken.
pub(crate) fn segments<'a>(node: &Node, path: &'a str) -> Option<(String, usize, &'a str)> {
    let names: Vec<String> = match &node.value {
        Value::Map(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
        Value::List(list) => list.iter().map(|one| identity(one).unwrap_or_default()).collect(),
        _ => Vec::new(),
    };
    let fits =
        |name: &str| !name.is_empty() && path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let (at, name) = names.into_iter().enumerate().filter(|(_, name)| fits(name)).max_by_key(|(_, name)| name.len())?;
    let rest = path[name.len()..].trim_start_matches('.');
    Some((name, at, rest))
}

impl Node {
    /// The value at a path below this one.
    pub fn at(&self, path: &str) -> Option<&Node> {
        if path.is_empty() {
            return Some(self);
        }
        let (_, at, rest) = segments(self, path)?;
        match &self.value {
            Value::Map(entries) => entries[at].value.at(rest),
            Value::List(list) => list[at].at(rest),
            _ => None,
        }
    }

    /// Puts a value at a path: in the place of what is there, as a new row of its list, or as a new key of its mapping. A row that
    /// is given as nothing goes. False if the path leads nowhere.
    pub(crate) fn put(&mut self, path: &str, value: Node) -> bool {
        let Some((_, at, rest)) = segments(self, path) else { return self.add(path, value) };
        match &mut self.value {
            Value::Map(entries) if rest.is_empty() => entries[at].value = value,
            Value::List(list) if rest.is_empty() && value.value == Value::Null => drop(list.remove(at)),
            Value::List(list) if rest.is_empty() => list[at] = value,
            Value::Map(entries) => return entries[at].value.put(rest, value),
            Value::List(list) => return list[at].put(rest, value),
            _ => return false,
        }
        true
    }

    fn add(&mut self, name: &str, value: Node) -> bool {
        match &mut self.value {
            Value::Map(entries) if !name.contains('.') => {
                entries.push(Entry { key: name.to_owned(), line: value.line, value });
                true
            }
            Value::List(list) if identity(&value).as_deref() == Some(name) => {
                list.push(value);
                true
            }
            _ => false,
        }
    }
}
