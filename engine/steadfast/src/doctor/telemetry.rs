//! Where traces are sent: whether the collector takes them. It is sent none.

use steadfast_telemetry::{Offered, Way};

use super::Finding;
use crate::config::Telemetry;

const SUBJECT: &str = "telemetry";

pub(super) async fn examine(telemetry: Option<&Telemetry>) -> Option<Finding> {
    let collector = telemetry?.collector.clone();
    let way = match Way::to(collector) {
        Ok(way) => way,
        Err(error) => {
            return Some(Finding::wrong(
                SUBJECT,
                error.to_string(),
                "correct that key of [telemetry]",
            ));
        }
    };
    Some(match way.reach().await {
        Offered::Taken => Finding::ok(SUBJECT, "the collector takes traces"),
        Offered::Not(why, fix) => Finding::warning(SUBJECT, why, fix),
    })
}
