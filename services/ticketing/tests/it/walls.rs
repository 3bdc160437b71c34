//! The second wall: row-level security holds even where the code forgets.
use chassis::Scope;

use crate::desk::{AGENCY, Desk, call};

#[tokio::test(flavor = "multi_thread")]
async fn sql_without_a_scope_sees_nothing_and_a_scope_sees_its_own() {
    let desk = Desk::open().await;
    desk.agent().await.create_ticket(call("门户打不开")).await.unwrap();
    let records = desk.records();

    let bare: Result<i64, _> = sqlx::query_scalar("SELECT count(*) FROM tickets").fetch_one(records.pool()).await;
    assert!(!matches!(bare, Ok(count) if count > 0), "{bare:?}");

    for (agency, expected) in [(AGENCY, 1), ("sz", 0)] {
        let mut tx = records.begin(&Scope::reaction("test", &agency.parse().unwrap())).await.unwrap();
        for table in ["tickets", "facts", "requests"] {
            let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            assert_eq!(count, expected, "{table} in the scope of {agency}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_cannot_write_into_another_agency() {
    let desk = Desk::open().await;
    let mut tx = desk.records().begin(&Scope::reaction("test", &"sz".parse().unwrap())).await.unwrap();
    let crossed = sqlx::query("INSERT INTO requests (agency, request_id, fingerprint) VALUES ('gz', gen_random_uuid(), '')")
        .execute(&mut *tx)
        .await;
    let error = crossed.unwrap_err();
    assert!(error.to_string().contains("row-level security"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_in_one_stroke_has_a_scope_from_its_first_row_to_its_end() {
    let desk = Desk::open().await;
    let records = desk.records();
    let mut session = records.session().await.unwrap();
    let scope = || Scope::reaction("test", &AGENCY.parse().unwrap());
    let remembered = "(agency, request_id, fingerprint) SELECT ";

    let stroke = session.stroke(scope());
    let mut own = stroke.statement(1);
    own.push(" INSERT INTO requests ").push(remembered).push("agency, gen_random_uuid(), '' FROM scope RETURNING agency");
    let written: Vec<(String,)> = stroke.write(own).await.unwrap();
    assert_eq!(written, [(AGENCY.to_owned(),)]);

    let stroke = session.stroke(scope());
    let mut crossed = stroke.statement(1);
    crossed.push(" INSERT INTO requests ").push(remembered).push("'sz', gen_random_uuid(), '' FROM scope RETURNING agency");
    let error = stroke.write::<(String,)>(crossed).await.unwrap_err();
    assert!(error.to_string().contains("row-level security"), "{error}");

    // Its scope ended with it, and one that does not begin with its scope has none.
    let forgetful = sqlx::QueryBuilder::new("SELECT agency FROM requests");
    let seen = session.stroke(scope()).write::<(String,)>(forgetful).await;
    assert!(!seen.as_ref().is_ok_and(|rows| !rows.is_empty()), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_with_an_agency_lacks_the_wall() {
    let desk = Desk::open().await;
    let without: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'agency'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    )
    .fetch_all(desk.records().pool())
    .await
    .unwrap();
    assert!(without.is_empty(), "{without:?}");
    let months: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_inherits WHERE inhparent = 'tickets'::regclass")
        .fetch_one(desk.records().pool())
        .await
        .unwrap();
    assert!(months >= 6, "the months around now and the default: {months}");
}
