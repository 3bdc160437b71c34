//! What a ticket is called.
use chassis::Agency;
use jiff::Timestamp;
use uuid::Uuid;

/// The id of a ticket: derived from what caused it, so that everybody who retries finds the same ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct TicketId(Uuid);

impl TicketId {
    /// The ticket of a finding that was opened at `opened_at`.
    #[must_use]
    pub fn of_finding(finding: &str, opened_at: Timestamp) -> Self {
        Self(chassis::derived_id(opened_at, &["ticket", finding]))
    }

    /// The ticket of a call.
    #[must_use]
    pub fn of_call(agency: &Agency, request_id: Uuid, now: Timestamp) -> Self {
        Self(chassis::derived_id(now, &["ticket", agency.as_str(), &request_id.to_string()]))
    }
}

impl From<Uuid> for TicketId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<TicketId> for Uuid {
    fn from(id: TicketId) -> Self {
        id.0
    }
}

impl std::fmt::Display for TicketId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
