//! The command as a caller sees it: words in; text, remarks and an exit code out.
#![expect(clippy::unwrap_used, reason = "what cannot be had fails the test")]

mod calendars;
mod deadlines;
mod documentation;
mod refusals;
mod ticks;

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs it in the folder of the samples.
fn worktime(words: &[&str]) -> Output {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
    Command::new(env!("CARGO_BIN_EXE_worktime")).args(words).current_dir(folder).output().unwrap()
}

/// What it says to one who asks rightly.
fn told(words: &[&str]) -> String {
    let output = worktime(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it says to one who does not: nothing else, and it ends with 2.
fn refused(words: &[&str]) -> String {
    let output = worktime(words);
    assert_eq!(output.status.code(), Some(2), "{words:?}");
    assert!(output.stdout.is_empty(), "{words:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A file of a test's own.
fn written(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}
