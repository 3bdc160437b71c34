//! The engine, rule by rule: order, roles, evidence, conditions.
use std::collections::BTreeSet;

use standard::procedure::{
    Act, Choice, Evidence, Frozen, GateKind, Lack, Move, Outcome, Party, Person, Progress, Refusal, Signature, Status, procedures,
};

use crate::acts::{answer, begin, desk, diagnosed, finish, good, li, provider, refusal, reopen, show, status, take, through};
use crate::walk::{missing, of, open};

#[test]
fn a_step_waits_for_those_before_it() {
    let mut progress = open("SV-REPAIR");
    assert_eq!(status(&progress, "7.4.4.1"), Status::Ready);
    assert_eq!(status(&progress, "7.4.4.2"), Status::Waiting);
    let refused = refusal(&mut progress, li(), begin("7.4.4.2", &[]));
    assert_eq!(refused, Refusal::NotYet { step: "7.4.4.2".into(), waits_for: vec!["7.4.4.1".into()] });
    assert_eq!(refused.to_string(), "7.4.4.2须在7.4.4.1之后");
    assert_eq!(progress.records(), []);
}

#[test]
fn only_the_actors_of_the_clause_do_its_step() {
    let mut progress = open("SV-HOTLINE");
    let refused = refusal(&mut progress, li(), begin("7.4.1.1", &[]));
    assert_eq!(refused, Refusal::WrongRole { step: "7.4.1.1".into(), may: [Party::ServiceDesk].into() });
    assert_eq!(refused.to_string(), "7.4.1.1须由服务台进行");
    // The user organisation takes part in 7.4.4.1 through its confirmation, not by doing the step.
    let mut progress = open("SV-REPAIR");
    let refused = refusal(&mut progress, of(Party::Consumer), begin("7.4.4.1", &[]));
    assert_eq!(refused, Refusal::WrongRole { step: "7.4.4.1".into(), may: [Party::Engineer].into() });
}

#[test]
fn evidence_has_to_have_what_the_clause_enumerates_and_several_pieces_add_up() {
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), begin("7.4.4.1", &[]));
    let whole = good(&progress, "7.4.4.1", GateKind::Confirmation);
    let half = Evidence { contents: ["faulty_device".to_owned()].into(), ..whole.clone() };
    take(&mut progress, li(), show("7.4.4.1", GateKind::Confirmation, half));
    let refused = refusal(&mut progress, li(), finish("7.4.4.1"));
    assert_eq!(refused.to_string(), "7.4.4.1不能通过：7.4.4.1（确认）缺少内容：故障现象（原文“与使用方确认”）");
    let rest = Evidence { contents: ["phenomenon".to_owned()].into(), signatures: vec![], ..whole };
    take(&mut progress, li(), show("7.4.4.1", GateKind::Confirmation, rest));
    take(&mut progress, li(), finish("7.4.4.1"));
    assert_eq!(status(&progress, "7.4.4.1"), Status::Done);
}

#[test]
fn a_content_that_the_clause_does_not_enumerate_is_refused() {
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), begin("7.4.4.1", &[]));
    let mut strange = good(&progress, "7.4.4.1", GateKind::Confirmation);
    strange.contents.insert("colour".into());
    let refused = refusal(&mut progress, li(), show("7.4.4.1", GateKind::Confirmation, strange));
    let kind = GateKind::Confirmation;
    assert_eq!(refused, Refusal::UnknownContent { step: "7.4.4.1".into(), gate: kind, key: "colour".into() });
}

#[test]
fn what_must_say_something_may_not_be_empty() {
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), begin("7.4.4.1", &[]));
    let mut nowhere = good(&progress, "7.4.4.1", GateKind::Confirmation);
    nowhere.reference = " ".into();
    let empty = |field: &str| Refusal::Empty { field: field.into() };
    assert_eq!(refusal(&mut progress, li(), show("7.4.4.1", GateKind::Confirmation, nowhere)), empty("evidence.reference"));
    let mute = Act::Reopen { step: "7.4.4.1".into(), reason: String::new() };
    assert_eq!(refusal(&mut progress, li(), mute), empty("reason"));
    let mute = Act::WaiveStep { step: "7.4.4.1".into(), reason: "\t".into(), approved_by: of(Party::Consumer) };
    assert_eq!(refusal(&mut progress, li(), mute), empty("reason"));
    let (step, gate) = ("7.4.4.1".into(), GateKind::Confirmation);
    let mute = Act::WaiveGate { step, gate, reason: String::new(), approved_by: of(Party::Consumer) };
    assert_eq!(refusal(&mut progress, li(), mute), empty("reason"));
    let mute = Act::Answer { condition: "not_restored_in_time".into(), holds: true, because: String::new() };
    assert_eq!(refusal(&mut progress, li(), mute), empty("because"));
    let mute = Act::Abandon { reason: String::new(), approved_by: of(Party::Consumer) };
    assert_eq!(refusal(&mut progress, li(), mute), empty("reason"));
}

