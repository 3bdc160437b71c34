//! Bad input gets a clear answer that names the field, and changes nothing.
use prost::Message;
use proto::ticketing::v1 as pb;
use tests::wrong_field;
use tonic::Code;
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk, call, request_id};

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let good = || call("门户打不开");
    let ticket = |change: fn(&mut pb::Ticket)| {
        let mut request = good();
        change(request.ticket.as_mut().unwrap());
        request
    };
    let cases = [
        ("parent", pb::CreateTicketRequest { parent: "agencies/GZ".into(), ..good() }),
        ("parent", pb::CreateTicketRequest { parent: String::new(), ..good() }),
        ("ticket", pb::CreateTicketRequest { ticket: None, ..good() }),
        ("request_id", pb::CreateTicketRequest { request_id: String::new(), ..good() }),
        ("request_id", pb::CreateTicketRequest { request_id: "7".into(), ..good() }),
        ("ticket.title", ticket(|ticket| ticket.title = "  ".into())),
        ("ticket.title", ticket(|ticket| ticket.title = "长".repeat(201))),
        ("ticket.title", ticket(|ticket| ticket.title = "a\u{0}b".into())),
        ("ticket.description", ticket(|ticket| ticket.description = "长".repeat(4_001))),
        ("ticket.grade", ticket(|ticket| ticket.grade = 0)),
        ("ticket.grade", ticket(|ticket| ticket.grade = 99)),
        ("ticket.device", ticket(|ticket| ticket.device = "web-01".into())),
        ("ticket.device", ticket(|ticket| ticket.device = "agencies/sz/devices/web-01".into())),
    ];
    for (expected, request) in cases {
        let refused = agent.create_ticket(request).await.unwrap_err();
        assert_eq!(wrong_field(&refused), expected);
    }
    let list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    assert!(agent.list_tickets(list).await.unwrap().into_inner().tickets.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_not_there_is_not_found() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let name = format!("agencies/{AGENCY}/tickets/{}", request_id());
    let refused = agent.get_ticket(pb::GetTicketRequest { name }).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TICKET_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_five_megabytes_is_refused_by_its_size() {
    let desk = Desk::open().await;
    let refused = desk.agent().await.create_ticket(call(&"a".repeat(5 << 20))).await.unwrap_err();
    assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{refused:?}");
    assert!(refused.message().contains("too large"), "{refused:?}");
    // The connection is fine, and so is the next call.
    desk.agent().await.create_ticket(call("门户打不开")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_that_is_not_utf8_is_refused_with_its_path() {
    let desk = Desk::open().await;
    let mut bytes = call("AAAA").encode_to_vec();
    let at = bytes.windows(4).position(|window| window == b"AAAA").unwrap();
    bytes[at] = 0xff;
    let token = desk.stage.issuer.sign(&desk.stage.issuer.person("li", &["desk_agent"], &[AGENCY]));
    let refused = desk.running.send_bytes("opsmesh.ticketing.v1.Ticketing/CreateTicket", &token, &bytes).await;
    assert_eq!(wrong_field(&refused), "ticket.title");
}
