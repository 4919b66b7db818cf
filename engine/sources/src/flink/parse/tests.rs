use std::path::Path;

use super::*;

/// A body that a real Flink sent.
fn recorded(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read(root.join(path)).unwrap()
}

#[test]
fn both_versions_list_their_jobs() {
    for version in ["flink-2.2.0", "flink-1.20.3"] {
        for (scene, state) in [
            ("running", JobState::Running),
            ("restarting", JobState::Restarting),
            ("finished-cluster-stays", JobState::Finished),
            ("failed-cluster-stays", JobState::Failed),
            ("canceled-cluster-stays", JobState::Canceled),
        ] {
            let overview = overview("u", &recorded(&format!("{version}/{scene}/jobs-overview.json"))).unwrap();
            assert_eq!(
                overview.jobs.iter().map(|job| job.state).collect::<Vec<_>>(),
                [state],
                "{version} {scene}"
            );
            assert_eq!(
                overview.jobs[0].ended_at.is_some(),
                state.is_terminal(),
                "{version} {scene}"
            );
        }
    }
}

#[test]
fn the_list_is_in_the_order_of_ids() {
    let overview = overview("u", &recorded("flink-2.2.0/session/jobs-overview.json")).unwrap();
    assert!(overview.jobs.len() > 1 && overview.jobs.is_sorted_by_key(|job| job.id));
}

#[test]
fn a_row_that_cannot_be_read_costs_itself_alone() {
    let [good, odd] = ["00000000000000000000000000000001", "00000000000000000000000000000002"];
    let row = |jid: &str, state: &str| format!(r#"{{"jid":"{jid}","state":"{state}","start-time":1}}"#);
    let read = |other: &str| {
        let body = format!(r#"{{"jobs":[{other},{}]}}"#, row(good, "RUNNING"));
        let list = overview("u", body.as_bytes()).unwrap();
        let ids: Vec<String> = list.jobs.iter().map(|job| job.id.to_string()).collect();
        assert_eq!(
            ids,
            [good],
            "what is missing is defaulted, and the good row counts: {other}"
        );
        list
    };
    let id = FlinkJobId::parse(odd).unwrap();
    for other in [
        row(odd, "DANCING"),
        row(odd, "LOST"),
        row(odd, "running"),
        format!(r#"{{"jid":"{odd}","state":"RUNNING"}}"#),
        format!(r#"{{"jid":"{odd}","state":"RUNNING","start-time":999999999999999}}"#),
        format!(r#"{{"jid":"{odd}","state":"RUNNING","start-time":"soon"}}"#),
    ] {
        let list = read(&other);
        assert!(matches!(&list.untold[&id], Untold::Unknown(fault) if fault.message.contains("cannot be read")));
        assert_eq!(list.unreadable.len(), 1);
    }
    for other in [
        row("short", "RUNNING"),
        "null".to_owned(),
        "7".to_owned(),
        "{}".to_owned(),
    ] {
        let list = read(&other);
        assert_eq!((list.untold.len(), list.unreadable.len()), (0, 1), "{other}");
    }
}

#[test]
fn of_two_rows_of_a_job_the_one_that_lives_counts() {
    let id = "00000000000000000000000000000001";
    let row = |state: &str| format!(r#"{{"jid":"{id}","state":"{state}","start-time":1}}"#);
    for other in ["SUSPENDED", "FAILED", "FINISHED"] {
        for (first, second) in [("RUNNING", other), (other, "RUNNING")] {
            let body = format!(r#"{{"jobs":[{},{}]}}"#, row(first), row(second));
            let states: Vec<JobState> = overview("u", body.as_bytes())
                .unwrap()
                .jobs
                .iter()
                .map(|job| job.state)
                .collect();
            assert_eq!(states, [JobState::Running], "{first}, {second}");
            let odd = format!(r#"{{"jobs":[{},{}]}}"#, row("DANCING"), row("RUNNING"));
            let list = overview("u", odd.as_bytes()).unwrap();
            assert!(list.untold.is_empty() && list.jobs.len() == 1, "{list:?}");
        }
    }
}

#[test]
fn html_and_halves_are_no_empty_list() {
    for body in ["<html></html>", "{\"jobs\":[{\"jid\":\"", "{}", "[]", ""] {
        assert_eq!(
            overview("u", body.as_bytes()).unwrap_err().kind,
            FaultKind::Malformed,
            "{body}"
        );
    }
    assert_eq!(overview("u", b"{\"jobs\":[]}").unwrap().jobs, []);
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
