//! THE FILES: YAML, of which JSON is a part. What is wrong in one is told with its name, line and column.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use serde::de::DeserializeOwned;
use serde_saphyr::options;
use worktime::Calendar;

/// The text of a file.
pub(crate) fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// Reads a file into what it describes.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    // YAML 1.2 without its surprises: `true` and `false` are the only booleans.
    let strict = options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(&text(path)?, strict).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!(":{}:{}", at.line(), at.column()));
        anyhow!("{}{place}: {}", path.display(), error.without_snippet())
    })
}

/// A calendar that makes sense.
pub(crate) fn calendar(path: &Path) -> Result<Calendar> {
    Calendar::try_new(read(path)?).with_context(|| path.display().to_string())
}
