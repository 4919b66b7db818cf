//! What all requests together may hold: connections, and bytes of answers that are under way.
//!
//! Each request has limits of its own, and a thousand requests a thousand times as much. So they draw on one budget, that
//! of the process: open files and memory are the process's. A request that finds it used up waits a little, and then fails
//! with a fault of the engine's own: whoever was to be asked has done nothing wrong. Small answers, which are nearly all,
//! draw on no bytes, so that none of them waits for a large one; and what a slow answer holds comes back at its deadline.
//!
//! A connection over TLS is kept for the next request where there is room ([`Kept`]): a quarter of the connections may wait so. A larger fleet
//! than that is polled in turn, so that to close the one that has waited longest would close each just before its turn; those that
//! are kept stay kept, and the others are made anew each time.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use steadfast_core::evidence::{Fault, FaultKind, OWN_LACK};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Bytes of all answers under way, beyond what each has free.
const BYTES: usize = 128 << 20;
/// What an answer may hold without drawing on the budget.
const FREE: usize = 64 << 10;
/// Where nobody has said how many connections there may be.
const AMPLE: usize = 32_768;
/// More are not kept for the next request, whatever the limit: each takes memory here and there.
const MOST_KEPT: usize = 8_192;
/// For so long a connection is kept that nobody uses: longer than between two polls as usual, and shorter than the minute between
/// those of jobs that have ended.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(30);
/// How long a request waits for what others hold.
const PATIENCE: Duration = Duration::from_secs(1);

/// The budget of a process. Where nobody has said how many connections there may be, they are ample.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Those that are in use.
    connections: Semaphore,
    most: usize,
    kept: Kept,
    bytes: Semaphore,
}

/// To whom a connection is kept for the next request.
#[derive(Debug)]
struct Kept {
    most: usize,
    hosts: Mutex<Hosts>,
}

/// Hosts with their ports, and when each was last asked.
#[derive(Debug, Default)]
struct Hosts {
    asked: HashMap<Box<str>, Instant>,
    /// When those that nobody asks any more were last let go.
    swept: Option<Instant>,
}

impl Kept {
    /// Whether the connection to a host that is asked now is to be kept.
    fn keeps(&self, host: &str) -> bool {
        let now = Instant::now();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = hosts.asked.get_mut(host) {
            *asked = now;
            return true;
        }
        let is_swept = hosts.swept.is_some_and(|swept| now - swept < KEPT_FOR / 10);
        if hosts.asked.len() >= self.most && !is_swept {
            hosts.asked.retain(|_, asked| now - *asked < KEPT_FOR);
            hosts.swept = Some(now);
        }
        if hosts.asked.len() >= self.most {
            return false;
        }
        hosts.asked.insert(host.into(), now);
        true
    }
}

static SHARED: OnceLock<Budget> = OnceLock::new();

/// Bounds how many connections the process may have open to those it asks. Counts if it is said before the first request:
/// says whether it was.
pub fn limit_connections(most: usize) -> bool {
    SHARED.set(Budget::new(most, BYTES)).is_ok()
}

impl Budget {
    pub(crate) fn new(connections: usize, bytes: usize) -> Self {
        let kept = (connections / 4).min(MOST_KEPT);
        let in_use = connections - kept;
        Self {
            connections: Semaphore::new(in_use),
            most: in_use,
            kept: Kept {
                most: kept,
                hosts: Mutex::default(),
            },
            bytes: Semaphore::new(bytes),
        }
    }

    /// That of this process.
    pub(crate) fn shared() -> &'static Self {
        SHARED.get_or_init(|| Self::new(AMPLE, BYTES))
    }

    /// Whether the connection to a host is kept for the next request, which may be the next poll's.
    pub(crate) fn keeps(&self, host: &str) -> bool {
        self.kept.keeps(host)
    }

    /// A connection, for as long as what is returned lives.
    pub(crate) async fn connection(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let most = self.most;
        waited(self.connections.acquire()).await.ok_or_else(|| {
            own_lack(format!(
                "has all of its {most} connections in use; let it open more files"
            ))
        })
    }

    /// An answer that has not begun.
    pub(crate) fn answer(&self) -> Holding<'_> {
        Holding {
            budget: self,
            free: FREE,
            permit: None,
        }
    }
}

