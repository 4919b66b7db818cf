mod ends;
mod faults;
mod files;

use std::path::{Path, PathBuf};
use steadfast_core::id::FlinkJobId;
use steadfast_core::lookup::ResultQuery;

use async_trait::async_trait;
use bytes::Bytes;
use steadfast_core::evidence::FaultKind;

use super::*;
use crate::transport::Answer;

const VERSIONS: [&str; 2] = ["flink-2.2.0", "flink-1.20.3"];
const ENDS: [(&str, &str, JobState); 3] = [
    ("finished", "ffffffffa021a4190000000000000000", JobState::Finished),
    ("failed", "000000006412c0d00000000000000000", JobState::Failed),
    ("canceled", "ffffffffa02197de0000000000000000", JobState::Canceled),
];
const PATIENT: Duration = Duration::from_secs(60);

fn fixtures(version: &str, scene: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    root.join(format!("{version}/{scene}-cluster-ends"))
}

fn query(job: &str) -> ResultQuery {
    ResultQuery {
        cluster_id: "orders".into(),
        job: FlinkJobId::parse(job).unwrap(),
        started_at: None,
    }
}

/// A directory with these files in it.
fn directory(files: &[(&str, Vec<u8>)]) -> (tempfile::TempDir, Arc<dyn Files>) {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let files = open(&Location::Directory(folder.path().to_owned())).unwrap();
    (folder, files)
}

fn archived(version: &str, scene: &str, job: &str) -> Vec<u8> {
    std::fs::read(fixtures(version, scene).join(format!("archive-{job}.json"))).unwrap()
}

fn result(version: &str, scene: &str, job: &str) -> Vec<u8> {
    std::fs::read(fixtures(version, scene).join(format!("job-result-store-{job}.json"))).unwrap()
}

fn archive(files: Arc<dyn Files>) -> ResultSources {
    ResultSources {
        archives: vec![files],
        ..ResultSources::default()
    }
}

fn result_store(files: Arc<dyn Files>) -> ResultSources {
    ResultSources {
        result_store: Some(files),
        ..ResultSources::default()
    }
}

fn history() -> ResultSources {
    ResultSources {
        history_server: Some("http://history".into()),
        ..ResultSources::default()
    }
}

/// A HistoryServer that serves an archive's file, or has one answer to everything.
enum Http {
    Serves(Vec<u8>),
    Says(u16, &'static str),
}

#[async_trait]
impl Transport for Http {
    async fn get(&self, url: &str, _: Limits) -> Result<Answer, Fault> {
        let (status, body) = match self {
            Self::Says(status, body) => (*status, (*body).to_owned()),
            Self::Serves(archive) => {
                let archive: serde_json::Value = crate::json::from_slice(archive).unwrap();
                let entries = archive["archive"].as_array().unwrap();
                let found = entries
                    .iter()
                    .find(|entry| url == format!("http://history{}", entry["path"].as_str().unwrap()));
                match found {
                    Some(entry) => (200, entry["json"].as_str().unwrap().to_owned()),
                    None => (404, r#"{"errors":["File not found."]}"#.to_owned()),
                }
            }
        };
        Ok(Answer {
            status,
            retry_after: None,
            body: body.into(),
        })
    }
}

/// Nothing is asked of it.
const NOBODY: Http = Http::Says(500, "");

async fn kind(sources: &ResultSources, http: &Http, query: &ResultQuery) -> FaultKind {
    match sources.find(http, query, PATIENT).await {
        Observed::Unknown(fault) => fault.kind,
        known @ (Observed::Present(_) | Observed::Absent) => panic!("{known:?}"),
    }
}

fn assert_end(found: &Observed<JobEnd>, state: JobState, told_by: EndSource, what: &str) {
    let Observed::Present(end) = found else {
        panic!("{what}: {found:?}")
    };
    assert_eq!((end.state, end.told_by), (state, told_by), "{what}");
    let knows_why = end.cause.as_deref().is_some_and(|cause| {
        cause.starts_with("org.apache.flink.runtime.JobException: ") && cause.contains("; caused by ")
    });
    assert_eq!(knows_why, state == JobState::Failed, "{what}: {end:?}");
    // The file of a JobResultStore does not say when.
    assert_eq!(end.ended_at.is_some(), told_by != EndSource::JobResultStore, "{what}");
}
