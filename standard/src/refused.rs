//! THE REFUSAL: what is wrong with a file of the book, and where.
//!
//! Source: ours: no clause says how a file is refused.
use serde::Serialize;

/// A file of the book, or of an organisation, that does not make sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{file}:{line}: {field}: {why}")]
pub struct Refused {
    /// The file, as it was named to the reader (`clauses/7.4.yaml`).
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The path of the field inside the file (`rows[3].response_min`); empty for the file as a whole.
    pub field: String,
    /// What is wrong with it.
    pub why: String,
}

impl Refused {
    /// A refusal of `field` at `line` of `file`.
    pub fn new(file: impl Into<String>, line: u64, field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { file: file.into(), line: line.max(1), field: field.into(), why: why.into() }
    }
}
