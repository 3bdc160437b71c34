//! TICKS: when a schedule fires, beside what the Kubernetes CronJob controller makes of the same expression.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use jiff::{SignedDuration, Timestamp, tz::TimeZone, tz::TimeZoneDatabase};
use serde::Serialize;
use worktime::{
    Calendar, Schedule,
    calendar::Weekday,
    explain::Language,
    schedule::{CronJob, Description, On, Refusal, resolve},
};

use crate::{Answer, Form, diff, file, moment};

/// Which schedule, and which of its ticks.
#[derive(Args)]
pub(crate) struct Question {
    /// 五段表达式："30 9 * * 1-5"、"H 3 * * *"、"0 9 LW * *" (cron expression)
    #[arg(required_unless_present = "schedule")]
    expression: Option<String>,
    /// 日程文件，代替表达式：停用时段、启动窗口 (schedule file, with blackouts and a start window)
    #[arg(long, conflicts_with_all = ["expression", "zone", "seed", "working_days"])]
    schedule: Option<PathBuf>,
    /// IANA 时区；默认为日历的时区 (zone; the calendar's, if not said)
    #[arg(long)]
    zone: Option<String>,
    /// 日历文件 (calendar file: what a working day is)
    #[arg(long)]
    calendar: Option<PathBuf>,
    /// 只在工作日，含调休上班 (on working days only)
    #[arg(long, requires = "calendar")]
    working_days: bool,
    /// H 取决于它：任务的名称 (what `H` depends on: the name of what is scheduled)
    #[arg(long, default_value = "")]
    seed: String,
    /// 从何时起，默认现在 (from when on; now, if not said)
    #[arg(long)]
    from: Option<String>,
    /// 到何时为止，不含 (until when; all ticks before it)
    #[arg(long, conflicts_with_all = ["count", "previous"])]
    until: Option<String>,
    /// 几次 (how many)
    #[arg(long, default_value_t = 10)]
    count: u16,
    /// 此前的，而不是此后的 (those before instead of those after)
    #[arg(long)]
    previous: bool,
}

/// Ticks of one answer: who wants more asks twice. A bound, since a minutely schedule of ten years has five million.
const MOST: usize = 100_000;

/// What is told.
#[derive(Serialize)]
struct Told {
    expression: String,
    /// With a number in place of each `H`: what a CronJob would be given.
    resolved: String,
    zone: String,
    ticks: Vec<Tick>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron_job_refuses: Option<String>,
}

#[derive(Serialize)]
struct Tick {
    at: Timestamp,
    wall: String,
    schedule: bool,
    cron_job: bool,
    /// When within the start window the work begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    /// Why only one of them has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// All that is asked, made of the files.
struct Asked {
    schedule: Schedule,
    /// The same without its blackouts, to know what they drop.
    free: Schedule,
    cron_job: Result<CronJob, Refusal>,
    zone: TimeZone,
    form: Form,
}

impl Question {
    pub(crate) fn answer(&self, form: Form) -> Result<Answer> {
        let calendar = self.calendar.as_deref().map(file::calendar).transpose()?;
        let description = self.description(calendar.as_ref())?;
        let place = || self.schedule.as_ref().map_or_else(|| "schedule".into(), |path| path.display().to_string());
        let schedule = Schedule::try_new(description.clone(), calendar.clone()).with_context(place)?;
        let free = Schedule::try_new(Description { blackouts: Vec::new(), ..description.clone() }, calendar)?;
        let resolved = resolve(&description.cron, &description.seed)?;
        let zone = TimeZoneDatabase::bundled().get(&description.zone)?;
        let cron_job = CronJob::try_new(&resolved, &description.zone);
        let from = match &self.from {
            Some(from) => moment::read(from, &zone).context("--from")?,
            None => moment::now(),
        };
        let asked = Asked { schedule, free, cron_job, zone, form };
        let told = Told {
            ticks: asked.ticks(&self.ours(&asked, from)?, self.range(&asked, from)?)?,
            quiet: asked.schedule.quiet(from).map(|quiet| quiet.to_string()),
            cron_job_refuses: asked.cron_job.as_ref().err().map(ToString::to_string),
            expression: description.cron,
            resolved,
            zone: description.zone,
        };
        let text = if form.json { format!("{}\n", serde_json::to_string_pretty(&told)?) } else { told.text(form) };
        Ok(text.into())
    }

    fn description(&self, calendar: Option<&Calendar>) -> Result<Description> {
        if let Some(path) = &self.schedule {
            return file::read(path);
        }
        let zone = self.zone.clone().or_else(|| calendar.map(|calendar| calendar.description().zone.clone()));
        Ok(Description {
            cron: self.expression.clone().unwrap_or_default(),
            zone: zone.context("--zone: which zone? (or --calendar)")?,
            seed: self.seed.clone(),
            days: if self.working_days { On::WorkingDays } else { On::EveryDay },
            ..Description::default()
        })
    }