/// What one answer holds. Dropped with it.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    budget: &'a Budget,
    free: usize,
    permit: Option<SemaphorePermit<'a>>,
}

impl Holding<'_> {
    /// Takes so many bytes more. Fails if all of the budget is held by others.
    pub(crate) async fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        let beyond = bytes.saturating_sub(self.free);
        self.free = self.free.saturating_sub(bytes);
        let Some(beyond) = u32::try_from(beyond).ok().filter(|beyond| *beyond > 0) else {
            return Ok(());
        };
        let permit = waited(self.budget.bytes.acquire_many(beyond))
            .await
            .ok_or_else(|| own_lack("holds as many bytes of answers as it may at a time"))?;
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
        Ok(())
    }
}

/// What came within the patience of a request.
async fn waited<T, E>(work: impl Future<Output = Result<T, E>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, work).await.ok()?.ok()
}

/// A fault that is the engine's own.
pub(crate) fn own_lack(lacks: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Other, format!("{OWN_LACK}{}", lacks.as_ref()))
}

/// Whether the process, or its machine, has no file left to open.
pub(crate) fn lacks_files(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let errno = error.raw_os_error();
    // An error that is made of another one does not give its number, nor does it name it as its source.
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    errno == Some(Errno::MFILE.raw_os_error())
        || errno == Some(Errno::NFILE.raw_os_error())
        || inner.is_some_and(lacks_files)
}

/// Whether it is so right now.
#[expect(
    clippy::disallowed_methods,
    reason = "a device that is there, and nothing of it is read"
)]
pub(crate) fn has_no_file_left() -> bool {
    std::fs::File::open("/dev/null").is_err_and(|error| lacks_files(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn small_answers_never_wait_for_large_ones() {
        let budget = Budget::new(1, 10 << 20);
        let mut large = budget.answer();
        large.take(FREE + (10 << 20)).await.unwrap();
        let mut small = budget.answer();
        small.take(FREE).await.unwrap();
        let fault = small.take(1).await.unwrap_err();
        assert!(
            fault.kind == FaultKind::Other && fault.message.starts_with(OWN_LACK),
            "{fault}"
        );
        drop(large);
        small.take(10 << 20).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_hold_is_waited_for() {
        let budget = Budget::new(1, 1 << 20);
        let held = budget.connection().await.unwrap();
        let fault = budget.connection().await.unwrap_err();
        assert!(fault.message.contains("all of its 1 connections"), "{fault}");
        let later = async {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(held);
        };
        let (_, second) = tokio::join!(later, budget.connection());
        drop(second.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_quarter_of_the_connections_is_kept_to_those_who_came_first_until_nobody_asks_them() {
        let budget = Budget::new(13, 1 << 20);
        assert!(["a", "b", "c"].iter().all(|host| budget.keeps(host)));
        for _ in 0..20 {
            tokio::time::sleep(KEPT_FOR / 2).await;
            let kept = ["a", "b", "d", "c", "e"].map(|host| budget.keeps(host));
            assert_eq!(
                kept,
                [true, true, false, true, false],
                "a fleet that is polled in turn keeps its places"
            );
        }
        tokio::time::sleep(KEPT_FOR / 2).await;
        assert!(budget.keeps("a") && !budget.keeps("d"));
        tokio::time::sleep(KEPT_FOR / 2 + KEPT_FOR / 8).await;
        assert!(budget.keeps("d") && budget.keeps("e"), "nobody asked b and c any more");
        assert!(budget.keeps("a") && !budget.keeps("b"));
    }
}
