//! The rules of a parked message: whose it is, whether others wait behind it, and what is told of it. No I/O here.
use chassis::Agency;
use jiff::Timestamp;
use proto::mailbox::v1 as pb;
use uuid::Uuid;

use crate::{envelope::Received, gate::Subject};

/// A reason is for people: more would fill a table, not explain.
const REASON: usize = 2_000;
/// What is shown of a message's body.
const SHOWN: usize = 4_000;
/// One that the broker gave up is tried by itself until so many attempts were made, the broker's as the first. Whoever is to blame ends its process each time; whoever was there when
/// it was ended for another reason is not there three times.
const ATTEMPTS: i32 = 4;
/// As its source says of a message that does not.
const UNREAD: &str = "";

/// Why a message is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// For this reason of its own.
    Reason(String),
    /// It waits behind another of its subject.
    Waits,
}

impl Why {
    /// In words that PostgreSQL takes.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Reason(reason) => reason.chars().take(REASON).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect(),
            Self::Waits => "an earlier message of its subject is parked: it waits its turn".into(),
        }
    }
}

/// What became of a message that was to be parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parking {
    /// It is parked.
    Parked,
    /// It was handled, or given up, before: there is nothing to wait for.
    Over,
    /// Nothing is parked before it any more: it is to be tried again.
    Again,
}

/// A parked message, as its row has it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Parked {
    pub(crate) id: Uuid,
    pub(crate) agency: Option<String>,
    pub(crate) source: String,
    pub(crate) subject: String,
    pub(crate) kind: String,
    pub(crate) sequence: i64,
    pub(crate) body: Vec<u8>,
    pub(crate) reason: String,
    pub(crate) holds: bool,
    pub(crate) attempts: i32,
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub(crate) parked_at: Timestamp,
}

impl Parked {
    /// The row of a message: what it says of itself, if it can be read and may be believed.
    pub(crate) fn of(body: &[u8], fact: Option<&Received>, why: &Why) -> Self {
        let believed = fact.filter(|fact| fact.keeps_to_its_agency());
        let text = |said: fn(&Received) -> &str| believed.map_or(UNREAD, said).to_owned();
        Self {
            id: fact.map_or_else(|| id_of(body), |fact| fact.id),
            agency: believed.map(|fact| fact.agency.to_string()),
            source: text(|fact| &fact.source),
            subject: text(|fact| &fact.subject),
            kind: text(|fact| &fact.kind),
            sequence: believed.map_or(0, |fact| fact.sequence),
            body: body.to_owned(),
            reason: why.words(),
            holds: false,
            attempts: 1,
            parked_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// What it is about, if it is known.
    pub(crate) fn about(&self) -> Option<Subject<'_>> {
        self.agency.as_deref().map(|agency| Subject { agency, source: &self.source, subject: &self.subject })
    }

    /// Whether it is tried by itself, without anybody having asked for it; `first` of what is parked of its subject. Where the order counts, nothing passes what was handled or
    /// waits before it.
    pub(crate) fn is_tried(&self, ordered: bool, first: bool) -> bool {
        self.attempts < ATTEMPTS && (!ordered || self.holds && first)
    }

    /// `agencies/{agency}/parkedMessages/{message}`; one that is nobody's has only the last part.
    pub(crate) fn name(&self) -> String {
        let agency = self.agency.as_ref().map_or_else(String::new, |agency| format!("agencies/{agency}/"));
        format!("{agency}parkedMessages/{}", self.id)
    }
}

/// An id for what says none of its own: the same bytes, however often they arrive, are one message.
fn id_of(body: &[u8]) -> Uuid {
    let digest = ring::digest::digest(&ring::digest::SHA256, body);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The agency and the id in a parked message's name.
pub(crate) fn named(field: &'static str, name: &str) -> Result<(Agency, Uuid), proto::Invalid> {
    let [agency, id] = proto::parse::name(field, name, ["agencies", "parkedMessages"])?;
    Ok((Agency::from_segment(field, agency)?, proto::parse::uuid(field, id)?))
}

impl From<Parked> for pb::ParkedMessage {
    fn from(parked: Parked) -> Self {
        let name = parked.name();
        let Parked { id: _, agency: _, source, subject, kind, sequence, body, reason, holds, attempts, parked_at } = parked;
        Self {
            name,
            kind,
            subject,
            source,
            sequence,
            reason,
            holds,
            attempts,
            park_time: Some(proto::stamp(parked_at)),
            body: String::from_utf8_lossy(&body[..body.len().min(SHOWN * 4)]).chars().take(SHOWN).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_nobodys_and_has_the_id_of_its_bytes() {
        let why = Why::Reason("no\0thing".into());
        let [one, again, other] = [b"\xff\xfe".as_slice(), b"\xff\xfe", b"x"].map(|body| Parked::of(body, None, &why));
        assert_eq!((one.agency.as_deref(), one.id), (None, again.id));
        assert_ne!(one.id, other.id);
        assert_eq!(one.reason, "no\u{fffd}thing");
        assert_eq!(one.name(), format!("parkedMessages/{}", one.id));
    }

    #[test]
    fn what_was_given_up_is_tried_a_few_times_and_where_the_order_counts_in_its_turn_only() {
        let parked = Parked::of(b"x", None, &Why::Waits);
        let tried = |attempts, holds, ordered, first| Parked { attempts, holds, ..parked.clone() }.is_tried(ordered, first);
        for first in [true, false] {
            assert!(tried(1, false, false, first) && tried(3, false, false, first) && !tried(4, false, false, first));
        }
        assert!(tried(1, true, true, true) && !tried(4, true, true, true));
        assert!(!tried(1, true, true, false), "another waits before it");
        assert!(!tried(1, false, true, true), "what came after it was handled");
    }

    #[test]
    fn what_is_shown_of_a_body_is_bounded() {
        let parked = Parked::of("汉".repeat(100_000).as_bytes(), None, &Why::Waits);
        assert_eq!(pb::ParkedMessage::from(parked).body, "汉".repeat(SHOWN));
    }
}
