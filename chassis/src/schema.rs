//! A service's schema: what each room that it stands on keeps in its database, and what is the service's own. Every room has
//! migrations of its own, in a range of versions of its own, so that each can grow without asking the others.
use sqlx::migrate::{Migration, Migrator};

use crate::Partitioned;

/// What this room keeps: the answers that were given.
static OWN: Migrator = sqlx::migrate!();

/// What a room keeps in a service's database. Versions: the chassis below 100, the mailbox below 1000, services from 1001.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// How its tables come to be.
    pub migrations: &'static Migrator,
    /// Those of them that grow with time.
    pub partitioned: &'static [Partitioned],
}

/// All migrations of a service, the chassis' own among them.
pub(crate) fn migrator(schemas: &[Schema]) -> Migrator {
    let all: Vec<Migration> =
        std::iter::once(&OWN).chain(schemas.iter().map(|schema| schema.migrations)).flat_map(Migrator::iter).cloned().collect();
    let mut migrator = Migrator::with_migrations(all);
    // Those of a later version: this one is installed over its schema when that version is rolled back, and what it added does no harm.
    migrator.set_ignore_missing(true);
    migrator
}

/// All tables of a service that grow with time.
pub(crate) fn partitioned(schemas: &[Schema]) -> Vec<Partitioned> {
    schemas.iter().flat_map(|schema| schema.partitioned).copied().collect()
}
