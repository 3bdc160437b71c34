//! A new version comes in beside the last one, and may go again: expand first, contract later. What the schema of the next version adds, this one does not mind, under load
//! and from its start; and what this version's own schema lacks, it says, and waits for.
use std::time::Duration;

use proto::{
    inspection::v1::{self as inspection, inspection_client::InspectionClient},
    ticketing::v1::{self as ticketing, ticketing_client::TicketingClient},
};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use tests::{Client, eventually};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    faults::endures,
    services::AGENCY,
    under_load::{
        house::{Fittings, House, Victim},
        load::Load,
    },
};

/// The first version of what a later version of a service may bring.
const NEXT: i64 = 9_001;
/// Between calls of one reader.
const PACE: Duration = Duration::from_millis(5);
/// Readers of each service: more than it has connections, so that each of them has prepared what they ask for.
const READERS: usize = 10;

/// No call may fail here, so nothing else may keep the machine busy.
mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_schema_of_the_next_version_comes_in_under_load_and_no_call_of_this_one_fails() {
        endures("N-1 on N", Fittings::default(), async |house: &mut House, load: &Load| {
            let stop = CancellationToken::new();
            let mut readers = JoinSet::new();
            for _ in 0..READERS {
                readers.spawn(read_tickets(TicketingClient::new(house.way(&house.ticketing, "auditor")), stop.clone()));
                readers.spawn(read_findings(InspectionClient::new(house.way(&house.inspection, "auditor")), stop.clone()));
            }
            load.goes_on_everywhere().await;
            let failed = load.failures();
            for service in ["ticketing", "inspection"] {
                expand(house, service).await;
                load.goes_on_everywhere().await;
            }
            assert_eq!(load.failures(), failed, "calls failed");
            stop.cancel();
            while let Some(ended) = readers.join_next().await {
                ended.unwrap();
            }
            // A pod of this version that dies comes back; and one that is installed over the next version's schema, as when that is rolled back, migrates.
            house.kill(Victim::Ticketing).await;
            house.kill(Victim::Inspection).await;
            drop(house.another_inspection().await);
        })
        .await;
    }
}

async fn read_tickets(mut desk: TicketingClient<Client>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let list = ticketing::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), page_size: 3, ..Default::default() };
        for ticket in desk.list_tickets(list).await.unwrap().into_inner().tickets {
            desk.get_ticket(ticketing::GetTicketRequest { name: ticket.name }).await.unwrap();
        }
        tokio::time::sleep(PACE).await;
    }
}

async fn read_findings(mut plans: InspectionClient<Client>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let list = inspection::ListFindingsRequest { parent: format!("agencies/{AGENCY}"), page_size: 3, ..Default::default() };
        for finding in plans.list_findings(list).await.unwrap().into_inner().findings {
            plans.get_finding(inspection::GetFindingRequest { name: finding.name }).await.unwrap();
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Brings in a schema that has more of everything, as the service itself would: as its role, by migrations.
async fn expand(house: &House, service: &str) {
    let url = format!("postgres://{service}@127.0.0.1:{}/{service}", house.postgres.port());
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
             AND relnamespace = 'public'::regnamespace AND relname <> '_sqlx_migrations' ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let enums: Vec<String> = sqlx::query_scalar("SELECT oid::regtype::text FROM pg_type WHERE typtype = 'e' ORDER BY 1")
        .fetch_all(&mut owner)
        .await
        .unwrap();
    assert!(tables.len() > 8 && !enums.is_empty(), "{tables:?} {enums:?}");
    // One table a migration: one that takes several makes the services' own transactions wait for each other in a circle.
    let columns = tables
        .iter()
        .map(|table| format!("ALTER TABLE {table} ADD COLUMN later text, ADD COLUMN later_too bigint NOT NULL DEFAULT 7"));
    let values = enums.iter().map(|kind| format!("ALTER TYPE {kind} ADD VALUE 'later'"));
    let new = "CREATE TABLE later (id bigint PRIMARY KEY)".to_owned();
    let migrations = (NEXT..).zip(columns.chain(values).chain([new])).map(|(version, sql)| {
        Migration::new(version, "later".into(), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_ignore_missing(true);
    let (url, migrator) = (&url, &migrator);
    eventually("the migrations to come through", || async move {
        let mut owner = PgConnection::connect(url).await.map_err(|error| error.to_string())?;
        // As in the services' own sessions: nobody is made to wait long behind one who waits for a table. What comes too late is tried again.
        sqlx::query("SET lock_timeout = '1s'").execute(&mut owner).await.map_err(|error| error.to_string())?;
        migrator.run(&mut owner).await.map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_comes_before_its_schema_says_so_and_waits_while_the_others_serve() {
    endures("N on N-1", Fittings::default(), async |house: &mut House, load: &Load| {
        // The last migration of the mailbox never ran, as for this service it will be as long as it is not migrated.
        let mut admin = house.postgres.connect("inspection").await.unwrap();
        let undone = "DROP TABLE disposals; DELETE FROM _sqlx_migrations WHERE version = 106";
        sqlx::raw_sql(undone).execute(&mut admin).await.unwrap();
        let failed = load.failures();
        let (replica, _ways) = house.inspection_before_its_schema().await;
        replica.unready("the schema lacks the migrations [106]").await;
        load.goes_on_everywhere().await;
        assert_eq!(load.failures(), failed, "calls failed");
        replica.migrate();
        replica.ready().await;
    })
    .await;
}
