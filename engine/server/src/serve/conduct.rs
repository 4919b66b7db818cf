//! What a connection does: whether it is idle, and how long its answers have been under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::Limits;
use super::seats::Place;

/// What a connection does.
#[derive(Debug)]
pub(super) struct Conduct {
    doing: Mutex<Doing>,
    make_room: CancellationToken,
    finish: CancellationToken,
}

#[derive(Debug)]
struct Doing {
    has_asked: bool,
    /// Since when nothing is under way.
    idle_since: Instant,
    answers: BTreeMap<u64, Answer>,
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    began: Instant,
    /// When something of its body was asked for last.
    taken_at: Instant,
    kind: Kind,
}

/// What kind of answer is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One that ends.
    Whole,
    /// A stream, which need not end.
    Stream,
}

/// A request under way, until its answer was taken or thrown away.
#[derive(Debug)]
pub(super) struct UnderWay {
    conduct: Arc<Conduct>,
    number: u64,
}

impl Conduct {
    pub(super) fn new() -> Self {
        Self {
            doing: Mutex::new(Doing {
                has_asked: false,
                idle_since: Instant::now(),
                answers: BTreeMap::new(),
                next: 0,
            }),
            make_room: CancellationToken::new(),
            finish: CancellationToken::new(),
        }
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        let now = Instant::now();
        let mut doing = self.doing();
        let number = doing.next;
        doing.next += 1;
        doing.has_asked = true;
        doing.answers.insert(
            number,
            Answer {
                began: now,
                taken_at: now,
                kind: Kind::Whole,
            },
        );
        drop(doing);
        UnderWay {
            conduct: Arc::clone(self),
            number,
        }
    }

    /// Since when nothing is under way, if nothing is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let doing = self.doing();
        doing.answers.is_empty().then_some(doing.idle_since)
    }

    /// Its place is another's.
    pub(super) fn make_room(&self) {
        self.make_room.cancel();
    }

    /// Ends when its place is another's.
    pub(super) fn is_gone(&self) -> WaitForCancellationFuture<'_> {
        self.make_room.cancelled()
    }

    /// It is to take no further request.
    pub(super) fn finish(&self) {
        self.finish.cancel();
    }

    /// Ends when it is to take no further request.
    pub(super) fn is_to_finish(&self) -> WaitForCancellationFuture<'_> {
        self.finish.cancelled()
    }

    #[cfg(test)]
    pub(super) fn is_to_go(&self) -> bool {
        self.make_room.is_cancelled()
    }

    /// Whether its client has taken too long with something.
    pub(super) fn is_overdue(&self, limits: &Limits, place: Place) -> bool {
        let doing = self.doing();
        let now = Instant::now();
        let patience = match (doing.has_asked, place) {
            (true, _) => limits.idle,
            (false, Place::Common) => limits.first,
            (false, Place::Kept) => limits.first_kept,
        };
        let stands_idle = doing.answers.is_empty() && now - doing.idle_since >= patience;
        stands_idle
            || doing.answers.values().any(|answer| match answer.kind {
                Kind::Whole => now - answer.began >= limits.answer,
                Kind::Stream => now - answer.taken_at >= limits.unread,
            })
    }
}

impl UnderWay {
    /// What its answer is.
    pub(super) fn is(&self, kind: Kind) {
        self.note(|answer| answer.kind = kind);
    }

    /// The client takes more of the answer.
    pub(super) fn is_taken(&self) {
        let now = Instant::now();
        self.note(|answer| answer.taken_at = now);
    }

    fn note(&self, change: impl FnOnce(&mut Answer)) {
        if let Some(answer) = self.conduct.doing().answers.get_mut(&self.number) {
            change(answer);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut doing = self.conduct.doing();
        doing.answers.remove(&self.number);
        doing.idle_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    const LIMITS: Limits = Limits {
        connections: 1,
        kept: 1,
        first: Duration::from_secs(10),
        first_kept: Duration::from_secs(2),
        idle: Duration::from_secs(60),
        answer: Duration::from_secs(120),
        unread: Duration::from_secs(60),
    };

    #[tokio::test(start_paused = true)]
    async fn each_step_has_its_time() {
        let conduct = Arc::new(Conduct::new());
        let is_overdue = |conduct: &Conduct| conduct.is_overdue(&LIMITS, Place::Common);
        advance(Duration::from_secs(2)).await;
        assert!(!is_overdue(&conduct) && conduct.is_overdue(&LIMITS, Place::Kept));
        advance(Duration::from_secs(8)).await;
        assert!(is_overdue(&conduct), "no request came");
        let under_way = conduct.begin();
        advance(Duration::from_secs(119)).await;
        assert!(!is_overdue(&conduct) && conduct.idle_since().is_none());
        advance(Duration::from_secs(1)).await;
        assert!(is_overdue(&conduct), "the answer was not taken");
        under_way.is(Kind::Stream);
        under_way.is_taken();
        advance(Duration::from_secs(59)).await;
        assert!(!is_overdue(&conduct), "a stream goes on");
        advance(Duration::from_secs(1)).await;
        assert!(is_overdue(&conduct), "and is read");
        drop(under_way);
        assert!(!is_overdue(&conduct));
        advance(Duration::from_secs(60)).await;
        assert!(is_overdue(&conduct), "it stands idle");
    }
}
