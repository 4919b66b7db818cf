//! What docs/operate.md tells operators is so: its commands are carried out in their order, and its symptoms are what the sources say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::Ended;
use crate::documents::{commands_of, root};
use crate::running::{BASE, Engine};

const PAGE: &str = "docs/operate.md";
const JOB: &str = "/api/v1/jobs/-/-/orders";

/// Each command of the page in its order, with its exit code and what it says.
const SAID: [(&str, i32, &str); 9] = [
    ("steadfast store backup --to backup.db", 0, "nothing is wrong"),
    (
        "steadfast store check --store sqlite://backup.db",
        0,
        "nothing is wrong",
    ),
    ("steadfast store export > record.jsonl", 0, ""),
    (STOP, 0, ""),
    ("cp backup.db steadfast.db", 0, ""),
    (START, 0, ""),
    ("steadfast store check", 0, "nothing is wrong"),
    ("steadfast check --config config.toml", 0, "config.toml has no mistakes"),
    // The Flink of the configuration is not there.
    ("steadfast doctor --config config.toml", 1, "Flink does not answer by"),
];
const STOP: &str = "systemctl stop steadfast";
const START: &str = "systemctl start steadfast";

/// As a shell carries it out in the store's folder.
fn carried_out(folder: &Path, command: &str) -> Ended {
    let command = command.replacen("steadfast ", &format!("{} ", env!("CARGO_BIN_EXE_steadfast")), 1);
    Ended::of(
        Command::new("sh")
            .args(["-c", &command])
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env_remove("STEADFAST_LOG"),
    )
}

fn intends(engine: &Engine, folder: &Path, intent: &str) {
    let ended = engine.ask(folder, &["intent", "-/-/orders", intent]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

#[test]
fn its_commands_bring_back_what_was_backed_up() {
    assert_eq!(commands_of(PAGE), SAID.map(|(command, ..)| command), "in {PAGE}");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("config.toml"), BASE).unwrap();
    let is_there = |jobs: &Value| jobs["items"].as_array().unwrap().len() == 1;
    let mut engine = Some(Engine::start_configured(folder));
    engine.as_ref().unwrap().wait_for("/api/v1/jobs", "the job", is_there);
    intends(engine.as_ref().unwrap(), folder, "cancel");
    for (command, code, said) in SAID {
        match command {
            // Harder than systemd does: the log of the killed engine lies beside the copy that is put in place.
            STOP => {
                intends(engine.as_ref().unwrap(), folder, "savepoint");
                drop(engine.take());
                assert!(folder.join("steadfast.db-wal").exists());
            }
            START => engine = Some(Engine::start_configured(folder)),
            command => {
                let ended = carried_out(folder, command);
                let all = format!("{}{}", ended.out, ended.err);
                assert_eq!(ended.code, Some(code), "`{command}`: {all}");
                assert!(all.contains(said), "`{command}` lacks `{said}`:\n{all}");
            }
        }
    }
    let mode = fs::metadata(folder.join("backup.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let exported = fs::read_to_string(folder.join("record.jsonl")).unwrap();
    assert!(
        exported.contains("-/-/orders") && exported.lines().all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    let engine = engine.unwrap();
    assert_eq!(
        engine.get(JOB)["intent"]["intent"],
        "cancel",
        "what came after the backup is gone"
    );
    assert!(folder.join("steadfast.db-wal.set-aside").exists());
}

/// All that the engine's crates can say: their sources without tests, each text on one line, and `...` where a value stands.
fn sources() -> String {
    let mut all = String::new();
    let mut left = vec![root().join("engine")];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "tests" && name != "target" {
                left.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                all.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut lines = all.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + line.trim_start())
}

#[test]
fn its_symptoms_are_in_the_words_of_the_program() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let table = page.split("<!-- symptoms: ").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")).collect();
    assert!(rows.len() > 25, "{} symptoms", rows.len());
    let sources = sources();
    for row in rows {
        let words = row.split('`').next().unwrap();
        for part in words.split("...").map(str::trim).filter(|part| !part.is_empty()) {
            assert!(sources.contains(part), "nothing says `{part}`, as {PAGE} does");
        }
    }
}
