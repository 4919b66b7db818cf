//! Jobs whose states do not stand still, and one who is told of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stub::serve;
use crate::times::row;

/// The jobs of a world, each with a Flink of its own.
pub const JOBS: [&str; 3] = ["a", "b", "c"];
/// So many looks show the same state.
const LOOKS: u32 = 3;

/// A Flink for each job, behind one address: RUNNING and RESTARTING by turns, until they are to stay RUNNING.
pub struct Flinks {
    pub address: SocketAddr,
    calm: Arc<AtomicBool>,
}

impl Flinks {
    pub fn start() -> Self {
        let calm = Arc::new(AtomicBool::new(false));
        let (is_calm, looks) = (Arc::clone(&calm), Mutex::new([0_u32; JOBS.len()]));
        let address = serve(move |request| {
            let of = |job: &&str| request.contains(&format!("/{job}/jobs/overview"));
            let Some(number) = JOBS.iter().position(of) else {
                return (500, json!({ "errors": ["not here"] }));
            };
            let mut looks = looks.lock().unwrap();
            looks[number] += 1;
            let restarts = !is_calm.load(Ordering::SeqCst) && looks[number] / LOOKS % 2 == 1;
            let state = if restarts { "RESTARTING" } else { "RUNNING" };
            let number = u32::try_from(number).unwrap();
            (200, json!({ "jobs": [row(number, state, 1_767_225_600_000, -1)] }))
        });
        Self { address, calm }
    }

    /// From now on all run.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }
}

/// What a receiver does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    Takes,
    /// 503.
    Refuses,
    /// The connection ends before the event was read.
    HangsUp,
    /// It takes the event, and the connection ends before it has said so.
    TakesInSilence,
}

/// A webhook's receiver.
pub struct Receiver {
    pub address: SocketAddr,
    taken: Arc<Mutex<Vec<Value>>>,
    moods: Arc<Mutex<BTreeMap<Mood, u32>>>,
}

impl Receiver {
    /// `mood` says what becomes of the event number so and so that is offered, beginning with 0.
    pub fn start(mood: impl Fn(u32) -> Mood + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            taken: Arc::default(),
            moods: Arc::default(),
        };
        let (taken, moods) = (Arc::clone(&receiver.taken), Arc::clone(&receiver.moods));
        thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming()) {
                let mood = mood(number);
                *moods.lock().unwrap().entry(mood).or_default() += 1;
                // A sender that dies in the middle is what this is about.
                drop(receive(stream.unwrap(), mood, &taken));
            }
        });
        receiver
    }

    /// All that it has taken so far, in order.
    pub fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap().clone()
    }

    /// What it did how often.
    pub fn moods(&self) -> BTreeMap<Mood, u32> {
        self.moods.lock().unwrap().clone()
    }
}

/// One event, and the connection is closed.
fn receive(mut stream: TcpStream, mood: Mood, taken: &Mutex<Vec<Value>>) -> std::io::Result<()> {
    if mood == Mood::HangsUp {
        return Ok(());
    }
    // A sender that was killed has sent no more than it had.
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body)?;
    if mood != Mood::Refuses {
        taken.lock().unwrap().push(serde_json::from_slice(&body)?);
    }
    let status = match mood {
        Mood::Takes => "204 No Content",
        Mood::Refuses => "503 Service Unavailable",
        Mood::HangsUp | Mood::TakesInSilence => return Ok(()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}
