//! THE CONFORMANCE: for each obligation of the standard who answers for it today, and what shows it. Nothing is answered by a wish: an answer names
//! tests, and a test of this crate looks for them in the sources (`tests/it/conformance.rs`).
//!
//! Sources: T/DGAG 038-2025, 4 to 8, A and B, for the obligations; what counts as an answer is ours: no clause says how
//! conformance is shown.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::{Book, Clause, Refused};

/// How an obligation is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 由产品强制: the running product does it, or refuses to go on without it.
    EnforcedBy,
    /// 由产品记录: the running product keeps the record that the clause asks for.
    RecordedAs,
    /// 由产品举证: the running product produces what shows it (a report, a measurement).
    EvidencedBy,
    /// 规则已有，未接入: a room of rules decides it and is tested, but no service calls it yet. This is no cover.
    RuleOnly,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::EnforcedBy, Self::RecordedAs, Self::EvidencedBy, Self::RuleOnly];

    /// Its word, zh-CN.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::EnforcedBy => "由产品强制",
            Self::RecordedAs => "由产品记录",
            Self::EvidencedBy => "由产品举证",
            Self::RuleOnly => "规则已有，未接入服务",
        }
    }
}

/// Somebody who answers for an obligation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// How.
    pub kind: Kind,
    /// The room: a folder or file of the repository.
    pub room: String,
    /// What it does, zh-CN.
    pub what: String,
    /// Tests that show it, `crate::file::name`; at least one.
    pub tests: Vec<String>,
}

/// What is true of an obligation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// 已覆盖: the running product answers for all of it.
    Whole,
    /// 部分覆盖: the running product answers for a part.
    Part,
    /// 仅有规则: rules are there and tested, no service calls them.
    RuleOnly,
    /// 尚未覆盖.
    None,
}

impl Cover {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Part, Self::RuleOnly, Self::None];

    /// Its word, zh-CN.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Whole => "已覆盖",
            Self::Part => "部分覆盖",
            Self::RuleOnly => "仅有规则，未接入服务",
            Self::None => "尚未覆盖",
        }
    }
}

/// An obligation with its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The clause.
    pub clause: String,
    /// Its short title, zh-CN (ours).
    pub title: String,
    /// Who answers for it.
    pub answers: Vec<Answer>,
    /// What nobody answers for yet, zh-CN; none if nothing is left.
    pub open: Option<String>,
}

impl Row {
    /// What is true of it.
    #[must_use]
    pub fn cover(&self) -> Cover {
        let runs = self.answers.iter().any(|answer| answer.kind != Kind::RuleOnly);
        match (runs, &self.open) {
            (true, None) => Cover::Whole,
            (true, Some(_)) => Cover::Part,
            (false, _) if self.answers.is_empty() => Cover::None,
            (false, _) => Cover::RuleOnly,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rows: Vec<RowFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFile {
    clause: Spanned<String>,
    #[serde(default)]
    answers: Vec<Answer>,
    open: Option<String>,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$((concat!("conformance/", $name, ".yaml"), include_str!(concat!("../data/conformance/", $name, ".yaml")))),*]
    };
}

/// File and text of the answers that ship.
pub const FILES: [(&str, &str); 9] = files!["4", "5", "6", "7.1", "7.2", "7.3", "7.4", "7.5", "8_A_B"];

/// The answers to all obligations, in the order of the text.
#[derive(Debug, Clone)]
pub struct Conformance(Vec<Row>);

impl Conformance {
    /// Reads the answers: name of the file (for refusals) and its text.
    ///
    /// # Errors
    /// A clause that is none, or that obliges to nothing, or that is there twice or not at all; an answer without a test; a row that says
    /// neither who answers nor what is open. Each with file, line and field.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refused> {
        let clauses = &Book::shipped().clauses;
        let mut found: BTreeMap<String, Row> = BTreeMap::new();
        let mut last = "conformance";
        for (file, text) in files {
            last = file;
            let parsed: File = crate::yaml::read(file, text)?;
            for (index, row) in parsed.rows.into_iter().enumerate() {
                let line = row.clause.referenced.line();
                let wrong = |field: &str, why: String| Err(Refused::new(file, line, format!("rows[{index}].{field}"), why));
                let id = row.clause.value;
                let Some(clause) = clauses.get(&id).filter(|clause| clause.obliges()) else {
                    return wrong("clause", format!("{id} is no clause that obliges to anything"));
                };
                if row.answers.iter().any(|answer| answer.tests.is_empty()) {
                    return wrong("answers", "an answer without a test is a wish".into());
                }
                if row.answers.iter().all(|answer| answer.kind == Kind::RuleOnly) && row.open.is_none() {
                    return wrong("open", "no running product answers for it: say what is open".into());
                }
                let title = clause.title.value.clone();
                let row = Row { clause: id.clone(), title, answers: row.answers, open: row.open };
                if found.insert(id.clone(), row).is_some() {
                    return wrong("clause", format!("{id} is there twice"));
                }
            }
        }
        let rows = clauses.obligations().map(|clause: &Clause| {
            let id = clause.id.as_str();
            found.remove(id).ok_or_else(|| Refused::new(last, 1, "rows", format!("{id} has no row")))
        });
        Ok(Self(rows.collect::<Result<_, _>>()?))
    }

    /// All rows, in the order of the text.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.0
    }

    /// How many rows are so.
    #[must_use]
    pub fn count(&self, cover: Cover) -> usize {
        self.0.iter().filter(|row| row.cover() == cover).count()
    }
}

/// The answers that ship.
#[must_use]
pub fn conformance() -> &'static Conformance {
    static SHIPPED: LazyLock<Conformance> =
        LazyLock::new(|| Conformance::read(FILES).expect("the files that ship are read by a test"));
    &SHIPPED
}
