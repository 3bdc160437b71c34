//! Why something is not what it must be, in both languages. Both sentences stand side by side where the rule is, so that
//! neither is forgotten; [`why!`](crate::why!) makes them.
use std::fmt;

/// Why: goes on with a sentence that began with what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Why {
    /// Why, in English and in Chinese.
    pub fn new(en: impl fmt::Display, zh: impl fmt::Display) -> Self {
        Self { en: en.to_string(), zh: zh.to_string() }
    }

    /// In the words of a library or of another service: they are said as they are in both languages.
    pub fn quoted(text: impl fmt::Display) -> Self {
        Self::new(&text, &text)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// Why, as two templates of `format!`, English and Chinese, that may name what is in scope: `why!("{raw} is not a port", "{raw} 不是端口")`.
#[macro_export]
macro_rules! why {
    ($en:literal, $zh:literal $(,)?) => {
        $crate::Why::new(::std::format_args!($en), ::std::format_args!($zh))
    };
}
