//! The back door: what ticketing does about other services' facts.
use chassis::{Agency, Clock, Origin, Tx};
use jiff::Timestamp;
use mailbox::{Received, Unhandled};
use prost::Name;
use proto::{Wire, inspection::v1 as inspection, instant};

use crate::{
    ticket::{Call, Evidence, Grade, Recheck, TicketId},
    tickets::{self, Error},
};

/// How grave a finding is, in the inspection's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Minor,
    Major,
    Critical,
}
proto::same_words!(Severity = inspection::Severity { Minor, Major, Critical });

impl Severity {
    /// The grade of the ticket (product default, to be replaced by DB4401/T 294.2 tables).
    fn grade(self) -> Grade {
        match self {
            Self::Minor => Grade::Iv,
            Self::Major => Grade::Iii,
            Self::Critical => Grade::Ii,
        }
    }
}

/// What ticketing does about findings: one ticket each, and the re-check's word on it.
#[derive(Debug)]
pub struct Reactions {
    clock: Clock,
}

impl Reactions {
    /// With the clock that says when something was done.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

impl mailbox::Reactions for Reactions {
    fn kinds(&self) -> Vec<String> {
        vec![
            inspection::FindingOpened::full_name(),
            inspection::FindingSeen::full_name(),
            inspection::FindingCleared::full_name(),
        ]
    }

    /// A finding's facts say when what they tell of was so, and a ticket takes them by that: `tests/it/reactions.rs` tries it.
    fn ordered(&self) -> bool {
        false
    }

    async fn react(&self, tx: &mut Tx, fact: &Received) -> Result<(), Unhandled> {
        let now = self.clock.now();
        if let Some(opened) = fact.open::<inspection::FindingOpened>() {
            let finding = Found::read(opened?.finding, &fact.agency)?;
            finding.ticket(tx, now).await?;
        } else if let Some(seen) = fact.open::<inspection::FindingSeen>() {
            let finding = Found::read(seen?.finding, &fact.agency)?;
            let id = finding.ticket(tx, now).await?;
            tickets::recheck_failed(tx, &fact.agency, id, finding.evidence(), now).await?;
        } else if let Some(cleared) = fact.open::<inspection::FindingCleared>() {
            let finding = Found::read(cleared?.finding, &fact.agency)?;
            let recheck = finding.recheck()?;
            let id = finding.ticket(tx, now).await?;
            tickets::recheck_passed(tx, &fact.agency, id, recheck, now).await?;
        }
        Ok(())
    }
}

/// A finding as a fact tells it, with what we need known present.
struct Found {
    agency: Agency,
    finding: inspection::Finding,
    severity: Severity,
    opened_at: Timestamp,
    last_seen_at: Timestamp,
}

impl Found {
    fn read(finding: Option<inspection::Finding>, agency: &Agency) -> Result<Self, Unhandled> {
        let poison = |why: &str| Unhandled::Poison(format!("finding: {why}"));
        let finding = finding.ok_or_else(|| poison("is missing"))?;
        if !finding.name.starts_with(&format!("agencies/{agency}/")) {
            return Err(poison("belongs to another agency than its message"));
        }
        let moment =
            |stamp: &Option<pbjson_types::Timestamp>, field: &str| stamp.as_ref().and_then(instant).ok_or_else(|| poison(field));
        Ok(Self {
            agency: agency.clone(),
            severity: Severity::from_wire("severity", finding.severity).map_err(|invalid| poison(&invalid.to_string()))?,
            opened_at: moment(&finding.open_time, "open_time is no moment")?,
            last_seen_at: moment(&finding.last_seen_time, "last_seen_time is no moment")?,
            finding,
        })
    }

    /// The ticket of this finding, opened if it is not yet.
    async fn ticket(&self, tx: &mut Tx, now: Timestamp) -> Result<TicketId, Unhandled> {
        let id = TicketId::of_finding(&self.finding.name, self.opened_at);
        let inspection::Finding { name, item_title, device, device_display_name, device_address, reason, .. } = &self.finding;
        let call = Call {
            title: format!("{device_display_name}：{item_title}不合格"),
            description: format!(
                "巡检发现问题。设备：{device_display_name}（{device_address}）；巡检项：{item_title}；原因：{reason}"
            ),
            grade: self.severity.grade(),
            device: Some(device.clone()),
            finding: Some(name.clone()),
            requester: "inspection".into(),
            evidence: vec![self.evidence()],
            origin: Origin::current(),
        };
        tickets::open(tx, &self.agency, id, call, now).await?;
        Ok(id)
    }

    fn evidence(&self) -> Evidence {
        Evidence { at: self.last_seen_at, source: self.finding.last_seen_run.clone(), text: self.finding.reason.clone() }
    }

    fn recheck(&self) -> Result<Recheck, Unhandled> {
        let at = self.finding.clear_time.as_ref().and_then(instant);
        let at = at.ok_or_else(|| Unhandled::Poison("finding: clear_time is no moment".into()))?;
        Ok(Recheck { run: self.finding.clearing_run.clone(), at })
    }
}

impl From<Error> for Unhandled {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(cause) => cause.into(),
            // A reaction asks for nothing that a ticket refuses; if one does, the message is not what we think.
            Error::NotFound(_) | Error::Refused(_) => Self::Poison(error.to_string()),
        }
    }
}
