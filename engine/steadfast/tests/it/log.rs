//! A log that cannot be written holds up nothing: it is the last thing that an engine may stop for.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{run, steadfast};
use crate::running::BASE;

/// What a pipe holds before whoever writes has to wait.
const PIPE: usize = 64 * 1024;

fn talkative(folder: &Path, config: &str) -> Command {
    std::fs::write(folder.join("config.toml"), config).unwrap();
    steadfast(folder, &["run", "--log", "trace"])
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
