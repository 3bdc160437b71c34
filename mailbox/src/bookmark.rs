//! Facts as they come, for whoever reads on from where they stopped.
//!
//! Numbers of facts would not do to mark the place, because a lower one may be committed later. So what is read is windows of transactions that have all ended,
//! and within one facts by their numbers: those of one subject are then in their order, because whoever changes it holds it until their end.
use std::{fmt, str::FromStr};

use chassis::Tx;
use jiff::Timestamp;

use crate::{letter::Recorded, snapshot::Snapshot};

/// So many facts are read again at most: whoever was away for longer reads the nouns themselves.
const WINDOW: i64 = 20_000;

/// How far somebody has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// Everything of transactions below this was read,
    from: u64,
    /// and of those below this
    to: u64,
    /// what has a number up to this.
    after: i64,
    /// Nor is anything new that could be seen when they began, though an older transaction was running then.
    seen: Option<Snapshot>,
}

/// A text that is no bookmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no place among facts")]
pub struct NoPlace;

impl From<NoPlace> for proto::Why {
    fn from(error: NoPlace) -> Self {
        Self::new(error, "不是此前给出的位置")
    }
}

/// Why nothing can be read from there.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// More has come since than is read again; or the database is not the one of then.
    #[error("the bookmark is too old")]
    TooOld,
    /// The database failed.
    #[error("facts cannot be read")]
    Store(#[from] sqlx::Error),
}

impl Bookmark {
    /// Behind everything that can be seen now.
    pub async fn now(tx: &mut Tx) -> sqlx::Result<Self> {
        let seen = snapshot(tx).await?;
        Ok(Self::behind(seen.ended, Some(seen)))
    }

    fn behind(ended: u64, seen: Option<Snapshot>) -> Self {
        Self { from: ended, to: ended, after: 0, seen: seen.filter(|seen| ended < seen.next) }
    }
}

impl fmt::Display for Bookmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.from, self.to, self.after)?;
        self.seen.iter().try_for_each(|seen| write!(f, "-{seen}"))
    }
}

impl FromStr for Bookmark {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.splitn(4, '-');
        let mut part = || parts.next().ok_or(NoPlace);
        let (from, to) = (part()?.parse().map_err(|_| NoPlace)?, part()?.parse().map_err(|_| NoPlace)?);
        let after = part()?.parse().map_err(|_| NoPlace)?;
        let seen = parts.next().map(|seen| seen.parse().map_err(|_| NoPlace)).transpose()?;
        if from > to || after < 0 { Err(NoPlace) } else { Ok(Self { from, to, after, seen }) }
    }
}

async fn snapshot(tx: &mut Tx) -> sqlx::Result<Snapshot> {
    let text: String = sqlx::query_scalar("SELECT pg_current_snapshot()::text").fetch_one(&mut **tx).await?;
    text.parse().map_err(|_| sqlx::Error::Decode(format!("{text} is no snapshot").into()))
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    kind: String,
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    at: Timestamp,
    actor: String,
    data: String,
}

/// Up to `most` facts whose kinds begin with `kinds`, of the agency of `tx`, that came after `bookmark`: each with the place behind it. And the place behind all that was
/// looked at; if it is where `bookmark` was, there is nothing new.
pub async fn news(
    tx: &mut Tx,
    bookmark: Bookmark,
    kinds: &str,
    most: i64,
) -> Result<(Vec<(Recorded, Bookmark)>, Bookmark), Unread> {
    let Bookmark { from, mut to, after, seen } = bookmark.clone();
    if from == to {
        to = snapshot(tx).await?.ended;
        if to < from {
            return Err(Unread::TooOld);
        }
    }
    if from == to {
        return Ok((Vec::new(), bookmark));
    }
    let count = "SELECT count(*) FROM (SELECT FROM facts WHERE tx >= $1::text::xid8 AND tx < $2::text::xid8 LIMIT $3) AS counted";
    let (low, high) = (from.to_string(), to.to_string());
    let count: i64 = sqlx::query_scalar(count).bind(&low).bind(&high).bind(WINDOW + 1).fetch_one(&mut **tx).await?;
    if count > WINDOW {
        return Err(Unread::TooOld);
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, kind, at, actor, data::text AS data FROM facts
         WHERE tx >= $1::text::xid8 AND tx < $2::text::xid8 AND seq > $3 AND starts_with(kind, $4)
             AND ($6::text IS NULL OR NOT pg_visible_in_snapshot(tx, $6::pg_snapshot))
         ORDER BY seq LIMIT $5",
    )
    .bind(low)
    .bind(high)
    .bind(after)
    .bind(kinds)
    .bind(most)
    .bind(seen.as_ref().map(Snapshot::to_string))
    .fetch_all(&mut **tx)
    .await?;
    let last = rows.last().map(|row| row.seq).filter(|_| i64::try_from(rows.len()).is_ok_and(|read| read >= most));
    let place = |after| Bookmark { from, to, after, seen: seen.clone() };
    let told =
        rows.into_iter().map(|Row { seq, kind, at, actor, data }| (Recorded { kind, at, actor, data }, place(seq))).collect();
    let then = last.map_or_else(|| Bookmark::behind(to, seen.clone()), place);
    Ok((told, then))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bookmark_is_read_as_it_was_written(from: u32, more: u32, after in 0..i64::MAX) {
            for seen in [None, Some("7:9:7,8".parse().unwrap())] {
                let bookmark = Bookmark { from: from.into(), to: u64::from(from) + u64::from(more), after, seen };
                prop_assert_eq!(bookmark.to_string().parse(), Ok(bookmark));
            }
        }

        #[test]
        fn what_is_none_is_refused(text in "[0-9a-z-]{0,12}") {
            if let Ok(bookmark) = text.parse::<Bookmark>() {
                prop_assert!(bookmark.from <= bookmark.to && bookmark.after >= 0);
            }
        }
    }

    #[test]
    fn places_out_of_order_are_none() {
        for text in ["", "1", "1-2", "2-1-0", "1-2--3", "1-2-x", "-1-2-3", "1-2-3-4", "1-2-3-"] {
            assert_eq!(text.parse::<Bookmark>(), Err(NoPlace), "{text}");
        }
    }
}
