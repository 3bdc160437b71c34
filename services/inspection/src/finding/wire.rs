//! Findings as protobuf has them.
use chassis::Agency;
use mailbox::Letter;
use proto::{Invalid, Wire, inspection::v1 as pb, parse, stamp};

use crate::{
    finding::{Fact, Finding, FindingId},
    plan, run,
};

/// `agencies/{agency}/findings/{finding}`.
pub(crate) fn name(agency: &Agency, id: FindingId) -> String {
    format!("agencies/{agency}/findings/{id}")
}

/// The finding that a name names.
pub(crate) fn named(field: &'static str, text: &str) -> Result<(Agency, FindingId), Invalid> {
    let [agency, finding] = parse::name(field, text, ["agencies", "findings"])?;
    Ok((Agency::from_segment(field, agency)?, parse::uuid(field, finding)?.into()))
}

impl From<Finding> for pb::Finding {
    fn from(finding: Finding) -> Self {
        let Finding {
            agency,
            id,
            plan_id,
            item_id,
            item_title,
            device_id,
            device_display_name,
            device_address,
            severity,
            reason,
            opening_run,
            opened_at,
            last_seen_run,
            last_seen_at,
            times_seen,
            clearing_run,
            cleared_at,
            origin,
        } = finding;
        Self {
            name: name(&agency, id),
            plan: plan::wire::name(&agency, &plan_id),
            item_id,
            item_title,
            device: format!("agencies/{agency}/devices/{device_id}"),
            device_display_name,
            device_address,
            severity: severity.to_wire(),
            reason,
            opening_run: run::wire::name(&agency, opening_run),
            open_time: Some(stamp(opened_at)),
            last_seen_time: Some(stamp(last_seen_at)),
            times_seen,
            clearing_run: clearing_run.map(|run| run::wire::name(&agency, run)).unwrap_or_default(),
            clear_time: cleared_at.map(stamp),
            trace_id: origin.trace_id(),
            last_seen_run: run::wire::name(&agency, last_seen_run),
        }
    }
}

/// What is told when a finding changes: the relevant parties are told in time (7.3.2.1.4).
pub(crate) fn letter(finding: &Finding, fact: Fact) -> Letter {
    let subject = name(&finding.agency, finding.id);
    let told = Some(finding.clone().into());
    let letter = match fact {
        Fact::Opened => Letter::about(&finding.agency, subject, &pb::FindingOpened { finding: told }),
        Fact::Seen => Letter::about(&finding.agency, subject, &pb::FindingSeen { finding: told }),
        Fact::Cleared => Letter::about(&finding.agency, subject, &pb::FindingCleared { finding: told }),
    };
    letter.under("7.3.2.1.4").caused_by(Some(finding.origin))
}
