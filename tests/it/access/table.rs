//! Who may call what. Everybody else is refused. A new rpc needs a row here, and its policy in `helm/opsmesh/policies/`.
use prost::Message;
use proto::{inspection::v1 as inspection, inventory::v1 as inventory, mailbox::v1 as mailbox, ticketing::v1 as ticketing};

use crate::services::{AGENCY, PLAN, moment, plan, request_id};

/// Everybody who has a post in the agency, and the platform.
const READERS: &[&str] = &["desk_agent", "engineer", "requester", "manager", "auditor", "admin", "operator", "service"];
const ASKERS: &[&str] = &["desk_agent", "requester", "admin"];
const DESK: &[&str] = &["desk_agent", "admin"];
const WORKERS: &[&str] = &["desk_agent", "engineer", "admin"];
const KEEPERS: &[&str] = &["engineer", "admin"];
const WATCHERS: &[&str] = &["manager", "auditor", "admin"];
const ADMIN: &[&str] = &["admin"];
const OPERATOR: &[&str] = &["operator"];
/// Pods of the run's own namespace.
const INSPECTOR: &[&str] = &["inspector"];

/// Names of what there is to ask for.
pub(crate) struct Things {
    pub(crate) ticket: String,
    pub(crate) device: String,
    pub(crate) run: String,
}

/// An rpc: who may call it, a request that is well formed, and what those who are let in are answered (empty: yes).
pub(crate) struct Row {
    pub(crate) rpc: &'static str,
    pub(crate) permitted: &'static [&'static str],
    pub(crate) request: fn(&Things) -> Vec<u8>,
    pub(crate) answers: &'static [&'static str],
}

fn agency() -> String {
    format!("agencies/{AGENCY}")
}

macro_rules! row {
    ($package:literal $method:literal, $permitted:expr, $answers:expr, |$things:pat_param| $request:expr) => {
        Row {
            rpc: concat!("opsmesh.", $package, "/", $method),
            permitted: $permitted,
            request: |$things: &Things| $request.encode_to_vec(),
            answers: $answers,
        }
    };
}

