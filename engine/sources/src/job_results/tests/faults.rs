//! What is absent, what is a fault, and what is neither.

use std::future::pending;

use super::*;

#[tokio::test]
async fn only_flinks_own_404_says_that_a_history_server_lacks_the_job() {
    let (_, job, _) = ENDS[0];
    let flinks = Http::Says(404, r#"{"errors":["File not found."]}"#);
    assert_eq!(history().find(&flinks, &query(job), PATIENT).await, Observed::Absent);
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
            kind(&history(), &Http::Says(status, body), &query(job)).await,
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
    assert_eq!(kind(&archive(files), &NOBODY, &query(job)).await, FaultKind::Malformed);
    let path = format!("{job}.json");
    let (_b, files) = directory(&[(&path, result("flink-2.2.0", "failed", other))]);
    assert_eq!(
        kind(&result_store(files), &NOBODY, &query(job)).await,
        FaultKind::Malformed
    );
    let body = r#"{"jid":"000000006412c0d00000000000000000","state":"FAILED","end-time":1}"#;
    assert_eq!(
        kind(&history(), &Http::Says(200, body), &query(job)).await,
        FaultKind::Malformed
    );
}

#[tokio::test]
async fn no_fault_of_a_history_server_shows_what_its_address_hides() {
    let sources = ResultSources {
        history_server: Some(SecretUrl::new("http://me:s3cret@history:8082/s3cret")),
        ..ResultSources::default()
    };
    let another = r#"{"jid":"000000006412c0d00000000000000000","state":"FAILED","end-time":1}"#;
    for (status, body) in [(200, another), (200, "<html>"), (200, "{}"), (404, "no"), (500, "no")] {
        let found = sources
            .find(&Http::Says(status, body), &query(ENDS[0].1), PATIENT)
            .await;
        let Observed::Unknown(fault) = found else {
            panic!("{found:?}")
        };
        assert!(!fault.message.contains("s3cret"), "{status} {body}: {fault}");
    }
}

#[tokio::test]
async fn absent_needs_every_source_and_a_directory_that_is_there() {
    let job = query(ENDS[0].1);
    assert_eq!(
        ResultSources::default().find(&NOBODY, &job, PATIENT).await,
        Observed::Absent
    );
    let (_a, empty) = directory(&[]);
    let (_b, also_empty) = directory(&[]);
    let gone = Directory::new("/nowhere/at/all".into());
    let mut sources = ResultSources {
        archives: vec![Arc::clone(&empty)],
        result_store: Some(also_empty),
        ..history()
    };
    let lacks = Http::Says(404, r#"{"errors":["File not found."]}"#);
    assert_eq!(sources.find(&lacks, &job, PATIENT).await, Observed::Absent);
    assert_eq!(
        kind(&sources, &NOBODY, &job).await,
        FaultKind::Status,
        "one that fails is enough"
    );
    sources.archives.push(Arc::new(gone));
    let fault = sources.find(&lacks, &job, PATIENT).await;
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
async fn halves_and_strangers_are_faults_and_unknown_says_nothing() {
    let (_, job, _) = ENDS[0];
    let whole = archived("flink-2.2.0", "finished", job);
    for content in [&whole[..whole.len() / 2], b"", b"<html>", b"{}", b"{\"archive\":[]}"] {
        let (_folder, files) = directory(&[(job, content.to_vec())]);
        assert_eq!(kind(&archive(files), &NOBODY, &query(job)).await, FaultKind::Malformed);
    }
    let status = |word: &str| format!(r#"{{"result":{{"id":"{job}","application-status":"{word}"}},"version":1}}"#);
    let path = format!("{job}.json");
    let (_a, files) = directory(&[(&path, status("UNKNOWN").into_bytes())]);
    assert_eq!(
        result_store(files).find(&NOBODY, &query(job), PATIENT).await,
        Observed::Absent
    );
    let (_b, files) = directory(&[(&path, status("DANCING").into_bytes())]);
    assert_eq!(
        kind(&result_store(files), &NOBODY, &query(job)).await,
        FaultKind::Malformed
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
async fn a_source_that_hangs_does_not_keep_another_from_being_heard() {
    let (scene, job, state) = ENDS[1];
    let sources = ResultSources {
        archives: vec![Arc::new(Hangs)],
        ..history()
    };
    let server = Http::Serves(archived("flink-2.2.0", scene, job));
    let found = sources.find(&server, &query(job), PATIENT).await;
    assert_end(&found, state, EndSource::HistoryServer, "the archive hangs");
}
