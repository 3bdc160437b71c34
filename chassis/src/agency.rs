//! An agency (使用方): the unit of tenancy. Every row, every call and every fact belongs to one.
use std::{fmt, str::FromStr, sync::Arc};

/// The id of an agency: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Agency(Arc<str>);

/// A text that is no agency's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an agency's id is 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit")]
pub struct NotAnAgency;

impl From<NotAnAgency> for proto::Why {
    fn from(error: NotAnAgency) -> Self {
        Self::new(error, "使用方标识须为 1 到 63 个小写字母、数字或连字符，以字母或数字开头")
    }
}

impl Agency {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `agencies/{agency}`, the beginning of the name of everything that belongs to it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("agencies/{self}")
    }

    /// The agency that a request's `parent` names.
    pub fn from_parent(field: &'static str, parent: &str) -> Result<Self, proto::Invalid> {
        let [agency] = proto::parse::name(field, parent, ["agencies"])?;
        Self::from_segment(field, agency)
    }

    /// The agency in a segment of a resource name.
    pub fn from_segment(field: &'static str, segment: &str) -> Result<Self, proto::Invalid> {
        segment.parse().map_err(|error: NotAnAgency| proto::Invalid::new(field, error))
    }
}

impl FromStr for Agency {
    type Err = NotAnAgency;

    fn from_str(text: &str) -> Result<Self, NotAnAgency> {
        let fits = |(at, byte): (usize, u8)| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || (at > 0 && byte == b'-');
        if (1..=63).contains(&text.len()) && text.bytes().enumerate().all(fits) {
            Ok(Self(text.into()))
        } else {
            Err(NotAnAgency)
        }
    }
}

impl fmt::Display for Agency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl sqlx::Type<sqlx::Postgres> for Agency {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <str as sqlx::Type<sqlx::Postgres>>::type_info()
    }

    fn compatible(other: &sqlx::postgres::PgTypeInfo) -> bool {
        <str as sqlx::Type<sqlx::Postgres>>::compatible(other)
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for Agency {
    fn encode_by_ref(
        &self,
        buffer: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <&str as sqlx::Encode<sqlx::Postgres>>::encode_by_ref(&&*self.0, buffer)
    }
}

impl sqlx::Decode<'_, sqlx::Postgres> for Agency {
    fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(<&str as sqlx::Decode<sqlx::Postgres>>::decode(value)?.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agency_is_a_dns_label() {
        for good in ["gz", "gz-demo", "4401", &"a".repeat(63)] {
            assert_eq!(good.parse::<Agency>().unwrap().as_str(), good);
        }
        for bad in ["", "-gz", "GZ", "gz_demo", "gz.demo", "广州", "*", "a'b", &"a".repeat(64)] {
            assert_eq!(bad.parse::<Agency>(), Err(NotAnAgency), "{bad}");
        }
    }
}
