//! A desk of ticketing for one test.
use chassis::{Clock, Database, DatabaseSettings, Secret};
use mailbox::BrokerSettings;
use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use tests::{Authority, Client, Running, Stage};
use ticketing::Config;

/// The agency that tests are about.
pub(crate) const AGENCY: &str = "gz";

/// Ticketing, running, and its database beside it.
pub(crate) struct Desk {
    pub(crate) stage: Stage,
    pub(crate) running: Running,
    pub(crate) database: DatabaseSettings,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_at(Clock::default()).await
    }

    /// A desk whose time is this clock's.
    pub(crate) async fn open_at(clock: Clock) -> Self {
        Self::on(Stage::set().await, clock).await
    }

    /// A desk that has, besides, a door for those whose certificates this authority signs.
    pub(crate) async fn open_to(authority: &Authority) -> Self {
        let mut stage = Stage::set().await;
        stage.certificates = Some(authority.door(stage.folder()));
        Self::on(stage, Clock::default()).await
    }

    async fn on(mut stage: Stage, clock: Clock) -> Self {
        let database = stage.database().await;
        let config = Config { database: database.clone(), broker: BrokerSettings { url: Secret::new(stage.broker()) } };
        let running = stage.start("ticketing", config, clock, ticketing::start).await;
        Self { stage, running, database }
    }

    /// The service's own database, as the service sees it.
    pub(crate) fn records(&self) -> Database {
        Database::open("test", &self.database, ticketing::SCHEMAS).unwrap()
    }

    /// A client with these roles in these agencies.
    pub(crate) async fn caller(&self, roles: &[&str], agencies: &[&str]) -> TicketingClient<Client> {
        let claims = self.stage.issuer.person("li", roles, agencies);
        TicketingClient::new(self.running.as_bearer(self.stage.issuer.sign(&claims)).await)
    }

    /// A service-desk agent of the agency.
    pub(crate) async fn agent(&self) -> TicketingClient<Client> {
        self.caller(&["desk_agent"], &[AGENCY]).await
    }
}

/// A request_id that no other request has.
#[expect(clippy::disallowed_methods, reason = "a caller chooses it at random")]
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Asks for a ticket with this title.
pub(crate) fn call(title: &str) -> pb::CreateTicketRequest {
    let ticket = pb::Ticket { title: title.into(), grade: pb::Grade::Iii.into(), ..pb::Ticket::default() };
    pb::CreateTicketRequest {
        parent: format!("agencies/{AGENCY}"),
        ticket: Some(ticket),
        request_id: request_id(),
        ..Default::default()
    }
}
