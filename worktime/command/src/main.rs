//! THE COMMAND `worktime`: the clock for people at a prompt. It reads files, asks the library, and prints; it decides nothing.
//!
//! The answer goes to the standard output, remarks and refusals to the standard error. It ends with 0; with 1 if two calendars
//! differ, as `diff` does; with 2 if it was asked for what cannot be.

mod diff;
mod explain;
mod file;
mod ics;
mod moment;
mod ticks;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use worktime::explain::Language;

/// 工作时间：到期时间为什么是这一刻，任务何时触发，两份日历差在哪一天 (working time: deadlines, ticks, calendars)
#[derive(Parser)]
#[command(name = "worktime", version)]
struct Arguments {
    #[command(subcommand)]
    asked: Asked,
    /// 输出语言 (language of the answer)
    #[arg(long, global = true, value_enum, default_value_t = Tongue::Zh)]
    language: Tongue,
    /// 以 JSON 输出 (JSON instead of text)
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Asked {
    /// 逐段说明到期时间 (why a clock is due when it is, segment by segment)
    Explain(explain::Question),
    /// 列出触发时刻，并与 Kubernetes CronJob 对照 (ticks of a schedule, beside those of the CronJob controller)
    Ticks(ticks::Question),
    /// 逐日比较两份日历 (two calendars, day by day)
    Diff(diff::Question),
    /// 日历文件 RFC 5545 (calendar files)
    #[command(subcommand)]
    Ics(ics::Question),
}

#[derive(Clone, Copy, ValueEnum)]
enum Tongue {
    /// 简体中文
    Zh,
    /// English
    En,
}

/// How the answer is to look.
#[derive(Clone, Copy)]
struct Form {
    language: Language,
    json: bool,
}

/// What was found.
#[derive(Default)]
struct Answer {
    text: String,
    /// What is to be known besides; it is no part of the answer.
    remarks: Vec<String>,
    /// Whether two things differ that were compared.
    differs: bool,
}

impl Form {
    fn words(self, zh: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

fn main() -> ExitCode {
    let Arguments { asked, language, json } = Arguments::parse();
    let language = match language {
        Tongue::Zh => Language::Zh,
        Tongue::En => Language::En,
    };
    match answer(&asked, Form { language, json }).and_then(|answer| Ok(tell(&answer)?)) {
        Ok(differs) => ExitCode::from(u8::from(differs)),
        Err(error) => {
            // Nobody is left to be told if this fails, too.
            drop(writeln!(io::stderr(), "worktime: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn answer(asked: &Asked, form: Form) -> Result<Answer> {
    match asked {
        Asked::Explain(question) => question.answer(form),
        Asked::Ticks(question) => question.answer(form),
        Asked::Diff(question) => question.answer(form),
        Asked::Ics(question) => question.answer(form),
    }
}

fn tell(answer: &Answer) -> io::Result<bool> {
    for remark in &answer.remarks {
        writeln!(io::stderr(), "worktime: {remark}")?;
    }
    let mut out = io::stdout().lock();
    match out.write_all(answer.text.as_bytes()).and_then(|()| out.flush()) {
        // Who reads only the first lines (`| head`) is not told of an error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(answer.differs),
        told => told.map(|()| answer.differs),
    }
}
