//! Tables that grow with time are partitioned by month from the first migration, so that retention is dropping a partition.
//! The months around now are made ahead; a default partition catches what falls outside, so that nothing is ever refused.
use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Clock, Database};

/// A table with partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitioned {
    /// Its name.
    pub table: &'static str,
    /// What its partition key is.
    pub by: By,
}

/// What a table is partitioned by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A `timestamptz`.
    Time,
    /// A [`crate::derived_id`], which begins with its time.
    Id,
}

/// A run may be of last month's last tick.
const MONTHS_BEHIND: i32 = 1;
/// A keeper that does not come through for weeks harms nobody.
const MONTHS_AHEAD: i32 = 3;
const LOOK_EVERY: Duration = Duration::from_secs(6 * 3600);

/// Makes the months around now, and keeps making them until told to stop.
pub(crate) async fn keep(db: Database, tables: Vec<Partitioned>, clock: Clock, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let wait = match make(&db, &tables, clock.now()).await {
            Ok(()) => LOOK_EVERY,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "partitions wait");
                Duration::from_secs(10)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Makes the months around `now`.
pub(crate) async fn make(db: &Database, tables: &[Partitioned], now: Timestamp) -> anyhow::Result<()> {
    let this_month = now.to_zoned(TimeZone::UTC).date().first_of_month();
    for table in tables {
        for offset in -MONTHS_BEHIND..=MONTHS_AHEAD {
            let month = this_month.checked_add(jiff::Span::new().months(offset))?;
            let partition = format!("{}_{:04}_{:02}", table.table, month.year(), month.month());
            let there: bool =
                sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&partition).fetch_one(db.pool()).await?;
            if there {
                continue;
            }
            let statements = statements(*table, &partition, month)?;
            match sqlx::raw_sql(AssertSqlSafe(statements)).execute(db.pool()).await {
                Ok(_) => tracing::info!(partition, "partition made"),
                // Another replica was faster.
                Err(error) if error.as_database_error().is_some_and(|e| e.code().as_deref() == Some("42P07")) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The statements that make one month of a table, sent together and so one transaction. Rows are reached through the parent, whose policy then holds; the
/// partition itself has none, so that reading it directly shows nothing.
fn statements(table: Partitioned, partition: &str, month: Date) -> anyhow::Result<String> {
    let next = month.checked_add(jiff::Span::new().months(1))?;
    let (from, to) = match table.by {
        By::Time => (format!("{month}T00:00:00Z"), format!("{next}T00:00:00Z")),
        By::Id => (lowest_id(month)?.to_string(), lowest_id(next)?.to_string()),
    };
    Ok(format!(
        "CREATE TABLE {partition} PARTITION OF {} FOR VALUES FROM ('{from}') TO ('{to}');
         ALTER TABLE {partition} ENABLE ROW LEVEL SECURITY; ALTER TABLE {partition} FORCE ROW LEVEL SECURITY",
        table.table
    ))
}

/// The lowest id that a cause in this month can have.
fn lowest_id(month: Date) -> anyhow::Result<Uuid> {
    let milliseconds = month.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond();
    Ok(Uuid::from_u128(u128::try_from(milliseconds)? << 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_lies_in_the_month_of_its_cause() {
        let november = jiff::civil::date(2026, 11, 1);
        let december = jiff::civil::date(2026, 12, 1);
        let last: Timestamp = "2026-11-30T23:59:59.999Z".parse().unwrap();
        let id = crate::derived_id(last, &["x"]);
        assert!(lowest_id(november).unwrap() <= id && id < lowest_id(december).unwrap());
    }
}