pub(crate) const TABLE: &[Row] = &[
    row!("inspection.v1.Inspection" "PutPlan", OPERATOR, &[""], |_| inspection::PutPlanRequest {
        plan: Some(plan(1)),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("inspection.v1.Inspection" "GetPlan", READERS, &[""], |_| inspection::GetPlanRequest { name: PLAN.into() }),
    row!("inspection.v1.Inspection" "ListPlans", READERS, &[""], |_| inspection::ListPlansRequest {
        parent: agency(),
        ..Default::default()
    }),
    row!("inspection.v1.Inspection" "CreateRun", OPERATOR, &[""], |_| inspection::CreateRunRequest {
        plan: PLAN.into(),
        cause: "7".into(),
        scheduled_time: Some(moment(7)),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("inspection.v1.Inspection" "FinishRun", OPERATOR, &["RUN_NOT_FOUND"], |_| inspection::FinishRunRequest {
        name: format!("{}/runs/{}", agency(), request_id()),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("inspection.v1.Inspection" "GetRun", READERS, &[""], |things| inspection::GetRunRequest { name: things.run.clone() }),
    row!("inspection.v1.Inspection" "ListRuns", READERS, &[""], |_| inspection::ListRunsRequest {
        parent: agency(),
        ..Default::default()
    }),
    row!("inspection.v1.Inspection" "ListResults", READERS, &[""], |things| inspection::ListResultsRequest {
        parent: things.run.clone(),
        ..Default::default()
    }),
    row!("inspection.v1.Inspection" "GetShard", INSPECTOR, &[""], |things| inspection::GetShardRequest {
        run: things.run.clone(),
        index: 0,
    }),
    row!("inspection.v1.Inspection" "SubmitResults", INSPECTOR, &[""], |things| inspection::SubmitResultsRequest {
        run: things.run.clone(),
        results: vec![crate::services::seen(things.device.rsplit_once('/').unwrap().1, 1, Some(1.0))],
        ..Default::default()
    }),
    row!("inspection.v1.Inspection" "GetFinding", READERS, &["FINDING_NOT_FOUND"], |_| inspection::GetFindingRequest {
        name: format!("{}/findings/{}", agency(), request_id()),
    }),
    row!("inspection.v1.Inspection" "ListFindings", READERS, &[""], |_| inspection::ListFindingsRequest {
        parent: agency(),
        ..Default::default()
    }),
    row!("inventory.v1.Inventory" "CreateDevice", KEEPERS, &[""], |_| inventory::CreateDeviceRequest {
        parent: agency(),
        device_id: format!("d-{}", request_id()),
        device: Some(device()),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("inventory.v1.Inventory" "GetDevice", READERS, &[""], |things| inventory::GetDeviceRequest {
        name: things.device.clone(),
    }),
    row!("inventory.v1.Inventory" "ListDevices", READERS, &[""], |_| inventory::ListDevicesRequest {
        parent: agency(),
        ..Default::default()
    }),
    row!("inventory.v1.Inventory" "UpdateDevice", KEEPERS, &[""], |things| inventory::UpdateDeviceRequest {
        device: Some(inventory::Device { name: things.device.clone(), ..device() }),
        update_mask: Some(pbjson_types::FieldMask { paths: vec!["display_name".into()] }),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("inventory.v1.Inventory" "RetireDevice", KEEPERS, &["DEVICE_NOT_FOUND"], |_| inventory::RetireDeviceRequest {
        name: format!("{}/devices/no-such-device", agency()),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("mailbox.v1.Mailbox" "ListParkedMessages", WATCHERS, &[""], |_| mailbox::ListParkedMessagesRequest {
        parent: agency(),
        ..Default::default()
    }),
    row!("mailbox.v1.Mailbox" "ReplayParkedMessage", ADMIN, &["PARKED_MESSAGE_NOT_FOUND"], |_| {
        mailbox::ReplayParkedMessageRequest { name: parked(), request_id: request_id(), ..Default::default() }
    }),
    row!("mailbox.v1.Mailbox" "DiscardParkedMessage", ADMIN, &["PARKED_MESSAGE_NOT_FOUND"], |_| {
        mailbox::DiscardParkedMessageRequest {
            name: parked(),
            note: "误发".into(),
            request_id: request_id(),
            ..Default::default()
        }
    }),
    row!("ticketing.v1.Ticketing" "CreateTicket", ASKERS, &[""], |_| ticketing::CreateTicketRequest {
        parent: agency(),
        ticket: Some(ticketing::Ticket {
            title: "门户打不开".into(),
            grade: ticketing::Grade::Iii.into(),
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("ticketing.v1.Ticketing" "GetTicket", READERS, &[""], |things| ticketing::GetTicketRequest {
        name: things.ticket.clone(),
    }),
    row!("ticketing.v1.Ticketing" "ListTickets", READERS, &[""], |_| ticketing::ListTicketsRequest {
        parent: agency(),
        ..Default::default()
    }),
    row!("ticketing.v1.Ticketing" "ListTicketEvents", READERS, &[""], |things| ticketing::ListTicketEventsRequest {
        parent: things.ticket.clone(),
    }),
    row!("ticketing.v1.Ticketing" "WatchTickets", READERS, &[""], |_| ticketing::WatchTicketsRequest {
        parent: agency(),
        ..Default::default()
    }),
    row!("ticketing.v1.Ticketing" "AssignTicket", DESK, &["", "TICKET_WORK_IS_OVER"], |things| ticketing::AssignTicketRequest {
        name: things.ticket.clone(),
        assignee: "chen".into(),
        request_id: request_id(),
        ..Default::default()
    }),
    row!("ticketing.v1.Ticketing" "ResolveTicket", WORKERS, &["", "TICKET_WORK_IS_OVER"], |things| {
        ticketing::ResolveTicketRequest {
            name: things.ticket.clone(),
            text: "重启".into(),
            request_id: request_id(),
            ..Default::default()
        }
    }),
    row!("ticketing.v1.Ticketing" "ConfirmTicket", ASKERS, &["", "TICKET_NOTHING_TO_CONFIRM"], |things| {
        ticketing::ConfirmTicketRequest { name: things.ticket.clone(), request_id: request_id(), ..Default::default() }
    }),
    row!("ticketing.v1.Ticketing" "CloseTicket", DESK, &["", "TICKET_NOT_CONFIRMED"], |things| ticketing::CloseTicketRequest {
        name: things.ticket.clone(),
        request_id: request_id(),
        ..Default::default()
    }),
];

fn parked() -> String {
    format!("{}/parkedMessages/{}", agency(), request_id())
}

fn device() -> inventory::Device {
    inventory::Device {
        display_name: "门户".into(),
        device_class: inventory::DeviceClass::Server.into(),
        address: "10.0.0.7".into(),
        ..Default::default()
    }
}
