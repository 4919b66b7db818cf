//! The store: what of it does not read, who has it, and the commands that look after it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::command::{Ended, run};
use crate::running::{BASE, Engine};

const STORE: &str = "steadfast.db";
/// The row that kept the engine from starting: a time that cannot be shown, as an earlier version wrote it.
const POISON: &str =
    "UPDATE jobs SET record = json_set(record, '$.since', '253402300800000ms') WHERE job = '-/-/orders'";

/// Both jobs are on record, and the engine was killed.
fn recorded(folder: &Path) {
    let clicks = "[[job]]\nname = \"clicks\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:9\"\n";
    fs::write(folder.join("config.toml"), format!("{BASE}{clicks}")).unwrap();
    let engine = Engine::start_configured(folder);
    engine.wait_for("/api/v1/jobs", "both jobs", |jobs| {
        names(jobs) == ["-/-/clicks", "-/-/orders"]
    });
}

fn names(jobs: &Value) -> Vec<&str> {
    let jobs = jobs["items"].as_array().unwrap().iter();
    jobs.map(|job| job["id"].as_str().unwrap()).collect()
}

fn tamper(folder: &Path, sql: &str) {
    let connection = Connection::open(folder.join(STORE)).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    connection.close().unwrap();
}

fn says(ended: &Ended, code: i32, what: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    let all = format!("{}{}", ended.out, ended.err);
    for what in what {
        assert!(all.contains(what), "`{what}` is not in:\n{all}");
    }
}

#[test]
fn a_record_that_does_not_read_costs_its_job_and_not_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    tamper(folder, POISON);
    let checked = run(folder, &["store", "check"]);
    says(
        &checked,
        1,
        &["the record of -/-/orders", "253402300800000ms", "1 problem"],
    );

    let engine = Engine::start_configured(folder);
    let both = |jobs: &Value| names(jobs) == ["-/-/clicks", "-/-/orders"];
    engine.wait_for("/api/v1/jobs", "both jobs", both);
    let store = engine.get("/api/v1/store");
    assert_eq!(store["quarantined"][0]["job"], "-/-/orders", "{store}");
    assert_eq!(store["quarantined"].as_array().unwrap().len(), 1, "{store}");
    let ready = engine.wait_for("/readyz", "ready", |ready| ready["ready"] == true);
    assert_eq!(ready["quarantinedRecords"], 1);
    let status = engine.ask(folder, &["status"]);
    says(
        &status,
        0,
        &[
            "the record of -/-/orders did not read and was set aside",
            "253402300800000ms",
        ],
    );
    let beside = run(folder, &["store", "check"]);
    says(&beside, 0, &["set aside", "-/-/orders", "nothing is wrong"]);
    says(&run(folder, &["store", "repair"]), 1, &["in use"]);
    drop(engine);

    let exported = run(folder, &["store", "export"]);
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    let lines = exported.out.lines().map(|line| serde_json::from_str(line).unwrap());
    let aside: Vec<Value> = lines.filter(|line: &Value| line["kind"] == "quarantined").collect();
    assert_eq!((aside.len(), &aside[0]["row"]), (1, &"-/-/orders".into()));
    assert!(
        aside[0]["cells"]["record"]
            .as_str()
            .unwrap()
            .contains("253402300800000ms")
    );

    says(
        &run(folder, &["store", "repair"]),
        0,
        &["steadfast.db.backup-", "nothing was to be mended"],
    );
    let discarded = run(folder, &["store", "repair", "--discard-quarantined"]);
    says(&discarded, 0, &["1 rows that were set aside are deleted"]);
    let checked = run(folder, &["store", "check", "--output", "json"]);
    let checked: Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(
        (&checked["records"], &checked["quarantined"]),
        (&2.into(), &serde_json::json!([]))
    );
}

#[test]
fn a_store_is_one_engines_and_that_it_is_gone_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let engine = Engine::start_configured(folder);
    engine.wait_for("/readyz", "ready", |ready| ready["ready"] == true);

    symlink(folder.join(STORE), folder.join("link.db")).unwrap();
    fs::remove_file(folder.join("steadfast.db.lock")).unwrap();
    fs::write(
        folder.join("second.toml"),
        format!("[store]\nurl = \"sqlite://link.db\"\n{BASE}"),
    )
    .unwrap();
    says(
        &run(folder, &["run", "--config", "second.toml"]),
        1,
        &["link.db", "in use"],
    );
    engine.wait_for("/readyz", "ready", |ready| ready["ready"] == true);

    fs::rename(folder.join(STORE), folder.join("moved.db")).unwrap();
    let (status, body) = engine.text("GET", "/readyz");
    assert!(status == 503 && body.contains("deleted or renamed"), "{status}: {body}");
    fs::rename(folder.join("moved.db"), folder.join(STORE)).unwrap();
    engine.wait_for("/readyz", "ready again", |ready| ready["ready"] == true);
    drop(engine);
    says(&run(folder, &["store", "check"]), 0, &["2 records", "nothing is wrong"]);
}

