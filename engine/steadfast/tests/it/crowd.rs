//! An engine that may open few files, among clients that open all the connections they can.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::steadfast;
use crate::running::Engine;
use crate::times::{flink, row};

/// How many files the engine may open, and how many clients come.
const FILES: usize = 256;
const CLIENTS: usize = 300;
/// How often the job must be confirmed meanwhile, at a poll of 100 ms: no former answer lasts that long.
const CONFIRMED: usize = 10;

/// The command in a shell that lowers the limit first, the hard one too.
fn with_few_files(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {FILES} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(command.get_current_dir().unwrap());
    shell
}

fn address(engine: &Engine) -> SocketAddr {
    engine.server.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Each connects and does as `acts` says; whoever finds no place any more has come all the same.
fn crowd(engine: &Engine, acts: impl Fn(&mut TcpStream)) -> Vec<TcpStream> {
    let come = (0..CLIENTS).map(|_| {
        let mut client = TcpStream::connect(address(engine)).unwrap();
        acts(&mut client);
        client
    });
    come.collect()
}

/// Asks until there is an answer: connections that are only just being closed may be in the way for a moment.
fn answers(engine: &Engine, path: &str) {
    let began = Instant::now();
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    let ask = || -> std::io::Result<bool> {
        let mut client = TcpStream::connect(address(engine))?;
        client.set_read_timeout(Some(Duration::from_secs(5)))?;
        client.write_all(request.as_bytes())?;
        let mut status = [0; 12];
        client.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    while !ask().unwrap_or(false) {
        assert!(began.elapsed() < Duration::from_secs(60), "{path} is not answered");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the job was confirmed some times more, and was never anything but confirmed.
fn goes_on(engine: &Engine, path: &str) {
    let times = RefCell::new(Vec::<Value>::new());
    engine.wait_for(path, "confirmed again and again", |job| {
        assert_eq!(
            json!([job["state"], job["confidence"], job["conditions"]]),
            json!(["RUNNING", "confirmed", []]),
            "{job:#}"
        );
        let mut times = times.borrow_mut();
        if times.last() != Some(&job["confirmedAt"]) {
            times.push(job["confirmedAt"].clone());
        }
        times.len() > CONFIRMED
    });
}

#[test]
fn clients_that_take_every_place_blind_nobody() {
    let folder = tempfile::tempdir().unwrap();
    // It closes after each answer, so that every poll needs a connection of its own.
    let address = flink(row(1, "RUNNING", 1_700_000_000_000, -1));
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\npoll = \"100ms\"\n\
         [[job]]\nname = \"orders\"\nmode = \"standalone\"\nflink_rest = \"http://{address}\"\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let engine = Engine::of(&mut with_few_files(&steadfast(folder.path(), &["run"])));
    let path = "/api/v1/jobs/-/-/orders";
    engine.wait_for(path, "RUNNING", |job| job["state"] == "RUNNING");

    let idle = crowd(&engine, |_| {});
    goes_on(&engine, path);
    answers(&engine, "/livez");
    drop(idle);

    let halves = crowd(&engine, |client| {
        drop(client.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n"))
    });
    goes_on(&engine, path);
    drop(halves);

    // Each is sent more than a socket holds, and reads nothing of it.
    let asks = "GET /dashboard/app.js HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".repeat(1_000);
    let deaf = crowd(&engine, |client| {
        client.set_nonblocking(true).unwrap();
        drop(client.write_all(asks.as_bytes()));
    });
    answers(&engine, "/livez");
    drop(deaf);
    answers(&engine, path);
    goes_on(&engine, path);

    let (_, metrics) = engine.text("GET", "/metrics");
    let counts = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<usize>().unwrap()
    };
    assert!(
        counts("steadfast_http_cut_off_connections_total") >= CLIENTS,
        "the idle make room"
    );
}
