//! The rules of a result: what a worker may hand in.
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    item::{Item, Judgement, Observation, judge},
    run::Target,
};

/// Which result of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::FromRow)]
pub struct Key {
    /// The item.
    pub item_id: String,
    /// The device.
    pub device_id: String,
}

/// What a worker saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Of what.
    pub key: Key,
    /// When.
    pub at: Timestamp,
    /// What.
    pub observation: Observation,
}

/// A result that is not part of the worker's work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// The run has no such item.
    #[error("the run has no item `{item}`")]
    Item {
        /// Where it stands among the results.
        at: usize,
        /// Which.
        item: String,
    },
    /// The part has no such device.
    #[error("this part of the run has no device `{device}`")]
    Device {
        /// Where it stands among the results.
        at: usize,
        /// Which.
        device: String,
    },
    /// The key stands twice.
    #[error("`{0}` stands twice", format!("{}/{}", key.item_id, key.device_id))]
    Twice {
        /// Where it stands the second time.
        at: usize,
        /// Which.
        key: Key,
    },
}

/// Results with their item, target and judgement, in the order in which everybody locks findings.
pub(crate) struct Judged<'a> {
    pub(crate) item: &'a Item,
    pub(crate) target: &'a Target,
    pub(crate) seen: Seen,
    pub(crate) judgement: Judgement,
}

/// Judges what a worker of the part with these targets saw.
pub(crate) fn judge_all<'a>(items: &'a [Item], targets: &'a [Target], seen: Vec<Seen>) -> Result<Vec<Judged<'a>>, Unknown> {
    let items: BTreeMap<&str, &Item> = items.iter().map(|item| (item.id.as_str(), item)).collect();
    let targets: BTreeMap<&str, &Target> = targets.iter().map(|target| (target.device_id.as_str(), target)).collect();
    let mut keys = BTreeSet::new();
    let mut judged = Vec::with_capacity(seen.len());
    for (at, seen) in seen.into_iter().enumerate() {
        let Key { item_id, device_id } = &seen.key;
        let item = *items.get(item_id.as_str()).ok_or_else(|| Unknown::Item { at, item: item_id.clone() })?;
        let target = *targets.get(device_id.as_str()).ok_or_else(|| Unknown::Device { at, device: device_id.clone() })?;
        if !keys.insert(seen.key.clone()) {
            return Err(Unknown::Twice { at, key: seen.key });
        }
        let judgement = judge(&item.limits, &seen.observation);
        judged.push(Judged { item, target, seen, judgement });
    }
    judged.sort_by(|a, b| a.seen.key.cmp(&b.seen.key));
    Ok(judged)
}
