//! A connection of its own, apart from the pool: for whoever asks the same all the time, or holds what a session holds. Nobody else ever has it, so what its session was told ends
//! with it, and a transaction of one statement needs nothing before and after it.
use sqlx::{ConnectOptions, PgConnection};

use crate::{
    Agency, Database, Scope,
    database::{ROUND_TRIP, within},
};

/// A session whose process hangs, or is cut off, lets its locks go: as soon as one that hangs in a transaction. Whoever has one asks something more often.
const IDLE: (&str, &str) = ("idle_session_timeout", "15s");

impl Database {
    /// Opens a connection whose session sees the rows of `scope` and no others, and has these settings of the server's, until it ends.
    pub async fn apart(&self, scope: &Scope, settings: &[(&str, &str)]) -> sqlx::Result<PgConnection> {
        let agency = ("opsmesh.agency", scope.agency.as_ref().map_or("*", Agency::as_str));
        let options = self.settings().clone().options([agency, IDLE]).options(settings.iter().copied());
        within(ROUND_TRIP, Box::pin(options.connect())).await
    }
}
