//! THE SERVICES of clause 7, twenty of them, and the parties to them.
//!
//! Sources: T/DGAG 038-2025, 7.1 to 7.5, for services and workflows, and 4, 5.1.3.2, 7.2.4 and 7.4.1 for the parties;
//! DB4401/T 294.2, clause 5, would list the services that can be asked for, and is not known; codes, and which of several
//! limits holds, are ours: the text has none.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, PartyCode, ServiceGroup, Words};

/// A workflow of a service (7.2 to 7.5); its steps are in `data/procedures/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// Its code.
    pub code: String,
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// The clause that allows work from afar.
    #[serde(default)]
    pub remote_clause: Option<Marked<ClauseId>>,
    /// The clause that demands the record in the work order.
    #[serde(default)]
    pub record_clause: Option<Marked<ClauseId>>,
}

/// A service of clause 7; the items of 294.2 clause 5 that it answers to are unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Its name.
    pub name: Words,
    /// The group of services.
    pub group: Marked<ServiceGroup>,
    /// The workflows.
    pub workflows: Vec<Workflow>,
    /// The item of DB4401/T 294.2—2024; unknown.
    pub reference_294_2: Marked<Option<String>>,
    /// What is to be filled in.
    pub reference_note: Marked<String>,
}

/// The file `data/services.yaml` (7.1 to 7.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {
    /// How it is to be read.
    pub note: Words,
    /// Which of several time limits holds.
    pub sla_precedence: Words,
    /// The services.
    pub services: Vec<Service>,
}

/// A party of the standard (4 d, 5.1.3.2, 7.2.4, 7.4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// What it does.
    pub duty: Words,
    /// Other words for it.
    #[serde(default)]
    pub aliases: Option<Marked<Vec<String>>>,
    /// Who belongs to it.
    #[serde(default)]
    pub members: Option<Marked<Vec<PartyCode>>>,
}

/// The file `data/parties.yaml` (4 d, 5.1.3.2, 7.2.4, 7.4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    /// The parties.
    pub parties: Vec<Party>,
}
