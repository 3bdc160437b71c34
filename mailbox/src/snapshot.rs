//! What could be seen at one moment, as PostgreSQL says it: `xmin:xmax:running,…`. Transactions below the first had ended, those from the second on had not begun, and of those between
//! them the listed ones were running.
use std::{fmt, str::FromStr};

/// More cannot run at once on any server that we know of; a text that lists more is not from one.
const MOST: usize = 10_000;

/// One moment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The transaction below which all had ended.
    pub(crate) ended: u64,
    /// The first that had not begun.
    pub(crate) next: u64,
    /// Between them, those that were running, in order.
    running: Vec<u64>,
}

/// A text that is no snapshot.
#[derive(Debug)]
pub(crate) struct NoSnapshot;

impl FromStr for Snapshot {
    type Err = NoSnapshot;

    fn from_str(text: &str) -> Result<Self, NoSnapshot> {
        let number = |text: &str| match text.parse::<u64>() {
            // The lower half of its numbers, which is all that its rows have room for, is never 0: PostgreSQL takes no such number back.
            Ok(number) if number & u64::from(u32::MAX) != 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
            _ => Err(NoSnapshot),
        };
        let [ended, next, running] = text.splitn(3, ':').collect::<Vec<_>>().try_into().map_err(|_| NoSnapshot)?;
        let (ended, next) = (number(ended)?, number(next)?);
        let running: Vec<u64> = match running {
            "" => Vec::new(),
            listed => listed.split(',').take(MOST + 1).map(number).collect::<Result<_, _>>()?,
        };
        let inside = running.iter().all(|one| (ended..next).contains(one));
        let in_order = running.is_sorted_by(|one, after| one < after);
        if ended <= next && inside && in_order && running.len() <= MOST {
            Ok(Self { ended, next, running })
        } else {
            Err(NoSnapshot)
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.ended, self.next)?;
        for (place, one) in self.running.iter().enumerate() {
            write!(f, "{}{one}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_snapshot_is_read_as_it_was_written(ended in 1..1_000_u64, running in prop::collection::btree_set(0..50_u64, 0..9)) {
            let running: Vec<u64> = running.into_iter().map(|one| ended + one).collect();
            let snapshot = Snapshot { ended, next: ended + 50, running };
            prop_assert_eq!(snapshot.to_string().parse::<Snapshot>().unwrap(), snapshot);
        }

        #[test]
        fn what_is_read_is_written_so_again(text in "[0-9:,x-]{0,12}") {
            if let Ok(snapshot) = text.parse::<Snapshot>() {
                prop_assert_eq!(snapshot.to_string().parse::<Snapshot>().unwrap(), snapshot);
            }
        }
    }

    #[test]
    fn what_no_server_says_is_none() {
        for text in [
            "",
            "1",
            "1:2",
            "0:2:",
            "2:1:",
            "1:3:3",
            "2:3:1",
            "1:4:2,2",
            "1:4:3,2",
            "1:4:2,",
            "1:4:,",
            "+1:4:",
            "1:4:2:3",
            "a:b:",
            "4294967296:4294967297:",
            "1:4294967296:",
        ] {
            assert!(text.parse::<Snapshot>().is_err(), "{text}");
        }
    }
}
