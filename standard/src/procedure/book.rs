//! THE TWENTY-THREE procedures of clause 7.2 to 7.5, as they ship.
//!
//! Sources: T/DGAG 038-2025, 7.2 to 7.5; that there are twenty-three, and their codes, are ours: a clause with two courses is
//! two.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::load::read;
use super::step::Procedure;
use crate::{Book, Refused};

/// The files, in the order of the book.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$((concat!("procedures/", $name, ".yaml"), include_str!(concat!("../../data/procedures/", $name, ".yaml")))),*]
    };
}

/// File and text of each procedure that ships, in the order of the book.
pub const FILES: [(&str, &str); 23] = files![
    "sv-assess",
    "sv-check",
    "sv-inspect",
    "sv-monitor",
    "sv-doc",
    "sv-ledger",
    "sv-eplan",
    "sv-drill",
    "sv-hotline",
    "sv-emerg",
    "sv-deploy",
    "sv-repair",
    "sv-soft",
    "sv-checksec",
    "sv-cable",
    "sv-backup",
    "sv-meeting",
    "sv-seccoop",
    "sv-spare",
    "sv-consum",
    "sv-perf",
    "sv-netopt",
    "sv-train",
];

/// A set of procedures, in which each code and each clause of a step is there once.
#[derive(Debug, Clone)]
pub struct Procedures(Vec<Procedure>);

impl Procedures {
    /// Reads procedures: name of the file (for refusals) and its text.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and field.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Refused> {
        let mut all: Vec<Procedure> = Vec::new();
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for (file, text) in files {
            let procedure = read(file, text, &Book::shipped().clauses)?;
            let steps = procedure.steps.iter().map(|step| &step.clause);
            for (field, name) in std::iter::once(("code", &procedure.code)).chain(steps.map(|clause| ("clause", clause))) {
                if let Some(other) = taken.insert(name.clone(), procedure.code.clone()) {
                    let key = format!("{field}: {name}");
                    let line = text.lines().position(|line| line.contains(&key)).map_or(1, |at| at as u64 + 1);
                    return Err(Refused::new(file, line, field, format!("{name} is in {other} already")));
                }
            }
            all.push(procedure);
        }
        Ok(Self(all))
    }

    /// The procedure with this code.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Procedure> {
        self.0.iter().find(|procedure| procedure.code == code)
    }

    pub(crate) fn procedure_mut(&mut self, code: &str) -> Option<&mut Procedure> {
        self.0.iter_mut().find(|procedure| procedure.code == code)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Procedure> {
        self.0.iter()
    }
}

/// The procedures that ship.
#[must_use]
pub fn procedures() -> &'static Procedures {
    static SHIPPED: LazyLock<Procedures> =
        LazyLock::new(|| Procedures::read(FILES).expect("the files that ship are read by a test"));
    &SHIPPED
}
