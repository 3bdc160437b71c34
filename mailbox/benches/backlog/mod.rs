//! Facts that wait in an outbox, and the service that carries them.
use chassis::{Agency, Clock, Database, DatabaseSettings, Host, Schema, Scope};
use mailbox::{BrokerSettings, Letter};
use proto::inventory::v1::{Device, DeviceCreated};

pub(crate) const SCHEMAS: &[Schema] = &[mailbox::SCHEMA];
/// As many facts a transaction as a full batch of a combiner has.
const AT_ONCE: usize = 500;

/// Where a service of these benchmarks keeps and sends things.
pub(crate) type Config = (DatabaseSettings, BrokerSettings);

/// A service that carries facts and does nothing else.
pub(crate) async fn announcing((database, broker): Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&database, SCHEMAS).await?;
    mailbox::announce(host, &broker, &db).await
}

/// Writes so many facts, each about a subject of its own.
pub(crate) async fn fill(db: &Database, facts: usize) {
    let agency: Agency = "gz".parse().unwrap();
    let scope = Scope::reaction("bench", &agency);
    for from in (0..facts).step_by(AT_ONCE) {
        let letters = (from..facts.min(from + AT_ONCE)).map(|number| letter(&agency, number));
        let mut tx = db.begin(&scope).await.unwrap();
        mailbox::post_all(&mut tx, letters.collect()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// A fact, as true as of now.
pub(crate) fn letter(agency: &Agency, number: usize) -> (Letter, jiff::Timestamp) {
    let device = Device { etag: number.to_string(), ..Device::default() };
    let subject = format!("agencies/gz/devices/d-{number}");
    (Letter::about(agency, subject, &DeviceCreated { device: Some(device) }), Clock::default().now())
}

pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    of[of.len() / 2]
}
