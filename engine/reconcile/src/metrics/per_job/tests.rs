use steadfast_core::id::JobKey;
use steadfast_core::projection::WatchStatus;
use steadfast_core::record::JobRecord;
use steadfast_core::testing::{at, record};
use steadfast_core::time::Timestamp;

use super::*;
use crate::metrics::write::testing::samples_of;

#[derive(Debug)]
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

const SESSION: &str = "a/x/s/0123456789abcdef0123456789abcdef";

/// A job of a session that runs for the third time, and one that was never seen.
fn read() -> PerJob {
    let projection = Projection::default();
    let unseen = record(JobKey::parse("a/x/j").unwrap(), at(50));
    let mut runs = JobRecord {
        state: JobState::Running,
        confidence: Confidence::Confirmed,
        confirmed_at: Some(at(60)),
        since: at(55),
        told_since: Some(at(54)),
        ..record(JobKey::parse(SESSION).unwrap(), at(50))
    };
    runs.incarnation.attempt = 3;
    for record in [unseen, runs] {
        let watch = WatchStatus {
            confirmed_at: record.confirmed_at.map(|_| at(70)),
            failures: 2,
            ..WatchStatus::default()
        };
        projection.show(JobView {
            record: Arc::new(record),
            watch,
        });
    }
    let restarts = Restarts::default();
    restarts.count(&JobKey::parse(SESSION).unwrap());
    PerJob {
        projection: Arc::new(projection),
        restarts,
        clock: Arc::new(Stopped(at(75))),
    }
}

fn labels(key: &str, more: &str) -> String {
    let session = key.strip_prefix("a/x/s/");
    let (name, session) = session.map_or(("j", ""), |session| ("s", session));
    format!("{{cluster=\"a\",namespace=\"x\",name=\"{name}\",session_job=\"{session}\"{more}}}")
}

#[test]
fn a_job_has_one_state_of_all_and_one_word_for_how_sure_it_is() {
    let states = samples_of("steadfast_job_state", read());
    assert_eq!(states.len(), 2 * JobState::ALL.len());
    let is: Vec<_> = states.iter().filter(|line| line.ends_with(" 1")).cloned().collect();
    let wanted = [
        labels("a/x/j", ",state=\"UNKNOWN\""),
        labels(SESSION, ",state=\"RUNNING\""),
    ];
    assert_eq!(is, wanted.map(|labels| format!("{labels} 1")));
    let sure = samples_of("steadfast_job_confidence", read());
    assert_eq!(sure.len(), 2 * Confidence::ALL.len());
    assert!(
        sure.contains(&format!("{} 1", labels(SESSION, ",confidence=\"confirmed\""))),
        "{sure:#?}"
    );
}

#[test]
fn what_is_not_known_of_a_job_has_no_sample() {
    for (metric, value) in [
        ("steadfast_job_confirmed_age_seconds", "5.0"),
        ("steadfast_job_attempts_total", "3"),
    ] {
        assert_eq!(
            samples_of(metric, read()),
            [format!("{} {value}", labels(SESSION, ""))],
            "{metric}"
        );
    }
}

#[test]
fn a_job_began_when_flink_says_and_else_when_it_was_seen() {
    let since = samples_of("steadfast_job_state_since_timestamp_seconds", read());
    assert_eq!(
        since,
        [
            format!("{} 50.0", labels("a/x/j", "")),
            format!("{} 54.0", labels(SESSION, ""))
        ]
    );
}

#[test]
fn restarts_go_with_their_job() {
    let read = read();
    read.restarts.forget(&JobKey::parse(SESSION).unwrap());
    let restarts = samples_of("steadfast_job_restarts_total", read);
    assert_eq!(
        restarts,
        [
            format!("{} 0", labels("a/x/j", "")),
            format!("{} 0", labels(SESSION, ""))
        ]
    );
    let restarts = samples_of("steadfast_job_restarts_total", self::read());
    assert_eq!(restarts[1], format!("{} 1", labels(SESSION, "")));
}
