//! Filters (AIP-160, a subset): `state = "assigned" AND (grade = "i" OR grade = "ii") AND NOT title : "打印"`. One parser for
//! every List. As the AIP has it, `OR` binds closer than `AND`. What a filter may cost is bounded here.
use crate::{Invalid, Why, why};

/// Longer filters are refused: nobody writes one, and a program can ask twice.
const LONGEST: usize = 2_000;
/// Restrictions in one filter.
const MOST: usize = 50;
/// Parentheses within parentheses.
const DEEPEST: usize = 8;

/// What a filter asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these.
    All(Vec<Filter>),
    /// Any of these.
    Any(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// A field compared with a value.
    Is {
        /// The field, as the `.proto` spells it.
        field: String,
        /// How it is compared.
        comparison: Comparison,
        /// With what.
        value: String,
    },
}

/// How a field is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `:`, contains
    Has,
}

impl Comparison {
    /// Longest first, so that `<=` is not read as `<`.
    const ALL: &[(&'static str, Self)] = &[
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
        (":", Self::Has),
    ];
}

impl Filter {
    /// Parses the field `field` of a request; an empty text filters nothing.
    pub fn parse(field: &'static str, text: &str) -> Result<Option<Self>, Invalid> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        if text.len() > LONGEST {
            let length = text.len();
            let why = why!("has {length} bytes, at most {LONGEST} are allowed", "有 {length} 个字节，最多允许 {LONGEST} 个");
            return Err(Invalid::new(field, why));
        }
        let mut parser = Parser { text, at: 0, restrictions: 0 };
        let parsed = parser.all(0).and_then(|filter| match parser.rest() {
            "" => Ok(filter),
            _ => Err(parser.expected(&why!("AND, OR or the end", "AND、OR 或结尾"))),
        });
        parsed.map(Some).map_err(|why| Invalid::new(field, why))
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    restrictions: usize,
}

impl<'a> Parser<'a> {
    /// What is left, without leading blanks.
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// A word in capitals, not the beginning of a longer one.
    fn take_word(&mut self, word: &str) -> bool {
        let found =
            self.rest().strip_prefix(word).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        if found {
            self.at += word.len();
        }
        found
    }

