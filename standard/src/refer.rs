//! THE REFERENCE: a name of something that is in the book. Reading one that names nothing is refused at its line.
//!
//! Sources: T/DGAG 038-2025, 5.2.1, 5.2.2.3, 7.2 to 7.5, 7.3.1, 7.3.2, 7.4.1.2, 7.4.2.2, 7.4.4.5 and B, for what is named;
//! the names are ours, since the text has only the numbers of clauses and rows.

/// Makes a type for the names of one kind. The loader knows the kind by the type's name.
#[macro_export]
#[doc(hidden)]
macro_rules! refer {
    ($($(#[$about:meta])* $name:ident);+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    )+};
}

crate::refer! {
    /// A class of devices of `devices/`: `server`, `ups`, …
    DeviceClass;
    /// A workflow of clause 7: `SV-REPAIR`. Its steps are in `procedures/`.
    WorkflowCode;
    /// A category of incidents (7.4.2.2): `EC01`.
    IncidentCategory;
    /// A grade of incidents (7.4.2.2): `I` to `IV`.
    IncidentGrade;
    /// A grade of tickets (7.4.1.2): `P1` to `P5`.
    TicketGrade;
    /// A calendar of `codes`: `7x24`, `5x8`, `of_ticket`.
    CalendarCode;
    /// A unit of `codes`: `min`, `C`, `%`.
    UnitCode;
    /// How often (7.3.2.1.1): `daily`, `quarterly`.
    Frequency;
    /// Whether a program can do it: `automatic`, `semi-automatic`, `manual`.
    Automation;
    /// A metric (7.3.2.2.1): `server.cpu_util`.
    MetricId;
    /// A certificate or qualification (5.2.2.3 b): `SO-1.2`.
    QualificationCode;
    /// Who repairs what by 7.4.4.5: `office_equipment`.
    RepairGroup;
    /// A group of services of clause 7: `routine_operation`.
    ServiceGroup;
    /// An input of the indicators of annex B.
    InputId;
    /// How much of an indicator is computed: `automatic`, `partly`, `manual`.
    Computable;
    /// What is done to a device: `inspect`, `repair`.
    Activity;
    /// A class of staff (5.2.1): `management`, `technical`, `operation`.
    StaffClass;
    /// How the values of a window become one: `avg`, `p95`.
    StatisticCode;
    /// Which side of a limit is bad: `high`, `low`, `state`.
    DirectionCode;
    /// How a value and its limit are compared: `gt`, `in`.
    OperatorCode;
    /// A report or form: `RPT-INSPECT`.
    ReportCode;
    /// A source of values that are not the standard's: `S05`.
    SourceId;
    /// Where in the book something is said: `tickets/grades.grades.resolve_hours`.
    TablePath
}

/// A word, a number or a truth, where a column has all three.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`, `false`.
    Truth(bool),
    /// A number.
    Number(i64),
    /// A word.
    Word(String),
}
