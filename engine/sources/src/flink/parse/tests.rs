use std::path::Path;

use super::*;

/// A body that a real Flink sent.
fn recorded(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read(root.join(path)).unwrap()
}

#[test]
fn both_versions_name_the_root_exception() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        let failed = exceptions(
            "u",
            &recorded(&format!("{version}/failed-cluster-stays/job-exceptions.json")),
        )
        .unwrap()
        .unwrap();
        assert!(
            failed.headline.contains("Exception") && failed.at.is_some(),
            "{version}: {failed:?}"
        );
        assert_eq!(
            exceptions("u", &recorded(&format!("{version}/running/job-exceptions.json"))).unwrap(),
            None
        );
    }
    assert!(
        exceptions("u", b"{}").is_err(),
        "an object without any of the keys is not Flink's"
    );
}

#[test]
fn both_versions_count_checkpoints() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        let counts = checkpoints("u", &recorded(&format!("{version}/running/job-checkpoints.json"))).unwrap();
        assert!(counts.completed > 0, "{version}: {counts:?}");
    }
}

#[test]
fn the_cause_that_names_the_pods_end_is_kept() {
    let pod = "java.lang.Exception: Pod terminated, container termination statuses: \
               [flink-main-container(exitCode=137, reason=OOMKilled, message=null)], pod status: Failed(reason=null, message=null)";
    let trace = format!(
        "org.apache.flink.runtime.JobException: Recovery is suppressed\n\tat a.B.c(B.java:1)\nCaused by: {pod}\n\
         \tat a.B.d(B.java:2)\nCaused by: java.util.concurrent.TimeoutException\n"
    );
    let message = headline(&trace);
    assert!(message.contains("exitCode=137, reason=OOMKilled"), "{message}");
    assert!(
        message.starts_with("org.apache.flink.runtime.JobException"),
        "{message}"
    );
    let plain = "a.B: first\nCaused by: a.C: middle\nCaused by: a.D: innermost\n";
    assert_eq!(headline(plain), "a.B: first; caused by a.D: innermost");
}

#[test]
fn a_task_manager_killed_for_its_memory_is_named() {
    let body = recorded("flink-2.2.0/taskmanager-oom/job-exceptions.json");
    let message = exceptions("u", &body).unwrap().unwrap().headline;
    assert!(message.contains("exitCode=137, reason=OOMKilled"), "{message}");
    assert!(message.ends_with("(TaskManager oom-taskmanager-1-1)"), "{message}");
}

/// Such a time would be written and never read back.
#[test]
fn a_time_that_no_calendar_has_is_none_of_flinks() {
    let id = "00000000000000000000000000000001";
    for never in [253_402_300_800_000, i64::MAX, i64::MIN, -377_706_116_800_001] {
        let row_of = |start: i64, end: i64| {
            format!(r#"{{"jid":"{id}","state":"FAILED","start-time":{start},"end-time":{end}}}"#).into_bytes()
        };
        let asked = FlinkJobId::parse(id).unwrap();
        for refused in [
            row("u", &row_of(never, -1)).is_err(),
            job("u", &row_of(never, -1), asked).is_err(),
        ] {
            assert!(refused, "{never}");
        }
        // When it ended is not worth its end.
        let ended = [
            row("u", &row_of(1, never)).unwrap(),
            job("u", &row_of(1, never), asked).unwrap(),
        ];
        assert!(ended.iter().all(|job| job.ended_at.is_none()), "{never}");
        assert_eq!(detail("u", &row_of(1, never)).unwrap().ended_at, None);
        let thrown = format!(r#"{{"root-exception":"a.B: no","timestamp":{never}}}"#);
        assert_eq!(exceptions("u", thrown.as_bytes()).unwrap().unwrap().at, None, "{never}");
    }
}
