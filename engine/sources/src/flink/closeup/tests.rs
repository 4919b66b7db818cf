use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::closeup::STACK_TRACE;
use steadfast_core::evidence::FaultKind;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use super::*;
use crate::transport::Answer;

const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(3),
    max_bytes: 1 << 20,
};

/// A Flink that has one answer to everything.
struct Fixed {
    status: u16,
    body: Vec<u8>,
    asked: Mutex<Vec<String>>,
}

fn says(status: u16, body: impl Into<Vec<u8>>) -> Fixed {
    Fixed {
        status,
        body: body.into(),
        asked: Mutex::default(),
    }
}

#[async_trait]
impl Transport for Fixed {
    async fn get(&self, url: &str, _: Limits) -> Result<Answer, Fault> {
        self.asked.lock().unwrap().push(url.to_owned());
        Ok(Answer {
            status: self.status,
            retry_after: None,
            body: self.body.clone().into(),
        })
    }
}

/// A body that a real Flink sent.
fn recorded(path: &str) -> Vec<u8> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read(root.join(path)).unwrap()
}

fn id(text: &str) -> FlinkJobId {
    FlinkJobId::parse(text).unwrap()
}

#[tokio::test]
async fn both_flinks_running_jobs_are_shown_with_their_vertices() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        let flink = says(200, recorded(&format!("{version}/running/job.json")));
        let job = job_detail(&flink, "http://f", id("ffffffffc92beb7b0000000000000000"), LIMITS).await;
        let job = job.unwrap().unwrap();
        assert_eq!(
            (job.state, job.parallelism, job.max_parallelism),
            (JobState::Running, 1, None),
            "{version}"
        );
        assert_eq!(
            (job.name.as_str(), job.ended_at, job.vertices.len()),
            ("test-run", None, 2),
            "{version}"
        );
        let source = &job.vertices[0];
        assert_eq!(source.name, "Source: numbers -> throttle", "{version}");
        let tasks: Vec<_> = source
            .tasks
            .iter()
            .map(|(state, count)| (state.as_str(), *count))
            .collect();
        assert_eq!(tasks, [("RUNNING", 1)], "{version}");
        assert!(source.started_at.is_some() && source.duration.is_some_and(|d| d > Duration::from_secs(3)));
    }
}

#[tokio::test]
async fn every_recorded_job_is_read_in_whatever_state_it_is() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        for scene in [
            "initializing",
            "restarting",
            "failed-cluster-stays",
            "canceled-cluster-stays",
            "finished-cluster-stays",
        ] {
            let body = recorded(&format!("{version}/{scene}/job.json"));
            let written: serde_json::Value = crate::json::from_slice(&body).unwrap();
            let asked = id(written["jid"].as_str().unwrap());
            let job = job_detail(&says(200, body), "http://f", asked, LIMITS)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(job.state.as_str(), written["state"], "{version} {scene}");
            assert_eq!(job.ended_at.is_some(), written["end-time"] != -1, "{version} {scene}");
            let unbegun = job.vertices.iter().filter(|vertex| vertex.started_at.is_none());
            assert_eq!(
                unbegun.count(),
                if scene.starts_with("canceled") { 2 } else { 0 },
                "{version} {scene}"
            );
        }
    }
}

#[tokio::test]
async fn both_flinks_checkpoints_are_shown() {
    for (version, failed, history) in [("flink-2.2.0", 3, 2), ("flink-1.20.3", 2, 2)] {
        let flink = says(200, recorded(&format!("{version}/running/job-checkpoints.json")));
        let found = checkpoint_detail(&flink, "http://f", id("ffffffffc92beb7b0000000000000000"), LIMITS).await;
        let found = found.unwrap().unwrap();
        assert_eq!(
            (found.counts.failed, found.history.len()),
            (failed, history),
            "{version}"
        );
        let newest = found.latest_completed.unwrap();
        assert!(
            newest.path.unwrap().starts_with("file:/flink-data/checkpoints/run-ha/"),
            "{version}"
        );
        assert!(
            newest.size > 0 && newest.acknowledged_at.unwrap() > newest.triggered_at,
            "{version}"
        );
        assert_eq!(
            (newest.is_savepoint, found.latest_savepoint),
            (false, None),
            "{version}"
        );
    }
    let flink = says(
        200,
        recorded("flink-1.20.3/finished-cluster-stays/job-checkpoints.json"),
    );
    let found = checkpoint_detail(&flink, "http://f", id("ffffffffc92beb7b0000000000000000"), LIMITS).await;
    let failed = found.unwrap().unwrap().latest_failed.unwrap();
    assert_eq!(failed.id, 5);
    assert!(failed.message.is_some_and(|message| !message.is_empty()));
}

