//! Page tokens: opaque to the caller, bound to the question they continue.
use sha2::{Digest, Sha256};

/// Where a page ended, and of which question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken;

/// A token that continues another question, or none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not the next_page_token of this question")]
pub struct NotOurs;

impl From<NotOurs> for proto::Why {
    fn from(error: NotOurs) -> Self {
        Self::new(error, "不是此次查询给出的 next_page_token")
    }
}

impl PageToken {
    /// The token that continues `question` after the row whose key is `last`.
    #[must_use]
    pub fn after(question: &[&str], last: &str) -> String {
        let mut token = String::with_capacity(24 + last.len() * 2);
        for byte in digest(question, last.as_bytes()).into_iter().chain(last.bytes()) {
            token.push(char::from_digit(u32::from(byte >> 4), 16).expect("four bits are a digit"));
            token.push(char::from_digit(u32::from(byte & 15), 16).expect("four bits are a digit"));
        }
        token
    }

    /// The key after which to go on, `None` for the first page.
    pub fn read(question: &[&str], token: &str) -> Result<Option<String>, NotOurs> {
        if token.is_empty() {
            return Ok(None);
        }
        let digits: Option<Vec<u8>> = token.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or(NotOurs)?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let (seal, last) = bytes.split_at_checked(SEAL).ok_or(NotOurs)?;
        if seal != digest(question, last) {
            return Err(NotOurs);
        }
        String::from_utf8(last.to_vec()).map(Some).map_err(|_| NotOurs)
    }
}

/// Cuts what was found (one more than asked for, if there is more) to a page, and gives the token of the next.
#[must_use]
pub fn page<T>(mut found: Vec<T>, size: u16, question: &[&str], key: impl Fn(&T) -> String) -> (Vec<T>, String) {
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = found.last().filter(|_| more).map(|last| PageToken::after(question, &key(last))).unwrap_or_default();
    (found, next)
}

/// Enough to tell questions apart; what a page may show is decided by the caller's scope, never by a token.
const SEAL: usize = 8;

fn digest(question: &[&str], last: &[u8]) -> [u8; SEAL] {
    let mut hash = Sha256::new();
    for part in question.iter().map(|part| part.as_bytes()).chain([last]) {
        hash.update(u64::try_from(part.len()).expect("a length fits 64 bits").to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..SEAL].try_into().expect("a digest is longer than its seal")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_leads_back_to_where_its_page_ended(question in "[a-z/]{0,20}", last in "\\PC{0,40}") {
            let token = PageToken::after(&[&question], &last);
            prop_assert_eq!(PageToken::read(&[&question], &token), Ok(Some(last)));
        }

        #[test]
        fn any_other_text_is_refused(text in "\\PC{1,60}") {
            prop_assert_eq!(PageToken::read(&["tickets"], &text), Err(NotOurs));
        }
    }

    #[test]
    fn a_token_of_another_question_is_refused() {
        let token = PageToken::after(&["tickets", "agencies/gz"], "7");
        assert_eq!(PageToken::read(&["tickets", "agencies/sz"], &token), Err(NotOurs));
    }
}
