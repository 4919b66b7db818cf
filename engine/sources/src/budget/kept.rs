//! To whom connections are kept for the next request, which may be the next poll's.
//!
//! A place stands for one connection that may be open while nobody uses it. A host has as many as requests to it were under way at
//! once: a gateway in front of many Flinks is asked by all of their polls. Who comes first has them, and while it is asked it keeps
//! them: a larger fleet than that is polled in turn, so that to close the one that has waited longest would close each just before
//! its turn.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// For so long a connection is kept that nobody uses: longer than between two polls as usual, and shorter than the minute between
/// those of jobs that have ended.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(30);
/// How many connections are kept to one host.
pub(crate) const MOST_A_HOST: usize = 64;

/// Hosts with their ports.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    hosts: HashMap<Box<str>, Host>,
    places: usize,
    /// When those that nobody asks any more were last let go.
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Host {
    /// When it was last asked.
    asked: Instant,
    places: usize,
    /// How many of its places have a request under way, and had at most since that time.
    in_use: usize,
    peak: usize,
    since: Instant,
}

impl Host {
    fn use_place(&mut self) {
        self.in_use += 1;
        self.peak = self.peak.max(self.in_use);
    }
}

impl Hosts {
    /// Uses a place that a host has already. Says no if all of them are in use.
    pub(super) fn reuse(&mut self, host: &str) -> bool {
        let Some(host) = self.hosts.get_mut(host) else {
            return false;
        };
        host.asked = Instant::now();
        let is_free = host.in_use < host.places;
        if is_free {
            host.use_place();
        }
        is_free
    }

    /// Whether a host may have one place more, of at most so many.
    pub(super) fn has_room(&self, host: &str, most: usize) -> bool {
        let of_host = self.hosts.get(host).map_or(0, |host| host.places);
        self.places < most && of_host < MOST_A_HOST
    }

    /// Gives a host one place more, and uses it.
    pub(super) fn add(&mut self, host: &str) {
        let now = Instant::now();
        let host = self.hosts.entry(host.into()).or_insert(Host {
            asked: now,
            places: 0,
            in_use: 0,
            peak: 0,
            since: now,
        });
        host.asked = now;
        host.places += 1;
        host.use_place();
        self.places += 1;
    }

    /// A request ended.
    pub(super) fn release(&mut self, host: &str) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.in_use = host.in_use.saturating_sub(1);
        }
    }

    /// Lets the places go that nobody needed for as long as a connection is kept, from time to time. Returns how many they are.
    pub(super) fn sweep(&mut self) -> usize {
        let now = Instant::now();
        if self.swept.is_some_and(|swept| now - swept < KEPT_FOR / 10) {
            return 0;
        }
        self.swept = Some(now);
        let before = self.places;
        self.hosts
            .retain(|_, host| host.in_use > 0 || now - host.asked < KEPT_FOR);
        for host in self.hosts.values_mut() {
            if now - host.since >= KEPT_FOR {
                host.places = host.places.min(host.peak.max(1));
                (host.peak, host.since) = (host.in_use, now);
            }
        }
        self.places = self.hosts.values().map(|host| host.places).sum();
        before - self.places
    }
}
