//! Generated, see `table.rs`.
use standard::procedure::GateKind;

use crate::walk::shut;
#[test]
fn without_its_confirmation_7_5_1_1_is_refused() {
    shut("SV-PERF", "7.5.1.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_5_1_2_is_refused() {
    shut("SV-PERF", "7.5.1.2", GateKind::Plan);
}
#[test]
fn without_its_plan_7_5_1_5_is_refused() {
    shut("SV-PERF", "7.5.1.5", GateKind::Plan);
}
#[test]
fn without_its_test_7_5_1_6_is_refused() {
    shut("SV-PERF", "7.5.1.6", GateKind::Test);
}
#[test]
fn without_its_record_7_5_1_8_is_refused() {
    shut("SV-PERF", "7.5.1.8", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_5_2_1_is_refused() {
    shut("SV-NETOPT", "7.5.2.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_5_2_4_is_refused() {
    shut("SV-NETOPT", "7.5.2.4", GateKind::Plan);
}
#[test]
fn without_its_test_7_5_2_5_is_refused() {
    shut("SV-NETOPT", "7.5.2.5", GateKind::Test);
}
#[test]
fn without_its_record_7_5_2_7_is_refused() {
    shut("SV-NETOPT", "7.5.2.7", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_5_3_1_is_refused() {
    shut("SV-TRAIN", "7.5.3.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_5_3_2_is_refused() {
    shut("SV-TRAIN", "7.5.3.2", GateKind::Plan);
}
#[test]
fn without_its_record_7_5_3_3_is_refused() {
    shut("SV-TRAIN", "7.5.3.3", GateKind::Record);
}
#[test]
fn without_its_test_7_5_3_3_a_is_refused() {
    shut("SV-TRAIN", "7.5.3.3.a", GateKind::Test);
}
#[test]
fn without_its_record_7_5_3_3_c_is_refused() {
    shut("SV-TRAIN", "7.5.3.3.c", GateKind::Record);
}
#[test]
fn without_its_record_7_5_3_5_is_refused() {
    shut("SV-TRAIN", "7.5.3.5", GateKind::Record);
}
