//! THE FILE: how a procedure is written in `data/procedures`. `docs/procedures.md` explains it to those who write one.
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::gate::{At, GateKind};
use super::step::{Party, Substeps};

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) code: Spanned<String>,
    pub(super) clause: Spanned<String>,
    pub(super) service: Spanned<String>,
    pub(super) name: NameFile,
    pub(super) defaults: DefaultsFile,
    pub(super) steps: Spanned<Vec<StepFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameFile {
    pub(super) zh: String,
    pub(super) en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefaultsFile {
    pub(super) ticket_grade: Spanned<String>,
    pub(super) complete_work_hours: Spanned<Option<u32>>,
    pub(super) note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    pub(super) clause: Spanned<String>,
    pub(super) after: Option<Spanned<Vec<String>>>,
    pub(super) continuing: Option<Spanned<String>>,
    pub(super) when: Option<Spanned<WhenFile>>,
    pub(super) modes: Option<Spanned<ModesFile>>,
    pub(super) decision: Option<Spanned<DecisionFile>>,
    #[serde(default)]
    pub(super) contents: Vec<ContentFile>,
    #[serde(default)]
    pub(super) gates: Vec<GateFile>,
    pub(super) substeps: Option<ItemsFile>,
}

/// One of `asked`, `mode` and `row`, with the words of the text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenFile {
    pub(super) asked: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) row: Option<Vec<String>>,
    pub(super) zh: String,
    pub(super) en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModesFile {
    pub(super) all: Option<Vec<String>>,
    pub(super) any: Option<Vec<String>>,
    pub(super) words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionFile {
    pub(super) table: String,
    pub(super) rows_without_substep: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentFile {
    pub(super) key: Spanned<String>,
    pub(super) zh: String,
    pub(super) en: String,
}

/// The only mark that a gate or an order of items can carry: what has words of the text needs none.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MarkFile {
    ProductDefault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateFile {
    pub(super) kind: Spanned<GateKind>,
    pub(super) at: Option<Spanned<At>>,
    pub(super) words: Option<Spanned<String>>,
    pub(super) mark: Option<MarkFile>,
    pub(super) with: Option<Spanned<WithFile>>,
    pub(super) when: Option<Spanned<WhenFile>>,
    #[serde(default)]
    pub(super) contents: Vec<ContentFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithFile {
    pub(super) all: Option<Vec<Party>>,
    pub(super) any: Option<Vec<Party>>,
    pub(super) words: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemsFile {
    pub(super) mode: Spanned<Substeps>,
    pub(super) words: Option<String>,
    pub(super) mark: Option<MarkFile>,
    pub(super) items: Vec<StepFile>,
}
