//! Requests that are answered together: as [`Database::first`](crate::Database::first), for many of an agency in one
//! transaction, with the answers known beforehand.
use std::collections::HashMap;

use prost::{Message, Name};
use uuid::Uuid;

use crate::{Agency, Tx, answers::fingerprint};

/// A request with the answer that it is given if it comes for the first time.
#[derive(Debug, Clone)]
pub struct Asked {
    request_id: Uuid,
    fingerprint: Vec<u8>,
    answer: Vec<u8>,
}

impl Asked {
    /// What `actor` asks for under a `request_id`, and what it is answered.
    pub fn new<Q: Message + Name>(actor: &str, request_id: Uuid, request: &Q, answer: &impl Message) -> Self {
        Self { request_id, fingerprint: fingerprint(actor, request), answer: answer.encode_to_vec() }
    }

    /// The `request_id`.
    #[must_use]
    pub fn request_id(&self) -> Uuid {
        self.request_id
    }
}

/// Whether a request comes for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It does: its answer is remembered, and what it asks for is to be done.
    First,
    /// It came before; this was the answer, encoded.
    Before(Vec<u8>),
    /// Another request came before under the same `request_id`.
    Reused,
}

/// Remembers the answers of those that come for the first time, and finds those of the others; in the order of `asked`.
pub async fn first_of(tx: &mut Tx, asked: &[&Asked]) -> sqlx::Result<Vec<Came>> {
    let agency = tx.agency().map_or("*", Agency::as_str).to_owned();
    let mut earliest: HashMap<Uuid, &Asked> = HashMap::with_capacity(asked.len());
    for asked in asked {
        earliest.entry(asked.request_id).or_insert(asked);
    }
    let mut each: Vec<&Asked> = earliest.values().copied().collect();
    // Everybody takes them in the same order, so that nobody waits for each other.
    each.sort_unstable_by_key(|asked| asked.request_id);
    let ids: Vec<Uuid> = each.iter().map(|asked| asked.request_id).collect();
    let new: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO requests (agency, request_id, fingerprint, answer)
         SELECT $1, request_id, fingerprint, answer FROM unnest($2::uuid[], $3::bytea[], $4::bytea[])
             WITH ORDINALITY AS asked (request_id, fingerprint, answer, place)
         ORDER BY place ON CONFLICT DO NOTHING RETURNING request_id",
    )
    .bind(&agency)
    .bind(&ids)
    .bind(each.iter().map(|asked| &asked.fingerprint[..]).collect::<Vec<_>>())
    .bind(each.iter().map(|asked| &asked.answer[..]).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    let mut before: HashMap<Uuid, (Vec<u8>, Option<Vec<u8>>)> = HashMap::new();
    if new.len() < ids.len() {
        let known: Vec<(Uuid, Vec<u8>, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT request_id, fingerprint, answer FROM requests WHERE agency = $1 AND request_id = ANY($2)")
                .bind(&agency)
                .bind(ids)
                .fetch_all(&mut **tx)
                .await?;
        before.extend(known.into_iter().map(|(id, fingerprint, answer)| (id, (fingerprint, answer))));
    }
    for id in new {
        before.remove(&id);
    }
    let came = asked.iter().map(|asked| {
        let earliest = earliest[&asked.request_id];
        match before.get(&asked.request_id) {
            Some((fingerprint, Some(answer))) if *fingerprint == asked.fingerprint => Came::Before(answer.clone()),
            Some(_) => Came::Reused,
            None if std::ptr::eq(earliest, *asked) => Came::First,
            // It came twice at once.
            None if earliest.fingerprint == asked.fingerprint => Came::Before(earliest.answer.clone()),
            None => Came::Reused,
        }
    });
    Ok(came.collect())
}
