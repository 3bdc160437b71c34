//! EXPLAIN: a deadline and the segments that prove it. Either the clocks of a ticket under a policy, or one clock by hand.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use jiff::SignedDuration;
use worktime::{
    Calendar, Clock, Timeline,
    clock::{Basis, Reason, Rule},
    explain::{Explanation, explain},
    policy::{History, Policy},
};

use crate::{Answer, Form, file, moment};

/// Which clock.
#[derive(Args)]
pub(crate) struct Question {
    /// 日历文件 (calendar file)
    calendar: PathBuf,
    /// 承诺文件：有哪些计时、各多少时间 (policy file)
    #[arg(long, requires = "ticket", required_unless_present = "target")]
    policy: Option<PathBuf>,
    /// 工单文件：发生过什么 (what happened to a ticket)
    #[arg(long, requires = "policy")]
    ticket: Option<PathBuf>,
    /// 只说明这一个计时 (only the clock of this name)
    #[arg(long, requires = "policy")]
    clock: Option<String>,
    /// 不用承诺文件：目标 8h、1h30m、PT8H (a target instead of a policy)
    #[arg(long, conflicts_with = "policy", requires = "from")]
    target: Option<SignedDuration>,
    /// 何时开始；不写偏移即日历所在时区 (when it starts; without an offset by the calendar's wall clock)
    #[arg(long)]
    from: Option<String>,
    /// 全天候计时 (count all time, not only working time)
    #[arg(long, requires = "target")]
    around_the_clock: bool,
    /// 关门时到期的顺延到开门 (hold what falls due outside service hours)
    #[arg(long, requires = "target")]
    hold_to_service_hours: bool,
    /// 暂停，按先后：vendor=2026-10-08T09:00/2026-10-09T15:00；无结束即仍在暂停；user、vendor、spare、agreed 或自拟 (pauses, in order)
    #[arg(long, value_name = "REASON=FROM/[UNTIL]", requires = "target")]
    pause: Vec<String>,
}

/// Years for which a calendar is compiled until the deadline is in it; the last is as far as a timeline goes.
const REACH: [i64; 4] = [1, 10, 50, 200];

impl Question {
    pub(crate) fn answer(&self, form: Form) -> Result<Answer> {
        let calendar = file::calendar(&self.calendar)?;
        let clocks = self.clocks(&calendar)?;
        let explained: Vec<Explanation> = clocks.iter().map(|clock| explained(clock, &calendar)).collect::<Result<_>>()?;
        if form.json {
            return Ok(format!("{}\n", serde_json::to_string_pretty(&explained)?).into());
        }
        let texts: Vec<String> = explained.iter().map(|explanation| explanation.text(form.language, calendar.zone())).collect();
        Ok(texts.join("\n").into())
    }

    fn clocks(&self, calendar: &Calendar) -> Result<Vec<Clock>> {
        if let (Some(policy), Some(ticket)) = (&self.policy, &self.ticket) {
            let (promises, history): (Policy, History) = (file::read(policy)?, file::read(ticket)?);
            promises.check().with_context(|| policy.display().to_string())?;
            let mut clocks = promises.clocks(&history).with_context(|| ticket.display().to_string())?;
            if let Some(name) = &self.clock {
                clocks.retain(|clock| clock.rule().name == *name);
                ensure!(!clocks.is_empty(), "--clock: {} has no clock `{name}`", policy.display());
            }
            return Ok(clocks);
        }
        let (Some(target), Some(from)) = (self.target, &self.from) else {
            bail!("--policy and --ticket, or --target and --from")
        };
        let basis = if self.around_the_clock { Basis::AroundTheClock } else { Basis::WorkingTime };
        let mut rule = Rule::new("时限", basis, target);
        rule.hold_to_service_hours = self.hold_to_service_hours;
        let from = moment::read(from, calendar.zone()).context("--from")?;
        let mut clock = Clock::start(rule, from).context("--target")?;
        for text in &self.pause {
            stand(&mut clock, text, calendar).with_context(|| format!("--pause {text}"))?;
        }
        Ok(vec![clock])
    }
}

fn stand(clock: &mut Clock, text: &str, calendar: &Calendar) -> Result<()> {
    let (reason, range) = text.split_once('=').context("write it as REASON=FROM/UNTIL")?;
    let (from, until) = range.split_once('/').context("write it as REASON=FROM/UNTIL")?;
    let reason = match reason {
        "user" => Reason::User,
        "vendor" => Reason::Vendor,
        "spare" => Reason::Spare,
        "agreed" => Reason::Agreed,
        words => Reason::Other(words.to_owned()),
    };
    clock.pause(moment::read(from, calendar.zone())?, reason)?;
    if !until.is_empty() {
        clock.resume(moment::read(until, calendar.zone())?)?;
    }
    Ok(())
}

fn explained(clock: &Clock, calendar: &Calendar) -> Result<Explanation> {
    for years in REACH {
        let from = clock.started();
        let until = from.saturating_add(SignedDuration::from_hours(years * 366 * 24)).unwrap_or(from);
        if let Ok(explanation) = explain(clock, calendar, &Timeline::compile(calendar, from, until)) {
            return Ok(explanation);
        }
    }
    bail!("clock `{}`: not due within {} years", clock.rule().name, REACH[REACH.len() - 1])
}
