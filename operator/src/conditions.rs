//! Conditions: said once, sorted, and with a time that moves only when the answer does, so that saying the same again is
//! writing the same bytes.
use crds::{Condition, ConditionStatus, ConditionType};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The conditions of one object, on their way from what was said to what is to be said.
#[derive(Debug)]
pub(crate) struct Conditions {
    held: Vec<Condition>,
    said: Vec<Condition>,
    generation: Option<i64>,
    now: Timestamp,
}

impl Conditions {
    /// Begins with what was said before; what is not said again is gone.
    pub(crate) fn after(held: &[Condition], generation: Option<i64>, now: Timestamp) -> Self {
        Self { held: held.to_vec(), said: Vec::new(), generation, now }
    }

    /// Says something.
    pub(crate) fn say(&mut self, type_: ConditionType, so: bool, reason: &str, message: impl Into<String>) {
        let status = if so { ConditionStatus::True } else { ConditionStatus::False };
        let unchanged = self.held.iter().find(|held| held.type_ == type_ && held.status == status);
        // Kubernetes keeps seconds.
        let now = Timestamp::from_second(self.now.as_second()).expect("a moment cut to the second is a moment");
        self.said.push(Condition {
            type_,
            status,
            observed_generation: self.generation,
            last_transition_time: unchanged.map_or(Time(now), |held| held.last_transition_time.clone()),
            reason: reason.to_owned(),
            message: message.into(),
        });
    }

    /// Says again what was said before of something that is not looked at now.
    pub(crate) fn keep(&mut self, type_: ConditionType) {
        self.said.extend(self.held.iter().find(|held| held.type_ == type_).cloned());
    }

    /// All that is said now.
    pub(crate) fn all(mut self) -> Vec<Condition> {
        self.said.sort_by_key(|condition| condition.type_);
        self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn the_time_moves_only_when_the_answer_does() {
        let mut first = Conditions::after(&[], Some(1), at(10));
        first.say(ConditionType::Ready, true, "Scheduled", "");
        let first = first.all();
        let mut same = Conditions::after(&first, Some(2), at(20));
        same.say(ConditionType::Ready, true, "Scheduled", "");
        let same = same.all();
        assert_eq!((same[0].last_transition_time.clone(), same[0].observed_generation), (Time(at(10)), Some(2)));
        let mut other = Conditions::after(&same, Some(2), at(30));
        other.say(ConditionType::Ready, false, "InvalidSchedule", "");
        assert_eq!(other.all()[0].last_transition_time, Time(at(30)));
    }

    #[test]
    fn what_is_not_said_again_is_gone_and_the_rest_is_sorted() {
        let mut first = Conditions::after(&[], None, at(10));
        first.say(ConditionType::Stalled, true, "X", "");
        first.say(ConditionType::Ready, false, "X", "");
        let first = first.all();
        assert_eq!(
            first.iter().map(|condition| condition.type_).collect::<Vec<_>>(),
            [ConditionType::Ready, ConditionType::Stalled]
        );
        let mut next = Conditions::after(&first, None, at(20));
        next.keep(ConditionType::Ready);
        next.keep(ConditionType::LastRunSucceeded);
        assert_eq!(next.all(), first[..1]);
    }
}
