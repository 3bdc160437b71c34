//! THE LOADER: a file of `data/procedures` becomes a [`Procedure`], or is refused with file, line and field.
use std::collections::BTreeMap;

use super::check::{Place, check};
use super::file::{ContentFile, File, GateFile, ItemsFile, StepFile, WhenFile};
use super::gate::{At, Choice, Condition, Content, Gate, GateKind, With};
use super::step::{Decision, Defaults, Items, Modes, Party, Procedure, Step, Substeps};
use crate::{Clauses, Mark, Marked, Refused, Status, Words};

type Lines = BTreeMap<(Option<usize>, Option<usize>, &'static str), u64>;

/// Reads one procedure.
pub(super) fn read(file: &str, text: &str, clauses: &Clauses) -> Result<Procedure, Refused> {
    let parsed: File = crate::yaml::read(file, text)?;
    let mut reading = Reading { file, clauses, lines: Lines::new() };
    let procedure = reading.procedure(parsed)?;
    check(&procedure).map_err(|fault| reading.refuse(&fault.place, fault.why))?;
    Ok(procedure)
}

/// A step in its file, with the step it is an item of and how the items there follow each other.
struct Flat {
    step: StepFile,
    parent: Option<usize>,
    follows: Option<usize>,
}

struct Reading<'a> {
    file: &'a str,
    clauses: &'a Clauses,
    lines: Lines,
}

