//! What arrived together commits together: a commit waits for the disk, and a handful of messages can wait for one. A handful is
//! of one agency, for a transaction sees the rows of one. If one of its messages fails, none of it has happened, and each is handled
//! by itself.
use std::collections::BTreeMap;

use chassis::{Agency, Database, Scope};
use tracing::Instrument;

use crate::{
    envelope::Received,
    gate,
    inbox::{Reactions, Unhandled, span},
};

/// Messages of one agency, in the order in which they arrived.
pub(crate) struct Handful {
    agency: Agency,
    facts: Vec<Placed>,
}

/// A fact, and its place among all that arrived.
struct Placed {
    place: usize,
    fact: Received,
}

/// The handfuls in these messages. What is no fact of ours, or alone of its agency, is in none of them.
pub(crate) fn handfuls(bodies: &[&[u8]]) -> Vec<Handful> {
    let mut by_agency = BTreeMap::<Agency, Vec<Placed>>::new();
    for (place, body) in bodies.iter().enumerate() {
        if let Ok(fact) = Received::read(body)
            && gate::known(&fact).is_ok()
        {
            by_agency.entry(fact.agency.clone()).or_default().push(Placed { place, fact });
        }
    }
    by_agency.into_iter().filter(|(_, facts)| facts.len() > 1).map(|(agency, facts)| Handful { agency, facts }).collect()
}

impl Handful {
    /// Whether all of it was handled.
    pub(crate) fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// How many of it are not handled yet.
    pub(crate) fn len(&self) -> usize {
        self.facts.len()
    }

    /// Handles the first `most` of them, or none: each with its place, and whether it was the first time. The others are left in it.
    pub(crate) async fn handle<R: Reactions>(
        &mut self,
        most: usize,
        db: &Database,
        service: &str,
        queue: &str,
        reactions: &R,
    ) -> Result<Vec<(usize, bool)>, Unhandled> {
        let mut tx = db.begin(&Scope::reaction(service, &self.agency)).await?;
        let some = &self.facts[..most.min(self.facts.len())];
        let facts: Vec<&Received> = some.iter().map(|placed| &placed.fact).collect();
        let mut entered = gate::enter_all(&mut tx, reactions.ordered(), &facts).await?;
        let mut handled = Vec::with_capacity(some.len());
        for Placed { place, fact } in some {
            // The same message may have arrived twice.
            let first = entered.remove(&fact.id);
            if first {
                reactions.react(&mut tx, fact).instrument(span(queue, fact)).await?;
            }
            handled.push((*place, first));
        }
        tx.commit().await?;
        self.facts.drain(..handled.len());
        Ok(handled)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn message(id: u128, agency: &str, subject: &str) -> Vec<u8> {
        json!({
            "specversion": "1.0", "id": Uuid::from_u128(id), "source": "/opsmesh/x", "type": "opsmesh.x.v1.Happened",
            "subject": subject, "time": "2026-11-23T01:02:03Z", "datacontenttype": "application/json", "agency": agency,
            "actor": "li", "sequence": "1", "data": {},
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn a_handful_is_of_one_agency_and_in_order_and_what_cannot_be_believed_is_in_none() {
        let bodies = [
            message(0, "gz", "agencies/gz/xs/1"),
            message(1, "sz", "agencies/sz/xs/1"),
            b"no fact".to_vec(),
            message(3, "gz", "agencies/gz/xs/2"),
            message(4, "zh", "agencies/zh/xs/1"),
            message(5, "sz", "agencies/gz/xs/1"),
            message(6, "sz", "agencies/sz/xs/1"),
            message(7, "gz", "agencies/gz/xs/1"),
        ];
        let found: Vec<(String, Vec<usize>)> = handfuls(&bodies.iter().map(Vec::as_slice).collect::<Vec<_>>())
            .into_iter()
            .map(|handful| (handful.agency.to_string(), handful.facts.iter().map(|placed| placed.place).collect()))
            .collect();
        assert_eq!(found, [("gz".to_owned(), vec![0, 3, 7]), ("sz".to_owned(), vec![1, 6])]);
    }
}
