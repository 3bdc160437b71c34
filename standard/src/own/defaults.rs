//! THE ORGANISATION'S OWN defaults of a procedure. The standard has none of them; steps and gates are the standard's and nobody else's.
use serde::Deserialize;

use crate::procedure::{Defaults, FILES, Procedures};
use crate::tree::{Node, Value};
use crate::{Difference, Hours, Mark, Marked, Side};

const RULE: &str = "only the defaults of a procedure are for an organisation to set: its steps and gates are the standard's";

/// What can be set, as the files of the procedures call it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    TicketGrade,
    CompleteWorkHours,
    Note,
}

impl Procedures {
    /// Sets the default at `procedures/<file>.defaults.<field>` and says what differs then.
    pub(super) fn set(&mut self, path: &str, node: &Node) -> Result<Difference, String> {
        let (file, rest) = path.split_once('.').unwrap_or((path, ""));
        let field = rest.strip_prefix("defaults.").and_then(|field| serde_json::from_value(field.into()).ok()).ok_or(RULE)?;
        let code = file.trim_start_matches("procedures/").to_uppercase();
        let procedure = self.procedure_mut(&code).ok_or_else(|| format!("there is no procedure {file}"))?;
        let before = said(&procedure.defaults, field).and_then(|(value, mark)| side(file, rest, value, mark));
        put(&mut procedure.defaults, field, node)?;
        Ok(Difference { path: path.into(), before, after: Some(Side::of(node)) })
    }
}

/// What a field says today.
fn said(defaults: &Defaults, field: Field) -> Option<(Value, Mark)> {
    let text = |text: &Marked<String>| (Value::Text(text.value.clone()), text.mark.clone());
    match field {
        Field::TicketGrade => Some(text(&defaults.ticket_grade)),
        Field::CompleteWorkHours => {
            defaults.complete_work_hours.as_ref().map(|hours| (Value::Int(hours.value.into()), hours.mark.clone()))
        }
        Field::Note => defaults.note.as_ref().map(text),
    }
}

fn put(defaults: &mut Defaults, field: Field, node: &Node) -> Result<(), String> {
    let mark = node.mark.as_deref().ok_or("a value without a mark")?;
    match (field, &node.value) {
        (Field::TicketGrade, Value::Text(grade)) if matches!(grade.as_str(), "P1" | "P2" | "P3" | "P4" | "P5") => {
            defaults.ticket_grade = marked(grade.clone(), mark);
        }
        (Field::TicketGrade, _) => return Err("there is no such ticket grade: P1 to P5".into()),
        (Field::CompleteWorkHours, Value::Null) => defaults.complete_work_hours = None,
        (Field::CompleteWorkHours, Value::Int(hours)) => {
            let possible = u32::try_from(*hours).map_err(|_| format!("{hours} is not possible")).and_then(Hours::try_from)?;
            defaults.complete_work_hours = Some(marked(possible.get(), mark));
        }
        (Field::CompleteWorkHours, _) => return Err("hours are a whole number, or null for none".into()),
        (Field::Note, Value::Null) => defaults.note = None,
        (Field::Note, Value::Text(note)) => defaults.note = Some(marked(note.clone(), mark)),
        (Field::Note, _) => return Err("a note is a text, or null for none".into()),
    }
    Ok(())
}

fn marked<T>(value: T, mark: &Mark) -> Marked<T> {
    Marked { value, mark: mark.clone() }
}

/// What was there: where the organisation's mark says, or in the file that ships.
fn side(file: &str, path: &str, value: Value, mark: Mark) -> Option<Side> {
    let of_an_organisation = mark.set_in.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
    let of_what_ships = || {
        let (name, text) = FILES.iter().find(|(name, _)| name.trim_end_matches(".yaml") == file)?;
        Some(((*name).to_owned(), Node::read(name, text.as_bytes()).ok()?.at(path)?.line))
    };
    let (file, line) = of_an_organisation.or_else(of_what_ships)?;
    Some(Side { value, mark: Some(mark), file, line })
}
