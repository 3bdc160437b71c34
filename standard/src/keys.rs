//! THE KEYS shown to people: each in Chinese and English. What people read is written from here.
//!
//! Source: ours: no clause has names for the fields of files.
use serde::{Deserialize, Serialize};

/// The file `data/keys.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The keys, by the alphabet.
    pub keys: Vec<Key>,
}

/// A key of the book's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key.
    pub key: String,
    /// Its Chinese.
    pub zh: String,
    /// What it is, in English.
    pub en: String,
}

impl Keys {
    /// The Chinese of a key; the key itself if it has none.
    pub fn zh<'a>(&'a self, key: &'a str) -> &'a str {
        self.get(key).map_or(key, |found| found.zh.as_str())
    }

    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Key> {
        self.keys.iter().find(|entry| entry.key == key)
    }
}
