//! THE LOOKING UP: what one asks of the book by name.
//!
//! Sources: T/DGAG 038-2025, 5.2.2.3, 7.2 to 7.5, 7.3.1, 7.3.2, 7.3.5, 7.4.1.2, 7.4.2, 7.4.4.5 and A.1, each at what is asked
//! by it; the names to ask by are ours, since the text has only the numbers of clauses and rows.
use crate::devices::{Device, Item, Metric};
use crate::documents::{Policy, Report};
use crate::people::{Qualification, SpecialWork};
use crate::repair::{Row, RowWhen};
use crate::services::{Service, Workflow};
use crate::{Book, Marked, Minutes, Words, incidents, tickets};

/// What 7.4.4.5 asks before it says who repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RepairCase<'a> {
    /// The maker has stopped making it and no longer serves it (7.4.4.5 d).
    pub discontinued: bool,
    /// The maker's warranty holds (7.4.4.5 a).
    pub in_warranty: bool,
    /// The repair group of the device's class (7.4.4.5 b, c): `office_equipment`, `basic_environment_facility`, `it`, `software`.
    pub group: &'a str,
    /// The provider can repair it (7.4.4.5 c).
    pub provider_can_repair: bool,
}

impl Row {
    fn holds(&self, case: &RepairCase<'_>) -> bool {
        let RowWhen { vendor_support, warranty, device_group, provider_can_repair } = &self.when;
        let vendor = if case.discontinued { "discontinued" } else { "available" };
        let state = if case.in_warranty { "in" } else { "out" };
        vendor_support.as_ref().is_none_or(|wanted| wanted.value == vendor)
            && warranty.as_ref().is_none_or(|wanted| wanted.value == state)
            && device_group.as_ref().is_none_or(|wanted| wanted.value == case.group)
            && provider_can_repair.as_ref().is_none_or(|wanted| wanted.value == case.provider_can_repair)
    }
}

impl Book {
    /// What is known of a device class: `server` (7.3.1, 7.3.2).
    pub fn device(&self, class: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.class.code == class)
    }

    /// All inspection items, with their class (7.3.2.1.3; the items of 294.2 appendix A are unknown).
    pub fn items(&self) -> impl Iterator<Item = (&Device, &Item)> {
        self.devices.iter().flat_map(|device| device.items.iter().map(move |item| (device, item)))
    }

    /// An inspection item: `INS-UPS-01`.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items().map(|(_, item)| item).find(|item| item.id == id)
    }

    /// All metrics: those of devices and those of the service desk (7.3.2.2.1; 294.2 appendix B is unknown).
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.devices.iter().flat_map(|device| device.metrics.iter().flatten()).chain(&self.desk_metrics.metrics)
    }

    /// A metric: `server.cpu_util`.
    pub fn metric(&self, id: &str) -> Option<&Metric> {
        self.metrics().find(|metric| metric.id == id)
    }

    /// A service by its clause: `7.4.4`.
    pub fn service(&self, clause: &str) -> Option<&Service> {
        self.services.services.iter().find(|service| service.clause == clause)
    }

    /// A workflow with its service: `SV-REPAIR`.
    pub fn workflow(&self, code: &str) -> Option<(&Service, &Workflow)> {
        let all = self.services.services.iter().flat_map(|service| service.workflows.iter().map(move |one| (service, one)));
        all.into_iter().find(|(_, workflow)| workflow.code == code)
    }

    /// A grade of incidents: `I` (7.4.2.2).
    pub fn incident_grade(&self, grade: &str) -> Option<&incidents::Grade> {
        self.incident_grades.grades.iter().find(|one| one.grade == grade)
    }

    /// A grade of tickets: `P1` (7.4.1.2).
    pub fn ticket_grade(&self, grade: &str) -> Option<&tickets::Grade> {
        self.ticket_grades.grades.iter().find(|one| one.grade == grade)
    }

    /// A type of tickets: `incident` (7.4.1.2).
    pub fn ticket_type(&self, code: &str) -> Option<&tickets::Type> {
        self.ticket_types.types.iter().find(|one| one.code == code)
    }

    /// The time until an incident of a category and grade is over (7.4.2.4; 294.2 table 3 is unknown).
    pub fn recovery_time(&self, category: &str, grade: &str) -> Option<&Marked<Minutes>> {
        let row = self.recovery.rows.iter().find(|row| row.category == category)?;
        match grade {
            "I" => Some(&row.minutes.one),
            "II" => Some(&row.minutes.two),
            "III" => Some(&row.minutes.three),
            "IV" => Some(&row.minutes.four),
            _ => None,
        }
    }

    /// Who repairs a device: the first row of 7.4.4.5 that holds, by priority. Every case of a known group has one.
    pub fn repair_route(&self, case: &RepairCase<'_>) -> Option<&Row> {
        self.repair.rows.iter().filter(|row| row.holds(case)).min_by_key(|row| row.priority.value)
    }

    /// A qualification or certificate: `SO-1.2` (5.2.2.3 b).
    pub fn qualification(&self, code: &str) -> Option<&Qualification> {
        self.qualifications.qualifications.iter().find(|one| one.code == code)
    }

    /// The works on a device class that need a certificate, whatever else has to hold for them (5.2.2.3 b).
    pub fn special_works<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a SpecialWork> {
        let names = move |work: &SpecialWork| {
            work.when.device_classes.as_ref().is_some_and(|classes| classes.iter().any(|one| *one == class))
        };
        self.qualifications.special_works.iter().filter(move |work| names(work))
    }

    /// A policy of table A.1: `A1-01`.
    pub fn policy(&self, code: &str) -> Option<&Policy> {
        self.policies.policies.iter().find(|one| one.code == code)
    }

    /// A report or form: `RPT-DRILL`.
    pub fn report(&self, code: &str) -> Option<&Report> {
        self.reports.reports.iter().find(|one| one.code == code)
    }

    /// The parts of an emergency plan (7.3.5.1.2).
    pub fn emergency_plan_parts(&self) -> &[Words] {
        self.parts(self.emergency.plan_parts.as_str())
    }

    /// The parts of a drill plan (7.3.5.2.1).
    pub fn drill_plan_parts(&self) -> &[Words] {
        self.parts(self.emergency.drill_plan_parts.as_str())
    }

    /// The parts of a drill report (7.3.5.2.5).
    pub fn drill_report_parts(&self) -> &[Words] {
        self.parts(self.emergency.drill_report_parts.as_str())
    }

    fn parts(&self, report: &str) -> &[Words] {
        self.report(report).map(|report| report.parts.as_slice()).unwrap_or_default()
    }
}
