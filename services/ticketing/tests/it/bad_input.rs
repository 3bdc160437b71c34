//! Bad input gets a clear answer that names the field, and changes nothing.
use http_body_util::{BodyExt, Full};
use prost::Message;
use proto::ticketing::v1 as pb;
use tonic::{Code, Status, codegen::Service};
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk, call, request_id};

fn field(refused: &Status) -> String {
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    assert!(refused.get_details_localized_message().is_some_and(|message| message.locale == "zh-CN"), "{refused:?}");
    refused.get_details_bad_request().unwrap().field_violations[0].field.clone()
}

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
        assert_eq!(field(&refused), expected);
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
    let mut body = vec![0];
    body.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    body.extend(bytes);
    let token = desk.stage.issuer.sign(&desk.stage.issuer.person("li", &["desk_agent"], &[AGENCY]));
    let request = http::Request::post(format!("{}/opsmesh.ticketing.v1.Ticketing/CreateTicket", desk.running.url()))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(tonic::body::Body::new(Full::from(body)))
        .unwrap();
    let mut channel = desk.running.channel().await;
    std::future::poll_fn(|context| Service::<http::Request<tonic::body::Body>>::poll_ready(&mut channel, context)).await.unwrap();
    let response = channel.call(request).await.unwrap();
    let headers = response.headers().clone();
    let trailers = response.into_body().collect().await.unwrap().trailers().cloned();
    let refused = Status::from_header_map(&headers).or_else(|| Status::from_header_map(&trailers?)).unwrap();
    assert_eq!(field(&refused), "ticket.title");
}