#[tokio::test]
async fn both_flinks_failures_are_shown_with_their_traces() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        let flink = says(
            200,
            recorded(&format!("{version}/running-after-restarts/job-exceptions.json")),
        );
        let found = failures(&flink, "http://f", id("00000000002fff750000000000000000"), LIMITS).await;
        let found = found.unwrap().unwrap();
        let root = found.root.unwrap();
        assert_eq!(
            root.headline, "java.lang.IllegalStateException: intended failure of attempt 1",
            "{version}"
        );
        assert!(
            root.stack_trace
                .as_str()
                .contains("\n\tat TestJob$Step.map(TestJob.java:128)"),
            "{version}"
        );
        assert!(
            root.task.unwrap().starts_with("step -> nowhere: Writer (1/1)"),
            "{version}"
        );
        assert!(root.endpoint.unwrap().contains(':') && root.at.is_some(), "{version}");
        assert_eq!((found.history.len(), found.truncated), (2, false), "{version}");
        let flink = says(200, recorded(&format!("{version}/running/job-exceptions.json")));
        let found = failures(&flink, "http://f", id("00000000002fff750000000000000000"), LIMITS).await;
        let found = found.unwrap().unwrap();
        assert_eq!(
            (found.root, found.history.len()),
            (None, 0),
            "{version}: it did not fail"
        );
        assert!(flink.asked.lock().unwrap()[0].ends_with("/exceptions?maxExceptions=20"));
    }
}

#[tokio::test]
async fn only_flinks_own_word_says_that_there_is_none() {
    let asked = id("ffffffffffffffffffffffffffffffff");
    let body = || recorded("flink-2.2.0/errors/404-unknown-job.json");
    assert_eq!(
        job_detail(&says(404, body()), "http://f", asked, LIMITS).await,
        Ok(None)
    );
    assert_eq!(
        checkpoint_detail(&says(404, body()), "http://f", asked, LIMITS).await,
        Ok(None)
    );
    assert_eq!(failures(&says(404, body()), "http://f", asked, LIMITS).await, Ok(None));
    let without = r#"{"errors":["Checkpointing has not been enabled."]}"#;
    assert_eq!(
        checkpoint_detail(&says(404, without), "http://f", asked, LIMITS).await,
        Ok(None)
    );
    for (status, body, kind) in [
        (404, "404 page not found".to_owned(), FaultKind::NotFound),
        (
            404,
            r#"{"errors":["Not found: /jobs"]}"#.to_owned(),
            FaultKind::NotFound,
        ),
        (500, without.to_owned(), FaultKind::Status),
        (200, "<html>Please sign in</html>".to_owned(), FaultKind::Malformed),
        (200, "{}".to_owned(), FaultKind::Malformed),
        (200, "[[]]".to_owned(), FaultKind::Malformed),
        (
            503,
            String::from_utf8(recorded("flink-2.2.0/errors/503-leader-election.json")).unwrap(),
            FaultKind::LeaderElection,
        ),
    ] {
        let flink = says(status, body.clone());
        let kinds = [
            job_detail(&flink, "http://f", asked, LIMITS).await.unwrap_err().kind,
            checkpoint_detail(&flink, "http://f", asked, LIMITS)
                .await
                .unwrap_err()
                .kind,
            failures(&flink, "http://f", asked, LIMITS).await.unwrap_err().kind,
        ];
        assert_eq!(kinds, [kind; 3], "{status} {body}");
    }
    let other = says(200, recorded("flink-2.2.0/running/job.json"));
    let fault = job_detail(&other, "http://f", asked, LIMITS).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed, "another job's answer: {fault}");
}

#[tokio::test]
async fn whatever_a_flink_writes_stays_within_its_bounds() {
    let wild = format!("a.B: \u{1b}[2J{}\n\tat x\n", "é".repeat(STACK_TRACE));
    let entry = serde_json::json!({ "exceptionName": "a.B", "stacktrace": wild, "timestamp": i64::MAX, "taskName": "t".repeat(5000) });
    let entries: Vec<_> = (0..50).map(|_| entry.clone()).collect();
    let body = serde_json::json!({ "exceptionHistory": { "entries": entries, "truncated": false } }).to_string();
    let found = failures(
        &says(200, body),
        "http://f",
        id("00000000002fff750000000000000000"),
        LIMITS,
    )
    .await;
    let found = found.unwrap().unwrap();
    assert_eq!((found.history.len(), found.truncated), (MOST_FAILURES, true));
    let root = found.root.unwrap();
    assert!(root.stack_trace.as_str().len() <= STACK_TRACE && !root.stack_trace.as_str().contains('\u{1b}'));
    assert_eq!((root.at, root.task.unwrap().len() <= 1024), (None::<Timestamp>, true));
    let vertex = serde_json::json!({ "id": "v", "parallelism": 3, "tasks": { "RUNNING": 3, "FAILED": 0 } });
    let job = "00000000002fff750000000000000000";
    let vertices: Vec<_> = (0..250).map(|_| vertex.clone()).collect();
    let body = serde_json::json!({ "jid": job, "state": "RUNNING", "start-time": 1, "vertices": vertices }).to_string();
    let found = job_detail(&says(200, body), "http://f", id(job), LIMITS)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.vertices.len(), found.vertices_omitted, found.parallelism),
        (200, 50, 3)
    );
}
