use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts as _;
use steadfast_core::projection::WatchStatus;
use steadfast_core::record::{AlertScope, Condition, StandingAlert};
use steadfast_core::time::Timestamp;

use super::*;
use crate::problem::Problem;
use crate::query::Parameters;
use crate::testing::{AT, record};

async fn asked(query: &str) -> Result<JobFilter, Problem> {
    let request = http::Request::get(format!("/?{query}")).body(()).unwrap();
    let (mut parts, ()) = request.into_parts();
    let read = Parameters::<JobFilter>::from_request_parts(&mut parts, &()).await;
    read.map(|Parameters(filter)| filter)
}

fn shown(record: JobRecord) -> JobView {
    JobView {
        record: Arc::new(record),
        watch: WatchStatus::default(),
    }
}

/// One job that has something for each filter.
fn orders() -> JobView {
    let mut record = record("prod/shop/Orders", JobState::Restarting);
    record.confidence = Confidence::Inferred;
    record.told_since = Some(Timestamp::from_millis(AT.as_millis() - 60_000));
    let labels = [("team", "payments"), ("tier", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    record.labels = BTreeMap::from(labels).into();
    record.conditions = vec![Condition {
        kind: ConditionType::RestartLoop,
        since: AT,
        message: String::new(),
    }];
    record.alerts = vec![StandingAlert {
        name: "RestartLoop".to_owned(),
        scope: AlertScope::Job,
        since: AT,
        message: String::new(),
        silenced: false,
    }];
    shown(record)
}

#[tokio::test]
async fn each_filter_takes_what_it_says_and_leaves_the_rest() {
    let (job, other) = (orders(), shown(record("local/default/x", JobState::Running)));
    for (takes, leaves) in [
        ("state=RESTARTING", "state=FAILED,LOST"),
        ("namespace=shop", "namespace=shops"),
        ("cluster=prod&cluster=test", "cluster=test"),
        ("confidence=inferred", "confidence=confirmed"),
        ("mode=application", "mode=session"),
        ("policy=default", "policy=other"),
        ("condition=RestartLoop", "condition=CrashLoop"),
        ("condition=*", "condition=*&state=FAILED"),
        ("condition=CrashLoop,*", "condition=CrashLoop"),
        ("alert=RestartLoop", "alert=JobFailed"),
        ("alert=*", "alert=Restart"),
        ("severity=alerting", "severity=degraded"),
        ("label=team=payments", "label=team=search"),
        ("label=team,tier=1", "label=team&label=stage"),
        ("search=SHOP/ord", "search=sho/ord"),
        ("since=2026-11-23T01:12:29.838Z", "since=2026-11-23T01:12:29.839Z"),
        ("state=RESTARTING&cluster=prod", "state=RESTARTING&cluster=test"),
    ] {
        assert!(asked(takes).await.unwrap().taker().takes(&job), "{takes}");
        assert!(!asked(leaves).await.unwrap().taker().takes(&job), "{leaves}");
        let for_all = ["mode", "policy"].iter().any(|name| takes.starts_with(name));
        if !for_all {
            assert!(
                !asked(takes).await.unwrap().taker().takes(&other) || takes.starts_with("since"),
                "{takes}"
            );
        }
    }
    assert!(asked("").await.unwrap().taker().takes(&job));
    assert!(asked("state=&search=&since=&label=").await.unwrap().taker().takes(&job));
}

#[tokio::test]
async fn what_is_wrong_is_named_with_the_words_there_are() {
    for (query, parameter, says) in [
        (
            "confidence=sure",
            "confidence",
            "`sure` is not a confidence; use one of confirmed, inferred, stale",
        ),
        (
            "mode=batch",
            "mode",
            "`batch` is not a mode; use one of application, session, standalone",
        ),
        (
            "severity=bad",
            "severity",
            "`bad` is not a severity; use one of alerting, failed",
        ),
        (
            "condition=Broken",
            "condition",
            "`Broken` is not a condition; use one of FlinkUnreachable",
        ),
        (
            "label==x",
            "label",
            "`=x` names no label; write key=value, or key alone",
        ),
        (
            "since=yesterday",
            "since",
            "`yesterday` is not a moment; write it as RFC 3339 does",
        ),
        ("search=a&search=b", "search", "given twice"),
    ] {
        let problem = asked(query).await.unwrap_err();
        let shown = serde_json::to_value(&problem).unwrap();
        assert_eq!(shown["parameter"], parameter, "{query}");
        assert!(shown["detail"].as_str().unwrap().contains(says), "{shown}");
    }
}

#[tokio::test]
async fn the_order_in_which_values_are_given_makes_no_other_filter() {
    let fingerprint = async |query| asked(query).await.unwrap().fingerprint();
    let one = fingerprint("state=FAILED,LOST&label=b&label=a").await;
    assert_eq!(one, fingerprint("label=a,b&state=LOST&state=FAILED").await);
    for other in [
        "state=FAILED&label=a,b",
        "label=a,b",
        "",
        "state=FAILED,LOST&label=a,b=1",
    ] {
        assert_ne!(one, fingerprint(other).await, "{other}");
    }
}
