//! The rules of a plan. No I/O here, and no clock: time is an argument.
use std::{collections::BTreeMap, fmt, str::FromStr};

use chassis::Agency;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::item::Item;

/// The id of a plan within its agency: `{namespace}.{name}` of the InspectionPlan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct PlanId(String);

/// A text that is no plan's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a plan's id is {{namespace}}.{{name}} of its InspectionPlan")]
pub struct NotAPlanId;

impl PlanId {
    /// The Kubernetes namespace of the plan, whose pods work on its runs.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.0.split_once('.').map_or(&self.0, |(namespace, _)| namespace)
    }
}

impl FromStr for PlanId {
    type Err = NotAPlanId;

    fn from_str(text: &str) -> Result<Self, NotAPlanId> {
        let label =
            |text: &str| (1..=63).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        match text.split_once('.') {
            // A namespace is a DNS label; an object's name may have dots of its own.
            Some((namespace, name)) if label(namespace) && name.split('.').all(label) && name.len() <= 63 => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotAPlanId),
        }
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which devices are meant, in the inventory's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// Classes by their number on the wire, as the inventory declares them.
    pub classes: Vec<i32>,
    /// Sites.
    pub sites: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// What a plan asks for, at one generation of its InspectionPlan.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The uid of the InspectionPlan: another plan of the same name has another.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// The cron expression.
    pub schedule: String,
    /// Its IANA zone.
    pub time_zone: String,
    /// What is measured.
    pub items: Vec<Item>,
    /// On which devices.
    pub selector: Selector,
    /// A worker is added for so many devices.
    pub shard_size: i32,
    /// At most so many workers.
    pub max_shards: i32,
}

/// A plan, exactly as its row has it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Plan {
    /// Whose it is.
    pub agency: Agency,
    /// Its id there.
    pub id: PlanId,
    /// The uid of the InspectionPlan.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// The cron expression.
    pub schedule: String,
    /// Its IANA zone.
    pub time_zone: String,
    /// What is measured.
    pub items: Json<Vec<Item>>,
    /// On which devices.
    pub selector: Json<Selector>,
    /// A worker is added for so many devices.
    pub shard_size: i32,
    /// At most so many workers.
    pub max_shards: i32,
    /// When it was last programmed.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub updated_at: Timestamp,
}

/// What just became true of a plan. Saving one demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fact {
    /// It was programmed.
    Programmed,
}

/// Why a plan is not programmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A newer generation is held.
    #[error("plan {id} is held at generation {held}, which is newer than {offered}")]
    Stale {
        /// Which.
        id: PlanId,
        /// What is held.
        held: i64,
        /// What was offered.
        offered: i64,
    },
}

impl Plan {
    /// A plan is programmed for the first time.
    pub fn program(agency: Agency, id: PlanId, terms: Terms, now: Timestamp) -> (Self, Fact) {
        let Terms { uid, generation, schedule, time_zone, items, selector, shard_size, max_shards } = terms;
        let plan = Self {
            agency,
            id,
            uid,
            generation,
            schedule,
            time_zone,
            items: Json(items),
            selector: Json(selector),
            shard_size,
            max_shards,
            updated_at: now,
        };
        (plan, Fact::Programmed)
    }

    /// It is programmed anew. `None`: it says so already. Another uid is another plan and begins at any generation.
    pub fn reprogram(&mut self, terms: Terms, now: Timestamp) -> Result<Option<Fact>, Refusal> {
        if terms.uid == self.uid && terms.generation < self.generation {
            return Err(Refusal::Stale { id: self.id.clone(), held: self.generation, offered: terms.generation });
        }
        if terms == self.terms() {
            return Ok(None);
        }
        let (plan, fact) = Self::program(self.agency.clone(), self.id.clone(), terms, now);
        *self = plan;
        Ok(Some(fact))
    }

    fn terms(&self) -> Terms {
        Terms {
            uid: self.uid.clone(),
            generation: self.generation,
            schedule: self.schedule.clone(),
            time_zone: self.time_zone.clone(),
            items: self.items.0.clone(),
            selector: self.selector.0.clone(),
            shard_size: self.shard_size,
            max_shards: self.max_shards,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(generation: i64) -> Terms {
        Terms {
            uid: "e6ac".into(),
            generation,
            schedule: "0 9 * * *".into(),
            time_zone: "Asia/Shanghai".into(),
            items: Vec::new(),
            selector: Selector::default(),
            shard_size: 50,
            max_shards: 4,
        }
    }

    fn plan() -> Plan {
        Plan::program("gz".parse().unwrap(), "gz-demo.web".parse().unwrap(), terms(3), Timestamp::UNIX_EPOCH).0
    }

    #[test]
    fn an_older_generation_does_not_overwrite_a_newer() {
        let mut plan = plan();
        assert!(matches!(plan.reprogram(terms(2), Timestamp::MAX), Err(Refusal::Stale { held: 3, offered: 2, .. })));
        assert_eq!(plan.reprogram(terms(3), Timestamp::MAX), Ok(None));
        assert_eq!(plan.reprogram(terms(4), Timestamp::MAX), Ok(Some(Fact::Programmed)));
    }

    #[test]
    fn a_plan_made_anew_under_the_same_name_begins_at_its_own_generation() {
        let mut plan = plan();
        let anew = Terms { uid: "f7bd".into(), ..terms(1) };
        assert_eq!(plan.reprogram(anew, Timestamp::MAX), Ok(Some(Fact::Programmed)));
        assert_eq!(plan.generation, 1);
    }

    #[test]
    fn an_id_names_the_namespace_whose_pods_work() {
        assert_eq!("gz-demo.web".parse::<PlanId>().unwrap().namespace(), "gz-demo");
        for wrong in ["", "web", ".web", "gz-demo.", "GZ.web", "gz/web.x"] {
            assert_eq!(wrong.parse::<PlanId>(), Err(NotAPlanId), "{wrong}");
        }
    }
}
