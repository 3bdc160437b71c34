//! Inputs made up from good ones, by the million: cut, flipped, spliced with each other and with words that mean something. The same inputs each time;
//! a few with every run, as many as `OPSMESH_FUZZ` says when somebody asks for more (`./x prove fuzz`).
use std::{fmt::Write as _, io::Write as _};

use crate::inputs;

/// No input is longer: what is longer is refused by its length, at once.
const LONGEST: usize = 4_096;

/// Makes up inputs.
#[derive(Debug)]
pub struct Inputs<'a> {
    good: &'a [&'a [u8]],
    words: &'a [&'a [u8]],
    state: u64,
}

impl<'a> Inputs<'a> {
    /// From these good inputs, with these words.
    #[must_use]
    pub fn of(good: &'a [&'a [u8]], words: &'a [&'a [u8]]) -> Self {
        Self { good, words, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The next one; now and then a good one as it is.
    pub fn make(&mut self) -> Vec<u8> {
        let mut bytes = self.any(self.good).to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(8) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 if at < bytes.len() => bytes[at] = self.byte(),
                3 => {
                    let end = at + self.below(bytes.len() - at + 1);
                    bytes.drain(at..end);
                }
                4 => {
                    let word = self.any(self.words);
                    bytes.splice(at..at, word.iter().copied());
                }
                5 => {
                    let other = self.any(self.good);
                    let from = self.below(other.len() + 1);
                    bytes.splice(at.., other[from..].iter().copied());
                }
                6 => {
                    let more: Vec<u8> = (0..self.below(9)).map(|_| self.byte()).collect();
                    bytes.splice(at..at, more);
                }
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn any(&mut self, of: &'a [&'a [u8]]) -> &'a [u8] {
        of.get(self.below(of.len().max(1))).copied().unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        self.draw().to_le_bytes()[0]
    }

    /// Below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.draw() % bound).unwrap()
    }

    /// xorshift64*: fast, and good enough to be surprised by.
    fn draw(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }
}

/// Shows `look` many inputs of one kind; it panics where something is not as it must be, and says whether it has taken the input. Some must be taken and
/// some refused, or the inputs would be no test.
pub fn try_many(what: &str, few: u32, mut made_up: Inputs<'_>, mut look: impl FnMut(&[u8]) -> bool) {
    let count = inputs(few);
    let mut taken = 0_u32;
    for _ in 0..count {
        let input = made_up.make();
        taken += u32::from(look(&input));
    }
    assert!(taken > 0 && taken < count, "{what}: {taken} of {count} taken");
    seen(&format!("{what}: {count} inputs, {taken} taken, {} refused", count - taken));
}

/// Notes what was seen where `./x prove` reads it, if it asked.
#[expect(clippy::disallowed_methods, reason = "tests are told where to report by their environment")]
pub fn seen(words: &str) {
    let mut line = String::new();
    writeln!(line, "* {words}").unwrap();
    if let Ok(file) = std::env::var("OPSMESH_PROOF") {
        // One write a line: several processes report at once.
        std::fs::File::options().append(true).create(true).open(file).unwrap().write_all(line.as_bytes()).unwrap();
    }
}
