//! The rules of waiting together: a line an agency, served in turn and by one at a time, and bounds. No I/O here.
use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
    /// The agencies that have a line and are not being served, in the order of their turns.
    turns: VecDeque<Agency>,
    /// Those that are.
    served: BTreeSet<Agency>,
    count: usize,
}

impl<T> Waiting<T> {
    pub(crate) fn new(room: Room) -> Self {
        Self { room, lines: BTreeMap::new(), turns: VecDeque::new(), served: BTreeSet::new(), count: 0 }
    }

    /// Puts something at the end of its agency's line; whether somebody can serve it now who could not before.
    pub(crate) fn push(&mut self, agency: &Agency, thing: T) -> Result<bool, Full> {
        let line = self.lines.get(agency).map_or(0, VecDeque::len);
        if self.count >= self.room.all || line >= self.room.agency {
            return Err(Full);
        }
        let turn = line == 0 && !self.served.contains(agency);
        if turn {
            self.turns.push_back(agency.clone());
        }
        self.lines.entry(agency.clone()).or_default().push_back(thing);
        self.count += 1;
        Ok(turn)
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether somebody could be served now.
    pub(crate) fn has_turn(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Takes up to `most` from the line of the agency whose turn it is. It has no other until it is [`Waiting::done`]: what comes meanwhile comes together.
    pub(crate) fn next(&mut self, most: usize) -> Option<(Agency, Vec<T>)> {
        let agency = self.turns.pop_front()?;
        let line = self.lines.get_mut(&agency).expect("who has a turn has a line");
        let taken: Vec<T> = line.drain(..line.len().min(most)).collect();
        self.count -= taken.len();
        if line.is_empty() {
            self.lines.remove(&agency);
        }
        self.served.insert(agency.clone());
        Some((agency, taken))
    }

    /// What was taken from the line of this agency has been served.
    pub(crate) fn done(&mut self, agency: &Agency) {
        if self.served.remove(agency) && self.lines.contains_key(agency) {
            self.turns.push_back(agency.clone());
        }
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
        /// Whoever comes and goes in whatever order: no room is exceeded, nothing is lost or taken twice, each line keeps its order and is served by one at a
        /// time, and nobody who waits is passed over by anybody twice.
        #[test]
        fn everybody_is_served_in_turn(steps in proptest::collection::vec((0..6_usize, 0..3_u8), 0..200)) {
            let mut waiting = Waiting::new(ROOM);
            let mut model: BTreeMap<Agency, VecDeque<usize>> = BTreeMap::new();
            let mut under_way = BTreeSet::new();
            let mut passed: BTreeMap<Agency, BTreeMap<Agency, u32>> = BTreeMap::new();
            for (number, (who, what)) in steps.into_iter().enumerate() {
                let who = agency(who);
                if what == 0 {
                    let all: usize = model.values().map(VecDeque::len).sum();
                    let line = model.entry(who.clone()).or_default();
                    let fits = all < ROOM.all && line.len() < ROOM.agency;
                    let turn = line.is_empty() && !under_way.contains(&who);
                    prop_assert_eq!(waiting.push(&who, number), if fits { Ok(turn) } else { Err(Full) });
                    if fits {
                        line.push_back(number);
                    }
                } else if what == 1 {
                    waiting.done(&who);
                    under_way.remove(&who);
                } else if let Some((served, taken)) = waiting.next(MOST) {
                    prop_assert!(under_way.insert(served.clone()), "{} is served twice at once", served);
                    let line = model.get_mut(&served).unwrap();
                    let expected: Vec<usize> = line.drain(..line.len().min(MOST)).collect();
                    prop_assert!(!expected.is_empty());
                    prop_assert_eq!(taken, expected);
                    passed.remove(&served);
                    // Whoever is being served waits for that.
                    for other in model.iter().filter(|(other, line)| !under_way.contains(*other) && !line.is_empty()).map(|(other, _)| other) {
                        let times = passed.entry(other.clone()).or_default().entry(served.clone()).or_default();
                        *times += 1;
                        prop_assert!(*times <= 1, "{} waits while {} is served again", other, served);
                    }
                } else {
                    prop_assert!(model.iter().all(|(agency, line)| line.is_empty() || under_way.contains(agency)));
                }
                prop_assert_eq!(waiting.count, model.values().map(VecDeque::len).sum::<usize>());
                prop_assert_eq!(waiting.is_empty(), waiting.count == 0);
                let due = model.iter().any(|(agency, line)| !line.is_empty() && !under_way.contains(agency));
                prop_assert_eq!(waiting.has_turn(), due);
            }
        }
    }
}
