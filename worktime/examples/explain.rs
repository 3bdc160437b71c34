//! A ticket of the eve of the National Day: eight working hours, and a vendor to wait for. Prints why it is due when it is.
#![expect(clippy::print_stdout, reason = "an example shows")]
use jiff::{SignedDuration, Timestamp};
use worktime::{
    Calendar, Clock, Timeline,
    calendar::{Description, Layer, Shift, Week},
    clock::{Basis, Reason, Rule},
    explain::{Language, explain},
};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shifts: [Shift; 2] = ["08:30-12:00".parse()?, "14:00-17:30".parse()?];
    // The state's holidays and make-up days, and the city's hours above them.
    let calendar = Calendar::try_new(Description {
        zone: "Asia/Shanghai".into(),
        layers: vec![
            Layer { national: Some("cn".into()), ..Layer::new("国家") },
            Layer { weeks: vec![Week::working_days(&shifts)], ..Layer::new("市") },
        ],
    })?;
    let at = |text: &str| text.parse::<Timestamp>();
    let timeline = Timeline::compile(&calendar, at("2026-09-01T00:00+08:00")?, at("2026-12-31T00:00+08:00")?);

    let rule = Rule::new("处理时限", Basis::WorkingTime, SignedDuration::from_hours(8));
    let mut clock = Clock::start(rule, at("2026-09-30T16:00+08:00")?)?;
    clock.pause(at("2026-10-08T09:00+08:00")?, Reason::Vendor)?;
    clock.resume(at("2026-10-09T15:00+08:00")?)?;

    let explanation = explain(&clock, &calendar, &timeline)?;
    for language in [Language::Zh, Language::En] {
        println!("{}", explanation.text(language, calendar.zone()));
    }
    assert_eq!(explanation.due, Some(at("2026-10-10T12:00+08:00")?));
    Ok(())
}
