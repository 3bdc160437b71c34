//! What people call a measure, and its unit: the words of a finding's reason.
use std::cmp::Ordering;

/// By the name that limits use: what people call it, and the unit that follows a number.
const WORDS: &[(&str, &str, &str)] = &[
    ("latencyMs", "响应时间", " 毫秒"),
    ("statusCode", "状态码", ""),
    ("bodyBytes", "页面大小", " 字节"),
    ("daysLeft", "证书剩余有效期", " 天"),
    ("answers", "解析结果", " 条"),
    ("lossPercent", "丢包率", "%"),
    ("connections", "连接数", " 个"),
    ("connectionsPercent", "连接占用率", "%"),
    ("usedMemoryBytes", "内存用量", " 字节"),
    ("connectedClients", "客户端数", " 个"),
    ("value", "指标值", ""),
];
/// More digits say nothing to people.
const DIGITS: usize = 6;

/// `响应时间为 124.7 毫秒，高于 100 毫秒`; a measure that has no words of its own is called by its name.
pub(super) fn beyond(measure: &str, value: f64, side: Ordering, limit: f64) -> String {
    let side = if side == Ordering::Less { "低于" } else { "高于" };
    let value = spoken(value, limit);
    match words(measure) {
        Some((words, unit)) => format!("{words}为 {value}{unit}，{side} {limit}{unit}"),
        None => format!("{measure} 为 {value}，{side} {limit}"),
    }
}

/// `未测得响应时间`.
pub(super) fn missing(measure: &str) -> String {
    words(measure).map_or_else(|| format!("未测得 {measure}"), |(words, _)| format!("未测得{words}"))
}

fn words(measure: &str) -> Option<(&'static str, &'static str)> {
    WORDS.iter().find(|(name, ..)| *name == measure).map(|(_, words, unit)| (*words, *unit))
}

/// As few digits after the point as still show on which side of the limit it is.
fn spoken(value: f64, limit: f64) -> String {
    let rounded = |digits: usize| format!("{value:.digits$}");
    let tells = |text: &String| text.parse::<f64>().is_ok_and(|rounded| rounded.partial_cmp(&limit) == value.partial_cmp(&limit));
    let text = (1..=DIGITS).map(rounded).find(tells).unwrap_or_else(|| value.to_string());
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_short_and_still_tells_its_side() {
        assert_eq!(beyond("latencyMs", 124.663_937, Ordering::Greater, 100.0), "响应时间为 124.7 毫秒，高于 100 毫秒");
        assert_eq!(beyond("latencyMs", 100.000_3, Ordering::Greater, 100.0), "响应时间为 100.0003 毫秒，高于 100 毫秒");
        assert_eq!(beyond("daysLeft", 12.0, Ordering::Less, 30.0), "证书剩余有效期为 12 天，低于 30 天");
        assert_eq!(beyond("m", 2.0, Ordering::Less, 5.0), "m 为 2，低于 5");
    }

    #[test]
    fn every_measure_that_a_probe_takes_has_words() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/inspector/probe");
        let mut names = std::collections::BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let made = source.split("measures([").skip(1).filter_map(|rest| rest.split_once(']')).map(|(made, _)| made);
            names.extend(
                made.flat_map(|made| made.split("(\"").skip(1)).filter_map(|pair| pair.split('"').next()).map(str::to_owned),
            );
        }
        assert!(names.len() >= 7, "{names:?}");
        let wordless: Vec<&String> = names.iter().filter(|name| words(name).is_none()).collect();
        assert!(wordless.is_empty(), "{wordless:?}");
    }
}
