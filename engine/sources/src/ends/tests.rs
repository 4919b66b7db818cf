use std::future::pending;
use std::path::{Path, PathBuf};

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

fn sought(job: &str) -> Sought {
    Sought {
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

fn archive(files: Arc<dyn Files>) -> EndPlaces {
    EndPlaces {
        archives: vec![files],
        ..EndPlaces::default()
    }
}

fn results(files: Arc<dyn Files>) -> EndPlaces {
    EndPlaces {
        job_results: Some(files),
        ..EndPlaces::default()
    }
}

fn history() -> EndPlaces {
    EndPlaces {
        history_server: Some("http://history".into()),
        ..EndPlaces::default()
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
                let archive: serde_json::Value = serde_json::from_slice(archive).unwrap();
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

async fn kind(places: &EndPlaces, http: &Http, sought: &Sought) -> FaultKind {
    match places.look(http, sought, PATIENT).await {
        Observed::Unknown(fault) => fault.kind,
        known @ (Observed::Present(_) | Observed::Absent) => panic!("{known:?}"),
    }
}

fn assert_end(told: &Observed<JobEnd>, state: JobState, told_by: EndSource, what: &str) {
    let Observed::Present(end) = told else {
        panic!("{what}: {told:?}")
    };
    assert_eq!((end.state, end.told_by), (state, told_by), "{what}");
    let knows_why = end.cause.as_deref().is_some_and(|cause| {
        cause.starts_with("org.apache.flink.runtime.JobException: ") && cause.contains("; caused by ")
    });
    assert_eq!(knows_why, state == JobState::Failed, "{what}: {end:?}");
    // The file of a JobResultStore does not say when.
    assert_eq!(end.ended_at.is_some(), told_by != EndSource::JobResultStore, "{what}");
}

#[tokio::test]
async fn both_versions_archives_tell_state_cause_and_time() {
    for version in VERSIONS {
        for (scene, job, state) in ENDS {
            let (_folder, files) = directory(&[(job, archived(version, scene, job))]);
            let told = archive(files).look(&NOBODY, &sought(job), PATIENT).await;
            assert_end(&told, state, EndSource::Archive, &format!("{version} {scene}"));
        }
    }
}

#[tokio::test]
async fn the_archive_of_an_application_is_found_in_its_folder() {
    let (_, job, _) = ENDS[0];
    let archived = || archived("flink-2.2.0", "finished", job);
    let application = "0123456789abcdef0123456789abcdef";
    // Highly available: all ids are made of `orders`. Not so: `cluster.id` has its default.
    for cluster in [
        "ffffffffc3df62e50000000000000000",
        job,
        "00000000000000000000000000000000",
    ] {
        let path = format!("{cluster}/applications/{application}/jobs/{job}");
        let summary = format!("{cluster}/applications/{application}/application-summary");
        let (_folder, files) = directory(&[(&path, archived()), (&summary, b"{}".to_vec())]);
        let told = archive(files).look(&NOBODY, &sought(job), PATIENT).await;
        assert_end(&told, JobState::Finished, EndSource::Archive, cluster);
    }
}

#[tokio::test]
async fn both_versions_job_results_tell_state_and_cause_clean_or_dirty() {
    for version in VERSIONS {
        for (scene, job, state) in ENDS {
            for path in [
                format!("orders/{job}.json"),
                format!("orders/{job}_DIRTY.json"),
                format!("{job}.json"),
                format!("{job}_DIRTY.json"),
            ] {
                let (_folder, files) = directory(&[(&path, result(version, scene, job))]);
                let told = results(files).look(&NOBODY, &sought(job), PATIENT).await;
                assert_end(&told, state, EndSource::JobResultStore, &format!("{version} {path}"));
            }
        }
    }
}

#[tokio::test]
async fn a_history_server_tells_state_cause_and_time() {
    for version in VERSIONS {
        for (scene, job, state) in ENDS {
            let server = Http::Serves(archived(version, scene, job));
            let told = history().look(&server, &sought(job), PATIENT).await;
            assert_end(&told, state, EndSource::HistoryServer, &format!("{version} {scene}"));
        }
    }
}

#[tokio::test]
async fn only_flinks_own_404_says_that_a_history_server_lacks_the_job() {
    let (_, job, _) = ENDS[0];
    let flinks = Http::Says(404, r#"{"errors":["File not found."]}"#);
    assert_eq!(history().look(&flinks, &sought(job), PATIENT).await, Observed::Absent);
    for (status, body, expected) in [
        (404, "404 page not found", FaultKind::NotFound),
        (404, r#"{"errors":[]}"#, FaultKind::NotFound),
        (404, r#"{"errors":["no"],"trace":"x"}"#, FaultKind::NotFound),
        (401, "", FaultKind::Unauthorized),
        (403, "", FaultKind::Forbidden),
        (500, r#"{"errors":["Internal server error."]}"#, FaultKind::Status),
        (502, "<html>", FaultKind::Status),
        (200, "<html>", FaultKind::Malformed),
        (200, "{}", FaultKind::Malformed),
    ] {
        assert_eq!(
            kind(&history(), &Http::Says(status, body), &sought(job)).await,
            expected,
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn another_jobs_end_is_refused_wherever_it_stands() {
    let (_, job, _) = ENDS[0];
    let (_, other, _) = ENDS[1];
    let (_a, files) = directory(&[(job, archived("flink-2.2.0", "failed", other))]);
    assert_eq!(kind(&archive(files), &NOBODY, &sought(job)).await, FaultKind::Malformed);
    let path = format!("{job}.json");
    let (_b, files) = directory(&[(&path, result("flink-2.2.0", "failed", other))]);
    assert_eq!(kind(&results(files), &NOBODY, &sought(job)).await, FaultKind::Malformed);
    let body = r#"{"jid":"000000006412c0d00000000000000000","state":"FAILED","end-time":1}"#;
    assert_eq!(
        kind(&history(), &Http::Says(200, body), &sought(job)).await,
        FaultKind::Malformed
    );
}

#[tokio::test]
async fn the_end_of_an_earlier_run_of_the_job_is_not_this_ones() {
    let (_, job, _) = ENDS[0];
    let (_folder, files) = directory(&[(job, archived("flink-2.2.0", "finished", job))]);
    let places = archive(files);
    let ended = places.look(&NOBODY, &sought(job), PATIENT).await;
    let ended = ended.present().and_then(|end| end.ended_at).unwrap();
    for (later, is_told) in [(0, true), (1, false)] {
        let run = Sought {
            started_at: Some(Timestamp::from_millis(ended.as_millis() + later)),
            ..sought(job)
        };
        let told = places.look(&NOBODY, &run, PATIENT).await;
        assert_eq!(told.present().is_some(), is_told, "{told:?}");
        assert!(told.is_known());
    }
}

#[tokio::test]
async fn absent_needs_every_place_and_a_directory_that_is_there() {
    let job = sought(ENDS[0].1);
    assert_eq!(
        EndPlaces::default().look(&NOBODY, &job, PATIENT).await,
        Observed::Absent
    );
    let (_a, empty) = directory(&[]);
    let (_b, also_empty) = directory(&[]);
    let gone = Directory::new("/nowhere/at/all".into());
    let mut places = EndPlaces {
        archives: vec![Arc::clone(&empty)],
        job_results: Some(also_empty),
        ..history()
    };
    let lacks = Http::Says(404, r#"{"errors":["File not found."]}"#);
    assert_eq!(places.look(&lacks, &job, PATIENT).await, Observed::Absent);
    assert_eq!(
        kind(&places, &NOBODY, &job).await,
        FaultKind::Status,
        "one that fails is enough"
    );
    places.archives.push(Arc::new(gone));
    let fault = places.look(&lacks, &job, PATIENT).await;
    let Observed::Unknown(fault) = fault else {
        panic!("{fault:?}")
    };
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert!(
        fault.message.contains("file:///nowhere/at/all does not exist"),
        "{fault}"
    );
}

#[tokio::test]
async fn halves_and_strangers_are_faults_and_unknown_tells_nothing() {
    let (_, job, _) = ENDS[0];
    let whole = archived("flink-2.2.0", "finished", job);
    for content in [&whole[..whole.len() / 2], b"", b"<html>", b"{}", b"{\"archive\":[]}"] {
        let (_folder, files) = directory(&[(job, content.to_vec())]);
        assert_eq!(kind(&archive(files), &NOBODY, &sought(job)).await, FaultKind::Malformed);
    }
    let status = |word: &str| format!(r#"{{"result":{{"id":"{job}","application-status":"{word}"}},"version":1}}"#);
    let path = format!("{job}.json");
    let (_a, files) = directory(&[(&path, status("UNKNOWN").into_bytes())]);
    assert_eq!(
        results(files).look(&NOBODY, &sought(job), PATIENT).await,
        Observed::Absent
    );
    let (_b, files) = directory(&[(&path, status("DANCING").into_bytes())]);
    assert_eq!(kind(&results(files), &NOBODY, &sought(job)).await, FaultKind::Malformed);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read() {
    let (_, job, _) = ENDS[0];
    let (_folder, files) = directory(&[(job, archived("flink-2.2.0", "finished", job))]);
    let limits = Limits {
        deadline: PATIENT,
        max_bytes: 100,
    };
    assert_eq!(files.read(&[job], limits).await.unwrap_err().kind, FaultKind::TooLarge);
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let (folder, files) = directory(&[("inside/file", b"in".to_vec())]);
    std::fs::write(folder.path().join("secret"), "out").unwrap();
    let inside = Directory::new(folder.path().join("inside"));
    let limits = Limits {
        deadline: PATIENT,
        max_bytes: 100,
    };
    for path in [&["..", "secret"][..], &["../secret"], &["./../secret"], &["/secret"]] {
        assert_eq!(
            inside.read(path, limits).await.unwrap_err().kind,
            FaultKind::Address,
            "{path:?}"
        );
    }
    assert_eq!(
        inside.read(&["file"], limits).await.unwrap().as_deref(),
        Some(&b"in"[..])
    );
    assert_eq!(
        files.read(&["inside", "file"], limits).await.unwrap().as_deref(),
        Some(&b"in"[..])
    );
}

/// A mount that is lost: it never answers.
struct Hangs;

#[async_trait]
impl Files for Hangs {
    async fn read(&self, _: &[&str], _: Limits) -> Result<Option<Bytes>, Fault> {
        pending().await
    }

    async fn list(&self, _: &[&str], _: Limits) -> Result<Vec<Vec<String>>, Fault> {
        pending().await
    }

    fn shown(&self, _: &[&str]) -> String {
        "hangs".into()
    }
}

#[tokio::test]
async fn a_place_that_hangs_does_not_keep_another_from_being_heard() {
    let (scene, job, state) = ENDS[1];
    let places = EndPlaces {
        archives: vec![Arc::new(Hangs)],
        ..history()
    };
    let server = Http::Serves(archived("flink-2.2.0", scene, job));
    let told = places.look(&server, &sought(job), PATIENT).await;
    assert_end(&told, state, EndSource::HistoryServer, "the archive hangs");
}

#[tokio::test]
async fn a_cause_that_cannot_be_read_does_not_hide_the_end() {
    let (_, job, state) = ENDS[1];
    let whole = String::from_utf8(archived(VERSIONS[0], "failed", job)).unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&whole).unwrap();
    for entry in body["archive"].as_array_mut().unwrap() {
        if entry["path"].as_str().unwrap().ends_with("/exceptions") {
            entry["json"] = "{}".into();
        }
    }
    let (_folder, files) = directory(&[(job, body.to_string().into_bytes())]);
    let told = archive(files).look(&NOBODY, &sought(job), PATIENT).await;
    assert_eq!(
        told.present().map(|end| (end.state, end.cause.clone())),
        Some((state, None))
    );
}

#[tokio::test]
async fn a_list_of_a_directory_that_is_lost_is_a_fault() {
    let (folder, files) = directory(&[]);
    let limits = Limits {
        deadline: PATIENT,
        max_bytes: MAX_FILE,
    };
    assert_eq!(files.list(&["c", "applications"], limits).await.unwrap().len(), 0);
    folder.close().unwrap();
    let fault = files.list(&["c", "applications"], limits).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
}
