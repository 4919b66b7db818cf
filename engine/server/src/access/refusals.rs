//! What the log has of writes that were refused: who wanted what, from where, and why it was not done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::response::Response;
use http::{Method, Uri};
use steadfast_core::call::Caller;
use steadfast_core::foreign_text::{ForeignText, harmless};

use super::Writer;
use super::throttle::Throttle;
use crate::problem::Unlogged;

/// How many refusals of a caller are told at once, and how long until there is room for a further one.
const OF_CALLER: (u32, Duration) = (20, Duration::from_secs(3));
/// The same of all.
const OF_ALL: (u32, Duration) = (200, Duration::from_millis(200));
/// How many callers are counted at a time.
const CALLERS: usize = 4_096;
/// The most bytes of a path that are told.
const PATH: usize = 300;

/// Tells of refusals, so many and no more.
#[derive(Debug)]
pub(super) struct Refusals {
    of_caller: Throttle<Writer>,
    of_all: Throttle<()>,
    /// How many were left out since the last that was told.
    left_out: AtomicU64,
}

/// A request that would write.
#[derive(Debug)]
pub(super) struct Write {
    method: Method,
    uri: Uri,
}

/// What is told of one.
#[derive(Debug)]
struct Told {
    what: String,
    why: String,
}

impl Write {
    /// None if it would not.
    pub(super) fn of(method: &Method, uri: &Uri) -> Option<Self> {
        (method != Method::GET && method != Method::HEAD).then(|| Self {
            method: method.clone(),
            uri: uri.clone(),
        })
    }
}

impl Refusals {
    pub(super) fn new() -> Self {
        Self {
            of_caller: Throttle::new(OF_CALLER.0, OF_CALLER.1, CALLERS),
            of_all: Throttle::new(OF_ALL.0, OF_ALL.1, 1),
            left_out: AtomicU64::new(0),
        }
    }

    /// Tells of a write, if its answer is a refusal that the log does not have yet.
    pub(super) fn note(&self, write: &Write, caller: &Caller, answer: &mut Response) {
        let Some(Unlogged(why)) = answer.extensions_mut().remove() else {
            return;
        };
        let Some(Told { what, why }) = self.tell(write, caller, &why) else {
            return;
        };
        tracing::info!(
            target: "steadfast_audit",
            what, by = caller.by.as_deref(), through = caller.through.as_str(), from = caller.from.map(display),
            status = answer.status().as_u16(), "a call that would write was refused: {why}"
        );
    }

    /// What is told of a refusal; `None` if it is one too many.
    fn tell(&self, write: &Write, caller: &Caller, why: &str) -> Option<Told> {
        if self.of_caller.take(Writer::of(caller)).is_err() || self.of_all.take(()).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut why = String::from(ForeignText::new(why));
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            why.push_str(&format!(" ({left_out} more were refused since the last that was told)"));
        }
        let what = format!("{} {}", write.method, write.uri.path());
        let what = harmless(&what, PATH).into_owned();
        Some(Told { what, why })
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::call::Through;

    use super::*;

    fn caller(name: &str) -> Caller {
        Caller {
            by: Some(name.into()),
            through: Through::Token,
            from: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_told_of_in_part_and_counted_and_hides_no_other_caller() {
        let refusals = Refusals::new();
        let write = Write::of(&Method::DELETE, &Uri::from_static("/api/v1/jobs/a/b/c")).unwrap();
        let told = (0..1_000).filter_map(|_| refusals.tell(&write, &caller("eye"), "no\u{202e}"));
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), 20);
        assert_eq!(told[0].what, "DELETE /api/v1/jobs/a/b/c");
        assert_eq!(told[0].why, "no\\u{202e}");
        let other = refusals.tell(&write, &caller("bot"), "no").unwrap();
        assert_eq!(other.why, "no (980 more were refused since the last that was told)");
        // Whoever comes by many names fills no more than there is room for.
        let many = (0..1_000).filter_map(|number| refusals.tell(&write, &caller(&number.to_string()), "no"));
        assert_eq!(many.count(), 200 - 21);
        tokio::time::advance(OF_CALLER.1).await;
        assert!(refusals.tell(&write, &caller("eye"), "no").is_some());
    }

    #[test]
    fn what_reads_is_no_write() {
        let uri = Uri::from_static("/");
        assert!(Write::of(&Method::GET, &uri).is_none() && Write::of(&Method::HEAD, &uri).is_none());
        assert!(Write::of(&Method::PUT, &uri).is_some());
    }
}
