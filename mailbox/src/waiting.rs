//! The rules of waiting together: a line an agency, served in turn and by one at a time, or by two where it is long, and bounds. No I/O here.
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
    /// A line of so many is worth a second server.
    long: usize,
    lines: BTreeMap<Agency, VecDeque<T>>,
    /// The agencies of which somebody could be served now, in the order of their turns.
    turns: VecDeque<Agency>,
    /// Those that are being served, and by how many.
    served: BTreeMap<Agency, usize>,
    count: usize,
}

/// Who serve one agency at most.
const SERVERS: usize = 2;

impl<T> Waiting<T> {
    pub(crate) fn new(room: Room, long: usize) -> Self {
        Self { room, long, lines: BTreeMap::new(), turns: VecDeque::new(), served: BTreeMap::new(), count: 0 }
    }

    /// Puts something at the end of its agency's line; whether somebody can serve it now who could not before.
    pub(crate) fn push(&mut self, agency: &Agency, thing: T) -> Result<bool, Full> {
        let line = self.lines.get(agency).map_or(0, VecDeque::len);
        if self.count >= self.room.all || line >= self.room.agency {
            return Err(Full);
        }
        let had = self.is_due(agency);
        self.lines.entry(agency.clone()).or_default().push_back(thing);
        self.count += 1;
        let turn = !had && self.is_due(agency);
        if turn {
            self.turns.push_back(agency.clone());
        }
        Ok(turn)
    }

    /// Whether somebody could serve it now: then it has a turn.
    fn is_due(&self, agency: &Agency) -> bool {
        let line = self.lines.get(agency).map_or(0, VecDeque::len);
        match self.served.get(agency) {
            None => line > 0,
            Some(&by) => by < SERVERS && line >= self.long,
        }
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether somebody could be served now.
    pub(crate) fn has_turn(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Takes up to `most` from the line of the agency whose turn it is. It has no other until it is [`Waiting::done`], unless its line is long: what comes meanwhile comes
    /// together.
    pub(crate) fn next(&mut self, most: usize) -> Option<(Agency, Vec<T>)> {
        let agency = self.turns.pop_front()?;
        let line = self.lines.get_mut(&agency).expect("who has a turn has a line");
        let taken: Vec<T> = line.drain(..line.len().min(most)).collect();
        self.count -= taken.len();
        if line.is_empty() {
            self.lines.remove(&agency);
        }
        *self.served.entry(agency.clone()).or_default() += 1;
        if self.is_due(&agency) {
            self.turns.push_back(agency.clone());
        }
        Some((agency, taken))
    }

    /// What was taken from the line of this agency has been served.
    pub(crate) fn done(&mut self, agency: &Agency) {
        let had = self.is_due(agency);
        if let Some(by) = self.served.get_mut(agency) {
            *by -= 1;
            if *by == 0 {
                self.served.remove(agency);
            }
        }
        if !had && self.is_due(agency) {
            self.turns.push_back(agency.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Room = Room { all: 40, agency: 15 };
    const LONG: usize = 5;
    const MOST: usize = 7;

    fn agency(number: usize) -> Agency {
        ["a", "b", "c", "d"][number % 4].parse().unwrap()
    }

    /// What waits of an agency, and who serve it.
    #[derive(Default)]
    struct Line {
        waits: VecDeque<usize>,
        servers: usize,
        /// How often each other was served since its turn came.
        passed: BTreeMap<Agency, u32>,
    }

    impl Line {
        fn is_due(&self) -> bool {
            match self.servers {
                0 => !self.waits.is_empty(),
                1 => self.waits.len() >= LONG,
                _ => false,
            }
        }
    }

    proptest! {
        /// Whoever comes and goes in whatever order: no room is exceeded, nothing is lost or taken twice, each line keeps its order and is served by one at a
        /// time, by a second one only where it is long, and nobody whose turn it is is passed over by anybody twice.
        #[test]
        fn everybody_is_served_in_turn(steps in proptest::collection::vec((0..6_usize, 0..5_u8), 0..300)) {
            let mut waiting = Waiting::new(ROOM, LONG);
            let mut model: BTreeMap<Agency, Line> = BTreeMap::new();
            for (number, (who, what)) in steps.into_iter().enumerate() {
                let who = agency(who);
                let all: usize = model.values().map(|line| line.waits.len()).sum();
                if what < 3 {
                    let line = model.entry(who.clone()).or_default();
                    let fits = all < ROOM.all && line.waits.len() < ROOM.agency;
                    let was_due = line.is_due();
                    if fits {
                        line.waits.push_back(number);
                    }
                    prop_assert_eq!(waiting.push(&who, number), if fits { Ok(line.is_due() && !was_due) } else { Err(Full) });
                } else if what == 3 {
                    waiting.done(&who);
                    let line = model.entry(who).or_default();
                    line.servers = line.servers.saturating_sub(1);
                } else if let Some((served, taken)) = waiting.next(MOST) {
                    let line = model.get_mut(&served).unwrap();
                    prop_assert!(line.is_due(), "{} is served and was not due", served);
                    line.servers += 1;
                    line.passed.clear();
                    let expected: Vec<usize> = line.waits.drain(..line.waits.len().min(MOST)).collect();
                    prop_assert_eq!(taken, expected);
                    for (other, line) in model.iter_mut().filter(|(_, line)| line.is_due()) {
                        let times = line.passed.entry(served.clone()).or_default();
                        *times += u32::from(*other != served);
                        prop_assert!(*times <= 1, "{} waits while {} is served again", other, served);
                    }
                }
                prop_assert_eq!(waiting.count, model.values().map(|line| line.waits.len()).sum::<usize>());
                prop_assert_eq!(waiting.is_empty(), waiting.count == 0);
                prop_assert_eq!(waiting.turns.len(), model.values().filter(|line| line.is_due()).count());
                prop_assert_eq!(waiting.has_turn(), !waiting.turns.is_empty());
            }
        }
    }
}
