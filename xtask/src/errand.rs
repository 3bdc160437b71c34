//! Errands: other programs that are run to their end, and what they said when it went wrong.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};

/// How much of a program's last words a sentence can carry.
const LAST_WORDS: usize = 6;

/// A program that says nothing of its own on standard input.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

/// Runs to the end; the answer is what it wrote, the error is what it complained of.
pub(crate) fn ask(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| missing(command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut words = String::from_utf8_lossy(&output.stderr).into_owned();
    if words.trim().is_empty() {
        words = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    bail!("`{}` failed: {}", spelled(command), last_words(&words))
}

/// As [`ask`], with `input` on its standard input.
pub(crate) fn tell(command: &mut Command, input: &str) -> Result<String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| missing(command))?;
    let mut pipe = child.stdin.take().expect("its standard input is a pipe");
    let text = input.to_owned();
    // Written beside the reading, so that neither side waits for the other's full pipe.
    let writer = std::thread::spawn(move || pipe.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    drop(writer.join());
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    bail!("`{}` failed: {}", spelled(command), last_words(&words))
}

/// Runs to the end with all it says in a file; the error quotes the file's last lines.
pub(crate) fn record(command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = command.stdout(file.try_clone()?).stderr(file).status().with_context(|| missing(command))?;
    if status.success() {
        return Ok(());
    }
    let words = fs::read_to_string(log).unwrap_or_default();
    Err(anyhow!("`{}` failed: {}\n(all of it: {})", spelled(command), last_words(&words), log.display()))
}

/// The end of a text, short enough for a sentence.
pub(crate) fn last_words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(LAST_WORDS);
    match &lines[from..] {
        [] => "it said nothing".into(),
        [only] => (*only).into(),
        many => format!("\n  {}", many.join("\n  ")),
    }
}

fn missing(command: &Command) -> String {
    format!("cannot run `{}`; `./x doctor` says what is missing", command.get_program().to_string_lossy())
}

/// The program and its first words: enough to know it by, without secrets that come later.
fn spelled(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut words = vec![name];
    words.extend(command.get_args().take(3).map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_errand_quotes_the_end_of_its_complaint() {
        let error = ask(program("sh").args(["-c", "echo one >&2; echo two >&2; exit 3"])).expect_err("it fails").to_string();
        assert!(error.contains("one\n  two"), "{error}");
    }

    #[test]
    fn what_is_told_comes_back() {
        let long = "line\n".repeat(100_000);
        assert_eq!(tell(&mut program("cat"), &long).unwrap(), long);
    }
}
