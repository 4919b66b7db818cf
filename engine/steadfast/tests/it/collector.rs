//! A collector of traces that keeps what it is sent, as bytes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on the slowest machine; then the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection for each request, until the test ends.
#[derive(Clone)]
pub struct Collector {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    /// What it answers.
    status: u16,
    /// The bodies that it took.
    got: Vec<Vec<u8>>,
    /// How often it was asked.
    asked: usize,
}

impl Collector {
    /// One that answers with that status; 0: not at all.
    pub fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let collector = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(State {
                status,
                got: Vec::new(),
                asked: 0,
            })),
        };
        let serving = collector.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (collector, stream) = (serving.clone(), stream.unwrap());
                // A client that goes away in the middle is none of its business.
                thread::spawn(move || drop(collector.answer(stream)));
            }
        });
        collector
    }

    /// From now on it answers with that status.
    pub fn answer_with(&self, status: u16) {
        self.state.lock().unwrap().status = status;
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = BufReader::new(stream.try_clone()?);
        let (mut line, mut length) = (String::new(), 0);
        while request.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        request.read_exact(&mut body)?;
        let status = {
            let mut state = self.state.lock().unwrap();
            state.asked += 1;
            if state.status == 200 {
                state.got.push(body);
            }
            state.status
        };
        if status == 0 {
            // Until the client has had enough.
            request.read_to_end(&mut Vec::new())?;
        }
        write!(
            stream,
            "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
    }

    /// All that it took, with what is no text in it replaced.
    pub fn text(&self) -> String {
        let state = self.state.lock().unwrap();
        state.got.iter().map(|body| String::from_utf8_lossy(body)).collect()
    }

    /// Waits until it took something with all of these in it.
    pub fn wait_for(&self, wanted: &[&str]) {
        self.wait(|| {
            let text = self.text();
            wanted.iter().all(|wanted| text.contains(wanted))
        });
    }

    pub fn wait_until_asked(&self) {
        self.wait(|| self.state.lock().unwrap().asked > 0);
    }

    fn wait(&self, is_there: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_there() {
            assert!(Instant::now() < until, "it has: {}", self.text());
            thread::sleep(Duration::from_millis(50));
        }
    }
}
