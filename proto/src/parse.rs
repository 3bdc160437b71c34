//! Parsing at the edge: a request either becomes a command or is refused with the name of the offending field.
use std::{borrow::Cow, fmt};

use tonic::Status;
use uuid::Uuid;

use crate::{Refusal, Why, reasons, why};

/// A field of a request that cannot be what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The path of the field, as the `.proto` spells it.
    pub field: Cow<'static, str>,
    /// Why, continuing a sentence that began with the field.
    pub why: Why,
}

impl Invalid {
    /// `field` is wrong because `why`.
    pub fn new(field: &'static str, why: impl Into<Why>) -> Self {
        Self { field: Cow::Borrowed(field), why: why.into() }
    }

    /// The same for a path made up while parsing, e.g. `items[3].limits[0].measure`.
    pub fn at(field: String, why: impl Into<Why>) -> Self {
        Self { field: Cow::Owned(field), why: why.into() }
    }

    /// The same refusal, seen from the message that holds the field.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        Self { field: Cow::Owned(format!("{parent}.{}", self.field)), why: self.why }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return self.why.fmt(f);
        }
        write!(f, "{}: {}", self.field, self.why)
    }
}

impl std::error::Error for Invalid {}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Self {
        let Invalid { field, why } = invalid;
        let refusal =
            if field.is_empty() { reasons::UNDECODABLE.refusal() } else { reasons::INVALID_FIELD.with("field", &field) };
        Refusal { field: Some(field.into_owned()), ..refusal.because(why) }.into()
    }
}

/// A UUID that the caller must give.
pub fn uuid(field: &'static str, text: &str) -> Result<Uuid, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(field, why!("is required", "必填")));
    }
    text.parse().map_err(|_| {
        let text = shortened(text);
        Invalid::new(field, why!("`{text}` is not a UUID", "“{text}”不是 UUID"))
    })
}

/// The revision that an etag stands for; empty: any.
pub fn etag(field: &'static str, text: &str) -> Result<Option<i64>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Invalid::new(field, why!("is not an etag that we gave", "不是本服务给出的 etag")))
}

/// A text of 1 to `most` characters, none of them a control character.
pub fn words(field: &'static str, text: String, most: usize) -> Result<String, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(field, why!("is required", "必填")));
    }
    text_of(field, text, most)
}

/// A text of at most `most` characters, none of them a control character except the line feed.
pub fn text_of(field: &'static str, text: String, most: usize) -> Result<String, Invalid> {
    let length = text.chars().count();
    if length > most {
        return Err(Invalid::new(
            field,
            why!("has {length} characters, at most {most} are allowed", "有 {length} 个字符，最多允许 {most} 个"),
        ));
    }
    match text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t') {
        Some(control) => {
            let code = u32::from(control);
            Err(Invalid::new(field, why!("contains the control character U+{code:04X}", "含有控制字符 U+{code:04X}")))
        }
        None => Ok(text),
    }
}

/// A message that must be there.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::new(field, why!("is required", "必填")))
}

/// The variable parts of a resource name: `name("name", "agencies/a/tickets/t", ["agencies", "tickets"])` gives `["a", "t"]`.
pub fn name<'a, const N: usize>(field: &'static str, text: &'a str, collections: [&str; N]) -> Result<[&'a str; N], Invalid> {
    let wrong = || {
        let form = collections.map(|collection| format!("{collection}/{{…}}")).join("/");
        if text.is_empty() {
            return Invalid::new(field, why!("is required; the form is {form}", "必填，格式为 {form}"));
        }
        let text = shortened(text);
        Invalid::new(field, why!("`{text}` is not a name; the form is {form}", "“{text}”不是资源名，格式为 {form}"))
    };
    let mut parts = text.split('/');
    let mut values = [""; N];
    for (collection, value) in collections.iter().zip(&mut values) {
        if parts.next() != Some(collection) {
            return Err(wrong());
        }
        *value = parts.next().filter(|part| !part.is_empty() && !part.contains(char::is_control)).ok_or_else(wrong)?;
    }
    if parts.next().is_some() { Err(wrong()) } else { Ok(values) }
}

/// How many to a page: 0 means 100, more than 1,000 means 1,000 (AIP-158).
pub fn page_size(field: &'static str, size: i32) -> Result<u16, Invalid> {
    match u16::try_from(size) {
        Err(_) if size < 0 => Err(Invalid::new(field, why!("must not be negative", "不能为负数"))),
        Ok(0) => Ok(100),
        Ok(size @ 1..=1000) => Ok(size),
        Ok(_) | Err(_) => Ok(1000),
    }
}

/// What a refusal quotes of a caller's text: enough to recognise it, never all of something long.
fn shortened(text: &str) -> String {
    const QUOTED: usize = 80;
    if text.chars().count() <= QUOTED { text.to_owned() } else { text.chars().take(QUOTED).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_name_gives_its_variable_parts() {
        assert_eq!(name("name", "agencies/gz/tickets/7", ["agencies", "tickets"]), Ok(["gz", "7"]));
    }

    #[test]
    fn a_name_of_another_form_is_refused_with_the_form() {
        for wrong in [
            "",
            "agencies",
            "agencies/",
            "agencies/gz",
            "agencies/gz/devices/7",
            "agencies/gz/tickets/7/x",
            "/agencies/gz/tickets/7",
        ] {
            let refused = name("name", wrong, ["agencies", "tickets"]).unwrap_err();
            assert_eq!(refused.field, "name");
            for said in [&refused.why.en, &refused.why.zh] {
                assert!(said.contains("agencies/{…}/tickets/{…}"), "{said}");
            }
        }
    }

    #[test]
    fn a_page_is_bounded() {
        assert_eq!(page_size("page_size", 0), Ok(100));
        assert_eq!(page_size("page_size", 7), Ok(7));
        assert_eq!(page_size("page_size", i32::MAX), Ok(1000));
        assert!(page_size("page_size", -1).is_err());
    }

    #[test]
    fn control_characters_are_refused_by_their_code() {
        assert!(words("title", "风扇\n故障".into(), 10).is_ok());
        assert!(words("title", "a\u{7}b".into(), 10).unwrap_err().why.zh.contains("U+0007"));
        assert!(words("title", "  ".into(), 10).is_err());
        assert!(words("title", "汉".repeat(11), 10).is_err());
    }
}
