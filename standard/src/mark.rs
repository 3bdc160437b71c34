//! THE MARK: where a value comes from. It is part of the type, so that no answer can drop it.
//!
//! Sources: ours: no clause says how the standard's words are told from a product's, and none of ours may pass for one of
//! its; DB4401/T 294.2 is named where its tables are to take the place of a value.
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// What kind of origin a value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Content of T/DGAG 038—2025 itself.
    Standard,
    /// Our English for a Chinese text; never text of the standard.
    Translation,
    /// Read from a merged cell or from a parallel clause; the printed original decides.
    Inferred,
    /// The product's own proposal, not text of any standard.
    ProductDefault,
    /// Not found; must be supplied.
    Unknown,
    /// Set by the organisation that runs the product, in its own file.
    Organisation,
}

impl Status {
    /// The word shown to people.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Standard => "标准原文",
            Self::Translation => "译文",
            Self::Inferred => "推断",
            Self::ProductDefault => "产品默认值",
            Self::Unknown => "未知",
            Self::Organisation => "本单位设定",
        }
    }
}

/// The origin of a value: its status, its source, and what is to take its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// What kind of origin it is.
    pub status: Status,
    /// `standard:<clause>`, `found:Sxx`, `norm:Sxx` (see [`crate::words::Source`]), `domain`, `default`, several separated by `; `,
    /// each with an optional remark in parentheses; an organisation's own words for what it has set.
    pub source: String,
    /// The part of DB4401/T 294.2—2024 that is to take the place of this value, where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub replaced_by: String,
    /// File and line where an organisation set it (`own.yaml:4`); empty for what ships.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_in: String,
}

impl Mark {
    /// A mark.
    pub fn new(status: Status, source: impl Into<String>) -> Self {
        Self { status, source: source.into(), replaced_by: String::new(), set_in: String::new() }
    }
}

/// For people: `产品默认值（default），待以DB4401/T 294.2—2024 表3替换`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}（{}）", self.status.zh(), self.source)?;
        if !self.set_in.is_empty() {
            write!(f, "，见{}", self.set_in)?;
        }
        if self.replaced_by.is_empty() { Ok(()) } else { write!(f, "，待以{}替换", self.replaced_by) }
    }
}

/// A value with its mark. There is no way to make one without the other, and serialising it gives both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename = "$marked", deny_unknown_fields)]
pub struct Marked<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub mark: Mark,
}

impl<T> Deref for Marked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Display> fmt::Display for Marked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}〔{}〕", self.value, self.mark)
    }
}

/// A text in both languages; each has its mark: the English is always a translation or ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Chinese, shown to people.
    pub zh: Marked<String>,
    /// English.
    pub en: Marked<String>,
}
