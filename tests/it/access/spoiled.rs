//! Bad input, made up: whatever bytes come in, the answer is never a fault of ours, and nothing panics. The same inputs with
//! every run; `OPSMESH_FUZZ=100000 ./x test spoiled` makes up more.
use mailbox::Received;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::json;
use tests::inputs;
use tonic::Code;

use super::{
    callers::Comer,
    doors::{serving, things},
    table::TABLE,
};
use crate::services::{AGENCY, Services};

/// A way to spoil a message.
#[derive(Debug, Clone)]
enum Spoil {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index),
    Replace(Vec<u8>),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Spoil::Cut),
        (at(), 1..=255_u8).prop_map(|(at, bits)| Spoil::Flip(at, bits)),
        (at(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Spoil::Insert(at, bytes)),
        at().prop_map(Spoil::Repeat),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Spoil::Replace),
    ]
}

fn spoiled(message: &[u8], ways: &[Spoil]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    for way in ways {
        match way {
            Spoil::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Spoil::Flip(at, bits) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Spoil::Flip(..) => {}
            Spoil::Insert(at, more) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, more.iter().copied());
            }
            Spoil::Repeat(at) => {
                let at = at.index(bytes.len() + 1);
                bytes.extend_from_within(at..);
            }
            Spoil::Replace(other) => bytes.clone_from(other),
        }
    }
    bytes
}

/// Inputs that are the same with every run.
fn made_up(message: &[u8], runner: &mut TestRunner) -> Vec<u8> {
    let ways = prop::collection::vec(spoil(), 1..4).new_tree(runner).unwrap().current();
    spoiled(message, &ways)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_that_come_in_at_a_door_make_a_fault() {
    let services = Services::start().await;
    let things = things(&services).await;
    let mut runner = TestRunner::deterministic();
    for row in TABLE {
        let (name, running) = serving(&services, row.rpc);
        let comer = Comer::all().into_iter().find(|comer| comer.inside && row.permitted.contains(&comer.role)).unwrap();
        let token = comer.token(&services, name);
        for _ in 0..inputs(30) {
            let bytes = made_up(&(row.request)(&things), &mut runner);
            let answer = running.send_bytes(row.rpc, &token, &bytes).await;
            let fault = matches!(
                answer.code(),
                Code::Internal
                    | Code::Unknown
                    | Code::DataLoss
                    | Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
            );
            assert!(!fault, "{} with {bytes:?}: {answer:?}", row.rpc);
        }
    }
}

#[test]
fn no_message_of_the_broker_breaks_its_reader() {
    let event = json!({
        "specversion": "1.0", "id": "019f0000-0000-8000-8000-000000000007", "source": "/opsmesh/inspection",
        "type": "opsmesh.inspection.v1.FindingOpened", "subject": format!("agencies/{AGENCY}/findings/7"), "time": "2026-11-23T01:02:03Z",
        "datacontenttype": "application/json", "agency": AGENCY, "actor": "worker", "sequence": "1", "data": {"finding": {}},
    })
    .to_string();
    let mut runner = TestRunner::deterministic();
    for _ in 0..inputs(5_000) {
        let bytes = made_up(event.as_bytes(), &mut runner);
        // Read or refused; what it says of itself must hold.
        if let Ok(fact) = Received::read(&bytes) {
            assert!(!fact.kind.is_empty(), "{bytes:?}");
        }
    }
}
