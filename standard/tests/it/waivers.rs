//! The engine, rule by rule: what is done without, and who may answer for it.
use std::collections::BTreeSet;

use standard::procedure::{Evidence, GateKind, Lack, Party, Person, Refusal, Status, Unfit};

use crate::acts::{
    begin, desk, finish, good, li, provider, refusal, reopen, show, status, take, through, waive_gate, waive_step,
};
use crate::walk::{missing, of, open};

#[test]
fn a_waiver_is_approved_by_whose_word_is_waived_or_who_oversees() {
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), begin("7.4.4.1", &[]));
    let kind = GateKind::Confirmation;
    let may: BTreeSet<Party> = [Party::Administrator, Party::Consumer, Party::Supervisor].into();
    let refused = refusal(&mut progress, li(), waive_gate("7.4.4.1", kind, provider()));
    assert_eq!(refused, Refusal::Unfit { step: "7.4.4.1".into(), why: Unfit::Role(may) });
    assert_eq!(refused.to_string(), "7.4.4.1不能豁免：批准人须为管理方或使用方或监理方");
    take(&mut progress, li(), waive_gate("7.4.4.1", kind, of(Party::Consumer)));
    take(&mut progress, li(), finish("7.4.4.1"));
    // Nobody else's word is asked for by a plan, so the provider may answer for doing without it.
    take(&mut progress, li(), begin("7.4.4.2", &[]));
    take(&mut progress, li(), waive_gate("7.4.4.2", GateKind::Plan, provider()));
    take(&mut progress, li(), waive_gate("7.4.4.2", GateKind::Precondition, of(Party::Supervisor)));
    take(&mut progress, li(), finish("7.4.4.2"));
    assert_eq!(status(&progress, "7.4.4.2"), Status::Done);
}

#[test]
fn where_the_book_demands_a_second_person_the_approver_is_one() {
    let mut progress = open("SV-REPAIR");
    let both = Person::new("both", [Party::Engineer, Party::Consumer]);
    let same = || Refusal::Unfit { step: "7.4.4.1".into(), why: Unfit::SamePerson("both".into()) };
    let waiver = || waive_gate("7.4.4.1", GateKind::Confirmation, both.clone());
    // Who asks for it.
    assert_eq!(refusal(&mut progress, both.clone(), waiver()), same());
    // Who does the step.
    take(&mut progress, both.clone(), begin("7.4.4.1", &[]));
    assert_eq!(refusal(&mut progress, li(), waiver()), same());
    assert_eq!(same().to_string(), "7.4.4.1不能豁免：批准人不得是申请人或执行人（both）");
    // Who showed evidence for it.
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), begin("7.4.4.1", &[]));
    let half = Evidence { signatures: vec![], ..good(&progress, "7.4.4.1", GateKind::Confirmation) };
    take(&mut progress, both.clone(), show("7.4.4.1", GateKind::Confirmation, half));
    assert_eq!(refusal(&mut progress, li(), waiver()), same());
    // Who approved it and then does the step himself.
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), waiver());
    take(&mut progress, both.clone(), begin("7.4.4.1", &[]));
    let refused = missing(&refusal(&mut progress, both.clone(), finish("7.4.4.1")));
    assert_eq!(refused[0].lack, Lack::SecondPerson("both".into()));
}

#[test]
fn one_person_may_ask_and_approve_where_the_book_asks_for_nobody_else() {
    let mut progress = open("SV-REPAIR");
    through(&mut progress, &li(), "7.4.4.1", &[]);
    let chief = Person::new("chief", [Party::Engineer, Party::Provider]);
    take(&mut progress, chief.clone(), begin("7.4.4.2", &[]));
    for kind in [GateKind::Plan, GateKind::Precondition] {
        take(&mut progress, chief.clone(), waive_gate("7.4.4.2", kind, chief.clone()));
    }
    take(&mut progress, chief, finish("7.4.4.2"));
}

#[test]
fn what_the_clause_says_with_shall_is_not_waived_by_the_provider() {
    let mut progress = open("SV-BACKUP");
    through(&mut progress, &li(), "7.4.7.1", &[]);
    through(&mut progress, &li(), "7.4.7.2", &[]);
    let waiver = |by: Person| waive_gate("7.4.7.3", GateKind::Precondition, by);
    let may: BTreeSet<Party> = [Party::Administrator, Party::Consumer, Party::Supervisor].into();
    let refused = refusal(&mut progress, li(), waiver(provider()));
    assert_eq!(refused, Refusal::Unfit { step: "7.4.7.3".into(), why: Unfit::Role(may) });
    let both = Person::new("both", [Party::Engineer, Party::Supervisor]);
    let same = Unfit::SamePerson("both".into());
    assert_eq!(refusal(&mut progress, both.clone(), waiver(both)), Refusal::Unfit { step: "7.4.7.3".into(), why: same });
    take(&mut progress, li(), waiver(of(Party::Supervisor)));
    take(&mut progress, li(), begin("7.4.7.3", &["remote"]));
}

#[test]
fn a_step_is_waived_with_all_its_gates_and_items_or_not_at_all() {
    let mut progress = open("SV-DEPLOY");
    // The provider may not waive the confirmation of the user organisation, and so not the step either.
    assert!(matches!(refusal(&mut progress, li(), waive_step("7.4.3.1", provider())), Refusal::Unfit { .. }));
    take(&mut progress, li(), waive_step("7.4.3.1", of(Party::Consumer)));
    take(&mut progress, li(), waive_step("7.4.3.2", provider()));
    take(&mut progress, li(), waive_step("7.4.3.3", provider()));
    assert_eq!(status(&progress, "7.4.3.3"), Status::Waived);
    assert_eq!(status(&progress, "7.4.3.3.a"), Status::Waived);
    assert_eq!(status(&progress, "7.4.3.4"), Status::Ready);
    // An item of a waived step is opened again with its step.
    let refused = Refusal::Already { step: "7.4.3.3".into(), status: Status::Waived };
    assert_eq!(refusal(&mut progress, li(), reopen("7.4.3.3.a")), refused);
}

#[test]
fn a_step_whose_item_has_a_second_person_is_not_waived_by_the_provider() {
    let mut progress = open("SV-EMERG");
    let boss = Person::new("boss", [Party::Engineer, Party::Provider]);
    for step in ["7.4.2.1", "7.4.2.2", "7.4.2.3"] {
        through(&mut progress, &boss, step, &[]);
    }
    let refused = refusal(&mut progress, li(), waive_step("7.4.2.4", provider()));
    assert_eq!(refused.clause(), Some("7.4.2.4.c"));
    take(&mut progress, li(), waive_step("7.4.2.4", of(Party::Administrator)));
}

#[test]
fn an_undecided_step_may_be_waived_but_not_one_whose_turn_has_not_come() {
    let mut progress = open("SV-HOTLINE");
    for step in ["7.4.1.1", "7.4.1.2", "7.4.1.3"] {
        through(&mut progress, &desk(), step, &[]);
    }
    assert!(matches!(refusal(&mut progress, desk(), waive_step("7.4.1.5", provider())), Refusal::NotYet { .. }));
    take(&mut progress, desk(), waive_step("7.4.1.4", provider()));
    assert_eq!(status(&progress, "7.4.1.5"), Status::Ready);
}
