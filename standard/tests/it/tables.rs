//! Tables: each has what the source has, and answers when asked.
use std::collections::HashSet;

use standard::{Book, RepairCase, Status};

#[test]
fn nothing_of_the_catalogue_is_missing() {
    let book = Book::shipped();
    assert_eq!(book.services.services.len(), 20);
    assert_eq!(book.services.services.iter().map(|service| service.workflows.len()).sum::<usize>(), 23);
    assert_eq!(book.devices.len(), 17);
    assert_eq!(book.items().count(), 185);
    assert_eq!(book.items().map(|(_, item)| item.checks.len()).sum::<usize>(), 324);
    let of = |kind: &str| book.items().filter(|(_, item)| *item.automation == *kind).count();
    assert_eq!([of("semi-automatic"), of("automatic"), of("manual")], [28, 102, 55]);
    assert_eq!(book.metrics().count(), 131);
    assert_eq!(book.devices.iter().flat_map(|device| &device.maintenance).flatten().count(), 16);
    assert_eq!(
        (book.parties.parties.len(), book.incident_categories.categories.len(), book.incident_grades.grades.len()),
        (8, 16, 4)
    );
    assert_eq!((book.recovery.rows.len(), book.grading.inputs.len(), book.grading.overrides.len()), (16, 3, 5));
    assert_eq!((book.ticket_types.types.len(), book.ticket_grades.grades.len(), book.ticket_states.states.len()), (12, 5, 12));
    assert_eq!((book.timers.timers.len(), book.cycles.cycles.len(), book.thresholds.thresholds.len()), (25, 25, 2));
    assert_eq!((book.repair.rows.len(), book.repair.inputs.len(), book.remote.modes.len()), (7, 4, 2));
    assert_eq!((book.alerts.levels.len(), book.staff.classes.len()), (4, 3));
    assert_eq!((book.qualifications.qualifications.len(), book.qualifications.special_works.len()), (15, 8));
    assert_eq!((book.evaluation_inputs.inputs.len(), book.b1.indicators.len(), book.b2.indicators.len()), (53, 15, 19));
    assert_eq!((book.policies.policies.len(), book.reports.reports.len(), book.platform.functions.len()), (19, 17, 12));
    assert_eq!(
        (book.ledger.mandatory.len(), book.ledger.dynamic.len(), book.ledger.suggested.len(), book.ledger.analysis.len()),
        (6, 3, 11, 3)
    );
    assert_eq!((book.spares.spares.len(), book.spares.consumables.len()), (12, 10));
    assert_eq!((book.emergency.risk_types.len(), book.emergency.drill_types.len(), book.emergency.phases.len()), (11, 3, 4));
    assert_eq!((book.sources.sources.len(), book.unknowns.unknowns.len(), book.terms.terms.len()), (58, 15, 171));
}

#[test]
fn every_file_under_data_is_shipped() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut found = HashSet::new();
    let mut rest = vec![root.clone()];
    while let Some(folder) = rest.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                rest.push(path)
            } else {
                found.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.retain(|name| !name.starts_with("procedures/") && !name.starts_with("conformance/"));
    let shipped: HashSet<String> = standard::FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, shipped);
}

#[test]
fn every_case_of_a_repair_has_a_row() {
    let book = Book::shipped();
    let route = |discontinued, in_warranty, group, provider_can_repair| {
        book.repair_route(&RepairCase { discontinued, in_warranty, group, provider_can_repair }).unwrap().id.clone()
    };
    for bits in 0..8 {
        for group in ["office_equipment", "basic_environment_facility", "it", "software"] {
            route(bits & 1 > 0, bits & 2 > 0, group, bits & 4 > 0);
        }
    }
    assert_eq!(route(true, true, "it", true), "RR-D");
    assert_eq!(route(false, true, "it", true), "RR-A");
    assert_eq!(route(false, false, "office_equipment", true), "RR-B");
    assert_eq!(route(false, false, "basic_environment_facility", true), "RR-C1");
    assert_eq!(route(false, false, "basic_environment_facility", false), "RR-C2");
    assert_eq!(route(false, false, "software", true), "RR-S");
    assert_eq!(route(false, false, "it", true), "RR-X");
}

#[test]
fn what_would_come_from_another_standard_says_so() {
    let book = Book::shipped();
    let time = book.recovery_time("EC06", "II").unwrap();
    assert_eq!((time.value.get(), time.mark.status), (120, Status::ProductDefault));
    assert!(time.mark.replaced_by.contains("表3"), "{time}");
    assert!(time.to_string().contains("产品默认值"), "{time}");
    for (_, item) in book.items() {
        assert_eq!((item.reference_294_2.mark.status, &item.reference_294_2.value), (Status::Unknown, &None));
        assert!(item.frequency.mark.replaced_by.contains("附录A"), "{}", item.id);
    }
    assert!(serde_json::to_string(time).unwrap().contains("product_default"));
}

#[test]
fn english_is_always_a_translation() {
    let book = Book::shipped();
    assert!(book.items().all(|(_, item)| item.name.en.mark.status == Status::Translation));
    assert!(
        book.b1
            .indicators
            .iter()
            .all(|one| one.name.zh.mark.status == Status::Standard && one.name.en.mark.status == Status::Translation)
    );
}

#[test]
fn parts_of_plans_and_drills_come_from_the_standard() {
    let book = Book::shipped();
    for parts in [book.emergency_plan_parts(), book.drill_plan_parts(), book.drill_report_parts()] {
        assert!(!parts.is_empty());
        assert!(parts.iter().all(|part| part.zh.mark.status == Status::Standard));
    }
    assert!(book.report("RPT-EPLAN").is_some() && book.policy("A1-01").is_some() && book.qualification("SO-1.2").is_some());
    assert!(book.special_works("ups").any(|work| work.requires.iter().any(|code| *code == "SO-1.2")));
    assert!(book.ticket_type("incident").is_some() && book.ticket_grade("P1").is_some() && book.incident_grade("IV").is_some());
    assert!(book.item("INS-UPS-01").is_some() && book.metric("server.cpu_util").is_some() && book.service("7.4.4").is_some());
    assert!(book.workflow("SV-REPAIR").is_some() && book.device("ups").is_some());
}