#[test]
fn each_interested_party_of_the_ticket_has_to_review() {
    let mut progress = open("SV-ASSESS");
    let boss = Person::new("boss", [Party::Engineer, Party::Provider]);
    through(&mut progress, &boss, "7.2.1", &["on_site", "remote"]);
    through(&mut progress, &boss, "7.2.2", &[]);
    through(&mut progress, &boss, "7.2.3", &[]);
    take(&mut progress, boss.clone(), begin("7.2.4", &[]));
    let signed = |party: Party| Evidence {
        signatures: vec![Signature { party, person: of(party).id }],
        ..Evidence { reference: "reviews/7".into(), outcome: Outcome::Positive, contents: BTreeSet::new(), signatures: vec![] }
    };
    take(&mut progress, boss.clone(), show("7.2.4", GateKind::Review, signed(Party::Consumer)));
    let refused = missing(&refusal(&mut progress, boss.clone(), finish("7.2.4")));
    let rest = [Party::Administrator, Party::Supervisor].into();
    assert_eq!(refused[0].lack, Lack::Parties { choice: Choice::All, parties: rest });
    assert_eq!(refused[0].to_string(), "7.2.4（评审或复核）缺少管理方、监理方（原文“评审”）");
    // A party may hand in its own review.
    take(&mut progress, of(Party::Administrator), show("7.2.4", GateKind::Review, signed(Party::Administrator)));
    take(&mut progress, boss.clone(), show("7.2.4", GateKind::Review, signed(Party::Supervisor)));
    take(&mut progress, boss, finish("7.2.4"));
}

#[test]
fn a_ticket_names_its_interested_parties_and_has_at_least_one() {
    let frozen = open("SV-ASSESS").frozen().clone();
    let refused = Progress::open(frozen.clone(), [Party::Provider, Party::InterestedParty]).unwrap_err();
    assert_eq!(refused, Refusal::Empty { field: "interested".into() });
    let progress = Progress::open(frozen, [Party::Consumer, Party::Engineer]).unwrap();
    assert_eq!(*progress.interested(), [Party::Consumer].into());
}

#[test]
fn either_party_is_enough_where_the_clause_says_or() {
    let mut progress = open("SV-TRAIN");
    take(&mut progress, provider(), begin("7.5.3.1", &[]));
    let mut none = good(&progress, "7.5.3.1", GateKind::Confirmation);
    let either = none.clone();
    none.signatures.clear();
    take(&mut progress, provider(), show("7.5.3.1", GateKind::Confirmation, none));
    let refused = missing(&refusal(&mut progress, provider(), finish("7.5.3.1")));
    assert_eq!(refused[0].to_string(), "7.5.3.1（确认）缺少管理方或使用方（原文“与管理方或使用方确认”）");
    let one = Evidence { signatures: either.signatures[..1].to_vec(), ..either };
    take(&mut progress, provider(), show("7.5.3.1", GateKind::Confirmation, one));
    take(&mut progress, provider(), finish("7.5.3.1"));
}

#[test]
fn who_does_a_step_cannot_confirm_it_as_well() {
    let mut progress = open("SV-REPAIR");
    let both = Person::new("both", [Party::Engineer, Party::Consumer]);
    take(&mut progress, both.clone(), begin("7.4.4.1", &[]));
    let mut own = good(&progress, "7.4.4.1", GateKind::Confirmation);
    own.signatures[0].person = "both".into();
    take(&mut progress, both.clone(), show("7.4.4.1", GateKind::Confirmation, own));
    let refused = missing(&refusal(&mut progress, both, finish("7.4.4.1")));
    assert_eq!(refused[0].lack, Lack::SecondPerson("both".into()));
    // Nor does it help that another finishes it.
    let refused = missing(&refusal(&mut progress, li(), finish("7.4.4.1")));
    assert_eq!(refused[0].to_string(), "7.4.4.1（确认）须由另一人：both是本步骤的执行人（原文“与使用方确认”）");
}

