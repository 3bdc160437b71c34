//! The rules of waiting together: a line an agency, served in turn, and bounds. No I/O here.
use std::collections::{BTreeMap, VecDeque};

use chassis::Agency;

/// How many may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// In all lines.
    pub(crate) all: usize,
    /// In the line of one agency, so that the others still find room.
    pub(crate) agency: usize,
}

/// There is no room; whoever asked may come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Lines of waiting things.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    room: Room,
    lines: BTreeMap<Agency, VecDeque<T>>,
    /// The agencies that have a line, in the order of their turns.
    turns: VecDeque<Agency>,
    count: usize,
}

impl<T> Waiting<T> {
    pub(crate) fn new(room: Room) -> Self {
        Self { room, lines: BTreeMap::new(), turns: VecDeque::new(), count: 0 }
    }

    /// Puts something at the end of its agency's line.
    pub(crate) fn push(&mut self, agency: &Agency, thing: T) -> Result<(), Full> {
        let line = self.lines.get(agency).map_or(0, VecDeque::len);
        if self.count >= self.room.all || line >= self.room.agency {
            return Err(Full);
        }
        if line == 0 {
            self.turns.push_back(agency.clone());
        }
        self.lines.entry(agency.clone()).or_default().push_back(thing);
        self.count += 1;
        Ok(())
    }

    /// Takes up to `most` from the line of the agency whose turn it is.
    pub(crate) fn next(&mut self, most: usize) -> Option<(Agency, Vec<T>)> {
        let agency = self.turns.pop_front()?;
        let line = self.lines.get_mut(&agency).expect("who has a turn has a line");
        let taken: Vec<T> = line.drain(..line.len().min(most)).collect();
        self.count -= taken.len();
        if line.is_empty() {
            self.lines.remove(&agency);
        } else {
            self.turns.push_back(agency.clone());
        }
        Some((agency, taken))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Room = Room { all: 40, agency: 15 };
    const MOST: usize = 4;

    fn agency(number: usize) -> Agency {
        ["a", "b", "c", "d"][number % 4].parse().unwrap()
    }

    proptest! {
        /// Whoever comes and goes in whatever order: no room is exceeded, nothing is lost or taken twice, each line keeps its
        /// order, and nobody who waits is passed over by anybody twice.
        #[test]
        fn everybody_is_served_in_turn(steps in proptest::collection::vec((0..6_usize, any::<bool>()), 0..200)) {
            let mut waiting = Waiting::new(ROOM);
            let mut model: BTreeMap<Agency, VecDeque<usize>> = BTreeMap::new();
            let mut passed: BTreeMap<Agency, BTreeMap<Agency, u32>> = BTreeMap::new();
            for (number, (who, comes)) in steps.into_iter().enumerate() {
                let who = agency(who);
                if comes {
                    let all: usize = model.values().map(VecDeque::len).sum();
                    let line = model.entry(who.clone()).or_default();
                    let fits = all < ROOM.all && line.len() < ROOM.agency;
                    prop_assert_eq!(waiting.push(&who, number).is_ok(), fits);
                    if fits {
                        line.push_back(number);
                    }
                } else if let Some((served, taken)) = waiting.next(MOST) {
                    let line = model.get_mut(&served).unwrap();
                    let expected: Vec<usize> = line.drain(..line.len().min(MOST)).collect();
                    prop_assert!(!expected.is_empty());
                    prop_assert_eq!(taken, expected);
                    passed.remove(&served);
                    for (other, _) in model.iter().filter(|(other, line)| **other != served && !line.is_empty()) {
                        let times = passed.entry(other.clone()).or_default().entry(served.clone()).or_default();
                        *times += 1;
                        prop_assert!(*times <= 1, "{} waits while {} is served again", other, served);
                    }
                } else {
                    prop_assert!(model.values().all(VecDeque::is_empty));
                }
                prop_assert_eq!(waiting.count, model.values().map(VecDeque::len).sum::<usize>());
            }
        }
    }
}