    /// The schedule's own ticks that are asked for.
    fn ours(&self, asked: &Asked, from: Timestamp) -> Result<Vec<Timestamp>> {
        let schedule = &asked.schedule;
        let count = usize::from(self.count);
        if let Some(until) = &self.until {
            let until = moment::read(until, &asked.zone).context("--until")?;
            return bounded(schedule.ticks(from, until));
        }
        if self.previous {
            let mut ticks: Vec<Timestamp> =
                std::iter::successors(schedule.previous(from), |tick| schedule.previous(*tick)).take(count).collect();
            ticks.reverse();
            return Ok(ticks);
        }
        Ok(schedule.ticks(from, Timestamp::MAX).take(count).collect())
    }

    /// From when until when the CronJob is looked at.
    fn range(&self, asked: &Asked, from: Timestamp) -> Result<(Timestamp, Timestamp)> {
        if let Some(until) = &self.until {
            return Ok((from, moment::read(until, &asked.zone).context("--until")?));
        }
        let ours = self.ours(asked, from)?;
        Ok(match (self.previous, ours.first(), ours.last()) {
            (true, Some(first), _) => (*first, from),
            (false, _, Some(last)) => (from, last.saturating_add(SignedDuration::from_secs(1)).unwrap_or(*last)),
            _ => (from, from),
        })
    }
}

fn bounded(ticks: impl Iterator<Item = Timestamp>) -> Result<Vec<Timestamp>> {
    let ticks: Vec<Timestamp> = ticks.take(MOST + 1).collect();
    ensure!(ticks.len() <= MOST, "more than {MOST} ticks: ask for a shorter range");
    Ok(ticks)
}

impl Asked {
    /// Both together, in order.
    fn ticks(&self, ours: &[Timestamp], (from, until): (Timestamp, Timestamp)) -> Result<Vec<Tick>> {
        let theirs = match &self.cron_job {
            Ok(cron_job) => bounded(cron_job.ticks(from, until))?,
            Err(_) => Vec::new(),
        };
        let mut all: Vec<Timestamp> = ours.iter().chain(&theirs).copied().collect();
        all.sort_unstable();
        all.dedup();
        let has = |ticks: &[Timestamp], at| ticks.binary_search(&at).is_ok();
        Ok(all.into_iter().map(|at| self.tick(at, has(ours, at), has(&theirs, at))).collect())
    }

    fn tick(&self, at: Timestamp, schedule: bool, cron_job: bool) -> Tick {
        let windowed = schedule && self.schedule.description().start_window.is_some();
        let zoned = at.to_zoned(self.zone.clone());
        let weekday = Weekday::of(zoned.date());
        let weekday = if self.form.language == Language::Zh { weekday.zh() } else { weekday.en() };
        Tick {
            at,
            wall: format!("{} {weekday} {}", zoned.date(), zoned.strftime("%H:%M %:z")),
            schedule,
            cron_job,
            start: windowed.then(|| self.schedule.start(at)),
            why: (schedule != cron_job && self.cron_job.is_ok()).then(|| self.why(at, schedule)),
        }
    }

    fn why(&self, at: Timestamp, schedule: bool) -> String {
        let form = self.form;
        let clocks = || form.words("时钟拨动", "the clocks are changed").to_owned();
        if schedule {
            return clocks();
        }
        let date = at.to_zoned(self.zone.clone()).date();
        match self.schedule.calendar() {
            Some(calendar) if self.schedule.description().days == On::WorkingDays && !calendar.is_working_day(date) => {
                diff::kind(&calendar.day(date), form)
            }
            _ if self.free.ticks(at, at + SignedDuration::from_secs(1)).next().is_some() => {
                form.words("停用时段", "blackout").to_owned()
            }
            _ => clocks(),
        }
    }
}

impl Told {
    fn text(&self, form: Form) -> String {
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{words}").expect("a String takes any text");
        let resolved = if self.resolved == self.expression { String::new() } else { format!(" = {}", self.resolved) };
        line(format!("{}{resolved}  {}", self.expression, self.zone));
        for tick in &self.ticks {
            let mut words = tick.wall.clone();
            if self.cron_job_refuses.is_none() && tick.schedule != tick.cron_job {
                words += match tick.schedule {
                    true => form.words("  仅日程", "  schedule only"),
                    false => form.words("  仅 CronJob", "  CronJob only"),
                };
            }
            if let Some(why) = &tick.why {
                write!(words, " ({why})").expect("a String takes any text");
            }
            if let Some(start) = &tick.start {
                let after = start.duration_since(tick.at).as_secs();
                let starts = form.words("  启动", "  starts");
                write!(words, "{starts} +{}:{:02}:{:02}", after / 3600, after / 60 % 60, after % 60)
                    .expect("a String takes any text");
            }
            line(words);
        }
        if let Some(refusal) = &self.cron_job_refuses {
            line(format!("{}{refusal}", form.words("CronJob 不接受：", "a CronJob does not take it: ")));
        }
        if let Some(quiet) = &self.quiet {
            line(format!("{}{quiet}", form.words("注意：", "note: ")));
        }
        text
    }
}
