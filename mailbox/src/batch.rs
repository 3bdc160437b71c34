//! Several facts in one message (the batched content mode of CloudEvents 1.0). A message costs the broker and both ends about the same whether it holds one fact or
//! many; so those that wait together under one key leave together, while one that waits alone leaves alone and at once.
use std::{collections::HashMap, iter, ops::Range};

use serde_json::value::RawValue;

use crate::envelope::{Fact, LARGEST};

/// Facts of one message. A message is delivered again as a whole, so it stays small against what is handled in one transaction.
const FACTS: usize = 64;
/// Bytes of data in one message of several facts: a larger fact travels alone.
const BYTES: usize = 64 << 10;

/// The messages that these facts leave in. Those of one subject stay in their order, also where they are of several kinds.
pub(crate) fn batches(facts: &[Fact]) -> Vec<Vec<&Fact>> {
    let mut batches: Vec<Batch<'_>> = Vec::new();
    // The newest message of each key, and that with a subject's newest fact.
    let mut newest = HashMap::<(&str, &str), usize>::new();
    let mut latest = HashMap::<&str, usize>::new();
    for fact in facts {
        let key = (fact.kind.as_str(), fact.agency.as_str());
        let after = latest.get(fact.subject.as_str()).copied().unwrap_or_default();
        let open = newest.get(&key).copied().filter(|place| *place >= after && batches[*place].has_room_for(fact));
        let place = open.unwrap_or_else(|| {
            batches.push(Batch::default());
            batches.len() - 1
        });
        batches[place].put(fact);
        newest.insert(key, place);
        latest.insert(&fact.subject, place);
    }
    batches.into_iter().map(|batch| batch.facts).collect()
}

#[derive(Default)]
struct Batch<'a> {
    facts: Vec<&'a Fact>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn has_room_for(&self, fact: &Fact) -> bool {
        self.facts.len() < FACTS && self.bytes + fact.data.len() <= BYTES
    }

    fn put(&mut self, fact: &'a Fact) {
        self.bytes += fact.data.len();
        self.facts.push(fact);
    }
}

/// More in one message is no batch that a sender of ours makes, whatever its version: it would hold all others up.
const BELIEVED: usize = 16 * FACTS;

/// Where in a message its facts are. One that is no batch of ours is one fact, which whoever reads it may refuse: nothing that arrives is nothing.
pub(crate) fn places(body: &[u8]) -> Vec<Range<usize>> {
    let found = several(body).unwrap_or_default();
    if found.is_empty() { iter::once(0..body.len()).collect() } else { found }
}

fn several(body: &[u8]) -> Option<Vec<Range<usize>>> {
    if body.len() > LARGEST || body.first() != Some(&b'[') {
        return None;
    }
    let events: Vec<&RawValue> = serde_json::from_slice(body).ok()?;
    if events.len() > BELIEVED {
        return None;
    }
    let place = |event: &RawValue| {
        let from = event.get().as_ptr().addr() - body.as_ptr().addr();
        from..from + event.get().len()
    };
    Some(events.into_iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::envelope::message;

    fn fact(seq: i64, kind: u8, agency: u8, subject: u8, bytes: usize) -> Fact {
        Fact {
            seq,
            at: "2026-11-23T01:02:03Z".parse().unwrap(),
            tx: 7,
            id: Uuid::from_u128(seq.unsigned_abs().into()),
            agency: format!("a{agency}"),
            kind: format!("opsmesh.x.v1.K{kind}"),
            subject: format!("agencies/a{agency}/xs/{subject}"),
            actor: "li".into(),
            traceparent: None,
            clause: None,
            data: format!("{{\"x\":\"{}\"}}", "y".repeat(bytes)),
        }
    }

    fn bodies(body: &[u8]) -> Vec<&[u8]> {
        places(body).into_iter().map(|place| &body[place]).collect()
    }

    proptest! {
        #[test]
        fn facts_leave_once_each_in_their_subject_s_order_under_one_key_a_message(
            drawn in prop::collection::vec((0..3_u8, 0..2_u8, 0..5_u8, prop_oneof![9 => 0..50_usize, 1 => Just(BYTES)]), 0..300)
        ) {
            let facts: Vec<Fact> = (1..).zip(drawn).map(|(seq, (kind, agency, subject, bytes))| fact(seq, kind, agency, subject, bytes)).collect();
            let batches = batches(&facts);
            let mut left: Vec<i64> = batches.iter().flatten().map(|fact| fact.seq).collect();
            for name in facts.iter().map(|fact| &fact.subject) {
                let of: Vec<i64> = batches.iter().flatten().filter(|fact| fact.subject == *name).map(|fact| fact.seq).collect();
                prop_assert!(of.is_sorted(), "{name}: {of:?}");
            }
            for batch in &batches {
                prop_assert!(batch.iter().all(|fact| fact.routing_key() == batch[0].routing_key()));
                prop_assert!(batch.len() <= FACTS);
                prop_assert!(batch.len() == 1 || batch.iter().map(|fact| fact.data.len()).sum::<usize>() <= BYTES);
            }
            left.sort_unstable();
            prop_assert_eq!(left, (1..).take(facts.len()).collect::<Vec<i64>>());
        }

        #[test]
        fn a_message_is_read_as_it_was_written(count in 1..FACTS) {
            let facts: Vec<Fact> = (1..).take(count).map(|seq| fact(seq, 0, 0, 0, 7)).collect();
            let together: Vec<_> = facts.iter().map(|fact| (fact, None)).collect();
            let (body, _) = message("x", &together).unwrap();
            let alone: Vec<Vec<u8>> = together.chunks(1).map(|one| message("x", one).unwrap().0).collect();
            prop_assert_eq!(bodies(&body), alone);
        }

        #[test]
        fn nothing_that_arrives_is_nothing(body in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(!places(&body).is_empty());
            let listed = [b"[", body.as_slice(), b"]"].concat();
            prop_assert!(!places(&listed).is_empty());
        }
    }

    #[test]
    fn many_facts_of_one_kind_leave_in_few_messages_though_others_come_between() {
        let facts: Vec<Fact> = (0..i64::try_from(4 * FACTS).unwrap())
            .map(|seq| fact(seq, u8::from(seq % 2 == 0), 0, u8::try_from(seq % 251).unwrap(), 0))
            .collect();
        assert!(batches(&facts).len() <= 6, "{}", batches(&facts).len());
    }

    #[test]
    fn what_is_no_list_of_events_is_one_message_that_somebody_must_look_at() {
        for body in [&b""[..], b"[]", b"[ ]", b"[1,", b"{}", b"[1] x"] {
            assert_eq!(bodies(body), [body]);
        }
        let too_many = format!("[{}1]", "1,".repeat(BELIEVED));
        assert_eq!(bodies(too_many.as_bytes()), [too_many.as_bytes()]);
        assert_eq!(bodies(b"[1, {\"a\":[2]}]"), [&b"1"[..], b"{\"a\":[2]}"]);
    }
}
