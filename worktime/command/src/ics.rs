//! ICS: calendar files (RFC 5545), out and in.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use jiff::{civil::Date, tz::TimeZone};
use serde_json::json;
use worktime::ics;

use crate::{Answer, Form, file, moment};

/// Which way.
#[derive(Subcommand)]
pub(crate) enum Question {
    /// 写出日历文件 (write a calendar as iCalendar)
    Export {
        /// 日历文件 (calendar file)
        calendar: PathBuf,
        /// 第一天 (first date)
        #[arg(long)]
        from: Date,
        /// 最后一天 (last date)
        #[arg(long)]
        until: Date,
        /// 日历名称 (what programs call it)
        #[arg(long, default_value = "服务时间")]
        name: String,
        /// 制作时刻，默认现在 (DTSTAMP; now, if not said)
        #[arg(long)]
        stamp: Option<String>,
    },
    /// 读入日历文件，写出一层 (read iCalendar, print a layer for a calendar file)
    Import {
        /// 日历文件 (.ics)
        file: PathBuf,
        /// 层的名称 (what the layer is called)
        #[arg(long)]
        layer: String,
    },
}

/// Days of one file: a hundred years; nobody subscribes to more.
const LONGEST: i64 = 36_600;

impl Question {
    pub(crate) fn answer(&self, form: Form) -> Result<Answer> {
        match self {
            Self::Export { calendar, from, until, name, stamp } => {
                ensure!(from <= until, "--until: {until} is before {from}");
                ensure!(until.duration_since(*from).as_hours() / 24 < LONGEST, "--until: more than a hundred years");
                let stamp = match stamp {
                    Some(stamp) => moment::read(stamp, &TimeZone::UTC).context("--stamp")?,
                    None => moment::now(),
                };
                Ok(ics::export(&file::calendar(calendar)?, name, *from, *until, stamp).into())
            }
            Self::Import { file: path, layer } => {
                let read = ics::import(&file::text(path)?, layer).with_context(|| path.display().to_string())?;
                let text = if form.json {
                    format!("{}\n", json!({"layer": read.layer, "skipped": read.skipped}))
                } else {
                    serde_saphyr::to_string(&[&read.layer])?
                };
                let remark =
                    |(line, why): &(usize, &str)| format!("{}:{line}: {}: {why}", path.display(), form.words("略过", "left out"));
                Ok(Answer { text, remarks: read.skipped.iter().map(remark).collect(), differs: false })
            }
        }
    }
}
