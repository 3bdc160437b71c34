//! The procedures that ship: how many, and that each can be walked to its end.
use std::collections::BTreeSet;

use standard::procedure::{self, Condition, FILES, GateKind, Party, Procedures, Substeps, procedures};
use standard::{Book, Status};

use crate::walk::{go, open};

#[test]
fn twenty_three_procedures_have_128_steps_34_items_and_133_gates_of_which_9_are_second_ones() {
    let all: Vec<_> = procedures().iter().collect();
    let steps: Vec<_> = all.iter().flat_map(|procedure| &procedure.steps).collect();
    assert_eq!(all.len(), 23);
    assert_eq!(all.iter().map(|procedure| &procedure.service).collect::<BTreeSet<_>>().len(), 20);
    assert_eq!(steps.iter().filter(|step| step.parent.is_none()).count(), 128);
    assert_eq!(steps.iter().filter(|step| step.parent.is_some()).count(), 34);
    assert_eq!(steps.iter().filter(|step| !step.gates.is_empty()).count(), 124);
    assert_eq!(steps.iter().map(|step| step.gates.len().saturating_sub(1)).sum::<usize>(), 9);
    assert_eq!(all.iter().map(|procedure| procedure.gates()).sum::<usize>(), 133);
    assert_eq!(steps.iter().flat_map(|step| &step.gates).filter(|gate| gate.words.is_none()).count(), 8);
}

#[test]
fn each_kind_of_gate_is_there_as_often_as_the_book_has_it() {
    let count = |kind| {
        procedures()
            .iter()
            .flat_map(|procedure| &procedure.steps)
            .flat_map(|step| &step.gates)
            .filter(|gate| gate.kind == kind)
            .count()
    };
    let counts = GateKind::ALL.map(count);
    assert_eq!(counts, [22, 16, 4, 17, 16, 7, 51]);
}

#[test]
fn what_the_clauses_enumerate_is_all_there() {
    let steps = || procedures().iter().flat_map(|procedure| &procedure.steps);
    let of_gates = steps().flat_map(|step| &step.gates).map(|gate| gate.contents.len()).sum::<usize>();
    let reminders = steps().map(|step| step.contents.len()).sum::<usize>();
    assert_eq!(of_gates + reminders, 207);
}

#[test]
fn every_procedure_is_walked_from_its_first_step_to_its_end() {
    for procedure in procedures().iter() {
        let mut progress = open(&procedure.code);
        let rows_lead_anywhere = procedure.steps[0].clause.clone();
        assert_eq!(go(&mut progress, (&rows_lead_anywhere, GateKind::Record), false), None, "{}", procedure.code);
        assert!(progress.complete(), "{}: {:?}", procedure.code, progress.standing());
        // What goes on was done as well, so nothing is left.
        assert_eq!(progress.next(), []);
        for (index, (clause, status)) in progress.standing().steps.iter().enumerate() {
            let chosen = !matches!(&procedure.steps[index].when, Some(Condition::Row { .. }));
            assert!(*status == procedure::Status::Done || !chosen, "{clause} {status:?}");
        }
    }
}

#[test]
fn only_the_routes_of_7_4_4_5_exclude_each_other() {
    let modes: Vec<_> = procedures()
        .iter()
        .flat_map(|procedure| &procedure.steps)
        .filter(|step| step.substeps.as_ref().is_some_and(|items| items.mode == Substeps::Exclusive))
        .collect();
    assert_eq!(modes.len(), 1);
    assert_eq!(modes[0].clause, "7.4.4.5");
}

#[test]
fn the_same_procedure_twice_is_refused_with_its_line() {
    let refused = Procedures::read([FILES[0], FILES[1], FILES[0]]).unwrap_err();
    assert_eq!((refused.line, refused.field.as_str()), (2, "code"));
}

#[test]
fn the_first_gate_of_a_step_is_the_one_that_its_clause_has() {
    for step in procedures().iter().flat_map(|procedure| &procedure.steps) {
        let clause = Book::shipped().clauses.get(&step.clause).unwrap();
        let of_clause = serde_json::to_value(clause.gate).unwrap();
        assert_eq!(of_clause, step.gates.first().map_or("none", |gate| gate.kind.key()), "{}", step.clause);
    }
}

#[test]
fn every_clause_of_7_2_to_7_5_that_obliges_is_one_step() {
    let steps = procedures().iter().flat_map(|procedure| &procedure.steps).map(|step| step.clause.as_str());
    let clauses = Book::shipped().clauses.obligations().map(|clause| clause.id.as_str());
    let of_chapter = clauses.filter(|clause| ["7.2.", "7.3.", "7.4.", "7.5."].iter().any(|chapter| clause.starts_with(chapter)));
    assert_eq!(steps.collect::<Vec<_>>(), of_chapter.collect::<Vec<_>>());
}

#[test]
fn every_actor_of_a_step_is_a_party_and_one_of_them_is_of_the_provider() {
    for step in procedures().iter().flat_map(|procedure| &procedure.steps) {
        let actors = &Book::shipped().clauses.get(&step.clause).unwrap().actors;
        let parties: Vec<Party> = actors.iter().map(|code| Party::from_key(code.as_str()).unwrap()).collect();
        let of_provider: BTreeSet<Party> = parties.into_iter().filter(|party| party.of_provider()).collect();
        assert_eq!(of_provider, step.by);
    }
}

#[test]
fn what_no_word_of_the_standard_says_is_marked_as_ours() {
    for step in procedures().iter().flat_map(|procedure| &procedure.steps) {
        assert_eq!(step.text.mark.source, format!("standard:{}", step.clause));
        for gate in &step.gates {
            let expected = if gate.words.is_some() { Status::Standard } else { Status::ProductDefault };
            assert_eq!(gate.mark.status, expected, "{}", step.clause);
            for content in &gate.contents {
                assert_eq!((content.words.zh.mark.status, content.words.en.mark.status), (Status::Standard, Status::Translation));
            }
        }
    }
}

#[test]
fn the_service_catalogue_names_the_same_procedures() {
    let catalogue = Book::shipped().services.services.iter().flat_map(|service| {
        service.workflows.iter().map(|workflow| (workflow.code.as_str(), workflow.clause.as_str(), service.clause.as_str()))
    });
    let here = procedures().iter().map(|one| (one.code.as_str(), one.clause.as_str(), one.service.as_str()));
    assert_eq!(here.collect::<Vec<_>>(), catalogue.collect::<Vec<_>>());
}

#[test]
fn every_row_of_the_repair_table_leads_to_an_item_or_to_none() {
    let steps = &procedures().get("SV-REPAIR").unwrap().steps;
    let step = steps.iter().find(|step| step.decision.is_some()).unwrap();
    let mut rows: Vec<&String> = step.decision.iter().flat_map(|decision| &decision.rows_without_substep).collect();
    for item in steps {
        if let Some(Condition::Row { rows: own, .. }) = &item.when {
            rows.extend(own);
        }
    }
    rows.sort();
    let mut of_table: Vec<&String> = Book::shipped().repair.rows.iter().map(|row| &row.id).collect();
    of_table.sort();
    assert_eq!(rows, of_table);
}
