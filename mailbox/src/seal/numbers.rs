//! Numbers of facts, as ranges: a number whose transaction was rolled back is a gap.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::Error};

/// Numbers in ascending order, as half-open ranges that do not touch: `1-57,59-101`, both ends included in the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers(Vec<(i64, i64)>);

/// A text that is no numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("numbers are ascending ranges like `1-57,59-101`")]
pub struct NotNumbers;

impl Numbers {
    /// Of numbers in ascending order.
    pub fn of(numbers: impl IntoIterator<Item = i64>) -> Self {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some((_, end)) if *end == number => *end += 1,
                _ => ranges.push((number, number + 1)),
            }
        }
        Self(ranges)
    }

    /// Of ranges in ascending order that do not touch, each with its first and its last number.
    pub(crate) fn of_ranges(ranges: impl IntoIterator<Item = (i64, i64)>) -> Self {
        Self(ranges.into_iter().map(|(first, last)| (first, last + 1)).collect())
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, number: i64) -> bool {
        let after = self.0.partition_point(|(begin, _)| *begin <= number);
        after.checked_sub(1).is_some_and(|at| number < self.0[at].1)
    }

    /// Each of them, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().flat_map(|(begin, end)| *begin..*end)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|(begin, end)| usize::try_from(end - begin).unwrap_or(usize::MAX)).fold(0, usize::saturating_add)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The highest.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.0.last().map(|(_, end)| end - 1)
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (begin, end)) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{begin}-{}", end - 1)?;
        }
        Ok(())
    }
}

impl FromStr for Numbers {
    type Err = NotNumbers;

    fn from_str(text: &str) -> Result<Self, NotNumbers> {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for range in text.split(',').filter(|_| !text.is_empty()) {
            let (begin, last) = range.split_once('-').ok_or(NotNumbers)?;
            let begin: i64 = begin.parse().map_err(|_| NotNumbers)?;
            let end = last.parse::<i64>().ok().and_then(|last| last.checked_add(1)).ok_or(NotNumbers)?;
            if begin < 0 || begin >= end || ranges.last().is_some_and(|(_, before)| *before >= begin) {
                return Err(NotNumbers);
            }
            ranges.push((begin, end));
        }
        Ok(Self(ranges))
    }
}

impl Serialize for Numbers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_what_they_were_made_of_also_as_text(numbers: BTreeSet<u16>) {
            let numbers: Vec<i64> = numbers.into_iter().map(i64::from).collect();
            let ranges = Numbers::of(numbers.iter().copied());
            prop_assert_eq!(ranges.iter().collect::<Vec<_>>(), numbers.clone());
            prop_assert_eq!((ranges.len(), ranges.last()), (numbers.len(), numbers.last().copied()));
            prop_assert_eq!(ranges.to_string().parse::<Numbers>(), Ok(ranges));
        }
    }

    #[test]
    fn what_is_not_in_order_is_no_numbers() {
        for wrong in ["1", "2-1", "1-2,2-3", "1-2,3-4", "5-6,1-2", "-1-2", "1-2,", "1-9223372036854775807", "a-b"] {
            assert_eq!(wrong.parse::<Numbers>(), Err(NotNumbers), "{wrong}");
        }
    }
}
