//! `/jobs/<id>`, its exceptions and checkpoints, and the configuration by which a Flink says who it is.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use steadfast_core::id::{FlinkJobId, Namespace};
use steadfast_core::testing;
use steadfast_sources::flink::{self, ClusterIdentity, Expected, Patience, Vouched};

use super::flink_list::{BASE, LIMITS};
use crate::fakes::{FakeFlink, choice, head, play, status};
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "flink_bodies",
    words: &[
        "jid",
        "state",
        "start-time",
        "end-time",
        "status-counts",
        "RUNNING",
        "FINISHED",
        "FAILED",
        "errors",
        "root-exception",
        "exceptionHistory",
        "entries",
        "stacktrace",
        "exceptionName",
        "timestamp",
        "taskManagerId",
        "Caused by: ",
        "OOMKilled",
        "counts",
        "completed",
        "failed",
        "history",
        "latest",
        "savepoint",
        "is_savepoint",
        "IN_PROGRESS",
        "kubernetes.cluster-id",
        "kubernetes.namespace",
        "key",
        "value",
        "not found",
    ],
    seeds,
    check,
};

/// The files of the recordings that each choice reads.
const KINDS: [&str; 5] = [
    "job.json",
    "job-exceptions.json",
    "job-checkpoints.json",
    "jobmanager-config.json",
    "404-unknown-job.json",
];

/// Behind what chooses body and status: the body.
fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (kind, name) in KINDS.into_iter().enumerate() {
        let (kind, status) = if name.starts_with("404") { (0, 1) } else { (kind, 0) };
        let bodies = seeds::files("tests/fixtures", |path| path.ends_with(&format!("/{name}")));
        all.extend(
            bodies
                .iter()
                .map(|(_, body)| seeds::input(&format!("{kind}{status}"), body)),
        );
    }
    all
}

fn check(input: &[u8]) {
    let ([kind, of_status], body) = head(input);
    let (job, status) = (job_in(body), status(of_status));
    let ends = [
        format!("/jobs/{job}"),
        format!("/jobs/{job}/exceptions"),
        format!("/jobs/{job}/checkpoints"),
        "/jobmanager/config".to_owned(),
    ];
    let kind = choice(kind, ends.len());
    let list = br#"{"jobs":[{"jid":"00000000000000000000000000000001","state":"RUNNING","start-time":1}]}"#;
    let flink = FakeFlink {
        answers: vec![
            (ends[kind].clone(), status, Bytes::copy_from_slice(body)),
            ("/jobs/overview".to_owned(), 200, Bytes::from_static(list)),
        ],
        chunk: 0,
    };
    play(async {
        match kind {
            0 => of_job(&flink, job, status, body).await,
            1 => {
                let Some(found) = hold::told(flink::exceptions(&flink, BASE, job, LIMITS).await, status) else {
                    return;
                };
                if let Some(exception) = &found {
                    hold::text(&exception.headline);
                    exception.at.into_iter().for_each(hold::time);
                }
                let observed = found.map_or(steadfast_core::evidence::Observed::Absent, hold::present);
                hold::kept(|snapshot| snapshot.exceptions = testing::observed(observed, testing::at(1)));
            }
            2 => {
                if let Some(found) = hold::told(flink::checkpoints(&flink, BASE, job, LIMITS).await, status) {
                    hold::kept(|shown| shown.checkpoints = testing::observed(hold::present(found), testing::at(1)));
                }
            }
            _ => who(&flink, status, body).await,
        }
    });
}

/// The first job id that stands in a text, or one that is in none.
pub(super) fn job_in(body: &[u8]) -> FlinkJobId {
    let ids = body
        .windows(32)
        .filter_map(|text| FlinkJobId::parse(std::str::from_utf8(text).ok()?));
    ids.into_iter().next().unwrap_or_else(|| testing::flink_job_id(7))
}

/// How Flink words an error.
#[derive(Deserialize)]
struct Said {
    errors: Vec<String>,
}

async fn of_job(flink: &FakeFlink, job: FlinkJobId, status: u16, body: &[u8]) {
    match flink::job(flink, BASE, job, LIMITS).await {
        Ok(Some(found)) => {
            assert_eq!((found.id, status), (job, 200));
            hold::time(found.started_at);
            found.ended_at.into_iter().for_each(hold::time);
            hold::kept(|snapshot| snapshot.flink = testing::observed(hold::present(found), testing::at(1)));
        }
        Ok(None) => {
            assert_eq!(status, 404, "only Flink's own 404 says that it does not know a job");
            let Said { errors } = serde_json::from_slice(body).expect("Flink's own words are JSON");
            assert!(body.trim_ascii_start().starts_with(b"{"), "an array is no object");
            let word = format!("Job {job} not found");
            assert!(errors.iter().any(|error| error.contains(&word)), "{errors:?}");
        }
        Err(fault) => hold::fault(&fault),
    }
}

/// A list that names no known run is believed only if the configuration names the cluster.
async fn who(flink: &FakeFlink, status: u16, body: &[u8]) {
    let expected = Expected {
        cluster: Some(ClusterIdentity {
            namespace: Namespace::new("default"),
            cluster_id: "run-ha".to_owned(),
        }),
        runs: vec![(testing::flink_job_id(9), testing::at(9))],
        followed: Vec::new(),
        is_by_address: true,
        unvouched_for: None,
        patience: Patience {
            told: Duration::from_secs(10),
            untold: Duration::from_secs(50),
        },
    };
    match flink::look(flink, BASE, &expected, LIMITS).await {
        Ok((_, Vouched::Yes)) => {
            assert_eq!(status, 200, "an error vouches for nobody");
            if let Ok(Value::Array(config)) = serde_json::from_slice(body) {
                let names = |entry: &Value| entry["key"] == "kubernetes.cluster-id" && entry["value"] == "run-ha";
                assert!(config.iter().any(names), "nobody is named");
            }
        }
        Ok((_, Vouched::ByLasting)) => panic!("it has not lasted"),
        Err(flink::NoLook::Fault(fault) | flink::NoLook::Unvouched(fault)) => hold::fault(&fault),
    }
}
