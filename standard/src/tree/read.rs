//! THE READER of trees: YAML text becomes nodes with their lines; a row that is there twice is refused.
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::{Entry, Node, Value, identity};
use crate::{Refused, yaml};

/// As the parser gives it: a value and where it is.
struct Raw(Spanned<RawValue>);

enum RawValue {
    Leaf(Value),
    List(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Raw)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(Value::Null))
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawValue, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(Value::Int(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<RawValue, E> {
        i64::try_from(value).map(|value| RawValue::Leaf(Value::Int(value))).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Leaf(Value::Text(value.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = all.next_element()? {
            list.push(one);
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<RawValue, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = all.next_entry()? {
            map.push(entry);
        }
        Ok(RawValue::Map(map))
    }
}

impl Node {
    /// Reads a file. Marks are not given out yet.
    pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<Self, Refused> {
        let raw: Raw = yaml::read(file, yaml::text(file, bytes)?)?;
        let node = settle(raw, &Arc::from(file));
        once(&node, "")?;
        Ok(node)
    }
}

fn settle(Raw(raw): Raw, file: &Arc<str>) -> Node {
    let value = match raw.value {
        RawValue::Leaf(value) => value,
        RawValue::List(list) => Value::List(list.into_iter().map(|one| settle(one, file)).collect()),
        RawValue::Map(map) => Value::Map(
            map.into_iter()
                .map(|(key, value)| Entry { line: key.referenced.line(), key: key.value, value: settle(value, file) })
                .collect(),
        ),
    };
    Node { value, file: file.clone(), line: raw.referenced.line(), mark: None }
}

/// Rows are found by their identity, so that none may be there twice.
fn once(node: &Node, path: &str) -> Result<(), Refused> {
    match &node.value {
        Value::List(list) => {
            let mut seen = std::collections::HashSet::new();
            for (index, one) in list.iter().enumerate() {
                let path = format!("{path}[{index}]");
                if let Some(name) = identity(one)
                    && !seen.insert(name.clone())
                {
                    return Err(one.refuse(path, format!("{name} is there twice")));
                }
                once(one, &path)?;
            }
            Ok(())
        }
        Value::Map(map) => map.iter().try_for_each(|entry| {
            once(&entry.value, &if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) })
        }),
        _ => Ok(()),
    }
}
