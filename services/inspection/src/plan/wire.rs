//! Plans as protobuf has them.
use chassis::Agency;
use mailbox::Letter;
use proto::{Invalid, Why, inspection::v1 as pb, inventory::v1 as inventory, parse, stamp, why};

use crate::{
    item,
    plan::{Fact, Plan, PlanId, Selector, Terms},
};

const LARGEST_SHARD: i32 = 1_000;
const MOST_SHARDS: i32 = 100;

/// `agencies/{agency}/plans/{plan}`.
pub(crate) fn name(agency: &Agency, id: &PlanId) -> String {
    format!("agencies/{agency}/plans/{id}")
}

/// The plan that a name names.
pub(crate) fn named(field: &'static str, text: &str) -> Result<(Agency, PlanId), Invalid> {
    let [agency, plan] = parse::name(field, text, ["agencies", "plans"])?;
    let zh = "计划标识为其 InspectionPlan 的 {命名空间}.{名称}";
    let plan = plan.parse::<PlanId>().map_err(|error| Invalid::new(field, Why::new(error, zh)))?;
    Ok((Agency::from_segment(field, agency)?, plan))
}

/// What a plan on the wire asks for.
pub(crate) fn terms(plan: pb::Plan) -> Result<Terms, Invalid> {
    let pb::Plan { name: _, uid, generation, schedule, time_zone, items, selector, shard_size, update_time: _, max_shards } =
        plan;
    if !(1..=LARGEST_SHARD).contains(&shard_size) {
        return Err(Invalid::new("shard_size", why!("must be 1 to {LARGEST_SHARD}", "须为 1 到 {LARGEST_SHARD}")));
    }
    if !(1..=MOST_SHARDS).contains(&max_shards) {
        return Err(Invalid::new("max_shards", why!("must be 1 to {MOST_SHARDS}", "须为 1 到 {MOST_SHARDS}")));
    }
    let inventory::DeviceSelector { device_classes, sites, match_labels } = selector.unwrap_or_default();
    Ok(Terms {
        uid: parse::words("uid", uid, 63)?,
        generation,
        schedule: parse::words("schedule", schedule, 200)?,
        time_zone: parse::words("time_zone", time_zone, 63)?,
        items: item::wire::items(items)?,
        selector: Selector { classes: device_classes, sites, labels: match_labels },
        shard_size,
        max_shards,
    })
}

impl From<Selector> for inventory::DeviceSelector {
    fn from(Selector { classes, sites, labels }: Selector) -> Self {
        Self { device_classes: classes, sites, match_labels: labels }
    }
}

impl From<Plan> for pb::Plan {
    fn from(plan: Plan) -> Self {
        let name = name(&plan.agency, &plan.id);
        let Plan { agency: _, id: _, uid, generation, schedule, time_zone, items, selector, shard_size, max_shards, updated_at } =
            plan;
        Self {
            name,
            uid,
            generation,
            schedule,
            time_zone,
            items: items.0.into_iter().map(Into::into).collect(),
            selector: Some(selector.0.into()),
            shard_size,
            update_time: Some(stamp(updated_at)),
            max_shards,
        }
    }
}

/// What is told when a plan changes.
pub(crate) fn letter(plan: &Plan, fact: Fact) -> Letter {
    let subject = name(&plan.agency, &plan.id);
    match fact {
        Fact::Programmed => {
            Letter::about(&plan.agency, subject, &pb::PlanProgrammed { plan: Some(plan.clone().into()) }).under("7.3.2.1.1")
        }
    }
}
