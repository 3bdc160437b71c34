//! What ticketing does when its timers are due.
use chassis::Tx;
use jiff::Timestamp;
use mailbox::Due;

use crate::{
    tickets::{self, Error},
    wire,
};

/// Follows tickets up.
#[derive(Debug)]
pub(crate) struct Alarms;

impl mailbox::Alarms for Alarms {
    async fn ring(&self, tx: &mut Tx, due: &[Due], now: Timestamp) -> anyhow::Result<()> {
        for due in due {
            let (agency, id) = wire::named("subject", &due.subject)?;
            match tickets::follow_up(tx, &agency, id, now).await {
                // One that is gone went with the month it was opened in; nobody waits for it.
                Ok(_) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
