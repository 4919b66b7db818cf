//! The places of those who follow the events.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::shared_pages::SharedPages;
use crate::problem::{Code, Problem};

/// How long a place is its holder's, whoever else wants one.
const OWN: Duration = Duration::from_secs(60);

/// Those who follow.
#[derive(Debug)]
pub(crate) struct Followers {
    most: usize,
    taken: Arc<Mutex<Taken>>,
    /// What they read together.
    pub(super) pages: SharedPages,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    /// In the order in which they came.
    by: BTreeMap<u64, (Instant, CancellationToken)>,
}

/// The place of one, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    over: CancellationToken,
    taken: Arc<Mutex<Taken>>,
}

impl Followers {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
            pages: SharedPages::default(),
        }
    }

    /// A place, which is over with `shutdown` at the latest. Where all are taken, the one that was taken first is over, unless
    /// that was just now.
    pub(super) fn join(&self, shutdown: &CancellationToken) -> Result<Place, Problem> {
        let mut taken = lock(&self.taken);
        if taken.by.len() >= self.most {
            let first = taken.by.iter().next().map(|(number, (since, _))| (*number, *since));
            match first {
                Some((number, since)) if since.elapsed() >= OWN => {
                    if let Some((_, over)) = taken.by.remove(&number) {
                        over.cancel();
                    }
                }
                Some(_) | None => {
                    return Err(
                        Problem::unavailable("too many clients follow the events; come again later")
                            .coded(Code::TooManyFollowers),
                    );
                }
            }
        }
        let (number, over) = (taken.next, shutdown.child_token());
        taken.next += 1;
        taken.by.insert(number, (Instant::now(), over.clone()));
        Ok(Place {
            number,
            over,
            taken: Arc::clone(&self.taken),
        })
    }
}

/// `steadfast_event_subscribers`.
impl Collector for Followers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Clients that follow the events.";
        let mut gauge = encoder.encode_descriptor("steadfast_event_subscribers", help, None, MetricType::Gauge)?;
        gauge.encode_gauge(&lock(&self.taken).by.len())
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Whether it is over.
    pub(super) fn has_ended(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Ends when it is over.
    pub(super) fn is_over(&self) -> WaitForCancellationFuture<'_> {
        self.over.cancelled()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.taken).by.remove(&self.number);
    }
}
