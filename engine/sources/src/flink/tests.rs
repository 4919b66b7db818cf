use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::evidence::FaultKind;

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

impl Fixed {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            asked: Mutex::default(),
        }
    }
}

#[async_trait]
impl Transport for Fixed {
    async fn get(&self, url: &str, _: Limits) -> Result<Answer, Fault> {
        self.asked.lock().unwrap().push(url.to_owned());
        Ok(Answer {
            status: self.status,
            retry_after: Some(Duration::from_secs(9)),
            body: self.body.clone().into(),
        })
    }
}

fn recorded(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read(root.join(path)).unwrap()
}

fn job() -> FlinkJobId {
    FlinkJobId::parse("000000006412c0d00000000000000000").unwrap()
}

#[tokio::test]
async fn each_question_goes_to_its_path() {
    let flink = Fixed::new(404, "");
    drop(overview(&flink, "http://f:8081", LIMITS).await);
    drop(exceptions(&flink, "http://f:8081", job(), LIMITS).await);
    drop(checkpoints(&flink, "/api/v1/proxy", job(), LIMITS).await);
    assert_eq!(
        *flink.asked.lock().unwrap(),
        [
            "http://f:8081/jobs/overview",
            "http://f:8081/jobs/000000006412c0d00000000000000000/exceptions",
            "/api/v1/proxy/jobs/000000006412c0d00000000000000000/checkpoints",
        ]
    );
}

#[tokio::test]
async fn no_error_is_an_empty_answer() {
    for (status, kind) in [
        (201, FaultKind::Status),
        (204, FaultKind::Status),
        (302, FaultKind::Status),
        (400, FaultKind::Status),
        (401, FaultKind::Unauthorized),
        (403, FaultKind::Forbidden),
        (404, FaultKind::NotFound),
        (410, FaultKind::Expired),
        (429, FaultKind::TooManyRequests),
        (500, FaultKind::Status),
        (502, FaultKind::Status),
        (503, FaultKind::Status),
        (504, FaultKind::Status),
    ] {
        let flink = Fixed::new(status, r#"{"jobs":[],"exceptionHistory":{"entries":[]}}"#);
        let fault = overview(&flink, "http://f", LIMITS).await.unwrap_err();
        assert_eq!(
            (fault.kind, fault.retry_after),
            (kind, Some(Duration::from_secs(9))),
            "{status}"
        );
        assert_eq!(
            exceptions(&flink, "http://f", job(), LIMITS).await.unwrap_err().kind,
            kind
        );
        assert_eq!(
            checkpoints(&flink, "http://f", job(), LIMITS).await.unwrap_err().kind,
            kind
        );
    }
}

#[tokio::test]
async fn both_flinks_elections_are_told_from_other_errors() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        for (file, status, kind) in [
            ("503-leader-election.json", 503, FaultKind::LeaderElection),
            ("500-leader-change.json", 500, FaultKind::LeaderElection),
            ("404-unknown-job.json", 404, FaultKind::NotFound),
            ("404-unknown-path.json", 404, FaultKind::NotFound),
            ("400-malformed-job-id.json", 400, FaultKind::Status),
        ] {
            let flink = Fixed::new(status, recorded(&format!("{version}/errors/{file}")));
            let fault = exceptions(&flink, "http://f", job(), LIMITS).await.unwrap_err();
            assert_eq!(fault.kind, kind, "{version} {file}");
        }
    }
}

#[tokio::test]
async fn every_answer_of_a_recorded_life_is_read_or_a_fault() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        for scene in ["start", "jobmanager-kill-ha", "jobmanager-kill-no-ha", "restarting"] {
            let timeline: Vec<serde_json::Value> =
                crate::json::from_slice(&recorded(&format!("{version}/{scene}/timeline.json"))).unwrap();
            let mut read = 0;
            for step in timeline {
                let status = u16::try_from(step["status"].as_u64().unwrap()).unwrap();
                if status == 0 {
                    continue;
                }
                let body = step["body"]
                    .as_str()
                    .map_or_else(|| step["body"].to_string(), str::to_owned);
                let answer = overview(&Fixed::new(status, body), "http://f", LIMITS).await;
                assert_eq!(answer.is_ok(), status == 200, "{version} {scene}: {answer:?}");
                read += usize::from(status == 200);
            }
            assert!(read > 0, "{version} {scene}");
        }
    }
}
