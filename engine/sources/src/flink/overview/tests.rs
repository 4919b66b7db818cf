use std::path::Path;

use super::*;

/// A body that a real Flink sent.
fn recorded(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read(root.join(path)).unwrap()
}

fn overview(url: &str, body: &[u8]) -> Result<FlinkOverview, Fault> {
    in_chunks(url, body.chunks(body.len().max(1)))
}

fn in_chunks<'a>(url: &str, chunks: impl Iterator<Item = &'a [u8]>) -> Result<FlinkOverview, Fault> {
    let mut reading = Reading::new(url, BOUNDS);
    for chunk in chunks {
        reading.take(chunk)?;
    }
    reading.finish()
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
fn rows_that_cannot_be_read_take_no_more_than_some_room() {
    let row = |n: usize| format!(r#"{{"jid":"{n:032x}","state":"{}"}}"#, "x".repeat(1_000));
    let rows: Vec<String> = (1..=UNREADABLE + 5).map(row).collect();
    let good = r#"{"jid":"00000000000000000000000000000000","state":"RUNNING","start-time":1}"#;
    let list = overview("u", format!(r#"{{"jobs":[{},{good}]}}"#, rows.join(",")).as_bytes()).unwrap();
    assert_eq!(
        (list.jobs.len(), list.unreadable.len(), list.untold.len()),
        (1, UNREADABLE, UNREADABLE)
    );
    assert!(list.unreadable.iter().all(|complaint| complaint.len() <= COMPLAINT));
}

#[test]
fn a_row_too_large_to_be_read_costs_itself_alone() {
    let good = r#"{"jid":"00000000000000000000000000000001","state":"RUNNING","start-time":1}"#;
    let large = format!(
        r#"{{"jid":"00000000000000000000000000000002","name":"{}","state":"RUNNING","start-time":1}}"#,
        "n".repeat(10_000_000)
    );
    let body = format!(r#"{{"jobs":[{large},{good}]}}"#);
    let list = in_chunks("u", body.as_bytes().chunks(8 << 10)).unwrap();
    assert_eq!((list.jobs.len(), list.unreadable.len(), list.untold.len()), (1, 1, 0));
}

#[test]
fn the_same_is_told_however_the_body_is_cut() {
    let body = recorded("flink-2.2.0/session/jobs-overview.json");
    let whole = overview("u", &body).unwrap();
    for at in 0..=body.len() {
        let (first, second) = body.split_at(at);
        assert_eq!(in_chunks("u", [first, second].into_iter()).unwrap(), whole, "{at}");
        let fault = overview("u", first).map_err(|fault| fault.kind);
        let is_whole = body[at..].iter().all(u8::is_ascii_whitespace);
        assert_eq!(fault.err(), (!is_whole).then_some(FaultKind::Malformed), "{at}");
    }
    for size in 1..64 {
        assert_eq!(in_chunks("u", body.chunks(size)).unwrap(), whole, "{size}");
    }
}