impl Reading<'_> {
    /// A refusal at the line of the field, or at the nearest line above it that is known.
    fn refuse(&self, place: &Place, why: String) -> Refused {
        let step = place.step;
        let keys =
            [(step, place.gate, place.field), (step, place.gate, "kind"), (step, None, "clause"), (None, None, place.field)];
        let line = keys.iter().find_map(|key| self.lines.get(key)).copied().unwrap_or(1);
        let field = match (place.step, place.gate) {
            (Some(step), Some(gate)) => format!("steps[{step}].gates[{gate}].{}", place.field),
            (Some(step), None) => format!("steps[{step}].{}", place.field),
            (None, _) => place.field.to_owned(),
        };
        Refused::new(self.file, line, field, why)
    }

    fn wrong<T>(&self, step: Option<usize>, gate: Option<usize>, field: &'static str, why: String) -> Result<T, Refused> {
        Err(self.refuse(&Place { step, gate, field }, why))
    }

    fn procedure(&mut self, file: File) -> Result<Procedure, Refused> {
        for (field, line) in [
            ("code", file.code.referenced.line()),
            ("clause", file.clause.referenced.line()),
            ("service", file.service.referenced.line()),
            ("steps", file.steps.referenced.line()),
            ("ticket_grade", file.defaults.ticket_grade.referenced.line()),
            ("complete_work_hours", file.defaults.complete_work_hours.referenced.line()),
        ] {
            self.lines.insert((None, None, field), line);
        }
        let (clause, service) = (file.clause.value, file.service.value);
        for (field, clause) in [("clause", &clause), ("service", &service)] {
            if self.clauses.get(clause).is_none() {
                return self.wrong(None, None, field, format!("there is no clause {clause}"));
            }
        }
        if clause != service && !clause.starts_with(&format!("{service}.")) {
            return self.wrong(None, None, "service", format!("{clause} is not below {service}"));
        }
        let grade = file.defaults.ticket_grade.value;
        if !matches!(grade.as_str(), "P1" | "P2" | "P3" | "P4" | "P5") {
            return self.wrong(None, None, "ticket_grade", format!("there is no ticket grade {grade}"));
        }
        let hours = file.defaults.complete_work_hours.value;
        if hours == Some(0) {
            return self.wrong(None, None, "complete_work_hours", "nothing is complete in no time".into());
        }
        let flat = flatten(file.steps.value);
        for (index, flat) in flat.iter().enumerate() {
            self.remember(index, &flat.step);
        }
        let names: Vec<String> = flat.iter().map(|flat| flat.step.clause.value.clone()).collect();
        let mut steps = Vec::with_capacity(flat.len());
        for (index, one) in flat.into_iter().enumerate() {
            let above = one.parent.map_or(&clause, |parent| &names[parent]);
            if !names[index].starts_with(&format!("{above}.")) {
                return self.wrong(Some(index), None, "clause", format!("{} is not below {above}", names[index]));
            }
            steps.push(self.step(index, one, &names)?);
        }
        let defaults = Defaults {
            ticket_grade: marked(grade, &ours()),
            complete_work_hours: hours.map(|hours| marked(hours, &ours())),
            note: file.defaults.note.map(|note| marked(note, &ours())),
        };
        let name = words(file.name.zh, file.name.en, &from_the_clause(&clause));
        Ok(Procedure { code: file.code.value, clause, service, name, defaults, steps })
    }

    fn remember(&mut self, index: usize, step: &StepFile) {
        let mut put = |gate, field, line| self.lines.insert((Some(index), gate, field), line);
        put(None, "clause", step.clause.referenced.line());
        for (field, line) in [
            ("after", step.after.as_ref().map(|field| field.referenced.line())),
            ("continuing", step.continuing.as_ref().map(|field| field.referenced.line())),
            ("when", step.when.as_ref().map(|field| field.referenced.line())),
            ("modes", step.modes.as_ref().map(|field| field.referenced.line())),
            ("decision", step.decision.as_ref().map(|field| field.referenced.line())),
            ("contents", step.contents.first().map(|content| content.key.referenced.line())),
            ("substeps", step.substeps.as_ref().map(|items| items.mode.referenced.line())),
        ] {
            line.map(|line| put(None, field, line));
        }
        for (at, gate) in step.gates.iter().enumerate() {
            put(Some(at), "kind", gate.kind.referenced.line());
            for (field, line) in [
                ("at", gate.at.as_ref().map(|field| field.referenced.line())),
                ("words", gate.words.as_ref().map(|field| field.referenced.line())),
                ("with", gate.with.as_ref().map(|field| field.referenced.line())),
                ("when", gate.when.as_ref().map(|field| field.referenced.line())),
                ("contents", gate.contents.first().map(|content| content.key.referenced.line())),
            ] {
                line.map(|line| put(Some(at), field, line));
            }
        }
    }

    fn step(&self, index: usize, flat: Flat, names: &[String]) -> Result<Step, Refused> {
        let step = flat.step;
        let id = step.clause.value;
        let Some((said, text)) = self.clauses.get(&id).and_then(|said| Some((said, said.text.clone()?))) else {
            return self.wrong(Some(index), None, "clause", format!("there is no clause {id} with a text"));
        };
        let standard = from_the_clause(&id);
        let after = match step.after {
            None => flat.follows.into_iter().collect(),
            Some(after) => {
                let mut found = Vec::new();
                for name in after.value {
                    match names.iter().position(|other| *other == name) {
                        Some(at) => found.push(at),
                        None => return self.wrong(Some(index), None, "after", format!("there is no step {name}")),
                    }
                }
                found
            }
        };
        let modes = match step.modes {
            None => None,
            Some(modes) => {
                let (choice, of) = self.choice(index, None, "modes", modes.value.all, modes.value.any)?;
                Some(Modes { choice, of, words: modes.value.words, mark: ours() })
            }
        };
        let substeps = match &step.substeps {
            Some(ItemsFile { words: None, mark: None, .. }) => {
                return self.wrong(
                    Some(index),
                    None,
                    "substeps",
                    "give the words of the text, or mark it product_default".into(),
                );
            }
            Some(ItemsFile { words: Some(_), mark: Some(_), .. }) => {
                return self.wrong(Some(index), None, "substeps", "what has words of the text is no product default".into());
            }
            items => items.as_ref().map(|items| Items {
                mode: items.mode.value,
                words: items.words.clone(),
                mark: items.words.as_ref().map_or_else(ours, |_| standard.clone()),
            }),
        };
        let mut gates = Vec::with_capacity(step.gates.len());
        for (at, gate) in step.gates.into_iter().enumerate() {
            gates.push(self.gate(index, at, gate, &standard)?);
        }
        Ok(Step {
            clause: id,
            parent: flat.parent,
            title: said.title.clone(),
            text,
            evidence: said.evidence.clone(),
            enforcement: said.enforcement.clone(),
            strength: said.strength,
            by: said
                .actors
                .iter()
                .filter_map(|code| Party::from_key(code.as_str()))
                .filter(|party| party.of_provider())
                .collect(),
            after,
            when: step.when.map(|when| self.condition(index, None, when.value, &standard)).transpose()?,
            modes,
            substeps,
            decision: step.decision.map(|decision| Decision {
                table: decision.value.table,
                rows_without_substep: decision.value.rows_without_substep,
            }),
            continuing: step.continuing.map(|words| words.value),
            contents: contents(step.contents, &standard),
            gates,
        })
    }

    fn gate(&self, index: usize, at: usize, gate: GateFile, standard: &Mark) -> Result<Gate, Refused> {
        let kind = gate.kind.value;
        match (&gate.words, gate.mark) {
            (None, None) => {
                return self.wrong(
                    Some(index),
                    Some(at),
                    "words",
                    "give the words of the text, or mark it product_default".into(),
                );
            }
            (Some(_), Some(_)) => {
                return self.wrong(Some(index), Some(at), "words", "what has words of the text is no product default".into());
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        let with = match gate.with {
            None => None,
            Some(with) => {
                let (choice, parties) = self.choice(index, Some(at), "with", with.value.all, with.value.any)?;
                let words = with.value.words;
                let mark = words.as_ref().map_or_else(ours, |_| standard.clone());
                Some(With { choice, parties: parties.into_iter().collect(), words, mark })
            }
        };
        let usual = if kind == GateKind::Precondition { At::Start } else { At::Finish };
        Ok(Gate {
            kind,
            at: gate.at.map_or(usual, |at| at.value),
            mark: gate.words.as_ref().map_or_else(ours, |_| standard.clone()),
            words: gate.words.map(|words| words.value),
            with,
            when: gate.when.map(|when| self.condition(index, Some(at), when.value, standard)).transpose()?,
            contents: contents(gate.contents, standard),
        })
    }

    fn choice<T>(
        &self,
        step: usize,
        gate: Option<usize>,
        field: &'static str,
        all: Option<Vec<T>>,
        any: Option<Vec<T>>,
    ) -> Result<(Choice, Vec<T>), Refused> {
        match (all, any) {
            (Some(all), None) => Ok((Choice::All, all)),
            (None, Some(any)) => Ok((Choice::Any, any)),
            (Some(_), Some(_)) | (None, None) => self.wrong(Some(step), gate, field, "either all or any".into()),
        }
    }

    fn condition(&self, step: usize, gate: Option<usize>, when: WhenFile, standard: &Mark) -> Result<Condition, Refused> {
        let words = words(when.zh, when.en, standard);
        match (when.asked, when.mode, when.row) {
            (Some(key), None, None) => Ok(Condition::Asked { key, words }),
            (None, Some(code), None) => Ok(Condition::Mode { code, words }),
            (None, None, Some(rows)) => Ok(Condition::Row { rows, words }),
            _ => self.wrong(Some(step), gate, "when", "exactly one of asked, mode and row".into()),
        }
    }
}

/// The numbered steps and their lettered items in one row, each with what it follows.
fn flatten(steps: Vec<StepFile>) -> Vec<Flat> {
    let mut flat: Vec<Flat> = Vec::new();
    let mut before = None;
    for mut step in steps {
        let items = step.substeps.as_mut().map(|items| (items.mode.value, std::mem::take(&mut items.items)));
        let index = flat.len();
        flat.push(Flat { step, parent: None, follows: before });
        before = Some(index);
        let Some((mode, items)) = items else { continue };
        let mut previous = None;
        for item in items {
            let follows = previous.filter(|_| mode == Substeps::Sequence);
            previous = Some(flat.len());
            flat.push(Flat { step: item, parent: Some(index), follows });
        }
    }
    flat
}

/// Words of the text, with our English for them.
fn words(zh: String, en: String, standard: &Mark) -> Words {
    let translation = Mark::new(Status::Translation, standard.source.clone());
    Words { zh: marked(zh, standard), en: marked(en, &translation) }
}

fn contents(file: Vec<ContentFile>, standard: &Mark) -> Vec<Content> {
    file.into_iter().map(|one| Content { key: one.key.value, words: words(one.zh, one.en, standard) }).collect()
}

fn marked<T>(value: T, mark: &Mark) -> Marked<T> {
    Marked { value, mark: mark.clone() }
}

fn from_the_clause(clause: &str) -> Mark {
    Mark::new(Status::Standard, format!("standard:{clause}"))
}

/// What no word of the standard says.
fn ours() -> Mark {
    Mark::new(Status::ProductDefault, "default")
}
