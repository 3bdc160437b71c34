//! THE QUANTITIES: times and shares that can be. What cannot be is refused where it is read.
//!
//! Source: ours: the text has no number of these kinds, and so no bounds. These refuse what can only be a slip of the pen.
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! quantity {
    ($($(#[$about:meta])* $name:ident($unit:literal, $from:literal..=$to:literal, $bound:literal)),+ $(,)?) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u32")]
        pub struct $name(u32);

        impl $name {
            /// The number.
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u32> for $name {
            type Error = String;

            fn try_from(number: u32) -> Result<Self, String> {
                if ($from..=$to).contains(&number) { Ok(Self(number)) } else { Err(format!("{number} is not possible: {}", $bound)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", self.0, $unit)
            }
        }
    )+};
}

quantity! {
    /// Seconds, from 1 to a month of them: the longest window of a metric.
    Seconds("秒", 1..=2_678_400, "1 second to 31 days"),
    /// How long something has to last, in seconds: from 0 (at once) to a day.
    Lasting("秒", 0..=86_400, "0 seconds to 1 day"),
    /// Minutes, from 1 to a month of them: no time limit of an incident is longer.
    Minutes("分钟", 1..=44_640, "1 minute to 31 days"),
    /// Hours, from 1 to a year of them: no ticket takes longer.
    Hours("小时", 1..=8_784, "1 hour to 366 days"),
    /// Working days, from 1 to a year of them.
    Workdays("个工作日", 1..=262, "1 to 262 working days"),
    /// Months, from 1 to ten years of them: no spare is stored longer.
    Months("个月", 1..=120, "1 to 120 months"),
    /// Years, from 1 to fifty: a working life.
    Years("年", 1..=50, "1 to 50 years"),
    /// A number of units, from 1 to 100 000.
    Count("", 1..=100_000, "1 to 100000"),
    /// A share in percent, from 0 to 100.
    Percent("%", 0..=100, "0 to 100 percent"),
}
