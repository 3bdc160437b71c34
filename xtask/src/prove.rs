//! `./x prove`: tests in their long form, and what they saw, written where people read it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::instance::Instance;
use crate::test;

/// What is proved, and how long.
#[derive(Args)]
pub(crate) struct Choice {
    what: Proof,
    /// How many: 1,000 kills, 10,000,000 inputs, 1,200 seconds.
    #[arg(long)]
    count: Option<u64>,
    /// Repeats a run that printed this.
    #[arg(long)]
    seed: Option<u64>,
}

/// A test that has a long form.
#[derive(Clone, Copy, ValueEnum)]
enum Proof {
    /// V1 and V2, while services, broker and database server are killed.
    Kills,
    /// Bad input, made up: at the doors, in files, on the wire.
    Fuzz,
    /// A long run at half of full load, with faults at random.
    Soak,
}

/// Kinds of input that are made up, of which each gets as many (settings files a tenth): `tests::fuzz::try_many`.
const KINDS: u64 = 5;

impl Proof {
    /// The test's name, and the variable that says how much.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Kills => ("kills::alone", "OPSMESH_KILLS"),
            Self::Fuzz => ("fuzz::", "OPSMESH_FUZZ"),
            Self::Soak => ("soak::alone", "OPSMESH_SOAK"),
        }
    }

    /// What the variable says for so many in all.
    fn amount(self, count: Option<u64>) -> u64 {
        match self {
            Self::Kills => count.unwrap_or(1_000),
            Self::Fuzz => count.unwrap_or(10_000_000).div_ceil(KINDS),
            Self::Soak => count.unwrap_or(1_200),
        }
    }
}

/// Runs it and notes what it saw.
pub(crate) fn run(instance: &Instance, choice: &Choice) -> Result<ExitCode> {
    let (name, amount) = choice.what.words();
    let seen = std::env::temp_dir().join(format!("opsmesh-proof-{}", std::process::id()));
    let mut told = vec![(amount, choice.what.amount(choice.count).to_string()), ("OPSMESH_PROOF", seen.display().to_string())];
    told.extend(choice.seed.map(|seed| ("OPSMESH_SEED", seed.to_string())));
    let code = test::run(instance, &test::Choice::long(name, told))?;
    let words = fs::read_to_string(&seen).context("the test says nothing of what it saw")?;
    fs::remove_file(&seen)?;
    let mut lines: Vec<&str> = words.trim().lines().collect();
    // Several tests report a line each, in the order in which they end.
    if lines.iter().all(|line| line.starts_with('*')) {
        lines.sort_unstable();
    }
    note(&instance.source("docs/proofs.md"), name, &lines.join("\n"))?;
    Ok(code)
}

/// Puts the words between the two marks of this name.
fn note(file: &Path, name: &str, words: &str) -> Result<()> {
    let text = fs::read_to_string(file)?;
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let noted = between(&text, &begin, &end, words).with_context(|| format!("{} has no place for {name}", file.display()))?;
    Ok(fs::write(file, noted)?)
}

fn between(text: &str, begin: &str, end: &str, words: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{words}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_replace_what_stood_between_the_marks() {
        let text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        let noted = between(text, "<!-- x -->", "<!-- /x -->", "new").unwrap();
        assert_eq!(noted, "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
        assert_eq!(between("nothing", "<!-- x -->", "<!-- /x -->", "new"), None);
    }
}
