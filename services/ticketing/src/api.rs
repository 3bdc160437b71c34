//! The front door: requests are parsed, answered and, when refused, refused politely. No rule and no SQL lives here.
use chassis::{Agency, Asked, Caller, Clock, Database, Filter, First, Origin, PageToken, Scope};
use jiff::Timestamp;
use mailbox::{Combiner, NotWritten};
use proto::{Invalid, Wire, parse, reasons, ticketing::v1 as pb, why};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    openings::{Opening, Openings},
    ticket::{Call, Grade, Refusal, State, Ticket, TicketId},
    tickets::{self, Error},
    watch::{Told, Watches},
    wire,
};

const LINE: usize = 200;
const TEXT: usize = 4_000;

/// Ticketing's rpcs.
pub(crate) struct Api {
    db: Database,
    clock: Clock,
    openings: Combiner<Openings>,
    watches: Watches,
}

impl Api {
    pub(crate) fn new(db: Database, clock: Clock, openings: Combiner<Openings>, watches: Watches) -> Self {
        Self { db, clock, openings, watches }
    }

    /// What is asked for, if it may be. A function of its own: what it needs is not carried along while the answer is waited for.
    fn wanted(&self, request: Request<pb::CreateTicketRequest>) -> Result<Wanted, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let agency = Agency::from_parent("parent", &request.parent)?;
        let ticket = parse::required("ticket", request.ticket.clone())?;
        let call = call(ticket, &agency, caller.subject()).map_err(|invalid| invalid.within("ticket"))?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let scope = caller.may(&agency)?;
        let now = self.clock.now();
        let id = TicketId::of_call(&agency, request_id, now);
        if request.validate_only {
            return Ok(Wanted::Rehearsal(Box::new(Rehearsal { scope, agency, request_id, request, id, call, now })));
        }
        let (ticket, fact) = Ticket::open(agency.clone(), id, call, now);
        let answer: pb::Ticket = ticket.clone().into();
        let opening = Box::new(Opening {
            asked: Asked::new(caller.subject(), request_id, &request, &answer),
            letter: wire::letter(&ticket, answer.clone(), fact).by(caller.subject()),
            answer,
            ticket,
        });
        Ok(Wanted::Opening(agency, opening))
    }

    /// Nothing is written, so there is nothing to write together.
    async fn rehearse(&self, rehearsal: Rehearsal) -> Result<Response<pb::Ticket>, Status> {
        let Rehearsal { scope, agency, request_id, request, id, call, now } = rehearsal;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        let ticket = tickets::open(&mut once.tx, &agency, id, call, now).await?;
        Ok(Response::new(once.answer(ticket.into()).await.map_err(Error::from)?))
    }
}

/// Who asks for a ticket wants it, or wants to know whether he would get it.
enum Wanted {
    Opening(Agency, Box<Opening>),
    Rehearsal(Box<Rehearsal>),
}

/// A ticket that is not to be opened.
struct Rehearsal {
    scope: Scope,
    agency: Agency,
    request_id: Uuid,
    request: pb::CreateTicketRequest,
    id: TicketId,
    call: Call,
    now: Timestamp,
}

#[tonic::async_trait]
impl pb::ticketing_server::Ticketing for Api {
    async fn create_ticket(&self, request: Request<pb::CreateTicketRequest>) -> Result<Response<pb::Ticket>, Status> {
        match self.wanted(request)? {
            Wanted::Opening(agency, opening) => {
                let (opening, came) = self.openings.ask(&agency, opening).await.map_err(not_written)?;
                Ok(Response::new(opening.answered(came)?))
            }
            // In a box: whoever means it does not carry what a rehearsal needs.
            Wanted::Rehearsal(rehearsal) => Box::pin(self.rehearse(*rehearsal)).await,
        }
    }

    async fn get_ticket(&self, request: Request<pb::GetTicketRequest>) -> Result<Response<pb::Ticket>, Status> {
        let caller = Caller::of(&request)?;
        let (agency, id) = wire::named("name", &request.get_ref().name)?;
        let mut tx = self.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
        Ok(Response::new(tickets::get(&mut tx, &agency, id).await?.into()))
    }

