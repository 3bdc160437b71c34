//! Tickets as protobuf has them. Nothing else in the crate translates.
use chassis::Agency;
use mailbox::{Letter, Recorded};
use proto::{Invalid, Wire, parse, stamp, ticketing::v1 as pb};
use serde::Deserialize;

use crate::ticket::{Confirmation, Evidence, Fact, Grade, Recheck, Resolution, State, Ticket, TicketId};

proto::same_words!(State = pb::TicketState { New, Assigned, Resolved, AwaitingConfirmation, Closed });
proto::same_words!(Grade = pb::Grade { I, Ii, Iii, Iv });

/// `agencies/{agency}/tickets/{ticket}`.
pub(crate) fn name(agency: &Agency, id: TicketId) -> String {
    format!("agencies/{agency}/tickets/{id}")
}

/// The ticket that a name names.
pub(crate) fn named(field: &'static str, text: &str) -> Result<(Agency, TicketId), Invalid> {
    let [agency, ticket] = parse::name(field, text, ["agencies", "tickets"])?;
    Ok((Agency::from_segment(field, agency)?, parse::uuid(field, ticket)?.into()))
}

impl From<Ticket> for pb::Ticket {
    fn from(ticket: Ticket) -> Self {
        let Ticket {
            agency,
            id,
            title,
            description,
            grade,
            state,
            device,
            finding,
            requester,
            assignee,
            evidence,
            recheck,
            resolution,
            confirmation,
            origin,
            opened_at,
            updated_at,
            closed_at,
            revision,
        } = ticket;
        let evidence =
            evidence.0.into_iter().map(|Evidence { at, source, text }| pb::Evidence { time: Some(stamp(at)), source, text });
        Self {
            name: name(&agency, id),
            title,
            description,
            grade: grade.to_wire(),
            state: state.to_wire(),
            device: device.unwrap_or_default(),
            finding: finding.unwrap_or_default(),
            requester,
            assignee: assignee.unwrap_or_default(),
            evidence: evidence.collect(),
            recheck: recheck.map(|json| {
                let Recheck { run, at } = json.0;
                pb::Recheck { run, time: Some(stamp(at)) }
            }),
            resolution: resolution.map(|json| {
                let Resolution { text, actor, at } = json.0;
                pb::Resolution { text, actor, time: Some(stamp(at)) }
            }),
            confirmation: confirmation.map(|json| {
                let Confirmation { comment, actor, at } = json.0;
                pb::Confirmation { comment, actor, time: Some(stamp(at)) }
            }),
            create_time: Some(stamp(opened_at)),
            update_time: Some(stamp(updated_at)),
            close_time: closed_at.map(stamp),
            etag: revision.to_string(),
            trace_id: origin.map(|origin| origin.trace_id()).unwrap_or_default(),
        }
    }
}

/// What is told when a ticket changes, with the ticket as it now is, under the clause that asks for it.
pub(crate) fn letter(ticket: &Ticket, told: pb::Ticket, fact: Fact) -> Letter {
    let (agency, subject) = (&ticket.agency, told.name.clone());
    let told = Some(told);
    let letter = match fact {
        Fact::Opened => Letter::about(agency, subject, &pb::TicketOpened { ticket: told }).under("7.4.1.1"),
        Fact::Assigned => Letter::about(agency, subject, &pb::TicketAssigned { ticket: told }).under("7.4.1.4"),
        Fact::Resolved => Letter::about(agency, subject, &pb::TicketResolved { ticket: told }).under("7.4.1.5"),
        Fact::RecheckFailed => Letter::about(agency, subject, &pb::TicketRecheckFailed { ticket: told }).under("7.4.1.5"),
        Fact::RecheckPassed => Letter::about(agency, subject, &pb::TicketRecheckPassed { ticket: told }).under("7.4.1.5"),
        Fact::ConfirmationReminded => {
            Letter::about(agency, subject, &pb::TicketConfirmationReminded { ticket: told }).under("7.4.1.6")
        }
        Fact::Confirmed => Letter::about(agency, subject, &pb::TicketConfirmed { ticket: told }).under("7.4.1.6"),
        Fact::Closed => Letter::about(agency, subject, &pb::TicketClosed { ticket: told }).under("7.4.1.6"),
    };
    letter.caused_by(ticket.origin)
}

/// The ticket in a fact of ours: each carries it as it then was.
fn told(data: &str) -> Option<pb::Ticket> {
    #[derive(Deserialize)]
    struct Told {
        ticket: Option<pb::Ticket>,
    }
    serde_json::from_str::<Told>(data).ok()?.ticket
}

/// A recorded fact as an event of the ticket's timeline.
pub(crate) fn event(recorded: Recorded) -> pb::TicketEvent {
    let Recorded { kind, at, actor, data } = recorded;
    let state = told(&data).map(|ticket| ticket.state).unwrap_or_default();
    pb::TicketEvent { r#type: kind, time: Some(stamp(at)), actor, state }
}

/// A recorded fact as it is told to whoever watches.
pub(crate) fn news(recorded: Recorded, resume_token: String) -> pb::WatchTicketsResponse {
    let Recorded { kind, at, actor, data } = recorded;
    pb::WatchTicketsResponse { r#type: kind, time: Some(stamp(at)), actor, ticket: told(&data), resume_token }
}
