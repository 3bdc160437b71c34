//! The examples run, and what they claim holds.

#[path = "../../examples/explain.rs"]
mod explain;
#[path = "../../examples/side_by_side.rs"]
mod side_by_side;
#[path = "../../examples/what_if.rs"]
mod what_if;

#[test]
fn a_deadline_is_explained() {
    explain::main().unwrap();
}

#[test]
fn two_promises_run_side_by_side() {
    side_by_side::main().unwrap();
}

#[test]
fn a_change_is_tried_on_what_happened() {
    what_if::main().unwrap();
}
