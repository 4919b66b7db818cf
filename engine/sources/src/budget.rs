//! What all requests together may hold: connections, and bytes of answers that are under way.
//!
//! Each request has limits of its own, and a thousand requests a thousand times as much. So they draw on one budget, that
//! of the process: open files and memory are the process's. A request that finds it used up waits a little, and then fails
//! with a fault of the engine's own: whoever was to be asked has done nothing wrong. Small answers, which are nearly all,
//! draw on no bytes, so that none of them waits for a large one; and what a slow answer holds comes back at its deadline.
//!
//! A connection over TLS is kept for the next request where there is room ([`kept`]): up to a quarter of the connections may wait so, and
//! those that do are taken off those that may be in use. The others are made anew each time.

mod kept;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use steadfast_core::evidence::{Fault, FaultKind, OWN_LACK};
use tokio::sync::{Semaphore, SemaphorePermit};

use kept::Hosts;
pub(crate) use kept::{KEPT_FOR, MOST_A_HOST};

/// Bytes of all answers under way, beyond what each has free.
const BYTES: usize = 128 << 20;
/// What an answer may hold without drawing on the budget.
const FREE: usize = 64 << 10;
/// Where nobody has said how many connections there may be.
const AMPLE: usize = 32_768;
/// More are not kept for the next request, whatever the limit: each takes memory here and there.
const MOST_KEPT: usize = 8_192;
/// How long a request waits for what others hold.
const PATIENCE: Duration = Duration::from_secs(1);

/// The budget of a process. Where nobody has said how many connections there may be, they are ample.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Those that are neither in use nor kept.
    connections: Semaphore,
    most: usize,
    most_kept: usize,
    kept: Mutex<Hosts>,
    bytes: Semaphore,
}

/// The connection of one request is kept for the next one to that host. Dropped when the request has ended.
#[derive(Debug)]
pub(crate) struct Keeping<'a> {
    budget: &'a Budget,
    host: Box<str>,
}

impl Drop for Keeping<'_> {
    fn drop(&mut self) {
        self.budget.kept().release(&self.host);
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
        Self {
            connections: Semaphore::new(connections),
            most: connections,
            most_kept: (connections / 4).min(MOST_KEPT),
            kept: Mutex::default(),
            bytes: Semaphore::new(bytes),
        }
    }

    /// That of this process.
    pub(crate) fn shared() -> &'static Self {
        SHARED.get_or_init(|| Self::new(AMPLE, BYTES))
    }

    /// Keeps the connection of a request to a host for the next one. `None`: there is no room for it.
    pub(crate) fn keep(&self, host: &str) -> Option<Keeping<'_>> {
        let mut hosts = self.kept();
        self.connections.add_permits(hosts.sweep());
        if !hosts.reuse(host) {
            if !hosts.has_room(host, self.most_kept) {
                return None;
            }
            // While it waits for the next request it is in nobody's use.
            self.connections.try_acquire().ok()?.forget();
            hosts.add(host);
        }
        Some(Keeping {
            budget: self,
            host: host.into(),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Hosts> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Whether the connection of a request that has ended at once was kept.
    fn keeps(budget: &Budget, host: &str) -> bool {
        budget.keep(host).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn a_quarter_of_the_connections_is_kept_to_those_who_came_first_until_nobody_asks_them() {
        let budget = Budget::new(13, 1 << 20);
        assert!(["a", "b", "c"].iter().all(|host| keeps(&budget, host)));
        for _ in 0..20 {
            tokio::time::sleep(KEPT_FOR / 2).await;
            let kept = ["a", "b", "d", "c", "e"].map(|host| keeps(&budget, host));
            assert_eq!(
                kept,
                [true, true, false, true, false],
                "a fleet that is polled in turn keeps its places"
            );
        }
        tokio::time::sleep(KEPT_FOR / 2).await;
        assert!(keeps(&budget, "a") && !keeps(&budget, "d"));
        tokio::time::sleep(KEPT_FOR / 2 + KEPT_FOR / 8).await;
        assert!(
            keeps(&budget, "d") && keeps(&budget, "e"),
            "nobody asked b and c any more"
        );
        assert!(keeps(&budget, "a") && !keeps(&budget, "b"));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_is_kept_all_connections_may_be_in_use() {
        let budget = Budget::new(8, 1 << 20);
        let free = |budget: &Budget| budget.connections.available_permits();
        let mut held = Vec::new();
        for _ in 0..8 {
            held.push(budget.connection().await.unwrap());
        }
        assert!(budget.connection().await.is_err());
        assert!(!keeps(&budget, "a"), "there is none left to be kept");
        held.clear();
        assert!(keeps(&budget, "a") && keeps(&budget, "b"));
        assert_eq!(free(&budget), 6, "what is kept is open");
        tokio::time::sleep(KEPT_FOR * 2).await;
        assert!(keeps(&budget, "c"));
        assert_eq!(free(&budget), 7, "nobody asks the others any more");
    }

    #[tokio::test(start_paused = true)]
    async fn to_one_host_as_many_are_kept_as_were_in_use_at_once() {
        let budget = Budget::new(1_000, 1 << 20);
        let free = |budget: &Budget| budget.connections.available_permits();
        let burst = |count: usize| (0..count).map(|_| budget.keep("gateway")).collect::<Vec<_>>();
        let at_once = burst(MOST_A_HOST + 6);
        assert_eq!(at_once.iter().flatten().count(), MOST_A_HOST);
        drop(at_once);
        assert_eq!(free(&budget), 1_000 - MOST_A_HOST);
        // Those that come one by one use what is there.
        assert!((0..100).all(|_| keeps(&budget, "gateway")));
        assert_eq!(free(&budget), 1_000 - MOST_A_HOST);
        // Of those that were not needed for so long, as many go as are more than were in use.
        for _ in 0..8 {
            tokio::time::sleep(KEPT_FOR / 2).await;
            drop(burst(3));
            assert!(keeps(&budget, "other"));
            drop([budget.keep("other"), budget.keep("other")]);
        }
        assert_eq!(free(&budget), 1_000 - 3 - 2);
    }
}
