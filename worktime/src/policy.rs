//! THE POLICY: which clocks a ticket has, what each may take at which priority, and what lets it stand; and from what happened
//! to a ticket the clocks that follow.
//!
//! Sources: T/DGAG 038-2025 demands the limits (7.4.1.1, 7.4.2.4) and grades (7.4.1.2, 7.4.2.2); DB4401/T 294.2-2024 (table
//! 3) has the numbers, which are not known, and so they are data here; that clocks run side by side, stand and warn is ours:
//! no clause says how time is counted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::{self, Basis, Clock, Reason, Rule};

/// Promises about tickets: clocks that run side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What people call it.
    pub name: String,
    /// Its clocks; each has a name of its own.
    pub clocks: Vec<Promise>,
}

/// One promise: by when something is to be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// What people call the clock: `response`, `resolution`.
    pub name: String,
    /// The time that it counts.
    pub basis: Basis,
    /// What stops it: the name of a [`What::Reached`].
    pub until: String,
    /// How much time each priority has; the grades are those of 7.4.1.2 and 7.4.2.2.
    pub targets: BTreeMap<String, SignedDuration>,
    /// At which percentages of the target it warns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<u16>,
    /// Whether what falls due outside service hours is held until they begin again.
    #[serde(default)]
    pub hold_to_service_hours: bool,
    /// The reasons that let it stand; for any other it runs on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stands_for: BTreeSet<Reason>,
}

/// What happened to a ticket, whatever the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Which ticket.
    pub ticket: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// The priority that it was opened with.
    pub priority: String,
    /// What followed, in order.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Somebody else is waited for.
    Paused(Reason),
    /// Nobody is any more.
    Resumed,
    /// It has another priority.
    Priority(String),
    /// What a promise is about: `responded`, `resolved`. Only the first time counts, until the ticket is reopened.
    Reached(String),
    /// It was not done after all (7.4.1.6: the user did not confirm): the clock that this stopped goes on.
    Reopened(String),
}

/// Why a policy cannot be applied to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The policy has no target for that priority.
    #[error("policy `{policy}`, clock `{clock}`, targets: none for priority `{priority}` of ticket `{ticket}`")]
    NoTarget {
        /// The policy.
        policy: String,
        /// The clock.
        clock: String,
        /// The priority.
        priority: String,
        /// The ticket.
        ticket: String,
    },
    /// The clock does not take an event.
    #[error("ticket `{ticket}`, clock `{clock}`, event {number}: {cause}")]
    Event {
        /// The ticket.
        ticket: String,
        /// The clock.
        clock: String,
        /// Which event, counted from 0.
        number: usize,
        /// Why not.
        cause: clock::Refusal,
    },
    /// The promise itself makes no sense.
    #[error("policy `{policy}`, clock `{clock}`: {cause}")]
    Promise {
        /// The policy.
        policy: String,
        /// The clock.
        clock: String,
        /// Why not.
        cause: clock::Refusal,
    },
    /// Two clocks have the same name.
    #[error("policy `{policy}`, clocks: `{clock}` is there twice")]
    Twice {
        /// The policy.
        policy: String,
        /// The name.
        clock: String,
    },
}

impl Policy {
    /// Refuses a policy that no ticket could be held to.
    ///
    /// # Errors
    /// Two clocks with the same name, or a target or warning that makes no sense.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut names = BTreeSet::new();
        for promise in &self.clocks {
            if !names.insert(&promise.name) {
                return Err(Refusal::Twice { policy: self.name.clone(), clock: promise.name.clone() });
            }
            for target in promise.targets.values() {
                let refuse = |cause| Refusal::Promise { policy: self.name.clone(), clock: promise.name.clone(), cause };
                Clock::start(promise.rule(*target), Timestamp::UNIX_EPOCH).map_err(refuse)?;
            }
        }
        Ok(())
    }

    /// The clocks of a ticket, in the order of the policy, as they are after everything that happened.
    ///
    /// # Errors
    /// A priority without target, or events that no clock could have followed.
    pub fn clocks(&self, history: &History) -> Result<Vec<Clock>, Refusal> {
        self.clocks.iter().map(|promise| self.clock(promise, history)).collect()
    }

    fn clock(&self, promise: &Promise, history: &History) -> Result<Clock, Refusal> {
        let target = |priority: &String| {
            promise.targets.get(priority).copied().ok_or_else(|| Refusal::NoTarget {
                policy: self.name.clone(),
                clock: promise.name.clone(),
                priority: priority.clone(),
                ticket: history.ticket.clone(),
            })
        };
        let mut priority = &history.priority;
        let refuse = |cause| Refusal::Promise { policy: self.name.clone(), clock: promise.name.clone(), cause };
        let mut clock = Clock::start(promise.rule(target(priority)?), history.opened).map_err(refuse)?;
        for (number, event) in history.events.iter().enumerate() {
            let done = match &event.what {
                // What happens after its end does not concern a clock.
                What::Paused(_) | What::Resumed | What::Priority(_) | What::Reached(_) if clock.stopped().is_some() => {
                    if let What::Priority(new) = &event.what {
                        priority = new;
                    }
                    Ok(())
                }
                What::Paused(reason) if promise.stands_for.contains(reason) => clock.pause(event.at, reason.clone()),
                // It waits for something that does not excuse: what excused before is over.
                What::Paused(_) | What::Resumed if clock.standing().is_some() => clock.resume(event.at),
                What::Paused(_) | What::Resumed => Ok(()),
                What::Priority(new) => {
                    let cause = format!("{priority} → {new}");
                    priority = new;
                    clock.retarget(event.at, target(new)?, cause)
                }
                What::Reached(name) if *name == promise.until => clock.stop(event.at),
                What::Reopened(name) if *name == promise.until => reopen(&mut clock, event.at, priority, target(priority)?),
                What::Reached(_) | What::Reopened(_) => Ok(()),
            };
            done.map_err(|cause| Refusal::Event { ticket: history.ticket.clone(), clock: promise.name.clone(), number, cause })?;
        }
        Ok(clock)
    }
}

/// The priority may have changed while the clock did not run.
fn reopen(clock: &mut Clock, at: Timestamp, priority: &str, target: SignedDuration) -> Result<(), clock::Refusal> {
    clock.reopen(at)?;
    if clock.target() == target { Ok(()) } else { clock.retarget(at, target, format!("→ {priority}")) }
}

impl Promise {
    fn rule(&self, target: SignedDuration) -> Rule {
        Rule {
            name: self.name.clone(),
            basis: self.basis,
            target,
            warnings: self.warnings.clone(),
            hold_to_service_hours: self.hold_to_service_hours,
        }
    }
}
