//! The store: what of it does not read, who has it, and the commands that look after it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::command::{Ended, run, steadfast};
use crate::process::Process;
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
    says(&discarded, 0, &["1 row that was set aside is deleted"]);
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
    for arguments in [
        &["status"][..],
        &["status", "--output", "json"],
        &["status", "-/-/orders"],
    ] {
        let shown = engine.ask(folder, arguments);
        says(
            &shown,
            1,
            &["store: ", "what is shown is what was written before", "-/-/orders"],
        );
        let above = if arguments.contains(&"json") {
            &shown.err
        } else {
            &shown.out
        };
        assert!(above.starts_with("store: "), "{above}");
    }
    fs::rename(folder.join("moved.db"), folder.join(STORE)).unwrap();
    engine.wait_for("/readyz", "ready again", |ready| ready["ready"] == true);
    says(&engine.ask(folder, &["status"]), 0, &["-/-/orders"]);
    drop(engine);
    says(&run(folder, &["store", "check"]), 0, &["2 records", "nothing is wrong"]);
}

#[test]
fn a_backup_is_restored_beside_what_a_killed_engine_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let backup = folder.join("backup.db");
    let made = run(folder, &["store", "backup", "--to", "backup.db"]);
    says(&made, 0, &["backup.db: store ", "2 records", "nothing is wrong"]);
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

/// As out of a pod, and onto a disk that is full.
#[test]
fn a_backup_is_taken_beside_its_engine_as_a_stream_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let engine = Engine::start_configured(folder);
    engine.wait_for("/readyz", "ready", |ready| ready["ready"] == true);
    let made = steadfast(folder, &["store", "backup", "--to", "-"]).output().unwrap();
    let said = String::from_utf8(made.stderr).unwrap();
    assert_eq!(made.status.code(), Some(0), "{said}");
    assert!(
        said.contains("the copy: store ") && said.contains("nothing is wrong"),
        "{said}"
    );
    fs::write(folder.join("streamed.db"), made.stdout).unwrap();
    // As the umask has it, of which `check` warns else.
    fs::set_permissions(folder.join("streamed.db"), fs::Permissions::from_mode(0o600)).unwrap();
    let checked = run(folder, &["store", "check", "--store", "sqlite://streamed.db"]);
    says(&checked, 0, &["2 records", "nothing is wrong"]);
    let again = run(folder, &["store", "backup", "--to", "streamed.db"]);
    says(&again, 1, &["streamed.db is there already"]);
    says(&run(folder, &["store", "backup"]), 2, &["--to <FILE>"]);
    let full = format!(
        "trap '' XFSZ; ulimit -f 8; exec {} store backup --to full.db",
        env!("CARGO_BIN_EXE_steadfast")
    );
    let full = Ended::of(std::process::Command::new("sh").args(["-c", &full]).current_dir(folder));
    says(&full, 1, &["full.db", "make room on its disk"]);
    assert!(!folder.join("full.db").exists() && !folder.join("full.db.partial").exists());
    let ready = engine.get("/readyz");
    assert_eq!(ready["ready"], true, "the engine goes on: {ready}");
    says(&engine.ask(folder, &["intent", "-/-/orders", "cancel"]), 0, &["noted"]);
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
    for command in [&["check"][..], &["repair"], &["export"], &["backup", "--to", "copy.db"]] {
        let ended = run(
            folder.path(),
            &[&["store"], command, &["--store", "sqlite://pipe.db"]].concat(),
        );
        says(&ended, 2, &["pipe.db is a pipe"]);
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

/// It is tried again several times a second.
#[test]
fn that_the_store_is_lost_is_logged_once_and_so_is_its_return() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let quick = "[timing]\npoll = \"50ms\"\nvalidate = \"100ms\"\nretry_initial = \"10ms\"\nretry_max = \"20ms\"\n";
    fs::write(folder.join("config.toml"), format!("{quick}{BASE}")).unwrap();
    let mut engine = Process::start(&mut steadfast(folder, &["run"]));
    engine.wait_for("the API and the dashboard are at");
    fs::rename(folder.join(STORE), folder.join("moved.db")).unwrap();
    engine.wait_for("said once, until the store takes a commit again");
    // Long enough for some hundred tries; the return is what ends the wait.
    std::thread::sleep(std::time::Duration::from_secs(1));
    fs::rename(folder.join("moved.db"), folder.join(STORE)).unwrap();
    engine.wait_for("the store takes commits again");
    engine.signal("TERM");
    let (_, log) = engine.end();
    let lines = log.lines().filter(|line| line.contains("deleted or renamed"));
    assert_eq!(lines.count(), 1, "{log}");
}

#[test]
fn check_and_repair_of_what_neither_can_mend_do_not_send_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    fs::write(folder.join("text.db"), "not a database").unwrap();
    let whole = fs::read(folder.join(STORE)).unwrap();
    fs::write(folder.join("cut.db"), &whole[..whole.len().min(6000)]).unwrap();
    for (store, said) in [
        ("text.db", "is no Steadfast store"),
        ("cut.db", "is not a usable Steadfast store"),
    ] {
        let url = format!("sqlite://{store}");
        let checked = run(folder, &["store", "check", "--store", &url]);
        says(&checked, 1, &[said, "estore it from a backup"]);
        assert!(!checked.err.contains("store check"), "{}", checked.err);
        let repaired = run(folder, &["store", "repair", "--store", &url]);
        says(&repaired, 1, &[said, "estore it from a backup"]);
        assert!(
            !repaired.err.contains("store check") && !repaired.err.contains("tries to mend"),
            "{}",
            repaired.err
        );
    }
}

#[test]
fn a_store_that_is_not_there_or_is_no_url_is_told_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let diff = ["policy", "diff", "builtin:conservative", "builtin:conservative"];
    for command in [
        &["replay", "--policy", "builtin:conservative"][..],
        &diff,
        &["store", "check"],
    ] {
        let missing = run(folder, &[command, &["--store", "sqlite://gone.db"]].concat());
        assert_eq!(missing.code, Some(2), "{}", missing.err);
        assert!(
            missing.err.contains("gone.db") && !missing.err.contains("folder"),
            "{}",
            missing.err
        );
        let path = run(folder, &[command, &["--store", "st.db"]].concat());
        says(&path, 2, &["write sqlite://st.db"]);
    }
}
