//! A mutation happens once for its `request_id` (AIP-155): the answer is remembered in the transaction of the change, and a
//! retry gets it again. Another request under the same id is refused.
use std::time::Duration;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prost::{Message, Name};
use proto::{Mutation, reasons};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::{Agency, Clock, Database, Scope, Tx};

/// Answers are remembered this long: a retry comes within minutes, a replayed batch within days.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 7);
/// Old answers are forgotten in portions, so that no delete holds locks for long.
const FORGOTTEN_AT_ONCE: i64 = 5_000;
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Whether a request comes for the first time.
#[derive(Debug)]
pub enum First<A> {
    /// It does: change what it asks for, then [`Once::answer`].
    Yes(Once),
    /// It came before; this was the answer.
    No(A),
}

/// A transaction that ends with the answer to a request.
#[derive(Debug)]
pub struct Once {
    /// The transaction to change things in.
    pub tx: Tx,
    request_id: Uuid,
    rehearsal: bool,
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Changed {
    /// The same `request_id` came before with another content.
    #[error("request_id {0} was used before for another request")]
    RequestIdReused(Uuid),
    /// The database failed.
    #[error("the answers of earlier requests cannot be read")]
    Store(#[from] sqlx::Error),
}

impl From<Changed> for Status {
    fn from(error: Changed) -> Self {
        match error {
            Changed::RequestIdReused(id) => reasons::REQUEST_ID_REUSED.with("request_id", id).into(),
            Changed::Store(cause) => crate::database_fault(&cause),
        }
    }
}

impl Database {
    /// Begins the transaction of a mutation, or finds the answer it was given before. Two attempts at the same time wait for
    /// each other.
    pub async fn first<Q, A>(&self, scope: &Scope, request_id: Uuid, request: &Q) -> Result<First<A>, Changed>
    where
        Q: Mutation,
        A: Message + Default,
    {
        let rehearsal = request.validate_only();
        let mut tx = self.begin(scope).await?;
        let fingerprint = fingerprint(tx.actor(), request);
        let agency = tx.agency().map_or("*", Agency::as_str).to_owned();
        let new =
            sqlx::query("INSERT INTO requests (agency, request_id, fingerprint) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(&agency)
                .bind(request_id)
                .bind(&fingerprint)
                .execute(&mut *tx)
                .await?
                .rows_affected()
                == 1;
        if new {
            return Ok(First::Yes(Once { tx, request_id, rehearsal }));
        }
        let (before, answer): (Vec<u8>, Option<Vec<u8>>) =
            sqlx::query_as("SELECT fingerprint, answer FROM requests WHERE agency = $1 AND request_id = $2")
                .bind(&agency)
                .bind(request_id)
                .fetch_one(&mut *tx)
                .await?;
        match answer {
            Some(answer) if before == fingerprint => {
                Ok(First::No(A::decode(&*answer).map_err(|error| sqlx::Error::Decode(error.into()))?))
            }
            Some(_) | None => Err(Changed::RequestIdReused(request_id)),
        }
    }

    /// Forgets old answers until told to stop.
    pub(crate) async fn forget_answers(self, clock: Clock, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(FORGET_EVERY) => {}
            }
            if let Err(error) = self.forget_before(clock.now() - REMEMBERED).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "old answers stay for now");
            }
        }
    }

    async fn forget_before(&self, at: Timestamp) -> sqlx::Result<()> {
        loop {
            let mut tx = self.begin(&Scope::platform("answers")).await?;
            let forgotten =
                sqlx::query("DELETE FROM requests WHERE ctid IN (SELECT ctid FROM requests WHERE created_at < $1 LIMIT $2)")
                    .bind(at.to_sqlx())
                    .bind(FORGOTTEN_AT_ONCE)
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
            tx.commit().await?;
            if forgotten == 0 {
                return Ok(());
            }
        }
    }
}

impl Once {
    /// Remembers the answer and commits it with the change. If the request was only to be validated (AIP-163), everything that
    /// was done for the answer is undone: no effect, no fact, nothing remembered.
    pub async fn answer<A: Message>(mut self, answer: A) -> sqlx::Result<A> {
        if self.rehearsal {
            self.tx.abandon().await?;
            return Ok(answer);
        }
        let agency = self.tx.agency().map_or("*", Agency::as_str).to_owned();
        sqlx::query("UPDATE requests SET answer = $3 WHERE agency = $1 AND request_id = $2")
            .bind(agency)
            .bind(self.request_id)
            .bind(answer.encode_to_vec())
            .execute(&mut *self.tx)
            .await?;
        self.tx.commit().await?;
        Ok(answer)
    }
}

/// What makes two requests the same: who asks, for what. Maps are encoded in order, so equal requests have equal bytes.
pub(crate) fn fingerprint<Q: Name>(actor: &str, request: &Q) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [actor.as_bytes(), Q::full_name().as_bytes()] {
        hash.update(u64::try_from(part.len()).expect("a length fits 64 bits").to_be_bytes());
        hash.update(part);
    }
    hash.update(request.encode_to_vec());
    hash.finalize().to_vec()
}
