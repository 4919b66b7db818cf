//! docs/cli.md: its examples are what the commands say. `UPDATE_DOCS=1` writes them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use steadfast_core::time::Timestamp;

use crate::command::{Ended, run};
use crate::stub::serve;

/// So long ago, plus what the test takes: every age stays the same for half of its last unit.
fn ago(span: Duration) -> String {
    let millis = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap())
        .before(span)
        .to_string()
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

fn job(name: &str, state: &str, confidence: &str, since: u64, reason: &str) -> Value {
    let alerts = if state == "FAILED" {
        json!([{ "alert": "JobFailed", "scope": "job" }])
    } else {
        json!([])
    };
    let conditions = if confidence == "stale" {
        json!([{ "type": "FlinkUnreachable" }])
    } else {
        json!([])
    };
    json!({
        "id": name, "state": state, "confidence": confidence, "since": ago(Duration::from_secs(since)), "attempt": 1,
        "alerts": alerts, "conditions": conditions, "reason": { "code": "Said", "message": reason }, "labels": {},
    })
}

fn jobs() -> Vec<Value> {
    vec![
        job(
            "-/-/clicks",
            "RUNNING",
            "confirmed",
            26 * HOUR + 30 * MINUTE,
            "Flink lists it",
        ),
        job(
            "prod/payments/orders",
            "FAILED",
            "confirmed",
            13 * MINUTE + 30,
            "Flink says FAILED: java.io.IOException: no space left on device",
        ),
        job(
            "prod/payments/refunds",
            "RUNNING",
            "confirmed",
            74 * HOUR + 30 * MINUTE,
            "Flink lists it",
        ),
        job(
            "prod/shop/orders",
            "RUNNING",
            "stale",
            5 * 24 * HOUR + HOUR / 2,
            "Flink has not answered since 40 s: refused; this was known before",
        ),
    ]
}

fn history(kind: &str) -> Vec<Value> {
    let entry = |sequence: u64, at: &str, kind: &str, what: Value| {
        let mut entry = json!({ "sequence": sequence, "at": at, "job": "prod/payments/orders", "kind": kind });
        entry[kind] = what;
        entry
    };
    let transition = |from: &str, to: &str, why: &str| json!({ "from": from, "to": to, "confidence": "confirmed", "reason": { "message": why } });
    let all = vec![
        entry(
            91,
            "2026-11-23T01:13:59.838Z",
            "alert",
            json!({ "alert": "JobFailed", "status": "firing", "message": "it ended, and nobody wanted it" }),
        ),
        entry(
            90,
            "2026-11-23T01:13:29.838Z",
            "transition",
            transition("RUNNING", "FAILED", "Flink says FAILED"),
        ),
        entry(
            44,
            "2026-11-22T09:12:00.120Z",
            "call",
            json!({ "what": "none", "by": "deploy-bot", "through": "token", "from": "10.0.0.7" }),
        ),
        entry(
            17,
            "2026-11-21T08:00:00.000Z",
            "transition",
            transition("STARTING", "RUNNING", "Flink lists it"),
        ),
    ];
    all.into_iter()
        .filter(|entry| kind.contains(entry["kind"].as_str().unwrap()))
        .collect()
}

fn page(items: Vec<Value>) -> (u16, Value) {
    (200, json!({ "total": items.len(), "items": items, "cursor": null }))
}

fn answer(request: &str) -> (u16, Value) {
    let mut words = request.split_whitespace();
    let (method, url) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let known = jobs()
        .into_iter()
        .find(|job| path.starts_with(&format!("/api/v1/jobs/{}", job["id"].as_str().unwrap())));
    match path {
        "/api/v1/clusters" => (200, json!({ "items": [] })),
        "/api/v1/jobs" if query.contains("namespace=payments") => page(vec![jobs()[1].clone(), jobs()[2].clone()]),
        "/api/v1/jobs" if query.contains("state=FAILED") => page(vec![jobs()[1].clone()]),
        "/api/v1/jobs" => page(jobs()),
        "/api/v1/history" => page(history(query)),
        "/api/v1/alerts" => page(vec![json!({
            "alert": "JobFailed", "scope": "job", "cluster": "prod", "job": "prod/payments/orders", "jobs": 1,
            "since": ago(Duration::from_secs(13 * MINUTE + 30)), "message": "it ended, and nobody wanted it",
        })]),
        "/api/v1/policies" => (
            200,
            json!({ "items": [{
                "name": "default", "role": "decides", "rollout": "100%", "module": "builtin:conservative", "standing": "as-configured",
                "description": "Unknown is never absent; gone only when confirmed; a watch never ends.",
            }] }),
        ),
        "/api/v1/reload" => (
            200,
            json!({ "reloaded": true, "restartNeeded": [], "policies": [{ "name": "default", "sha256": "4f1c...", "changed": true }] }),
        ),
        _ => match known {
            Some(_) if method == "DELETE" && !path.contains("/silences/") => (204, json!({})),
            Some(job) => (200, job),
            None => (
                404,
                json!({ "detail": format!("no job {}", path.trim_start_matches("/api/v1/jobs/")) }),
            ),
        },
    }
}

/// What a command of the page says, as a shell has it: both outputs.
fn said(folder: &Path, server: &str, command: &str) -> String {
    let line = command.replacen("steadfast", env!("CARGO_BIN_EXE_steadfast"), 1);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{line} 2>&1")])
        .current_dir(folder)
        .env("STEADFAST_SERVER", server);
    shell
        .env("NO_COLOR", "1")
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    shell.env_remove("STEADFAST_LOG").env_remove("STEADFAST_TOKEN_FILE");
    let ended = Ended::of(&mut shell);
    // Times that are not fixed.
    let lines = ended
        .out
        .lines()
        .map(|line| match line.split_once(" is silenced until ") {
            Some((before, behind)) => format!(
                "{before} is silenced until 2026-11-23T03:27:29.838Z{}\n",
                behind.get(24..).unwrap()
            ),
            None => format!("{line}\n"),
        });
    lines.collect()
}

#[test]
fn its_examples_are_what_the_commands_say() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), "").unwrap();
    let server = format!("http://{}", serve(answer));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let before = std::fs::read_to_string(&path).unwrap();
    let (mut made, mut is_inside) = (String::new(), false);
    for line in before.lines() {
        match line {
            "```console" => is_inside = true,
            "```" => is_inside = false,
            _ => {}
        }
        if let Some(command) = line.strip_prefix("$ ").filter(|_| is_inside) {
            made.push_str(&format!("{line}\n{}", said(folder.path(), &server, command)));
        } else if !is_inside || line.starts_with("```") {
            made.push_str(&format!("{line}\n"));
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let now = std::fs::read_to_string(&path).unwrap();
    assert!(
        now == made,
        "docs/cli.md is not what the commands say; run with UPDATE_DOCS=1, and read the difference:\n{made}"
    );
}

#[test]
fn it_names_every_command() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md")).unwrap();
    let help = run(Path::new("."), &["--help"]).out;
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    for command in listed
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
    {
        let says = [format!("steadfast {command}"), format!("`{command}`")];
        assert!(
            says.iter().any(|says| page.contains(says)),
            "docs/cli.md does not name `steadfast {command}`"
        );
    }
}