    fn expected(&mut self, what: &Why) -> Why {
        self.rest();
        let at = self.text[..self.at].chars().count() + 1;
        let Why { en, zh } = what;
        why!("at character {at}: expected {en}", "第 {at} 个字符处应为{zh}")
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Why> {
        let mut parts = vec![self.any(depth)?];
        while self.take_word("AND") {
            parts.push(self.any(depth)?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Why> {
        let mut parts = vec![self.term(depth)?];
        while self.take_word("OR") {
            parts.push(self.term(depth)?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn term(&mut self, depth: usize) -> Result<Filter, Why> {
        if depth > DEEPEST {
            return Err(self.expected(&why!("at most {DEEPEST} levels", "至多 {DEEPEST} 层括号")));
        }
        if self.take_word("NOT") || self.take("-") {
            return Ok(Filter::Not(Box::new(self.term(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.all(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { Err(self.expected(&why!("`)`", "“)”"))) };
        }
        self.restriction()
    }

    fn restriction(&mut self) -> Result<Filter, Why> {
        self.restrictions += 1;
        if self.restrictions > MOST {
            return Err(self.expected(&why!("at most {MOST} comparisons", "至多 {MOST} 个比较")));
        }
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')).count();
        if length == 0 {
            return Err(self.expected(&why!("the name of a field", "字段名")));
        }
        let field = rest[..length].to_owned();
        self.at += length;
        let found = Comparison::ALL.iter().find(|(token, _)| self.take(token));
        let Some((_, comparison)) = found else {
            return Err(self.expected(&why!("=, !=, <, <=, >, >= or `:`", "=、!=、<、<=、>、>= 或“:”")));
        };
        Ok(Filter::Is { field, comparison: *comparison, value: self.value()? })
    }

    fn value(&mut self) -> Result<String, Why> {
        let rest = self.rest();
        let Some(quoted) = rest.strip_prefix('"') else {
            let bare = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | '*');
            let length = rest.find(|c| !bare(c)).unwrap_or(rest.len());
            if length == 0 {
                return Err(self.expected(&why!("a value", "值")));
            }
            self.at += length;
            return Ok(rest[..length].to_owned());
        };
        let mut value = String::new();
        let mut escaped = false;
        for (offset, c) in quoted.char_indices() {
            match c {
                '"' if !escaped => {
                    self.at += 1 + offset + 1;
                    return Ok(value);
                }
                '\\' if !escaped => escaped = true,
                // PostgreSQL keeps no such text, and nobody can have written one.
                '\0' => return Err(self.expected(&why!("a value without U+0000", "不含 U+0000 的值"))),
                c => {
                    value.push(c);
                    escaped = false;
                }
            }
        }
        Err(self.expected(&why!("the closing quote of this value", "此值的右引号")))
    }
}

fn one_or(mut parts: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Filter {
        Filter::parse("filter", text).unwrap().unwrap()
    }

    fn is(field: &str, comparison: Comparison, value: &str) -> Filter {
        Filter::Is { field: field.into(), comparison, value: value.into() }
    }

    /// The text of a filter, with every parenthesis.
    fn spelled(filter: &Filter) -> String {
        let joined = |parts: &[Filter], word: &str| parts.iter().map(spelled).collect::<Vec<_>>().join(word);
        match filter {
            Filter::All(parts) => format!("({})", joined(parts, " AND ")),
            Filter::Any(parts) => format!("({})", joined(parts, " OR ")),
            Filter::Not(inner) => format!("NOT {}", spelled(inner)),
            Filter::Is { field, comparison, value } => {
                let (token, _) = Comparison::ALL.iter().find(|(_, of)| of == comparison).unwrap();
                format!("{field} {token} \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }

    fn any_filter() -> impl Strategy<Value = Filter> {
        let leaf = ("[a-z_]{1,8}", 0..Comparison::ALL.len(), "[^\\x00]{0,8}").prop_map(|(field, at, value)| Filter::Is {
            field,
            comparison: Comparison::ALL[at].1,
            value,
        });
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::All),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Any),
                inner.prop_map(|inner| Filter::Not(Box::new(inner))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_spelled_out_is_read_back(filter in any_filter()) {
            prop_assert_eq!(Filter::parse("filter", &spelled(&filter)).unwrap().unwrap(), filter);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = Filter::parse("filter", &text);
        }

        #[test]
        fn any_text_of_its_tokens_is_read_or_refused(
            tokens in prop::collection::vec(prop::sample::select(vec!["AND", "OR", "NOT", "-", "(", ")", "a", "=", "<=", ":", "\"x\"", "\"", "\\", " "]), 0..40),
        ) {
            if let Err(refused) = Filter::parse("filter", &tokens.concat()) {
                prop_assert!(refused.why.en.starts_with("at character "), "{}", refused.why);
                prop_assert!(refused.why.zh.starts_with("第 "), "{}", refused.why.zh);
            }
        }
    }

    #[test]
    fn or_binds_closer_than_and() {
        use Comparison::Equal;
        let expected = Filter::All(vec![
            is("a", Equal, "1"),
            Filter::Any(vec![is("b", Equal, "2"), is("c", Equal, "3")]),
            Filter::Not(Box::new(is("d", Comparison::Has, "打 印"))),
        ]);
        assert_eq!(parse(r#"a = 1 AND b=2 OR c="3" AND -d : "打 印""#), expected);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place() {
        let cases = [
            ("state", "at character 6: expected =, !="),
            ("state = ", "at character 9: expected a value"),
            ("状态 = 1", "at character 1: expected the name of a field"),
            ("a = 1 b = 2", "at character 7: expected AND, OR or the end"),
            ("(a = 1", "at character 7: expected `)`"),
            ("a = \"x", "expected the closing quote"),
        ];
        for (text, expected) in cases {
            let refused = Filter::parse("filter", text).unwrap_err();
            assert!(refused.why.en.contains(expected), "{text}: {}", refused.why);
        }
    }

    #[test]
    fn what_a_filter_may_cost_is_bounded() {
        let many = vec!["a = 1"; MOST + 1].join(" AND ");
        let deep = format!("{}a = 1{}", "(".repeat(DEEPEST + 2), ")".repeat(DEEPEST + 2));
        for text in [many, deep, "NOT ".repeat(100), "a".repeat(LONGEST + 1)] {
            assert!(Filter::parse("filter", &text).is_err());
        }
        assert_eq!(Filter::parse("filter", "  "), Ok(None));
    }
}
