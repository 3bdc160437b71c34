//! The front door to what is parked: each service serves it for its own queue.
use std::sync::Arc;

use chassis::{Agency, Caller, Clock, Database, Filter, First, PageToken};
use jiff::Timestamp;
use proto::{Invalid, mailbox::v1 as pb, parse, reasons, why};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    message::{Parked, named},
    messages::{self, Error, Replayed},
};
use crate::inbox::Reactions;

const NOTE: usize = 200;
/// So many bodies and reasons fit a message.
const PAGE: u16 = 100;

/// The rpcs about what is parked.
pub(crate) struct Api<R> {
    db: Database,
    service: &'static str,
    reactions: Arc<R>,
    clock: Clock,
}

impl<R> Api<R> {
    pub(crate) fn new(db: Database, service: &'static str, reactions: Arc<R>, clock: Clock) -> Self {
        Self { db, service, reactions, clock }
    }
}

#[tonic::async_trait]
impl<R: Reactions> pb::mailbox_server::Mailbox for Api<R> {
    async fn list_parked_messages(
        &self,
        request: Request<pb::ListParkedMessagesRequest>,
    ) -> Result<Response<pb::ListParkedMessagesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let pb::ListParkedMessagesRequest { parent, page_size, page_token, filter } = request.into_inner();
        let agency = Agency::from_parent("parent", &parent)?;
        let size = parse::page_size("page_size", page_size)?.min(PAGE);
        let asked = Filter::read(&filter, messages::COLUMNS)?;
        let question = ["parked messages", parent.as_str(), filter.as_str()];
        let after = PageToken::read(&question, &page_token).map_err(|error| Invalid::new("page_token", error))?;
        let after = after
            .map(|key| place(&key).ok_or_else(|| Invalid::new("page_token", why!("is none of ours", "不是本服务给出的"))))
            .transpose()?;
        let mut tx = self.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
        let found = messages::list(&mut tx, Some(&agency), &asked, after, i64::from(size) + 1).await.map_err(Error::from)?;
        let (found, next_page_token) = chassis::page(found, size, &question, key);
        Ok(Response::new(pb::ListParkedMessagesResponse {
            parked_messages: found.into_iter().map(Into::into).collect(),
            next_page_token,
        }))
    }

    async fn replay_parked_message(
        &self,
        request: Request<pb::ReplayParkedMessageRequest>,
    ) -> Result<Response<pb::ReplayParkedMessageResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (agency, id) = named("name", &request.name)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        let replayed = messages::replay(&mut once.tx, self.service, &*self.reactions, id, self.clock.now()).await?;
        Ok(Response::new(once.answer(replayed.into()).await.map_err(Error::from)?))
    }

    async fn discard_parked_message(
        &self,
        request: Request<pb::DiscardParkedMessageRequest>,
    ) -> Result<Response<pb::ParkedMessage>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (agency, id) = named("name", &request.name)?;
        let note = parse::words("note", request.note.clone(), NOTE)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        let parked = messages::discard(&mut once.tx, id, note, self.clock.now()).await?;
        Ok(Response::new(once.answer(parked.into()).await.map_err(Error::from)?))
    }
}

/// The key of a page's last row.
fn key(parked: &Parked) -> String {
    format!("{} {}", parked.parked_at.as_microsecond(), parked.id)
}

fn place(key: &str) -> Option<(Timestamp, Uuid)> {
    let (at, id) = key.split_once(' ')?;
    Some((Timestamp::from_microsecond(at.parse().ok()?).ok()?, id.parse().ok()?))
}

impl From<Replayed> for pb::ReplayParkedMessageResponse {
    fn from(replayed: Replayed) -> Self {
        let Replayed { handled, stopped_at, left } = replayed;
        Self { handled, stopped_at: stopped_at.map(Into::into), left }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(id) => reasons::PARKED_MESSAGE_NOT_FOUND.with("message", id).into(),
            Error::Store(cause) => chassis::database_fault(&cause),
        }
    }
}