#[test]
fn a_failed_test_closes_its_gate_until_a_new_one_passes() {
    let mut progress = open("SV-CONSUM");
    through(&mut progress, &li(), "7.4.11.1", &[]);
    through(&mut progress, &li(), "7.4.11.2", &[]);
    take(&mut progress, li(), begin("7.4.11.3", &[]));
    let passed = good(&progress, "7.4.11.3", GateKind::Test);
    let failed = Evidence { outcome: Outcome::Negative, ..passed.clone() };
    take(&mut progress, li(), show("7.4.11.3", GateKind::Test, passed.clone()));
    take(&mut progress, li(), show("7.4.11.3", GateKind::Test, failed));
    let refused = missing(&refusal(&mut progress, li(), finish("7.4.11.3")));
    assert_eq!(refused[0].lack, Lack::Failed);
    assert_eq!(refused[0].to_string(), "7.4.11.3（测试验证）最近一次的结果为未通过（原文“测试验证设备的状态”）");
    take(&mut progress, li(), show("7.4.11.3", GateKind::Test, passed));
    take(&mut progress, li(), finish("7.4.11.3"));
}

#[test]
fn what_was_shown_before_a_failure_counts_no_more() {
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), begin("7.4.4.1", &[]));
    let whole = good(&progress, "7.4.4.1", GateKind::Confirmation);
    let bare = Evidence { contents: BTreeSet::new(), ..whole.clone() };
    for evidence in [whole.clone(), Evidence { outcome: Outcome::Negative, ..whole }, bare] {
        take(&mut progress, li(), show("7.4.4.1", GateKind::Confirmation, evidence));
    }
    let refused = missing(&refusal(&mut progress, li(), finish("7.4.4.1")));
    assert!(matches!(&refused[0].lack, Lack::Contents(contents) if contents.len() == 2));
}

#[test]
fn a_precondition_stands_before_the_beginning() {
    let mut progress = open("SV-CABLE");
    through(&mut progress, &li(), "7.4.6.1", &[]);
    through(&mut progress, &li(), "7.4.6.2", &["on_site"]);
    let refused = refusal(&mut progress, li(), begin("7.4.6.3", &[]));
    assert_eq!(refused.to_string(), "7.4.6.3不能通过：7.4.6.3（前提）缺少证据（原文“确保施工安全”）");
    let safe = good(&progress, "7.4.6.3", GateKind::Precondition);
    take(&mut progress, li(), show("7.4.6.3", GateKind::Precondition, safe.clone()));
    take(&mut progress, li(), begin("7.4.6.3", &[]));
    // It has to hold to the end.
    take(&mut progress, li(), show("7.4.6.3", GateKind::Precondition, Evidence { outcome: Outcome::Negative, ..safe }));
    for item in ["7.4.6.3.a", "7.4.6.3.b", "7.4.6.3.c"] {
        through(&mut progress, &li(), item, &[]);
    }
    assert_eq!(missing(&refusal(&mut progress, li(), finish("7.4.6.3")))[0].lack, Lack::Failed);
}

#[test]
fn evidence_for_the_end_comes_after_the_beginning() {
    let mut progress = open("SV-REPAIR");
    let early = good(&progress, "7.4.4.1", GateKind::Confirmation);
    let refused = refusal(&mut progress, li(), show("7.4.4.1", GateKind::Confirmation, early));
    assert_eq!(refused, Refusal::Already { step: "7.4.4.1".into(), status: Status::Ready });
    assert_eq!(refused.to_string(), "7.4.4.1当前为“可以开始”");
    assert_eq!(
        refusal(&mut progress, li(), finish("7.4.4.1")),
        Refusal::Already { step: "7.4.4.1".into(), status: Status::Ready }
    );
}

#[test]
fn a_stranger_shows_no_evidence() {
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), begin("7.4.4.1", &[]));
    let whole = good(&progress, "7.4.4.1", GateKind::Confirmation);
    let refused = refusal(&mut progress, desk(), show("7.4.4.1", GateKind::Confirmation, whole.clone()));
    let may = [Party::Engineer, Party::Consumer].into();
    assert_eq!(refused, Refusal::WrongRole { step: "7.4.4.1".into(), may });
    take(&mut progress, of(Party::Consumer), show("7.4.4.1", GateKind::Confirmation, whole));
}

#[test]
fn remote_work_needs_its_precondition_and_work_on_site_does_not() {
    let prepared = || {
        let mut progress = open("SV-BACKUP");
        through(&mut progress, &li(), "7.4.7.1", &[]);
        through(&mut progress, &li(), "7.4.7.2", &[]);
        progress
    };
    let mut progress = prepared();
    take(&mut progress, li(), begin("7.4.7.3", &["on_site"]));
    take(&mut progress, li(), finish("7.4.7.3"));
    let mut progress = prepared();
    let refused = refusal(&mut progress, li(), begin("7.4.7.3", &["on_site", "remote"]));
    assert_eq!(missing(&refused)[0].gate, Some(GateKind::Precondition));
    assert!(refused.to_string().contains("远程操作需要在权限受控或有监督的环境下实施"));
}

