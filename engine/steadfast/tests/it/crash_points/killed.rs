//! A process that is told at which point to die, watched until it does.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use steadfast_crash_points::CrashPoint;

use super::agreement::Seen;
use super::follower::{Follower, ask};

/// Longer than anything here takes on the slowest machine; then the point was not reached.
const PATIENCE: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;
/// Between two looks at what it shows.
const PAUSE: Duration = Duration::from_millis(25);

/// Killed with the test, if it did not die where it should.
struct Doomed(Child);

impl Drop for Doomed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs the command, looks at what it shows and follows its events until it dies at that point. `meanwhile` is given the server's
/// address again and again. Nobody sends a signal from here: a process that ends otherwise, or not, was never there.
pub fn killed_at(
    command: &mut Command,
    point: CrashPoint,
    time: u32,
    follower: &Follower,
    mut meanwhile: impl FnMut(&str),
) -> Seen {
    command.env("STEADFAST_CRASH_AT", format!("{point}:{time}"));
    let mut process = Doomed(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let (to, addresses) = channel();
    let log = Arc::new(Mutex::new(String::new()));
    let (output, lines) = (process.0.stderr.take().unwrap(), Arc::clone(&log));
    let reading = thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(at) = line
                .find("http://127.0.0.1:")
                .filter(|_| line.contains("the API and the dashboard"))
            {
                to.send(line[at..].trim_end_matches('/').to_owned()).unwrap();
            }
            let mut log = lines.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    let (mut server, mut seen) = (None, Seen::default());
    let until = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = process.0.try_wait().unwrap() {
            break status;
        }
        assert!(
            Instant::now() < until,
            "{point} was reached fewer than {time} times:\n{}",
            log.lock().unwrap()
        );
        if server.is_none() {
            server = addresses.recv_timeout(Duration::from_millis(5)).ok();
            if let Some(server) = &server {
                follower.follow(server);
            }
        }
        if let Some(server) = &server {
            if let Some(jobs) = ask(server, "GET", "/api/v1/jobs") {
                seen.show(&jobs);
            }
            meanwhile(server);
            // The process is to work, and not to answer this.
            thread::sleep(PAUSE);
        }
    };
    reading.join().unwrap();
    assert_eq!(
        status.signal(),
        Some(SIGKILL),
        "{point}:{time}: {status}\n{}",
        log.lock().unwrap()
    );
    seen
}
