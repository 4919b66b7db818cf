//! What outlives a Flink: its archive, a HistoryServer, the JobResultStore.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::de::IgnoredAny;
use steadfast_core::evidence::Observed;
use steadfast_core::lookup::ResultQuery;
use steadfast_core::secret_url::SecretUrl;
use steadfast_sources::job_results::ResultSources;

use super::flink_bodies::job_in;
use super::flink_list::BASE;
use crate::fakes::{FakeFlink, FakeFolder, choice, head, play, status};
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "job_results",
    words: &[
        "archive",
        "path",
        "json",
        "/jobs/",
        "/exceptions",
        "jid",
        "state",
        "end-time",
        "FAILED",
        "FINISHED",
        "CANCELED",
        "RUNNING",
        "root-exception",
        "exceptionHistory",
        "entries",
        "stacktrace",
        "result",
        "id",
        "application-status",
        "SUCCEEDED",
        "UNKNOWN",
        "failure-cause",
        "class",
        "stack-trace",
        "errors",
        "Caused by: ",
    ],
    seeds,
    check,
};

/// Behind what chooses source and status: the file or the body.
fn seeds() -> Vec<Vec<u8>> {
    let mut all = vec![br#"41{"errors":["Not found."]}"#.to_vec()];
    for (head, part) in [
        ("00", "/archive-"),
        ("10", "/archive-"),
        ("20", "/job-result-store-"),
        ("30", "/job-result-store-"),
        ("40", "-stays/job.json"),
        ("50", "-stays/job-exceptions.json"),
    ] {
        let files = seeds::files("tests/fixtures", |path| path.contains(part));
        all.extend(files.iter().map(|(_, file)| seeds::input(head, file)));
    }
    all
}

fn check(input: &[u8]) {
    let ([source, of_status], body) = head(input);
    let (source, status) = (choice(source, 6), status(of_status));
    let job = job_in(body);
    let content = Bytes::copy_from_slice(body);
    let (mut archive, mut results, mut answers) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    match source {
        0 => drop(archive.insert(job.to_string(), content)),
        1 => drop(archive.insert(format!("{job}/applications/a/jobs/{job}"), content)),
        2 => drop(results.insert(format!("run/{job}.json"), content)),
        3 => drop(results.insert(format!("{job}_DIRTY.json"), content)),
        4 => answers.push((format!("/jobs/{job}"), status, content)),
        _ => {
            let failed = format!(r#"{{"jid":"{job}","state":"FAILED","end-time":5}}"#);
            answers.push((format!("/jobs/{job}"), 200, failed.into()));
            answers.push((format!("/jobs/{job}/exceptions"), status, content));
        }
    }
    let sources = ResultSources {
        archives: vec![Arc::new(FakeFolder(archive))],
        history_server: (source >= 4).then(|| SecretUrl::new(BASE)),
        result_store: Some(Arc::new(FakeFolder(results))),
    };
    let query = ResultQuery {
        cluster_id: "run".to_owned(),
        job,
        started_at: None,
    };
    let flink = FakeFlink { answers, chunk: 0 };
    match play(sources.find(&flink, &query, Duration::from_secs(3))) {
        Observed::Present(end) => {
            assert_eq!(end.job, job);
            hold::end(&end);
        }
        Observed::Absent => {
            let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
            assert!(is_json, "what cannot be read is unknown, not absent");
            assert!(source < 5, "its end was told");
        }
        Observed::Unknown(fault) => hold::fault(&fault),
    }
}