    async fn list_tickets(&self, request: Request<pb::ListTicketsRequest>) -> Result<Response<pb::ListTicketsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let pb::ListTicketsRequest { parent, states, device, page_size, page_token, filter } = request.into_inner();
        let agency = Agency::from_parent("parent", &parent)?;
        let question = format!("{states:?}");
        let states = states.into_iter().map(|raw| State::from_wire("states", raw)).collect::<Result<Vec<_>, _>>()?;
        let device = device_of("device", device, &agency)?;
        let size = parse::page_size("page_size", page_size)?;
        let asked = Filter::read(&filter, tickets::COLUMNS)?;
        let question = ["tickets", parent.as_str(), &question, device.as_deref().unwrap_or_default(), filter.as_str()];
        let after = PageToken::read(&question, &page_token).map_err(|error| Invalid::new("page_token", error))?;
        let after = after.map(|id| parse::uuid("page_token", &id)).transpose()?.map(TicketId::from);
        let mut tx = self.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
        let found = tickets::list(&mut tx, &agency, &states, device.as_deref(), &asked, after, i64::from(size) + 1).await?;
        let (found, next_page_token) = chassis::page(found, size, &question, |ticket| ticket.id.to_string());
        Ok(Response::new(pb::ListTicketsResponse { tickets: found.into_iter().map(Into::into).collect(), next_page_token }))
    }

    async fn list_ticket_events(
        &self,
        request: Request<pb::ListTicketEventsRequest>,
    ) -> Result<Response<pb::ListTicketEventsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let (agency, id) = wire::named("parent", &request.get_ref().parent)?;
        let mut tx = self.db.begin(&caller.may(&agency)?).await.map_err(Error::from)?;
        tickets::get(&mut tx, &agency, id).await?;
        let facts = mailbox::timeline(&mut tx, &wire::name(&agency, id)).await.map_err(Error::from)?;
        Ok(Response::new(pb::ListTicketEventsResponse { events: facts.into_iter().map(wire::event).collect() }))
    }

    type WatchTicketsStream = Told;

    async fn watch_tickets(&self, request: Request<pb::WatchTicketsRequest>) -> Result<Response<Told>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let agency = Agency::from_parent("parent", &request.parent)?;
        Ok(Response::new(self.watches.begin(&agency, caller.may(&agency)?, request).await?))
    }

    async fn assign_ticket(&self, request: Request<pb::AssignTicketRequest>) -> Result<Response<pb::Ticket>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (agency, id) = wire::named("name", &request.name)?;
        let assignee = parse::words("assignee", request.assignee.clone(), LINE)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let etag = parse::etag("etag", &request.etag)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        tickets::unchanged(&mut once.tx, &agency, id, etag).await?;
        let ticket = tickets::assign(&mut once.tx, &agency, id, assignee, self.clock.now()).await?;
        Ok(Response::new(once.answer(ticket.into()).await.map_err(Error::from)?))
    }

    async fn resolve_ticket(&self, request: Request<pb::ResolveTicketRequest>) -> Result<Response<pb::Ticket>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (agency, id) = wire::named("name", &request.name)?;
        let text = parse::words("text", request.text.clone(), TEXT)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let etag = parse::etag("etag", &request.etag)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        tickets::unchanged(&mut once.tx, &agency, id, etag).await?;
        let ticket = tickets::resolve(&mut once.tx, &agency, id, text, self.clock.now()).await?;
        Ok(Response::new(once.answer(ticket.into()).await.map_err(Error::from)?))
    }

    async fn confirm_ticket(&self, request: Request<pb::ConfirmTicketRequest>) -> Result<Response<pb::Ticket>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (agency, id) = wire::named("name", &request.name)?;
        let comment = parse::text_of("comment", request.comment.clone(), TEXT)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let etag = parse::etag("etag", &request.etag)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        tickets::unchanged(&mut once.tx, &agency, id, etag).await?;
        let ticket = tickets::confirm(&mut once.tx, &agency, id, comment, self.clock.now()).await?;
        Ok(Response::new(once.answer(ticket.into()).await.map_err(Error::from)?))
    }

    async fn close_ticket(&self, request: Request<pb::CloseTicketRequest>) -> Result<Response<pb::Ticket>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let (agency, id) = wire::named("name", &request.name)?;
        let request_id = parse::uuid("request_id", &request.request_id)?;
        let etag = parse::etag("etag", &request.etag)?;
        let scope = caller.may(&agency)?;
        let mut once = match self.db.first(&scope, request_id, &request).await? {
            First::No(answer) => return Ok(Response::new(answer)),
            First::Yes(once) => once,
        };
        tickets::unchanged(&mut once.tx, &agency, id, etag).await?;
        let ticket = tickets::close(&mut once.tx, &agency, id, self.clock.now()).await?;
        Ok(Response::new(once.answer(ticket.into()).await.map_err(Error::from)?))
    }
}

/// Why a ticket was not opened, or may not have been.
fn not_written(error: NotWritten) -> Status {
    let reason = match error {
        NotWritten::Full => &reasons::TOO_MANY_WAIT,
        NotWritten::Stopping => &reasons::STOPPING,
        NotWritten::Unknown => &reasons::OUTCOME_UNKNOWN,
        NotWritten::Store(cause) => return chassis::database_fault(&cause),
    };
    reason.refusal().into()
}

/// What a caller says of the ticket to be opened.
fn call(ticket: pb::Ticket, agency: &Agency, requester: &str) -> Result<Call, Invalid> {
    let pb::Ticket { title, description, grade, device, .. } = ticket;
    Ok(Call {
        title: parse::words("title", title, LINE)?,
        description: parse::text_of("description", description, TEXT)?,
        grade: Grade::from_wire("grade", grade)?,
        device: device_of("device", device, agency)?,
        finding: None,
        requester: requester.to_owned(),
        evidence: Vec::new(),
        origin: Origin::current(),
    })
}

/// A device of the same agency, or none.
fn device_of(field: &'static str, name: String, agency: &Agency) -> Result<Option<String>, Invalid> {
    if name.is_empty() {
        return Ok(None);
    }
    let [of, _] = parse::name(field, &name, ["agencies", "devices"])?;
    if of == agency.as_str() {
        Ok(Some(name))
    } else {
        Err(Invalid::new(field, why!("belongs to another agency", "属于另一使用方")))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(id) => reasons::TICKET_NOT_FOUND.with("ticket", id),
            Error::Refused(Refusal::NotAssigned(id)) => reasons::TICKET_NOT_ASSIGNED.with("ticket", id),
            Error::Refused(Refusal::WorkIsOver(id)) => reasons::TICKET_WORK_IS_OVER.with("ticket", id),
            Error::Refused(Refusal::NothingToConfirm(id)) => reasons::TICKET_NOTHING_TO_CONFIRM.with("ticket", id),
            Error::Refused(Refusal::NotConfirmed(id)) => reasons::TICKET_NOT_CONFIRMED.with("ticket", id),
            Error::Refused(Refusal::Changed(id)) => reasons::TICKET_CHANGED.with("ticket", id),
            Error::Store(cause) => return chassis::database_fault(&cause),
        }
        .into()
    }
}
