//! What is frozen with a ticket stays readable. `frozen/v1.json` was written when format 1 was made and is never written again.
use standard::procedure::{FORMAT, Frozen, procedures};

#[test]
fn an_old_frozen_procedure_is_still_read_and_a_newer_one_is_refused() {
    let kept = include_str!("frozen/v1.json");
    let frozen: Frozen = serde_json::from_str(kept).unwrap();
    assert_eq!(frozen.procedure().code, "SV-CONSUM");
    assert_eq!(frozen.procedure().gates(), 5);
    let again: serde_json::Value = serde_json::to_value(&frozen).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(kept).unwrap());
    let newer = kept.replacen(&format!("\"format\": {FORMAT}"), "\"format\": 2", 1);
    assert!(serde_json::from_str::<Frozen>(&newer).unwrap_err().to_string().contains("format 2 is not known here"));
    let other = kept.replacen("\"steps\"", "\"stairs\"", 1);
    assert!(serde_json::from_str::<Frozen>(&other).unwrap_err().to_string().contains("steps"));
}

#[test]
fn a_frozen_procedure_that_nobody_could_follow_is_refused() {
    let mut procedure = procedures().get("SV-DEPLOY").unwrap().clone();
    procedure.steps[1].after = vec![7];
    assert_eq!(Frozen::freeze(procedure).unwrap_err().to_string(), "steps[1].after: there is no step 7");
}
