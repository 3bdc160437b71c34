//! THE READING of YAML: everything that is read knows its line.
//!
//! Sources: YAML 1.2; what is refused beyond it (other booleans, a byte order mark, control characters) is ours: a slip of
//! the pen is no value.
use serde::de::DeserializeOwned;
use serde_saphyr::{Options, options};

use crate::Refused;

/// Reads a file into a type of its own. Fields whose line matters later are [`serde_saphyr::Spanned`].
///
/// # Errors
/// What the parser or the type refuses (duplicate key, unknown key, wrong type), with its line.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Refused> {
    serde_saphyr::from_str_with_options(text, strict()).map_err(|error| refused(file, &error))
}

/// The text of a file.
///
/// # Errors
/// Bytes that are no UTF-8, with the line of the first of them; a byte order mark; control characters.
pub fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Refused> {
    let line_at = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Refused::new(file, line_at(error.valid_up_to()), "", "the file is not UTF-8 from here"))?;
    let strange = |c: char| c == '\u{feff}' || c == '\u{fffd}' || (c.is_control() && c != '\n');
    match text.char_indices().find(|(_, c)| strange(*c)) {
        Some((at, c)) => Err(Refused::new(file, line_at(at), "", format!("{} has no place in a text file", c.escape_unicode()))),
        None => Ok(text),
    }
}

/// YAML 1.2 without its surprises: `true` and `false` are the only booleans, a key is there once.
fn strict() -> Options {
    options! { strict_booleans: true, with_snippet: false }
}

fn refused(file: &str, error: &serde_saphyr::Error) -> Refused {
    let line = error.location().map_or(1, |location| location.line());
    Refused::new(file, line, "", error.without_snippet().to_string())
}
