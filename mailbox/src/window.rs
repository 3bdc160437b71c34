//! What was sent and is not confirmed yet. The relay does not wait for a confirm before it looks again, so what comes meanwhile leaves
//! meanwhile; but never past what is under way about the same subject: should the broker lose that, its order would be lost, too.
use std::collections::{HashSet, VecDeque};

use crate::envelope::Fact;

/// Looks whose facts are under way at once. Most confirms come before the next look and hardly any after three (measured at half of full
/// load); a broker that takes nothing gets no more than these.
const LOOKS: usize = 4;

/// What is under way, the oldest look first.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    looks: VecDeque<Vec<Sent>>,
    subjects: HashSet<String>,
    /// Somebody had to stay behind because of these.
    awaited: bool,
}

/// A fact that was sent.
#[derive(Debug)]
struct Sent {
    seq: i64,
    subject: String,
}

impl UnderWay {
    pub(crate) fn is_empty(&self) -> bool {
        self.looks.is_empty()
    }

    /// Whether anything more can leave before something has arrived.
    pub(crate) fn has_room(&self) -> bool {
        self.looks.len() < LOOKS && !self.awaited
    }

    /// How many facts.
    pub(crate) fn len(&self) -> usize {
        self.looks.iter().map(Vec::len).sum()
    }

    /// The lowest of their numbers.
    pub(crate) fn lowest(&self) -> Option<i64> {
        self.looks.iter().flatten().map(|sent| sent.seq).min()
    }

    /// Their numbers as PostgreSQL writes an `int8multirange`: `{[1,3],[7,7]}`.
    pub(crate) fn ranges(&self) -> String {
        let mut numbers: Vec<i64> = self.looks.iter().flatten().map(|sent| sent.seq).collect();
        numbers.sort_unstable();
        let ranges: Vec<String> = numbers
            .chunk_by(|one, next| one + 1 == *next)
            .map(|range| format!("[{},{}]", range[0], range[range.len() - 1]))
            .collect();
        format!("{{{}}}", ranges.join(","))
    }

    /// Those of the facts that may leave now; the others wait for their subject.
    pub(crate) fn admit(&mut self, facts: Vec<Fact>) -> Vec<Fact> {
        let found = facts.len();
        let admitted: Vec<Fact> = facts.into_iter().filter(|fact| !self.subjects.contains(&fact.subject)).collect();
        self.awaited = admitted.len() < found;
        admitted
    }

    /// Takes note that these were sent.
    pub(crate) fn sent(&mut self, facts: Vec<Fact>) {
        self.subjects.extend(facts.iter().map(|fact| fact.subject.clone()));
        self.looks.push_back(facts.into_iter().map(|Fact { seq, subject, .. }| Sent { seq, subject }).collect());
    }

    /// Takes note that the oldest look has arrived: the numbers of its facts.
    pub(crate) fn arrived(&mut self) -> Vec<i64> {
        let sent = self.looks.pop_front().unwrap_or_default();
        for Sent { subject, .. } in &sent {
            self.subjects.remove(subject);
        }
        self.awaited = false;
        sent.into_iter().map(|sent| sent.seq).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fact(seq: i64, subject: u8) -> Fact {
        Fact { seq, subject: subject.to_string(), ..crate::envelope::tests::fact() }
    }

    #[test]
    fn numbers_that_follow_each_other_are_one_range() {
        let mut under_way = UnderWay::default();
        assert_eq!(under_way.ranges(), "{}");
        under_way.sent(vec![fact(2, 1), fact(7, 2)]);
        under_way.sent(vec![fact(1, 3), fact(3, 4)]);
        assert_eq!(under_way.ranges(), "{[1,3],[7,7]}");
        assert_eq!((under_way.lowest(), under_way.len()), (Some(1), 4));
    }

    proptest! {
        /// Facts come, those that may leave do, and the broker confirms now and then: each leaves once, and of a subject none before its
        /// elders have arrived.
        #[test]
        fn nothing_passes_what_is_under_way_about_its_subject(
            subjects in prop::collection::vec(0..6_u8, 1..60), looks in prop::collection::vec((1..10_usize, any::<bool>()), 0..40),
        ) {
            let mut waiting: Vec<(i64, u8)> = (1..).zip(subjects.clone()).collect();
            let (mut under_way, mut left, mut arrived) = (UnderWay::default(), Vec::new(), HashSet::new());
            for (found, confirmed) in looks.into_iter().chain([(60, true); 60]) {
                if confirmed {
                    arrived.extend(under_way.arrived());
                }
                if !under_way.has_room() {
                    continue;
                }
                let look = waiting.iter().take(found).map(|(seq, subject)| fact(*seq, *subject)).collect();
                let leaving = under_way.admit(look);
                for Fact { seq, subject, .. } in &leaving {
                    let elders = (1..*seq).zip(&subjects).filter(|(_, of)| of.to_string() == *subject);
                    let together = |elder: i64| leaving.iter().any(|fact| fact.seq == elder);
                    prop_assert!(elders.into_iter().all(|(elder, _)| arrived.contains(&elder) || together(elder)), "{seq}");
                }
                waiting.retain(|(seq, _)| leaving.iter().all(|fact| fact.seq != *seq));
                left.extend(leaving.iter().map(|fact| fact.seq));
                if !leaving.is_empty() {
                    under_way.sent(leaving);
                }
            }
            left.sort_unstable();
            prop_assert_eq!(left, (1..=i64::try_from(subjects.len()).unwrap()).collect::<Vec<_>>());
        }
    }
}
