//! From which number on the outbox is looked through. Rows that are gone stay in the way for as long as anybody's transaction is older than their end: a dump of the
//! database, a session that somebody forgot. Looked through from its beginning, the outbox would cost the more the longer that takes (measured: after 500,000 facts each
//! look takes 200 ms), until facts come faster than they leave.
//!
//! A number is drawn before its transaction ends, so a lower one may appear after a higher one. But whoever draws one has locked the table before, and keeps that
//! lock until its row is there to be seen or will never be. So what was numbered at one moment is decided when all have ended who were writing just after it.

/// What the server says at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sight {
    /// When it was started: another server, or one that was restored, has numbers of its own.
    pub(crate) server: String,
    /// The highest number that anybody had drawn, asked before `writing`.
    pub(crate) numbered: i64,
    /// The transactions that had the outbox locked for writing.
    pub(crate) writing: Vec<String>,
}

/// Where a look begins.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    server: String,
    /// Nothing up to here is in the outbox, or will be.
    gone: i64,
    /// Everything up to here is in the outbox or will never be.
    decided: i64,
    /// What is to be decided next, and who was writing then.
    next: Option<(i64, Vec<String>)>,
}

impl Floor {
    /// Only what has a higher number need be looked for.
    pub(crate) fn above(&self) -> i64 {
        self.gone
    }

    /// Takes note of what the server says now.
    pub(crate) fn saw(&mut self, sight: Sight) {
        let Sight { server, numbered, writing } = sight;
        if server != self.server {
            *self = Self { server, ..Self::default() };
        }
        match &self.next {
            Some((_, then)) if then.iter().any(|one| writing.contains(one)) => return,
            Some((decided, _)) => self.decided = *decided,
            None => {}
        }
        self.next = Some((numbered, writing));
    }

    /// Takes note of the lowest number that a look found which began after [`Floor::saw`].
    pub(crate) fn found(&mut self, lowest: Option<i64>) {
        let below = lowest.map_or(i64::MAX, |lowest| lowest - 1);
        self.gone = self.gone.max(self.decided.min(below));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sight(numbered: i64, writing: &[&str]) -> Sight {
        Sight { server: "a".into(), numbered, writing: writing.iter().map(|one| (*one).to_owned()).collect() }
    }

    #[test]
    fn it_rises_only_when_all_have_ended_who_wrote() {
        let mut floor = Floor::default();
        floor.saw(sight(10, &["1", "2"]));
        floor.found(None);
        assert_eq!(floor.above(), 0);
        floor.saw(sight(20, &["2", "3"]));
        floor.found(None);
        assert_eq!(floor.above(), 0, "2 may still bring one up to 10");
        floor.saw(sight(30, &["3"]));
        floor.found(Some(8));
        assert_eq!(floor.above(), 7, "8 still waits");
        floor.found(Some(25));
        assert_eq!(floor.above(), 10);
        floor.saw(Sight { server: "b".into(), ..sight(5, &[]) });
        assert_eq!(floor.above(), 0, "another server");
    }

    /// What happens in a database: a transaction begins to write, draws a number, ends one way or the other; the relay looks, and takes what it finds.
    #[derive(Debug, Clone)]
    enum Step {
        Begin,
        Draw(usize),
        Commit(usize),
        RollBack(usize),
        See,
        Look,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let any = 0..8_usize;
        let step = prop_oneof![
            2 => Just(Step::Begin),
            4 => any.clone().prop_map(Step::Draw),
            3 => any.clone().prop_map(Step::Commit),
            1 => any.prop_map(Step::RollBack),
            3 => Just(Step::See),
            3 => Just(Step::Look),
        ];
        proptest::collection::vec(step, 0..120)
    }

    proptest! {
        #[test]
        fn no_number_is_ever_passed_over(steps in steps()) {
            let (mut floor, mut open, mut outbox) = (Floor::default(), Vec::<(u32, Vec<i64>)>::new(), Vec::<i64>::new());
            let (mut begun, mut drawn) = (0_u32, 0_i64);
            for step in steps {
                match step {
                    Step::Begin => {
                        begun += 1;
                        open.push((begun, Vec::new()));
                    }
                    Step::Draw(at) => {
                        if let Some((_, numbers)) = open.get_mut(at) {
                            drawn += 1;
                            numbers.push(drawn);
                        }
                    }
                    Step::Commit(at) if at < open.len() => outbox.extend(open.remove(at).1),
                    Step::RollBack(at) if at < open.len() => drop(open.remove(at)),
                    Step::See => {
                        let writing = open.iter().map(|(id, _)| id.to_string()).collect();
                        floor.saw(Sight { server: "a".into(), numbered: drawn, writing });
                    }
                    Step::Look => {
                        // A few at a time, the lowest first.
                        outbox.sort_unstable();
                        let found: Vec<i64> = outbox.iter().copied().filter(|number| *number > floor.above()).take(3).collect();
                        prop_assert_eq!(found.first(), outbox.first(), "one was passed over");
                        floor.found(found.first().copied());
                        outbox.retain(|number| !found.contains(number));
                    }
                    Step::Commit(_) | Step::RollBack(_) => {}
                }
            }
        }
    }
}
