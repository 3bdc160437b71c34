//! Messages in their JSON form, as JSON Schema, read from the descriptors: for documents about the wire that must not be a
//! second source of it.
use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};
use serde_json::{Map, Value, json};

/// Where facts are declared: in every package, the messages of this file and no others.
const EVENTS: &str = "/events.proto";

/// A kind of fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its protobuf full name.
    pub name: String,
    /// What its `.proto` says of it.
    pub comment: String,
}

/// Every kind of fact, in the order of the `.proto` files.
#[must_use]
pub fn events() -> Vec<Event> {
    let types = Types::read();
    let events = types.files.file.iter().filter(|file| file.name().ends_with(EVENTS));
    events
        .flat_map(|file| file.message_type.iter().map(|message| format!("{}.{}", file.package(), message.name())))
        .map(|name| Event { comment: types.comment(&name), name })
        .collect()
}

/// The JSON Schema (draft 7) of these messages and of all that they hold, by full name; references are `{prefix}{full name}`.
#[must_use]
pub fn schemas(roots: &[String], prefix: &str) -> BTreeMap<String, Value> {
    let types = Types::read();
    let mut schemas = BTreeMap::new();
    let mut left: Vec<String> = roots.to_vec();
    while let Some(name) = left.pop() {
        if schemas.contains_key(&name) {
            continue;
        }
        let (schema, held) = types.schema(&name, prefix);
        schemas.insert(name, schema);
        left.extend(held);
    }
    schemas
}

/// What the descriptors declare, by full name.
struct Types {
    files: FileDescriptorSet,
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
    comments: BTreeMap<String, String>,
}

impl Types {
    fn read() -> Self {
        let files = FileDescriptorSet::decode(crate::DESCRIPTORS).expect("the build wrote descriptors");
        let (mut messages, mut enums, mut comments) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for file in &files.file {
            let said: BTreeMap<&[i32], &str> = file
                .source_code_info
                .iter()
                .flat_map(|info| &info.location)
                .map(|place| (place.path.as_slice(), place.leading_comments()))
                .collect();
            // In a path, 4 is a file's message, 5 its enum, 3 a message's message, 4 its enum, and 2 its field.
            let mut nested: Vec<(String, Vec<i32>, &DescriptorProto)> = Vec::new();
            for (number, message) in (0..).zip(&file.message_type) {
                nested.push((format!("{}.{}", file.package(), message.name()), vec![4, number], message));
            }
            for (number, declared) in (0..).zip(&file.enum_type) {
                let name = format!("{}.{}", file.package(), declared.name());
                comments.insert(name.clone(), sentence(said.get([5, number].as_slice())));
                enums.insert(name, declared.clone());
            }
            while let Some((name, path, message)) = nested.pop() {
                for (number, inner) in (0..).zip(&message.nested_type) {
                    nested.push((format!("{name}.{}", inner.name()), [&path[..], &[3, number]].concat(), inner));
                }
                for (number, declared) in (0..).zip(&message.enum_type) {
                    let inner = format!("{name}.{}", declared.name());
                    comments.insert(inner.clone(), sentence(said.get([&path[..], &[4, number]].concat().as_slice())));
                    enums.insert(inner, declared.clone());
                }
                for (number, field) in (0..).zip(&message.field) {
                    let place = [&path[..], &[2, number]].concat();
                    comments.insert(format!("{name}#{}", field.name()), sentence(said.get(place.as_slice())));
                }
                comments.insert(name.clone(), sentence(said.get(path.as_slice())));
                messages.insert(name, message.clone());
            }
        }
        Self { files, messages, enums, comments }
    }

    fn comment(&self, name: &str) -> String {
        self.comments.get(name).cloned().unwrap_or_default()
    }

    /// The schema of one type, and the types that it holds.
    fn schema(&self, name: &str, prefix: &str) -> (Value, BTreeSet<String>) {
        let mut held = BTreeSet::new();
        if let Some(declared) = self.enums.get(name) {
            let words: Vec<&str> = declared.value.iter().map(|value| value.name()).collect();
            return (json!({"description": self.comment(name), "type": "string", "enum": words}), held);
        }
        let message = self.messages.get(name).unwrap_or_else(|| panic!("the descriptors declare {name}"));
        let mut properties = Map::new();
        for field in &message.field {
            let mut schema = self.field(field, prefix, &mut held);
            let comment = self.comment(&format!("{name}#{}", field.name()));
            if !comment.is_empty() && schema.get("$ref").is_none() {
                schema["description"] = comment.into();
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        (json!({"description": self.comment(name), "type": "object", "properties": properties}), held)
    }

    /// As pbjson writes a field: 64 bits are text, bytes are Base64, and what has its default is left out.
    fn field(&self, field: &FieldDescriptorProto, prefix: &str, held: &mut BTreeSet<String>) -> Value {
        let type_name = field.type_name().trim_start_matches('.');
        let one = match field.r#type() {
            Type::Double | Type::Float => json!({"type": ["number", "string"]}),
            Type::Int32 | Type::Sint32 | Type::Sfixed32 | Type::Uint32 | Type::Fixed32 => json!({"type": "integer"}),
            Type::Int64 | Type::Sint64 | Type::Sfixed64 | Type::Uint64 | Type::Fixed64 => {
                json!({"type": "string", "pattern": "^-?[0-9]+$"})
            }
            Type::Bool => json!({"type": "boolean"}),
            Type::String => json!({"type": "string"}),
            Type::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Type::Message | Type::Enum | Type::Group => match type_name {
                "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
                "google.protobuf.Duration" | "google.protobuf.FieldMask" => json!({"type": "string"}),
                _ => {
                    if let Some(entry) = self
                        .messages
                        .get(type_name)
                        .filter(|message| message.options.as_ref().is_some_and(|options| options.map_entry()))
                    {
                        let value = entry.field.iter().find(|field| field.name() == "value").expect("a map's entry has a value");
                        return json!({"type": "object", "additionalProperties": self.field(value, prefix, held)});
                    }
                    held.insert(type_name.to_owned());
                    json!({"$ref": format!("{prefix}{type_name}")})
                }
            },
        };
        if field.label() == Label::Repeated { json!({"type": "array", "items": one}) } else { one }
    }
}

/// A comment's lines as one.
fn sentence(comment: Option<&&str>) -> String {
    comment.map_or_else(String::new, |comment| comment.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_declared_with_all_that_it_holds() {
        let events = events();
        let opened = events.iter().find(|event| event.name == "opsmesh.ticketing.v1.TicketOpened").unwrap();
        assert!(!opened.comment.is_empty());
        let schemas = schemas(std::slice::from_ref(&opened.name), "#/");
        assert_eq!(schemas[&opened.name]["properties"]["ticket"], json!({"$ref": "#/opsmesh.ticketing.v1.Ticket"}));
        let ticket = &schemas["opsmesh.ticketing.v1.Ticket"]["properties"];
        assert_eq!(ticket["title"], json!({"type": "string", "description": "1 to 200 characters."}));
        assert_eq!(ticket["evidence"]["items"]["$ref"], "#/opsmesh.ticketing.v1.Evidence");
        assert_eq!(schemas["opsmesh.ticketing.v1.Grade"]["enum"][1], "GRADE_I");
    }

    #[test]
    fn every_message_that_is_declared_as_a_fact_says_what_became_true() {
        for event in events() {
            assert!(!event.comment.is_empty(), "{}", event.name);
        }
    }
}
