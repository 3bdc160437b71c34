//! THE CLAUSE: what one unit of the standard says, what shows that it was done, and what the product does about it.
//!
//! Sources: T/DGAG 038-2025, 4 to 8, A and B: numbers, words, references and the verbs that make the strength (应, 宜); titles,
//! translations, evidence, enforcement, gates, modules and the names of items and rows are ours, as each field
//! says.
use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::tree::{Known, Node};
use crate::{Marked, Refused, refer};

refer! {
    /// A unit of the text: `7.4.1.6`, `7.4.4.5.c`, `5.1.3.1.e4` (a function the clause lists), `TABLE-A.1.R3` (a row of a table).
    ClauseId;
    /// A party of `parties`: `provider`, `consumer`, `engineer`, … (4 d, 7.4.1).
    PartyCode
}

impl ClauseId {
    /// Whether a text has the form of a clause's name.
    pub fn is_well_formed(name: &str) -> bool {
        let number =
            |part: &str| matches!(part.len(), 1..=3) && !part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
        if let Some(table) = name.strip_prefix("TABLE-") {
            let Some((table, row)) = table.rsplit_once(".R") else { return false };
            return matches!(table, "1" | "A.1" | "B.1" | "B.2") && number(row);
        }
        let mut parts = name.split('.').peekable();
        let Some(chapter) = parts.next() else { return false };
        if !matches!(chapter, "4" | "5" | "6" | "7" | "8" | "A" | "B") {
            return false;
        }
        while let Some(part) = parts.next() {
            let lettered = match part.as_bytes() {
                [letter] => letter.is_ascii_lowercase(),
                [b'e', ..] => number(&part[1..]),
                _ => false,
            };
            if !(number(part) || lettered && parts.peek().is_none()) {
                return false;
            }
        }
        true
    }

    /// The clause that this one is part of: `7.4.4.5` of `7.4.4.5.c`, `A.1` of `TABLE-A.1.R3`; none of a chapter.
    pub fn parent(&self) -> Option<&str> {
        match self.as_str().strip_prefix("TABLE-").and_then(|table| table.rsplit_once(".R")) {
            Some(("1", _)) => Some("6"),
            Some((table, _)) => Some(table),
            None => self.as_str().rsplit_once('.').map(|(parent, _)| parent),
        }
    }
}

/// What kind of unit a clause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A heading: no obligation of its own.
    Heading,
    /// A numbered clause.
    Clause,
    /// A lettered item.
    Item,
    /// One of the platform functions that 5.1.3.1 lists.
    Element,
    /// A row of a table.
    TableRow,
}

/// How strongly the text demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// 应, or a verb that is read so (`modal_note`).
    Shall,
    /// 宜.
    Should,
    /// Stated as a fact; required by 7.1 as far as chapter 7 goes.
    Declarative,
    /// Of an informative annex.
    Informative,
    /// A heading.
    None,
}

/// What has to be there before work may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// Nothing.
    None,
    /// A party's agreement.
    Confirmation,
    /// A plan.
    Plan,
    /// A review by interested parties.
    Review,
    /// A test that was passed.
    Test,
    /// Something that must hold.
    Precondition,
    /// A record.
    Record,
    /// A notice that was given.
    Notification,
}

/// One unit of the standard. `id`, `level`, `strength`, `refs` and `line` are the standard's; the rest carries its mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its name.
    pub id: ClauseId,
    /// What kind of unit it is.
    pub level: Level,
    /// Our short title (zh-CN).
    pub title: Marked<String>,
    /// The standard's words; none for a heading.
    #[serde(default)]
    pub text: Option<Marked<String>>,
    /// What it obliges to, in English: a translation.
    pub obligation: Marked<String>,
    /// Who has to do it or takes part.
    pub actors: Vec<PartyCode>,
    /// The records that show that it was done: a design of the product.
    pub evidence: Marked<String>,
    /// What the product does by itself: a design of the product.
    pub enforcement: Marked<String>,
    /// The parts of the product that it concerns.
    pub modules: Vec<Module>,
    /// How strongly the text demands it.
    pub strength: Strength,
    /// What has to be there before work may go on: a design of the product.
    pub gate: GateKind,
    /// What the text refers to, and our own cross-links (`B.1-n`, `standard clauses …`).
    #[serde(default)]
    pub refs: Vec<String>,
    /// The line of the text with the clause's number.
    pub line: u32,
    /// The letter of the item is lost in the text; the order was used.
    #[serde(default)]
    pub letter_inferred: bool,
    /// Why a verb other than 应 is read as one.
    #[serde(default)]
    pub modal_note: Option<String>,
}

impl Clause {
    /// Whether it obliges to something: everything but a heading (292 of the 333).
    pub fn obliges(&self) -> bool {
        self.level != Level::Heading
    }
}

/// The parts of the product, as the clauses name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// Service desk, tickets, procedures, changes, knowledge.
    Ticketing,
    /// Devices, rooms, spares, consumables, tools.
    Inventory,
    /// Maintenance, inspection, monitoring.
    Inspection,
    /// Plans, drills, response.
    Emergency,
    /// Surveys, scores, statistics, improvement.
    Evaluation,
    /// Controllers that run clocks, gates and schedules.
    Operator,
    /// What people see.
    Console,
}

/// All clauses, in the order of the text.
#[derive(Debug, Clone)]
pub struct Clauses {
    all: Vec<Clause>,
    by_id: HashMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    clauses: Vec<Clause>,
}

impl Clauses {
    /// Reads the clauses from the trees of their files, in the order given.
    pub(crate) fn read(files: &[Node], known: &Known) -> Result<Self, Refused> {
        let (mut all, mut by_id, mut last) = (Vec::<Clause>::new(), HashMap::new(), 0);
        for file in files {
            let read: File = file.typed("", known)?;
            for (index, clause) in read.clauses.into_iter().enumerate() {
                let node = file.get("clauses").and_then(|rows| rows.list().get(index)).unwrap_or(file);
                let refuse = |field: &str, why: String| {
                    let at = node.get(field).unwrap_or(node);
                    Err(at.refuse(format!("clauses[{index}].{field}"), why))
                };
                if !ClauseId::is_well_formed(clause.id.as_str()) {
                    return refuse("id", format!("{} is not the name of a clause", clause.id));
                }
                if let Some(parent) = clause.id.parent()
                    && !by_id.contains_key(parent)
                {
                    return refuse("id", format!("{} stands before {parent}, or there is no {parent}", clause.id));
                }
                if clause.line < last {
                    return refuse("line", format!("{} stands after line {last} of the text", clause.id));
                }
                if clause.text.is_some() != clause.obliges() {
                    return refuse("text", "a heading has no text, and everything else has one".into());
                }
                last = clause.line;
                if by_id.insert(clause.id.as_str().to_owned(), all.len()).is_some() {
                    return refuse("id", format!("{} is there twice", clause.id));
                }
                all.push(clause);
            }
        }
        Ok(Self { all, by_id })
    }

    /// The clause of a name.
    pub fn get(&self, id: &str) -> Option<&Clause> {
        self.by_id.get(id).map(|at| &self.all[*at])
    }

    /// All, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Clause> {
        self.all.iter()
    }

    /// Those that oblige to something.
    pub fn obligations(&self) -> impl Iterator<Item = &Clause> {
        self.all.iter().filter(|clause| clause.obliges())
    }
}

impl<'a> IntoIterator for &'a Clauses {
    type Item = &'a Clause;
    type IntoIter = std::slice::Iter<'a, Clause>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// For people: `7.4.1.6 用户确认后关闭工单`.
impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.title.value)
    }
}
