//! What is frozen with a ticket stays readable. `frozen/v1.json` was written when format 1 was made and is never written again.
use standard::procedure::{FORMAT, Frozen, Step, procedures};

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

/// Why the deployment is refused once this was done to it.
fn refused(spoil: impl FnOnce(&mut [Step])) -> String {
    let mut procedure = procedures().get("SV-DEPLOY").unwrap().clone();
    spoil(&mut procedure.steps);
    Frozen::freeze(procedure).unwrap_err().to_string()
}

#[test]
fn a_frozen_procedure_that_nobody_could_follow_is_refused() {
    assert_eq!(refused(|steps| steps[1].after = vec![7]), "steps[1].after: there is no step 7");
    let below = "steps[0].parent: an item stands below a numbered step that has items";
    assert_eq!(refused(|steps| steps[0].parent = Some(2)), below);
    assert_eq!(refused(|steps| steps[0].parent = Some(7)), below);
    let mute = "steps[2].substeps: it has items, but does not say how they follow each other";
    assert_eq!(refused(|steps| steps[2].substeps = None), mute);
    let foreign = refused(|steps| steps[2].substeps.as_mut().unwrap().words = Some("原文没有的话".into()));
    assert_eq!(foreign, "steps[2].substeps: the clause does not say “原文没有的话”");
}
