//! A database of a test's own, with a role of its own that is no superuser: row-level security holds for it.
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::told;

/// Makes a database and the role that owns it, and gives the URL.
pub(crate) async fn make(name: &str) -> String {
    let mut admin = PgConnection::connect(&told("DATABASE_URL")).await.unwrap();
    // A test's server may be busy making many of these from one template.
    for statement in [
        format!("CREATE ROLE {name} LOGIN PASSWORD '{name}' NOSUPERUSER NOBYPASSRLS"),
        format!("GRANT {name} TO CURRENT_USER"),
        format!("CREATE DATABASE {name} OWNER {name} TEMPLATE template0 LC_COLLATE 'C'"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
    }
    let url = told("DATABASE_URL");
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.rsplit_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    format!("{scheme}://{name}:{name}@{server}/{name}")
}

/// Removes both.
pub(crate) async fn remove(name: &str) {
    let Ok(mut admin) = PgConnection::connect(&told("DATABASE_URL")).await else { return };
    for statement in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("DROP ROLE IF EXISTS {name}")] {
        // What cannot be removed is left to whoever takes the servers down.
        let _ = sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await;
    }
}
