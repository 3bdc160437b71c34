//! The second wall, in every service's database: row-level security holds even where the code forgets.
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::services::{AGENCY, Services, enter, open_run, program};

/// Every table (and partition) that has an agency.
const TABLES: &str =
    "SELECT c.oid, c.relname::text AS name, c.relispartition, c.relrowsecurity AND c.relforcerowsecurity AS forced
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('agency', 'agency_id') AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 2";

#[derive(sqlx::FromRow)]
struct Table {
    oid: sqlx::postgres::types::Oid,
    name: String,
    relispartition: bool,
    forced: bool,
}

async fn databases(services: &Services) -> Vec<PgConnection> {
    let mut all = Vec::new();
    for database in &services.databases {
        all.push(PgConnection::connect(database.url.expose()).await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_with_an_agency_is_behind_a_wall_that_its_owner_cannot_pass() {
    let services = Services::start().await;
    for mut database in databases(&services).await {
        let (superuser, bypass): (bool, bool) =
            sqlx::query_as("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
                .fetch_one(&mut database)
                .await
                .unwrap();
        assert!(!superuser && !bypass, "row-level security would not hold for this role");
        let tables: Vec<Table> = sqlx::query_as(TABLES).fetch_all(&mut database).await.unwrap();
        assert!(tables.len() > 5, "the tables, their partitions, and those of the rooms below");
        for table in tables {
            assert!(table.forced, "{} lacks FORCE ROW LEVEL SECURITY", table.name);
            let policies: Vec<(Option<String>, Option<String>)> = sqlx::query_as(
                "SELECT pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy WHERE polrelid = $1",
            )
            .bind(table.oid)
            .fetch_all(&mut database)
            .await
            .unwrap();
            // A partition is reached through its table; without a policy of its own nothing reaches it directly.
            assert!(table.relispartition || !policies.is_empty(), "{} has no policy", table.name);
            for (using, check) in policies {
                for expression in [using, check].into_iter().flatten() {
                    // Asked once a statement, not once a row; without a default, so that a forgotten scope is an error.
                    assert!(
                        expression.contains("( SELECT current_setting('opsmesh.agency'::text)"),
                        "{}: {expression}",
                        table.name
                    );
                    assert!(!expression.contains(" OR "), "the planner misjudges it: {}: {expression}", table.name);
                    let bare = expression.replace("( SELECT current_setting('opsmesh.agency'::text) AS current_setting)", "");
                    assert!(!bare.contains("current_setting"), "{}: {expression}", table.name);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_without_an_agency_sees_nothing_and_changes_nothing() {
    let services = Services::start().await;
    enter(&mut services.ledger().await, "web-01").await;
    program(&mut services.operator().await).await;
    open_run(&mut services.operator().await, 1).await;
    for mut database in databases(&services).await {
        let tables: Vec<Table> = sqlx::query_as(TABLES).fetch_all(&mut database).await.unwrap();
        for table in tables {
            let name = &table.name;
            for forgotten in ["", "SET opsmesh.agency = ''", "SET opsmesh.agency = 'sz-test'"] {
                sqlx::raw_sql(AssertSqlSafe(forgotten)).execute(&mut database).await.unwrap();
                let seen: Result<i64, _> =
                    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name} WHERE agency = $1")))
                        .bind(AGENCY)
                        .fetch_one(&mut database)
                        .await;
                assert!(!seen.as_ref().is_ok_and(|count| *count > 0), "{name} after `{forgotten}`: {seen:?}");
                let changed = sqlx::query(AssertSqlSafe(format!("DELETE FROM {name}"))).execute(&mut database).await;
                assert!(!changed.as_ref().is_ok_and(|done| done.rows_affected() > 0), "{name} after `{forgotten}`: {changed:?}");
            }
            sqlx::raw_sql("RESET opsmesh.agency").execute(&mut database).await.unwrap();
        }
    }
}
