//! A log that cannot be written holds up nothing: it is the last thing that an engine may stop for.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{run, steadfast};
use crate::process::Process;
use crate::running::BASE;
use crate::stub;

/// What a pipe holds before whoever writes has to wait.
const PIPE: usize = 64 * 1024;

fn talkative(folder: &Path, config: &str) -> Command {
    std::fs::write(folder.join("config.toml"), config).unwrap();
    steadfast(folder, &["run", "--log", "trace"])
}

/// What is logged by default where no terminal is: a line of JSON for each fact, with the job as a field.
#[test]
fn an_engine_at_no_terminal_logs_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), BASE).unwrap();
    let mut engine = Process::start(steadfast(folder.path(), &["run"]).env_remove("STEADFAST_LOG_FORMAT"));
    let address = engine.wait_for("the API and the dashboard are at");
    let address: Value = serde_json::from_str(&address).unwrap();
    let message = address["fields"]["message"].as_str().unwrap();
    let server = message.rsplit(' ').next().unwrap();
    let asked = run(folder.path(), &["intent", "-/-/orders", "cancel", "--server", server]);
    assert_eq!(asked.code, Some(0), "{}", asked.err);
    let posted: Value = serde_json::from_str(&engine.wait_for("an intent was posted")).unwrap();
    assert_eq!(
        (&posted["level"], &posted["fields"]["job"]),
        (&"INFO".into(), &"-/-/orders".into())
    );
    assert!(posted["timestamp"].is_string(), "{posted}");
}

/// For people, no module is named; for those who look for a fault of the engine it is.
#[test]
fn a_log_for_people_names_no_module() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), BASE).unwrap();
    for (filter, names) in [("info", false), ("info,steadfast=debug", true)] {
        let mut engine = Process::start(&mut steadfast(folder.path(), &["run", "--log", filter]));
        let line = engine.wait_for("the API and the dashboard are at");
        assert_eq!(line.contains("steadfast::run"), names, "{line}");
    }
}

/// Ends it, and says how it ended.
fn ended(mut engine: Child) -> Option<i32> {
    let told = Command::new("kill").args(["-TERM", &engine.id().to_string()]).status();
    assert!(told.unwrap().success());
    let began = Instant::now();
    loop {
        if let Some(status) = engine.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > Duration::from_secs(60) {
            drop(engine.kill());
            panic!("SIGTERM does not end it");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_pipe_that_nobody_empties_holds_up_neither_the_loop_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = talkative(folder.path(), BASE).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(engine.stderr.take().unwrap());
    let mut line = String::new();
    let server = loop {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
        if let Some(at) = line
            .find("the API and the dashboard are at")
            .and_then(|_| line.find("http://127.0.0.1:"))
        {
            break line[at..].trim().trim_end_matches('/').to_owned();
        }
    };
    // Nobody reads from here on. Each of these needs a turn of the loop, and is logged by several lines.
    for intent in ["cancel", "none"].repeat(40) {
        let asked = run(folder.path(), &["intent", "-/-/orders", intent, "--server", &server]);
        assert_eq!(asked.code, Some(0), "{}", asked.err);
    }
    assert_eq!(ended(engine), Some(0));
    let mut left = Vec::new();
    log.read_to_end(&mut left).unwrap();
    assert!(left.len() + 4096 > PIPE, "the pipe was not full: {} bytes", left.len());
}

#[test]
fn a_full_disk_behind_the_log_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Where it listens is told by the log alone, which goes nowhere: a port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = BASE.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut engine = talkative(folder.path(), &config).stderr(full).spawn().unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert_eq!(engine.try_wait().unwrap(), None, "it ended");
        assert!(began.elapsed() < Duration::from_secs(60), "it does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(ended(engine), Some(0));
}

/// What an API server refuses is tried again each time that it may be, and read again before.
#[test]
fn credentials_that_are_refused_are_told_once_with_their_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let server = stub::serve(|_| (401, serde_json::json!({ "kind": "Status", "message": "Unauthorized" })));
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: \"http://{server}\"}}}}]\n\
         users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    );
    std::fs::write(folder.path().join("kubeconfig"), kubeconfig).unwrap();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\nretry_initial = \"10ms\"\nretry_max = \"50ms\"\n\
                  [[kubernetes]]\nname = \"prod\"\nkubeconfig = \"kubeconfig\"\n";
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let mut engine = Process::start(&mut steadfast(
        folder.path(),
        &["run", "--log", "info,steadfast_sources::kubernetes::credentials=debug"],
    ));
    for _ in 0..4 {
        engine.wait_for("the credentials were read again");
    }
    engine.signal("TERM");
    let (_, log) = engine.end();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("the credentials were read again") && !line.contains("DEBUG"))
        .collect();
    assert_eq!(told.len(), 1, "{log}");
    assert!(told[0].contains("cluster=prod"), "{}", told[0]);
}
