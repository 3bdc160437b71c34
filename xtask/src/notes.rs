//! Notes of what a thing was made from, so that it is made again when that has changed and left alone when it has not.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::instance::{Instance, fingerprint};

/// What a thing is to be made from, and where the note of what it was made from lies.
pub(crate) struct Note {
    file: PathBuf,
    hash: String,
}

impl Note {
    /// For the thing of this name.
    pub(crate) fn of(instance: &Instance, name: &str, made_from: &str) -> Self {
        Self { file: instance.path(&format!("run/{name}.note")), hash: fingerprint(made_from.as_bytes()) }
    }

    /// Whether the thing was last made from just this.
    pub(crate) fn stands(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.hash)
    }

    /// The thing has been made from this.
    pub(crate) fn keep(&self) -> Result<()> {
        Ok(fs::write(&self.file, &self.hash)?)
    }

    /// The hash of what it is made from.
    pub(crate) fn text(&self) -> &str {
        &self.hash
    }
}
