//! THE RULE of a clock: what it counts, up to where, and when it warns.
//!
//! Sources: T/DGAG 038-2025, 7.4.1.1 and 7.4.2.4, for what has a limit, and 7.4.1.6, 7.4.4.2, 7.4.4.4 and 7.4.4.5 for whom
//! there is to wait for; that a clock stands meanwhile, warns, or is held until the service opens is ours: no clause says how
//! time is counted.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The time that a clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// All of it, day and night (7×24).
    AroundTheClock,
    /// What the calendar calls open.
    WorkingTime,
}

/// Why a clock stands. Whom there is to wait for is T/DGAG 038-2025, 7.4.4; that the clock stands meanwhile is the policy's word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 等待用户: to say how it is to be repaired (7.4.4.5), or that it is (7.4.1.6).
    User,
    /// 等待供应商: the manufacturer, or a third party (7.4.4.5 a, b, c).
    Vendor,
    /// 等待备件 (7.4.4.2, 7.4.4.4).
    Spare,
    /// 约定时间: put off to a time that was agreed upon with the user.
    Agreed,
    /// 已停止: between its end and its going on again (reopened).
    Stopped,
    /// Anything else, in words.
    Other(String),
}

impl Reason {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> &str {
        match self {
            Self::User => "等待用户",
            Self::Vendor => "等待供应商",
            Self::Spare => "等待备件",
            Self::Agreed => "与用户约定时间",
            Self::Stopped => "已停止，后重新打开",
            Self::Other(words) => words,
        }
    }

    /// In English.
    #[must_use]
    pub fn en(&self) -> &str {
        match self {
            Self::User => "waiting for the user",
            Self::Vendor => "waiting for the vendor",
            Self::Spare => "waiting for a spare",
            Self::Agreed => "agreed with the user",
            Self::Stopped => "stopped, then reopened",
            Self::Other(words) => words,
        }
    }
}

/// What a clock counts, and up to where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What people call the clock: `response`, `resolution`.
    pub name: String,
    /// The time that it counts.
    pub basis: Basis,
    /// How much of it may pass: 响应时限 (T/DGAG 038-2025, 7.4.1.1), 恢复时间 (7.4.2.4, by DB4401/T 294.2-2024, table 3). The
    /// numbers are not this crate's.
    pub target: SignedDuration,
    /// At which percentages of the target it warns; more than 100 is possible, and is after the breach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<u16>,
    /// Whether what falls due outside service hours is held until they begin again.
    #[serde(default)]
    pub hold_to_service_hours: bool,
}

impl Rule {
    /// A rule that neither warns nor holds.
    #[must_use]
    pub fn new(name: impl Into<String>, basis: Basis, target: SignedDuration) -> Self {
        Self { name: name.into(), basis, target, warnings: Vec::new(), hold_to_service_hours: false }
    }
}
