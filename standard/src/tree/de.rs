//! THE TYPING of a tree: nodes become the structs of the book; what does not fit is refused with its file, line and field.
//!
//! Two names are special: a struct `$marked` takes the value and its mark; a newtype that a [`Known`] lists has to name something that exists.
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{Entry, Node, Value};
use crate::{Mark, Refused};

/// What there is to refer to: the names of a kind, by the name of the type that refers.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<&'static str, BTreeSet<String>>);

impl Known {
    /// Adds a name; false if it was there.
    pub(crate) fn add(&mut self, kind: &'static str, name: String) -> bool {
        self.0.entry(kind).or_default().insert(name)
    }

    pub(crate) fn is_clause(&self, name: &str) -> bool {
        self.0.get("ClauseId").is_some_and(|all| all.contains(name))
    }

    /// Whether one part of a source is well said: `standard:7.1`, `found:S05 (remark)`, `domain`, `default`.
    pub(crate) fn source(&self, one: &str) -> Result<(), String> {
        let code = one.split(" (").next().unwrap_or_default();
        let has = |kind, name: &str| self.0.get(kind).is_some_and(|all: &BTreeSet<String>| all.contains(name));
        match code.split_once(':') {
            Some(("standard", clause)) if has("ClauseId", clause) => Ok(()),
            Some(("standard", clause)) => Err(format!("there is no clause {clause}")),
            Some(("found" | "norm", source)) if has("SourceId", source) => Ok(()),
            Some(("found" | "norm", source)) => Err(format!("there is no source {source}")),
            None if matches!(code, "domain" | "default") => Ok(()),
            _ => Err(format!("{one} is no source")),
        }
    }
}

/// Reads a type from a node; `path` is where the node is in its file.
pub(crate) fn read<'a, T: de::Deserialize<'a>>(node: &'a Node, path: &str, known: &'a Known) -> Result<T, Refused> {
    T::deserialize(From { node, path: path.to_owned(), known }).map_err(|fault| match fault.at {
        Some(refused) => *refused,
        None => node.refuse(path, fault.why),
    })
}

/// What went wrong; the first node it passes gives it its place.
#[derive(Debug)]
pub(crate) struct Fault {
    why: String,
    at: Option<Box<Refused>>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self { why: why.to_string(), at: None }
    }
}

#[derive(Clone)]
struct From<'a> {
    node: &'a Node,
    path: String,
    known: &'a Known,
}

impl<'a> From<'a> {
    fn placed<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| match fault.at {
            Some(_) => fault,
            None => Fault { at: Some(Box::new(self.node.refuse(&self.path, &fault.why))), why: fault.why },
        })
    }

    fn below(&self, node: &'a Node, step: &str) -> Self {
        let path = if self.path.is_empty() { step.trim_start_matches('.').to_owned() } else { format!("{}{step}", self.path) };
        Self { node, path, known: self.known }
    }
}

impl<'a> Deserializer<'a> for From<'a> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_borrowed_str(value),
            Value::List(list) => visitor.visit_seq(Elements { from: &self, rest: list.iter().enumerate() }),
            Value::Map(entries) => visitor.visit_map(Entries { from: &self, rest: entries.iter(), value: None }),
        };
        self.placed(result)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        if let (Some(all), Some(text)) = (self.known.0.get(name), self.node.text())
            && !all.contains(text)
        {
            return self.placed(Err(de::Error::custom(format!("there is no {name} {text}"))));
        }
        let result = visitor.visit_newtype_struct(self.clone());
        self.placed(result)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name != "$marked" {
            return self.deserialize_any(visitor);
        }
        let Some(mark) = self.node.mark.as_deref() else { return self.placed(Err(de::Error::custom("a value without a mark"))) };
        let result = visitor.visit_map(WithMark { from: &self, mark, next: 0 });
        self.placed(result)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let result = match self.node.text() {
            Some(text) => visitor.visit_enum(StrDeserializer::new(text)),
            None => Err(de::Error::custom("a word is expected")),
        };
        self.placed(result)
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

struct Elements<'b, 'a> {
    from: &'b From<'a>,
    rest: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> SeqAccess<'a> for Elements<'_, 'a> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.rest.next() else { return Ok(None) };
        seed.deserialize(self.from.below(node, &format!("[{index}]"))).map(Some)
    }
}

struct Entries<'b, 'a> {
    from: &'b From<'a>,
    rest: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
}

impl<'a> MapAccess<'a> for Entries<'_, 'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some(entry) = self.rest.next() else { return Ok(None) };
        self.value = Some(entry);
        seed.deserialize(StrDeserializer::new(&entry.key)).map(Some).map_err(|fault: Fault| {
            let at = self.from.below(&entry.value, &format!(".{}", entry.key));
            let refused = Refused::new(entry.value.file.as_ref(), entry.line, at.path, fault.why.clone());
            Fault { at: Some(Box::new(refused)), why: fault.why }
        })
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let Some(entry) = self.value.take() else { return Err(de::Error::custom("a value before its key")) };
        seed.deserialize(self.from.below(&entry.value, &format!(".{}", entry.key)))
    }
}

struct WithMark<'b, 'a> {
    from: &'b From<'a>,
    mark: &'a Mark,
    next: u8,
}

impl<'a> MapAccess<'a> for WithMark<'_, 'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(StrDeserializer::new("value")).map(Some),
            2 => seed.deserialize(StrDeserializer::new("mark")).map(Some),
            _ => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        if self.next == 1 {
            return seed.deserialize(self.from.clone());
        }
        let status = STATUS[self.mark.status as usize];
        let Mark { status: _, source, replaced_by, set_in } = self.mark;
        let fields = [("status", status), ("source", source), ("replaced_by", replaced_by), ("set_in", set_in)];
        seed.deserialize(MapDeserializer::new(fields.into_iter()))
    }
}

/// The words of [`crate::Status`], in its order.
const STATUS: [&str; 6] = ["standard", "translation", "inferred", "product_default", "unknown", "organisation"];
