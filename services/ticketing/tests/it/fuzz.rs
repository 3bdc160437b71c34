//! Whatever bytes come in by the front door or the back door, the answer is never a fault of ours.
use mailbox::Received;
use prost::Message;
use proto::ticketing::v1 as pb;
use serde_json::json;
use tests::{
    fuzz::{Inputs, seen, try_many},
    inputs,
};
use tonic::Code;

use crate::desk::{AGENCY, Desk, call, request_id};

const FEW: u32 = 20_000;
/// A call takes a thousand times as long as a parser.
const PARSED_A_CALL: u32 = 100;

#[test]
fn cloud_events() {
    let event = json!({
        "specversion": "1.0", "id": "019f0000-0000-8000-8000-000000000007", "source": "/opsmesh/inspection",
        "type": "opsmesh.inspection.v1.FindingOpened", "subject": "agencies/gz/findings/7", "time": "2026-11-23T01:02:03Z",
        "datacontenttype": "application/json", "agency": AGENCY, "actor": "worker", "sequence": "1", "data": {"finding": {}},
    })
    .to_string();
    let good: [&[u8]; 2] = [event.as_bytes(), b"{}"];
    let words: [&[u8]; 8] = [b"\"", b"{", b"}", b"[", b"null", b"1e999", b"\\u0000", b"\xff"];
    try_many("CloudEvents", FEW, Inputs::of(&good, &words), |input| match Received::read(input) {
        Ok(fact) => {
            assert!(!fact.kind.is_empty());
            true
        }
        Err(_) => false,
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn requests() {
    let desk = Desk::open().await;
    let token = desk.stage.issuer.sign(&desk.stage.issuer.person("li", &["desk_agent", "engineer", "requester"], &[AGENCY]));
    let ticket = desk.agent().await.create_ticket(call("门户打不开")).await.unwrap().into_inner();
    let create = call("门户打不开").encode_to_vec();
    let list = pb::ListTicketsRequest {
        parent: format!("agencies/{AGENCY}"),
        filter: "title:\"x\" AND grade = GRADE_III".into(),
        page_size: 5,
        ..Default::default()
    }
    .encode_to_vec();
    let get = pb::GetTicketRequest { name: ticket.name.clone() }.encode_to_vec();
    let assign =
        pb::AssignTicketRequest { name: ticket.name, assignee: "wu".into(), request_id: request_id(), ..Default::default() }
            .encode_to_vec();
    let good: [&[u8]; 4] = [&create, &list, &get, &assign];
    let words: [&[u8]; 6] = [b"\xff", b"\0", b"agencies/sz", b"\x0a\x00", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\""];
    let mut made_up = Inputs::of(&good, &words);
    let count = inputs(FEW) / PARSED_A_CALL;
    let mut door = desk.running.door(token).await;
    for number in 0..count {
        let rpc = ["CreateTicket", "ListTickets", "GetTicket", "AssignTicket"][number as usize % 4];
        let input = made_up.make();
        let answer = door.send(&format!("opsmesh.ticketing.v1.Ticketing/{rpc}"), &input).await;
        let fault = matches!(
            answer.code(),
            Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable | Code::DeadlineExceeded | Code::Unimplemented
        );
        assert!(!fault, "{rpc} with {input:?}: {answer:?}");
    }
    seen(&format!("requests at a running door: {count} inputs, no fault"));
}
