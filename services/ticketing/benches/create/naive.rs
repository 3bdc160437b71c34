//! The peer: the same four rows as one writes them first, a transaction for each call; by itself, and behind the same door as ours.
use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use chassis::{Agency, Caller, Host};
use futures::future::BoxFuture;
use proto::ticketing::v1::{CreateTicketRequest, Ticket};
use sqlx::{PgPool, Postgres, Transaction, postgres::PgPoolOptions};
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService, UnaryService},
};
use tonic_prost::ProstCodec;

use crate::{CONNECTIONS, data, id};

/// Its way to the database.
pub(crate) async fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await.unwrap()
}

/// A transaction that says whose rows it is about, as each must where one service is there for several agencies.
pub(crate) async fn begin(pool: &PgPool, agency: &str) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT set_config('opsmesh.agency', $1, true)").bind(agency).execute(&mut *tx).await?;
    Ok(tx)
}

/// The four rows.
pub(crate) async fn transaction(pool: &PgPool, agency: &str) -> sqlx::Result<()> {
    let ticket: uuid::Uuid = id().parse().unwrap();
    let mut tx = begin(pool, agency).await?;
    sqlx::query("INSERT INTO requests (agency, request_id, fingerprint, answer) VALUES ($1, $2, $3, $4)")
        .bind(agency)
        .bind(ticket)
        .bind(vec![0_u8; 32])
        .bind(vec![0_u8; 200])
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO tickets (agency, id, title, description, grade, state, requester, evidence, opened_at, updated_at, revision)
         VALUES ($1, $2, '打印机无法打印', '三楼大厅，卡纸后一直红灯', 'iii', 'new', 'chen', '[]', now(), now(), 1)",
    )
    .bind(agency)
    .bind(ticket)
    .execute(&mut *tx)
    .await?;
    let (seq, at): (i64, jiff_sqlx::Timestamp) = sqlx::query_as(
        "INSERT INTO facts (at, agency, kind, subject, actor, data)
         VALUES (now(), $1, 'opsmesh.ticketing.v1.TicketCreated', $2, 'chen', $3::json) RETURNING seq, at",
    )
    .bind(agency)
    .bind(format!("agencies/{agency}/tickets/{ticket}"))
    .bind(data())
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query("INSERT INTO outbox (seq, at) VALUES ($1, $2)").bind(seq).bind(at).execute(&mut *tx).await?;
    tx.commit().await
}

/// The service that opens tickets this way, and does nothing else.
#[derive(Clone)]
struct Naive(PgPool);

/// Puts it together.
pub(crate) async fn start(pool: PgPool, host: &mut Host) -> anyhow::Result<()> {
    host.serve(Naive(pool));
    Ok(())
}

impl NamedService for Naive {
    const NAME: &'static str = "opsmesh.ticketing.v1.Ticketing";
}

impl UnaryService<CreateTicketRequest> for Naive {
    type Response = Ticket;
    type Future = BoxFuture<'static, Result<Response<Ticket>, Status>>;

    fn call(&mut self, request: Request<CreateTicketRequest>) -> Self::Future {
        let pool = self.0.clone();
        Box::pin(async move {
            let agency = Agency::from_parent("parent", &request.get_ref().parent)?;
            Caller::of(&request)?.may(&agency)?;
            transaction(&pool, agency.as_str()).await.map_err(|error| Status::internal(error.to_string()))?;
            Ok(Response::new(request.into_inner().ticket.unwrap_or_default()))
        })
    }
}

impl tower::Service<http::Request<Body>> for Naive {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let naive = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::<Ticket, CreateTicketRequest>::default()).unary(naive, request).await) })
    }
}
