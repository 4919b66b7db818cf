//! An engine in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::command::{Ended, run, steadfast};

/// Where the engine listens, and its one job: standalone, with a Flink that is not there.
pub const BASE: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\
                        [[job]]\nname = \"orders\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:9\"\n";

/// A running engine, ended with the test.
pub struct Engine {
    process: Child,
    pub server: String,
}

impl Engine {
    /// With the default policy.
    pub fn start(folder: &Path) -> Self {
        std::fs::write(folder.join("config.toml"), BASE).unwrap();
        Self::start_configured(folder)
    }

    /// With the `config.toml` in the folder.
    pub fn start_configured(folder: &Path) -> Self {
        Self::of(&mut steadfast(folder, &["run"]))
    }

    /// Of a command that runs one.
    pub fn of(command: &mut Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let server = lines.by_ref().find_map(|line| {
            // The engine has begun to look by then, and may warn of a Flink's address before it says its own.
            let line = line.unwrap();
            let line = line.split_once("the API and the dashboard are at")?.1;
            let at = line.find("http://127.0.0.1:")?;
            Some(line[at..].trim_end_matches('/').to_owned())
        });
        // Read on, so that the engine never waits for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            server: server.expect("the engine does not say where it listens"),
        }
    }

    /// What a command that asks this engine ends with.
    pub fn ask(&self, folder: &Path, arguments: &[&str]) -> Ended {
        run(folder, &[arguments, &["--server", &self.server]].concat())
    }

    pub fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.text("GET", path).1).unwrap()
    }

    pub fn post(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.text("POST", path);
        (status, serde_json::from_str(&text).unwrap())
    }

    pub fn text(&self, method: &str, path: &str) -> (u16, String) {
        // There is one already if another test was first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let client = steadfast_http::client().no_proxy().build().unwrap();
            let request = client.request(method.parse().unwrap(), format!("{}{path}", self.server));
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        })
    }

    /// Asks until the answer is what is waited for.
    pub fn wait_for(&self, path: &str, what: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.get(path);
            if is_there(&answer) {
                return answer;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{what}: {answer:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Changes a limit of its process.
    pub fn limit(&self, resource: Resource, to: Option<u64>) {
        let limit = Rlimit {
            current: to,
            maximum: None,
        };
        prlimit(Pid::from_raw(self.process.id().try_into().unwrap()), resource, limit).unwrap();
    }

    /// The most memory it has had so far.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }

    pub fn hang_up(&self) {
        let sent = Command::new("kill")
            .args(["-HUP", &self.process.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
