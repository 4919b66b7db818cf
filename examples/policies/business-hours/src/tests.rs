//! Worlds begin on a Thursday at midnight, UTC.

use steadfast_policy::testing::{self, World};
use steadfast_policy::{Confidence, FaultKind, Instance, JobState, TextParameter};

use crate::BusinessHours;
use crate::hours::{Hours, Offset};

fn failed_at(moment: &str) -> (World, Instance<BusinessHours>) {
    let policy = testing::policy::<BusinessHours>("{}");
    let mut orders = testing::job("orders").running();
    let failed = orders.at(moment).flink_reports(JobState::Failed).decide(&policy);
    failed.is(JobState::Failed, Confidence::Confirmed).alerts(&[]);
    (orders, policy)
}

#[test]
fn what_fails_within_the_hours_is_alerted_once_it_has_stood() {
    let (mut orders, policy) = failed_at("9h");
    orders.lasts_until("541m", &policy).alerts(&[]);
    orders.lasts_until("542m", &policy).alerts(&["JobFailed"]);
}

#[test]
fn what_fails_at_night_is_alerted_in_the_morning() {
    let (mut orders, policy) = failed_at("3h");
    orders.lasts_until("479m", &policy).alerts(&[]);
    orders.lasts_until("8h", &policy).alerts(&["JobFailed"]);
}

#[test]
fn what_is_mended_by_the_morning_is_never_alerted() {
    let (mut orders, policy) = failed_at("3h");
    orders
        .at("7h")
        .flink_reports(JobState::Running)
        .decide(&policy)
        .alerts(&[]);
    orders
        .lasts_until("9h", &policy)
        .is(JobState::Running, Confidence::Confirmed)
        .alerts(&[]);
}

#[test]
fn an_alert_stands_until_it_is_over_whatever_the_hour() {
    let policy = testing::policy::<BusinessHours>("{}");
    let mut orders = testing::job("orders").running();
    orders.at("1070m").flink_unknown(FaultKind::Timeout).decide(&policy);
    orders.lasts_until("1072m", &policy).alerts(&["FlinkSilent"]);
    orders
        .lasts_until("19h", &policy)
        .is(JobState::Running, Confidence::Stale)
        .alerts(&["FlinkSilent"]);
    orders.flink_reports(JobState::Running).decide(&policy).alerts(&[]);
}

#[test]
fn a_silence_resolves_nothing() {
    let (mut orders, policy) = failed_at("9h");
    orders.lasts_until("542m", &policy).alerts(&["JobFailed"]);
    orders
        .flink_unknown(FaultKind::Timeout)
        .decide(&policy)
        .is(JobState::Failed, Confidence::Stale)
        .alerts(&["JobFailed"]);
    orders
        .lasts_until("544m", &policy)
        .alerts(&["JobFailed", "FlinkSilent"]);
}

#[test]
fn hours_are_reckoned_by_weekday_and_offset() {
    let hour = |hours: i64| testing::START + hours * 3_600_000;
    let office = Hours::parse("Mon-Fri 08:00-18:00").unwrap();
    let offset = |text| Offset::parse(text).unwrap();
    for (moment, offset, within) in [
        (hour(8), Offset::UTC, true),
        (hour(8) - 1, Offset::UTC, false),
        (hour(18), Offset::UTC, false),
        (hour(7), offset("+01:00"), true),
        (hour(13), offset("-05:30"), false),
        (hour(2 * 24 + 12), Offset::UTC, false),    // Saturday
        (hour(4 * 24 + 12), Offset::UTC, true),     // Monday
        (hour(4 * 24 - 1), offset("+09:00"), true), // Sunday night is Monday morning there
        (-1, offset("+09:00"), true),               // before the epoch, a Thursday morning there
    ] {
        assert_eq!(office.contain(moment, offset), within, "{moment} {offset:?}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_fix() {
    for (hours, why) in [
        ("Mon-Fry 08:00-18:00", "`Fry` is no weekday; they are Mon"),
        ("Mon-Fri 8-18", "`8` is no time of day such as 08:00"),
        ("Fri-Mon 08:00-18:00", "the end lies before the beginning"),
        ("always", "days and hours are two words"),
    ] {
        let refused = Instance::<BusinessHours>::configure(&format!(r#"{{"hours": "{hours}"}}"#)).unwrap_err();
        assert!(refused.contains(why), "{refused}");
        assert!(
            refused.ends_with(r#"write for example `hours = "Mon-Fri 08:00-18:00"`"#),
            "{refused}"
        );
    }
    for text in ["Mon-Fri 08:00-18:00", "Sat-Sun 00:00-24:00"] {
        assert_eq!(Hours::parse(text).unwrap().text(), text);
    }
    for text in ["+05:30", "-08:00", "+00:00"] {
        assert_eq!(Offset::parse(text).unwrap().text(), text);
    }
}
