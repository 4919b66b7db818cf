//! Ends that are found, in each source and each version of Flink.

use super::*;
use steadfast_core::lookup::ResultQuery;

#[tokio::test]
async fn both_versions_archives_give_state_cause_and_time() {
    for version in VERSIONS {
        for (scene, job, state) in ENDS {
            let (_folder, files) = directory(&[(job, archived(version, scene, job))]);
            let found = archive(files).find(&NOBODY, &query(job), PATIENT).await;
            assert_end(&found, state, EndSource::Archive, &format!("{version} {scene}"));
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
        let found = archive(files).find(&NOBODY, &query(job), PATIENT).await;
        assert_end(&found, JobState::Finished, EndSource::Archive, cluster);
    }
}

#[tokio::test]
async fn both_versions_job_results_give_state_and_cause_clean_or_dirty() {
    for version in VERSIONS {
        for (scene, job, state) in ENDS {
            for path in [
                format!("orders/{job}.json"),
                format!("orders/{job}_DIRTY.json"),
                format!("{job}.json"),
                format!("{job}_DIRTY.json"),
            ] {
                let (_folder, files) = directory(&[(&path, result(version, scene, job))]);
                let found = result_store(files).find(&NOBODY, &query(job), PATIENT).await;
                assert_end(&found, state, EndSource::JobResultStore, &format!("{version} {path}"));
            }
        }
    }
}

#[tokio::test]
async fn a_history_server_gives_state_cause_and_time() {
    for version in VERSIONS {
        for (scene, job, state) in ENDS {
            let server = Http::Serves(archived(version, scene, job));
            let found = history().find(&server, &query(job), PATIENT).await;
            assert_end(&found, state, EndSource::HistoryServer, &format!("{version} {scene}"));
        }
    }
}

#[tokio::test]
async fn the_end_of_an_earlier_run_of_the_job_is_not_this_ones() {
    let (_, job, _) = ENDS[0];
    let (_folder, files) = directory(&[(job, archived("flink-2.2.0", "finished", job))]);
    let sources = archive(files);
    let ended = sources.find(&NOBODY, &query(job), PATIENT).await;
    let ended = ended.present().and_then(|end| end.ended_at).unwrap();
    for (later, is_found) in [(0, true), (1, false)] {
        let run = ResultQuery {
            started_at: Some(Timestamp::from_millis(ended.as_millis() + later)),
            ..query(job)
        };
        let found = sources.find(&NOBODY, &run, PATIENT).await;
        assert_eq!(found.present().is_some(), is_found, "{found:?}");
        assert!(found.is_known());
    }
}

#[tokio::test]
async fn a_cause_that_cannot_be_read_does_not_hide_the_end() {
    let (_, job, state) = ENDS[1];
    let whole = String::from_utf8(archived(VERSIONS[0], "failed", job)).unwrap();
    let mut body: serde_json::Value = crate::json::from_str(&whole).unwrap();
    for entry in body["archive"].as_array_mut().unwrap() {
        if entry["path"].as_str().unwrap().ends_with("/exceptions") {
            entry["json"] = "{}".into();
        }
    }
    let (_folder, files) = directory(&[(job, body.to_string().into_bytes())]);
    let found = archive(files).find(&NOBODY, &query(job), PATIENT).await;
    assert_eq!(
        found.present().map(|end| (end.state, end.cause.clone())),
        Some((state, None))
    );
}