#[test]
fn a_backup_is_restored_beside_what_a_killed_engine_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let backup = folder.join("backup.db");
    let store = Connection::open(folder.join(STORE)).unwrap();
    store.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    drop(store);
    let engine = Engine::start_configured(folder);
    engine.ask(folder, &["intent", "-/-/orders", "cancel"]);
    drop(engine);
    assert!(folder.join("steadfast.db-wal").exists());
    fs::copy(&backup, folder.join(STORE)).unwrap();
    says(
        &run(folder, &["store", "check"]),
        1,
        &["steadfast.db-wal", "move the log away"],
    );
    let engine = Engine::start_configured(folder);
    let orders = engine.get("/api/v1/jobs/-/-/orders");
    assert_eq!(
        orders["intent"],
        Value::Null,
        "of what came after the backup nothing is left"
    );
    assert!(folder.join("steadfast.db-wal.set-aside").exists());
}

#[test]
fn entries_that_are_older_than_what_is_kept_go_and_who_missed_them_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let keeps = "[timing]\nvalidate = \"100ms\"\n[retention]\njournal = \"200ms\"\n";
    fs::write(folder.join("config.toml"), format!("{keeps}{BASE}")).unwrap();
    let engine = Engine::start_configured(folder);
    engine.wait_for("/api/v1/jobs", "the job", |jobs| names(jobs) == ["-/-/orders"]);
    for intent in ["cancel", "none", "cancel"] {
        says(&engine.ask(folder, &["intent", "-/-/orders", intent]), 0, &["noted"]);
    }
    let store = engine.wait_for("/api/v1/store", "something dropped", |store| store["droppedUntil"] != 0);
    assert!(store["newest"].as_u64() >= store["droppedUntil"].as_u64(), "{store}");
    says(
        &run(folder, &["store", "check"]),
        0,
        &["as [retention] says", "nothing is wrong"],
    );
}

/// Each is damage of one number or one row, which costs no record: the engine goes on with it, or says which command mends it.
#[test]
fn what_an_engine_cannot_go_on_with_is_mended_by_the_command_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let both = |jobs: &Value| names(jobs) == ["-/-/clicks", "-/-/orders"];
    for (damage, place) in [
        ("PRAGMA user_version = -1", "the version of the schema"),
        ("DELETE FROM store", "the store's id"),
        ("DROP TABLE quarantine", "the table quarantine"),
    ] {
        let connection = Connection::open(folder.join(STORE)).unwrap();
        connection.execute_batch(damage).unwrap();
        connection.close().unwrap();
        says(&run(folder, &["store", "check"]), 1, &[place, "store repair"]);
        let refused = run(folder, &["run", "--config", "config.toml"]);
        says(&refused, 1, &["`steadfast store repair`"]);
        assert!(!refused.err.contains("CREATE TABLE"), "{}", refused.err);
        let exported = run(folder, &["store", "export"]);
        assert_eq!(
            exported.out.matches("\"kind\":\"record\"").count(),
            2,
            "{}",
            exported.out
        );
        let is_damaged = exported.out.contains("\"kind\":\"damaged\"");
        assert_eq!(exported.code, Some(i32::from(is_damaged)), "{}", exported.err);
        says(&run(folder, &["store", "repair"]), 0, &["steadfast.db.backup-"]);
        says(&run(folder, &["store", "check"]), 0, &["2 records", "nothing is wrong"]);
        let engine = Engine::start_configured(folder);
        engine.wait_for("/api/v1/jobs", "both jobs", both);
    }
    for damage in [
        // One bit of the id, which was another store's for the guard.
        "UPDATE store SET id = CASE substr(id, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(id, 2)",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'journal'",
        "UPDATE store SET checks = 9223372036854775807",
    ] {
        tamper(folder, damage);
        let engine = Engine::start_configured(folder);
        engine.wait_for("/readyz", "ready", |ready| ready["ready"] == true);
        says(&engine.ask(folder, &["intent", "-/-/orders", "cancel"]), 0, &["noted"]);
        drop(engine);
        says(&run(folder, &["store", "check"]), 0, &["nothing is wrong"]);
    }
}

#[test]
fn a_pipe_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("pipe.db"))
        .status();
    assert!(made.unwrap().success());
    for command in ["check", "repair", "export"] {
        let ended = run(folder.path(), &["store", command, "--store", "sqlite://pipe.db"]);
        says(&ended, 1, &["pipe.db is a pipe"]);
    }
}

#[test]
fn plays_are_not_recorded_into_the_store_of_an_engine() {
    const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/stories/network-loss.toml");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let before = run(folder, &["store", "check"]);
    let refused = run(folder, &["simulate", "--record", STORE, STORY]);
    says(&refused, 2, &["has the record of an engine in it", "name another file"]);
    assert_eq!(run(folder, &["store", "check"]).out, before.out);
}
