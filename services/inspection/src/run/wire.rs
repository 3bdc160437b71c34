//! Runs and results as protobuf has them.
use chassis::Agency;
use mailbox::Letter;
use proto::{Invalid, Wire, inspection::v1 as pb, moment, parse, stamp, why};

use crate::{
    item, plan,
    run::{Balance, Fact, Key, Run, RunId, Seen, State, Target, results::Recorded},
};

proto::same_words!(State = pb::RunState { Open, Succeeded, Incomplete, Skipped });

/// Results in one call: a transaction of a few milliseconds.
const BATCH: usize = 500;

/// `agencies/{agency}/runs/{run}`.
pub(crate) fn name(agency: &Agency, id: RunId) -> String {
    format!("agencies/{agency}/runs/{id}")
}

/// The run that a name names.
pub(crate) fn named(field: &'static str, text: &str) -> Result<(Agency, RunId), Invalid> {
    let [agency, run] = parse::name(field, text, ["agencies", "runs"])?;
    Ok((Agency::from_segment(field, agency)?, parse::uuid(field, run)?.into()))
}

/// What a worker hands in.
pub(crate) fn seen(results: Vec<pb::Result>) -> Result<Vec<Seen>, Invalid> {
    if results.is_empty() || results.len() > BATCH {
        let length = results.len();
        return Err(Invalid::new(
            "results",
            why!("has {length} entries, 1 to {BATCH} are allowed", "有 {length} 项，允许 1 到 {BATCH} 项"),
        ));
    }
    let one = |(at, result): (usize, pb::Result)| {
        let within = |invalid: Invalid| invalid.within(&format!("results[{at}]"));
        let pb::Result { item_id, device_id, observe_time, observation, verdict: _, reason: _ } = result;
        let observation = parse::required("observation", observation).map_err(within)?;
        Ok(Seen {
            key: Key { item_id, device_id },
            at: moment("observe_time", observe_time).map_err(within)?,
            observation: item::wire::observation(observation).map_err(|invalid| within(invalid.within("observation")))?,
        })
    };
    results.into_iter().enumerate().map(one).collect()
}

impl From<Run> for pb::Run {
    fn from(run: Run) -> Self {
        let (shard_count, expected) = (run.shards(), run.expected());
        let Run {
            agency,
            id,
            plan_id,
            namespace: _,
            scheduled_at,
            state,
            items: _,
            targets,
            shard_size: _,
            balance,
            origin,
            reason,
            created_at,
            finished_at,
        } = run;
        let Balance { recorded, passed, flagged, failed } = balance;
        Self {
            name: name(&agency, id),
            plan: plan::wire::name(&agency, &plan_id),
            scheduled_time: Some(stamp(scheduled_at)),
            state: state.to_wire(),
            counts: Some(pb::RunCounts { targets, expected, recorded, passed, flagged, failed }),
            shard_count,
            trace_id: origin.trace_id(),
            create_time: Some(stamp(created_at)),
            finish_time: finished_at.map(stamp),
            reason,
        }
    }
}

impl From<Target> for pb::Target {
    fn from(Target { ordinal: _, device_id, display_name, address }: Target) -> Self {
        Self { device_id, display_name, address }
    }
}

impl From<Key> for pb::ResultKey {
    fn from(Key { item_id, device_id }: Key) -> Self {
        Self { item_id, device_id }
    }
}

impl From<Recorded> for pb::Result {
    fn from(Recorded { key, observed_at, observation, verdict, reason }: Recorded) -> Self {
        let Key { item_id, device_id } = key;
        Self {
            item_id,
            device_id,
            observe_time: Some(stamp(observed_at)),
            observation: Some(observation.0.into()),
            verdict: verdict.to_wire(),
            reason,
        }
    }
}

/// What is told when a run changes.
pub(crate) fn letter(run: &Run, fact: Fact) -> Letter {
    let subject = name(&run.agency, run.id);
    let told = Some(run.clone().into());
    match fact {
        Fact::Opened => Letter::about(&run.agency, subject, &pb::RunOpened { run: told }).under("7.3.2.1"),
        Fact::Finished => Letter::about(&run.agency, subject, &pb::RunFinished { run: told }).under("7.3.2.1.5"),
    }
}