#[test]
fn modes_are_those_of_the_clause() {
    let mut progress = open("SV-ASSESS");
    let refused = refusal(&mut progress, li(), begin("7.2.1", &["remote"]));
    assert_eq!(refused.to_string(), "7.2.1的方式须为全部：on_site、remote");
    refusal(&mut progress, li(), begin("7.2.1", &["on_site", "remote", "by_post"]));
    take(&mut progress, li(), begin("7.2.1", &["on_site", "remote"]));
    let mut progress = open("SV-BACKUP");
    let refused = refusal(&mut progress, li(), begin("7.4.7.1", &["on_site"]));
    assert_eq!(refused, Refusal::Modes { step: "7.4.7.1".into(), choice: Choice::All, of: vec![] });
    assert_eq!(refused.to_string(), "7.4.7.1不分方式");
    through(&mut progress, &li(), "7.4.7.1", &[]);
    through(&mut progress, &li(), "7.4.7.2", &[]);
    let refused = refusal(&mut progress, li(), begin("7.4.7.3", &[]));
    assert_eq!(refused.to_string(), "7.4.7.3的方式须至少为其一：on_site、remote");
    refusal(&mut progress, li(), begin("7.4.7.3", &["on_site", "by_post"]));
}

#[test]
fn what_a_step_will_lack_is_told_beforehand_where_its_modes_leave_no_choice() {
    let told = |choice| {
        let mut procedure = procedures().get("SV-BACKUP").unwrap().clone();
        procedure.steps[2].modes.as_mut().unwrap().choice = choice;
        let mut progress = Progress::open(Frozen::freeze(procedure).unwrap(), [Party::Consumer]).unwrap();
        through(&mut progress, &li(), "7.4.7.1", &[]);
        through(&mut progress, &li(), "7.4.7.2", &[]);
        progress.next()[0].missing.iter().map(|missing| missing.gate).collect::<Vec<_>>()
    };
    assert_eq!(told(Choice::All), [Some(GateKind::Precondition)]);
    assert_eq!(told(Choice::Any), []);
}

#[test]
fn a_condition_of_the_text_has_to_be_answered_before_its_step() {
    assert_eq!(status(&diagnosed(), "7.4.4.4"), Status::NotApplicable);
    let mut progress = open("SV-HOTLINE");
    for step in ["7.4.1.1", "7.4.1.2", "7.4.1.3"] {
        through(&mut progress, &desk(), step, &[]);
    }
    assert_eq!(status(&progress, "7.4.1.4"), Status::Undecided);
    let next = progress.next();
    assert_eq!(next[0].what, Move::Answer("desk_cannot_resolve".into()));
    assert_eq!(next[0].by, [Party::Provider, Party::ServiceDesk, Party::Engineer].into());
    let refused = refusal(&mut progress, desk(), begin("7.4.1.4", &["remote"]));
    assert_eq!(refused.to_string(), "7.4.1.4是否适用尚未确定：服务台无法处理解决的");
    assert_eq!(
        refusal(&mut progress, desk(), answer("is_it_raining", true)),
        Refusal::UnknownCondition { condition: "is_it_raining".into() }
    );
    assert!(matches!(
        refusal(&mut progress, of(Party::Supervisor), answer("desk_cannot_resolve", true)),
        Refusal::WrongRole { .. }
    ));
    take(&mut progress, desk(), answer("desk_cannot_resolve", true));
    assert_eq!(status(&progress, "7.4.1.4"), Status::Ready);
}

#[test]
fn an_answer_may_change_until_something_was_built_upon_it() {
    let mut progress = diagnosed();
    take(&mut progress, li(), answer("not_restored_in_time", true));
    assert_eq!(status(&progress, "7.4.4.4"), Status::Ready);
    take(&mut progress, li(), answer("not_restored_in_time", false));
    take(&mut progress, li(), begin("7.4.4.5", &[]));
    let refused = refusal(&mut progress, li(), answer("not_restored_in_time", true));
    assert_eq!(refused, Refusal::InUse { step: "7.4.4.5".into() });
    // Said once more, it is nothing new.
    take(&mut progress, li(), answer("not_restored_in_time", false));
    take(&mut progress, li(), reopen("7.4.4.4"));
    assert_eq!(status(&progress, "7.4.4.4"), Status::Undecided);
    assert_eq!(status(&progress, "7.4.4.5"), Status::Waiting);
}

#[test]
fn the_answer_of_a_step_that_has_begun_stands() {
    let mut progress = diagnosed();
    take(&mut progress, li(), answer("not_restored_in_time", true));
    take(&mut progress, li(), begin("7.4.4.4", &[]));
    assert_eq!(refusal(&mut progress, li(), answer("not_restored_in_time", false)), Refusal::InUse { step: "7.4.4.4".into() });
}
