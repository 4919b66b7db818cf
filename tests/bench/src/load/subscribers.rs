//! Clients of the event stream: many who read, and some who stop.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::ensure;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::report::Figure;
use super::world::locked;
use crate::measure::percentile;

/// How many follow.
const SUBSCRIBERS: usize = 1000;
/// One in so many reads the head of its answer and nothing behind it.
const STALLED_ONE_IN: usize = 10;
/// One in so many of the others looks at the times of its events.
const TIMED_ONE_IN: usize = 50;

/// All of them. They leave when it is dropped.
pub struct Subscribers {
    tasks: JoinSet<()>,
    heard: Vec<Arc<AtomicU32>>,
    ages: Arc<Mutex<Vec<f64>>>,
}

impl Subscribers {
    /// Lets them come.
    pub async fn at(address: &str) -> anyhow::Result<Self> {
        let mut all = Self {
            tasks: JoinSet::new(),
            heard: Vec::new(),
            ages: Arc::default(),
        };
        for n in 0..SUBSCRIBERS {
            let stream = follow(address).await?;
            if n % STALLED_ONE_IN == 0 {
                all.tasks.spawn(stall(stream));
                continue;
            }
            let heard = Arc::<AtomicU32>::default();
            all.heard.push(Arc::clone(&heard));
            let ages = (n % TIMED_ONE_IN == 1).then(|| Arc::clone(&all.ages));
            all.tasks.spawn(read(stream, heard, ages));
        }
        Ok(all)
    }

    /// Forgets what was heard until now.
    pub fn begin(&self) {
        for heard in &self.heard {
            heard.store(0, Relaxed);
        }
        locked(&self.ages).clear();
    }

    /// What they heard: events each, of those who heard the fewest and the most, and how old an event was.
    pub fn figures(&self) -> Vec<Figure> {
        let heard = || self.heard.iter().map(|heard| f64::from(heard.load(Relaxed)));
        let mut ages = locked(&self.ages).clone();
        vec![
            Figure::new("events each, least", heard().fold(f64::INFINITY, f64::min), ""),
            Figure::new("most", heard().fold(0.0, f64::max), ""),
            Figure::new("heard after p50", percentile(&mut ages, 0.50), "s"),
            Figure::new("p99", percentile(&mut ages, 0.99), "s"),
        ]
    }
}

/// Asks for the events, and returns once the answer has begun.
async fn follow(address: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let asked = format!("GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(asked.as_bytes()).await?;
    let mut head = [0; 12];
    tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut head)).await??;
    let head = String::from_utf8_lossy(&head);
    ensure!(head.ends_with("200"), "the events are not to be had: {head}");
    Ok(stream)
}

async fn stall(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

async fn read(mut stream: TcpStream, heard: Arc<AtomicU32>, ages: Option<Arc<Mutex<Vec<f64>>>>) {
    let (mut text, mut bytes) = (String::new(), vec![0; 16 << 10]);
    while let Ok(count) = stream.read(&mut bytes).await {
        let Some(new) = bytes.get(..count).filter(|new| !new.is_empty()) else {
            return;
        };
        text.push_str(&String::from_utf8_lossy(new));
        let Some(end) = text.rfind("\n\n") else { continue };
        let rest = text.split_off(end);
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        for event in events {
            heard.fetch_add(1, Relaxed);
            if let Some(ages) = &ages {
                locked(ages).extend(age_of(event));
            }
        }
        text = rest;
    }
}

/// How many seconds ago what an event tells was decided.
fn age_of(event: &str) -> Option<f64> {
    let (_, at) = event.split_once("\"at\":\"")?;
    let at: Timestamp = at.split_once('"')?.0.parse().ok()?;
    Some(Timestamp::now().duration_since(at).as_secs_f64())
}
