//! Check, repair, export.

use super::*;
use crate::{Discard, export, inspect, repair};

async fn damaged(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    for name in ["a", "b", "c"] {
        store.commit(AT, vec![started(name)].into()).await.unwrap();
    }
    let commit = Commit {
        changes: vec![next("b", 2)],
        recorded: vec![shown("a", 1), shown("b", 2)],
    };
    store.commit(AT, commit).await.unwrap();
    store.advance_sink("webhook", Sequence(2)).await.unwrap();
    tamper(
        &store,
        "UPDATE jobs SET record = '{}' WHERE job LIKE '%/a';
         UPDATE jobs SET revision = 9 WHERE job LIKE '%/b';
         UPDATE journal SET event = 'x' WHERE sequence = 3;
         UPDATE journal SET kind = 'update' WHERE sequence = 2;
         UPDATE snapshots SET recorded = x'00' WHERE place = 1;
         UPDATE sinks SET delivered = 99",
    );
}

fn places(problems: &[crate::Problem]) -> Vec<String> {
    problems.iter().map(|problem| problem.place.clone()).collect()
}

#[tokio::test]
async fn a_whole_store_has_no_problems_beside_its_engine() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    for n in 1..=3 {
        store.commit(AT, vec![next_of("a", n)].into()).await.unwrap();
    }
    let inspection = inspect(&path).unwrap();
    assert_eq!(inspection.problems, []);
    assert_eq!((inspection.records, inspection.entries), (1, 3));
    store.commit(AT, vec![started("b")].into()).await.unwrap();
}

/// A history that chains.
fn next_of(name: &str, revision: u64) -> Change {
    let from = if revision == 1 {
        JobState::Unknown
    } else {
        JobState::Running
    };
    Change {
        events: vec![moved(from, JobState::Running)],
        ..next(name, revision)
    }
}

#[tokio::test]
async fn each_problem_is_named_with_its_row_and_its_fix() {
    let (_folder, path) = folder();
    damaged(&path).await;
    let before = fs::read(&path).unwrap();
    let inspection = inspect(&path).unwrap();
    assert_eq!(
        places(&inspection.problems),
        [
            "the record of local/default/a",
            "the record of local/default/b",
            "entry 2 of local/default/b",
            "entry 3 of local/default/c",
            "snapshot 1",
            "the sink webhook",
        ]
    );
    for problem in &inspection.problems {
        assert!(problem.fix.contains("steadfast store repair"), "{problem:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), before, "nothing was changed");
}

#[tokio::test]
async fn a_history_that_does_not_chain_is_told() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store
        .commit(AT, vec![started("a"), next_of("a", 2)].into())
        .await
        .unwrap();
    tamper(&store, "DELETE FROM journal WHERE sequence = 1");
    let problems = inspect(&path).unwrap().problems;
    assert!(problems[0].what.contains("goes on from RUNNING"), "{problems:?}");
    // Not so where retention dropped what was before.
    tamper(&store, "UPDATE store SET dropped_until = 1");
    assert_eq!(inspect(&path).unwrap().problems, []);
}

#[tokio::test]
async fn a_repair_copies_the_store_and_mends_it_row_by_row() {
    let (folder, path) = folder();
    damaged(&path).await;
    let before = fs::read(&path).unwrap();
    let repaired = repair(&path, AT, Discard::Nothing).unwrap();
    assert_eq!(repaired.left, []);
    assert_eq!(repaired.done.len(), 6, "{:?}", repaired.done);
    assert_eq!(
        repaired.backup,
        folder.path().join("steadfast.db.backup-20261123T011329.838Z")
    );
    assert_eq!(fs::read(&repaired.backup).unwrap(), before);
    let inspection = inspect(&path).unwrap();
    assert_eq!(inspection.quarantined.len(), 1);
    let store = SqliteStore::open(&path).unwrap();
    let names: Vec<String> = records(&store)
        .await
        .iter()
        .map(|one| one.key.target.name.to_string())
        .collect();
    assert_eq!(names, ["b", "c"]);
    store.commit(AT, vec![started("a"), next("b", 3)].into()).await.unwrap();
    drop(store);
    // Once more: there is nothing to do, and what was set aside goes only if that is asked for.
    let later = |seconds| AT.after(std::time::Duration::from_secs(seconds));
    assert_eq!(
        repair(&path, later(1), Discard::Nothing).unwrap().done,
        Vec::<String>::new()
    );
    repair(&path, later(2), Discard::Quarantined).unwrap();
    assert_eq!(inspect(&path).unwrap().quarantined, []);
}

#[tokio::test]
async fn a_store_in_use_is_not_repaired_nor_one_that_is_not_there_made() {
    let (folder, path) = folder();
    assert!(matches!(
        repair(&path, AT, Discard::Nothing),
        Err(JournalError::Unusable(_))
    ));
    assert!(matches!(inspect(&path), Err(JournalError::Unusable(_))));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let _store = SqliteStore::open(&path).unwrap();
    let Err(JournalError::Unusable(said)) = repair(&path, AT, Discard::Nothing) else {
        panic!("it was repaired")
    };
    assert!(said.contains("in use"), "{said}");
}

#[tokio::test]
async fn an_export_has_every_row_of_a_damaged_store() {
    let (_folder, path) = folder();
    damaged(&path).await;
    let export = || {
        let mut bytes = Vec::new();
        export(&path, &mut bytes).unwrap();
        let lines = String::from_utf8(bytes).unwrap();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<serde_json::Value>>()
    };
    let kinds = |lines: &[serde_json::Value]| {
        lines
            .iter()
            .map(|line| line["kind"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let lines = export();
    assert_eq!(
        kinds(&lines),
        [
            "store",
            "unreadable",
            "record",
            "record",
            "entry",
            "entry",
            "unreadable",
            "entry",
            "sink"
        ]
    );
    assert_eq!(
        (&lines[1]["cells"]["record"], &lines[1]["cells"]["memory"]["hex"]),
        (&"{}".into(), &"00ff07".into())
    );
    assert_eq!(
        (&lines[2]["record"]["state"], &lines[2]["memory"]),
        (&"RUNNING".into(), &"00ff07".into())
    );
    assert_eq!(lines[4]["event"]["to"], "RUNNING");
    repair(&path, AT, Discard::Nothing).unwrap();
    let lines = export();
    let quarantined: Vec<_> = lines.iter().filter(|line| line["kind"] == "quarantined").collect();
    assert_eq!(quarantined.len(), 3);
    assert_eq!(quarantined[0]["cells"]["record"], "{}");
}
