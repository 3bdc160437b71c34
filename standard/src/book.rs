//! THE BOOK as a whole: its files are read together, because they refer to each other.
//!
//! Sources: T/DGAG 038-2025, 4 to 8, A and B, at each field by clause; that the files are cut so and must fit each other is
//! ours: no clause says how the text is kept.
use std::sync::LazyLock;

use crate::tree::{Known, Node, Value, identity};
use crate::{Clauses, FILES, Keys, Parts, Refused};
use crate::{
    devices, documents, emergency, evaluation, incidents, ledger, people, remote, repair, services, tickets, times, words,
};

static SHIPPED: LazyLock<Book> = LazyLock::new(|| Book::read(FILES).expect("the shipped book is read by its own tests"));

macro_rules! book {
    ($($(#[$about:meta])* $field:ident: $kind:ty = $file:literal),+ $(,)?) => {
        /// The standard with everything that hangs on it.
        #[derive(Debug, Clone)]
        pub struct Book {
            /// Every unit of the text.
            pub clauses: Clauses,
            /// What is inspected, monitored and maintained of each device class (7.3.1, 7.3.2).
            pub devices: Vec<devices::Device>,
            $($(#[$about])* pub $field: $kind,)+
            pub(crate) trees: Vec<Node>,
        }

        /// The files that are there once; of `clauses/` and `devices/` there can be any number.
        const SINGLE: &[&str] = &[$($file),+];

        impl Book {
            fn typed(trees: Vec<Node>, known: &Known) -> Result<Self, Refused> {
                let file = |name: &str| {
                    trees.iter().find(|tree| tree.file_name() == name).ok_or_else(|| Refused::new(name, 1, "", "the file is missing"))
                };
                let of = |prefix: &'static str| trees.iter().filter(move |tree| tree.file_name().starts_with(prefix));
                let clauses = Clauses::read(&of("clauses/").cloned().collect::<Vec<_>>(), known)?;
                let devices = of("devices/").map(|tree| tree.typed("", known)).collect::<Result<_, _>>()?;
                Ok(Self { clauses, devices, $($field: file($file)?.typed("", known)?,)+ trees })
            }
        }
    };
}

book! {
    /// The parties (4 d, 7.4.1).
    parties: services::Parties = "parties.yaml",
    /// The 20 services of clause 7.
    services: services::Services = "services.yaml",
    /// Categories of incidents (7.4.2.2).
    incident_categories: incidents::Categories = "incidents/categories.yaml",
    /// Grades of incidents and their times (7.4.2.2, 7.4.2.4).
    incident_grades: incidents::Grades = "incidents/grades.yaml",
    /// Recovery times by category and grade (7.4.2.4).
    recovery: incidents::Recovery = "incidents/recovery.yaml",
    /// How impact and urgency give a grade (7.4.2.2).
    grading: incidents::Grading = "incidents/grading.yaml",
    /// Types of tickets (7.4.1.2).
    ticket_types: tickets::Types = "tickets/types.yaml",
    /// Grades of tickets and their times (7.4.1.2, 7.4.1.5).
    ticket_grades: tickets::Grades = "tickets/grades.yaml",
    /// States of a ticket, reasons to wait, warnings, escalation (7.4.1).
    ticket_states: tickets::States = "tickets/states.yaml",
    /// The hotline (7.4.1.1).
    hotline: tickets::Hotline = "tickets/hotline.yaml",
    /// Metrics of the service desk (7.3.2.2, 7.4.1).
    desk_metrics: devices::DeskMetrics = "tickets/metrics.yaml",
    /// Time limits where a clause says 及时 or 立即.
    timers: times::Timers = "times/timers.yaml",
    /// Cycles where a clause says 定期.
    cycles: times::Cycles = "times/cycles.yaml",
    /// Limits where a clause says 频繁 or 重大.
    thresholds: times::Thresholds = "times/thresholds.yaml",
    /// The decision table of 7.4.4.5.
    repair: repair::Repair = "repair.yaml",
    /// Remote operation (7.3.2.2.2, 7.4.5.1.3).
    remote: remote::Remote = "remote.yaml",
    /// What all device classes share (7.3.1, 7.3.2).
    inspection: devices::Devices = "devices.yaml",
    /// Levels of alerts (7.3.2.2.2).
    alerts: devices::Alerts = "alerts.yaml",
    /// Classes of staff, their abilities and positions (5.2.1, 5.2.2).
    staff: people::Classes = "people/classes.yaml",
    /// Qualifications, certificates, and the work that needs them (5.2.2.3 b).
    qualifications: people::Qualifications = "people/qualifications.yaml",
    /// What the indicators are computed from (annex B).
    evaluation_inputs: evaluation::Inputs = "evaluation/inputs.yaml",
    /// Table B.1: evaluation of people.
    b1: evaluation::B1 = "evaluation/b1.yaml",
    /// Table B.2: evaluation of the whole.
    b2: evaluation::B2 = "evaluation/b2.yaml",
    /// How and when is evaluated, and what follows (8.1, 8.2).
    evaluation: evaluation::Methods = "evaluation/methods.yaml",
    /// Policies of table A.1.
    policies: documents::Policies = "policies.yaml",
    /// Reports and forms with their parts (clause 7).
    reports: documents::Reports = "reports.yaml",
    /// Functions of the platform (5.1.3.1).
    platform: documents::Platform = "platform.yaml",
    /// Techniques of table 1 (6).
    technology: documents::Technology = "technology.yaml",
    /// Fields of the device ledger (7.3.4).
    ledger: ledger::Ledger = "ledger.yaml",
    /// Spares and consumables (5.1.4, 7.4.10, 7.4.11).
    spares: ledger::Spares = "spares.yaml",
    /// Risks, drills, phases, means (7.3.5, 7.4.2).
    emergency: emergency::Emergency = "emergency.yaml",
    /// Codes with their words.
    codes: words::Codes = "codes.yaml",
    /// The sources that marks name.
    sources: words::Sources = "sources.yaml",
    /// What could not be found.
    unknowns: words::Unknowns = "unknowns.yaml",
    /// What this book is.
    about: words::About = "book.yaml",
    /// Terms: Chinese, English, interface.
    terms: words::Glossary = "glossary.yaml",
    /// Every key with its Chinese.
    keys: Keys = "keys.yaml",
}

/// What can be referred to: the type that refers, the files that define (a prefix), the path of the names in them.
const DEFINED: &[(&str, &str, &str)] = &[
    ("ClauseId", "clauses/", "clauses.id"),
    ("SourceId", "sources.yaml", "sources.id"),
    ("PartyCode", "parties.yaml", "parties.code"),
    ("DeviceClass", "devices/", "class.code"),
    ("WorkflowCode", "services.yaml", "services.workflows.code"),
    ("IncidentCategory", "incidents/categories.yaml", "categories.code"),
    ("IncidentGrade", "incidents/grades.yaml", "grades.grade"),
    ("TicketGrade", "tickets/grades.yaml", "grades.grade"),
    ("CalendarCode", "codes.yaml", "calendars.code"),
    ("UnitCode", "codes.yaml", "units.code"),
    ("Frequency", "codes.yaml", "frequencies.code"),
    ("Automation", "codes.yaml", "automation.code"),
    ("RepairGroup", "codes.yaml", "repair_groups.code"),
    ("ServiceGroup", "codes.yaml", "service_groups.code"),
    ("Activity", "codes.yaml", "activities.code"),
    ("Computable", "codes.yaml", "computable.code"),
    ("MetricId", "devices/", "metrics.id"),
    ("MetricId", "tickets/metrics.yaml", "metrics.id"),
    ("QualificationCode", "people/qualifications.yaml", "qualifications.code"),
    ("StaffClass", "people/classes.yaml", "classes.code"),
    ("InputId", "evaluation/inputs.yaml", "inputs.id"),
    ("StatisticCode", "devices.yaml", "statistics.code"),
    ("DirectionCode", "devices.yaml", "directions.code"),
    ("OperatorCode", "devices.yaml", "operators.code"),
    ("ReportCode", "reports.yaml", "reports.code"),
];

impl Book {
    /// The book that is built in.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a book from its files: names as in [`FILES`], and their bytes.
    ///
    /// # Errors
    /// The first thing that does not make sense, with its file, line and field.
    pub fn read(files: &[(&str, &[u8])]) -> Result<Self, Refused> {
        Parts::read(files)?.book()
    }

    /// A book of trees whose marks are given.
    pub(crate) fn of(trees: Vec<Node>, known: &Known) -> Result<Self, Refused> {
        let book = Self::typed(trees, known)?;
        crate::check::check(&book)?;
        Ok(book)
    }

    /// The trees of the files: every value with its file, line and mark, for those who show or compare the whole.
    pub fn trees(&self) -> &[Node] {
        &self.trees
    }
}

/// Whether a book can have a file of this name.
pub(crate) fn is_file(name: &str) -> bool {
    SINGLE.contains(&name) || ["clauses/", "devices/"].iter().any(|folder| name.starts_with(folder) && name.ends_with(".yaml"))
}

/// Collects what can be referred to; a name that is defined twice is refused.
pub(crate) fn known(trees: &[Node]) -> Result<Known, Refused> {
    let mut known = Known::default();
    for (kind, prefix, path) in DEFINED {
        for tree in trees.iter().filter(|tree| tree.file_name().starts_with(prefix)) {
            let mut found = Vec::new();
            collect(tree, path, &mut found);
            for node in found {
                let Some(name) = identity(node) else { return Err(node.refuse(*path, "a name is a text")) };
                if !known.add(kind, name.clone()) {
                    return Err(node.refuse(*path, format!("{name} is defined twice")));
                }
            }
        }
    }
    for tree in trees {
        paths(tree, tree.file_name().trim_end_matches(".yaml"), &mut known);
    }
    Ok(known)
}

fn collect<'a>(node: &'a Node, path: &str, found: &mut Vec<&'a Node>) {
    match &node.value {
        Value::List(list) => list.iter().for_each(|one| collect(one, path, found)),
        _ if path.is_empty() => found.push(node),
        _ => {
            let (key, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(below) = node.get(key) {
                collect(below, rest, found);
            }
        }
    }
}

fn paths(node: &Node, path: &str, known: &mut Known) {
    known.add("TablePath", path.to_owned());
    match &node.value {
        Value::List(list) => list.iter().for_each(|one| paths(one, path, known)),
        Value::Map(entries) => entries.iter().for_each(|entry| paths(&entry.value, &format!("{path}.{}", entry.key), known)),
        _ => {}
    }
}
