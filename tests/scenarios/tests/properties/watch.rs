//! A watch is never without a next time, and what is decided is written down.

use std::time::Duration;

use steadfast_core::projection::JobView;
use steadfast_core::state::Attention;
use steadfast_core::time::Timestamp;
use steadfast_simulate::Sight;

/// Nothing is due later than this: validation, the pace of ended jobs and the longest `Retry-After` are a minute.
const LATEST: Duration = Duration::from_secs(61);
/// A look is awaited for at most so long: a list, and what is asked because of it, each for a timeout; it may wait its turn.
const AWAITED: Duration = Duration::from_secs(8);
/// By then an engine that starts has judged every job.
const STARTS: i64 = 20_000;

/// Why a job that is shown so is not watched.
pub fn objection(view: &JobView, sight: &Sight<'_>) -> Option<String> {
    let (at, now) = (sight.at, sight.engine_now);
    let key = &view.record.key;
    let is_new = at.as_millis() - sight.started_at.as_millis() < STARTS;
    let wrong = |why: String| Some(format!("{key} at {at}: {why}"));
    if let Some(since) = view.watch.unwritten_since {
        return wrong(format!("the store does not take what is decided, since {since}"));
    }
    let misplaced = |due: Timestamp| due.since(now) > LATEST || now.since(due) > AWAITED;
    match (view.watch.next_review_at, view.watch.next_poll_at) {
        (None, None) => wrong("it is neither reviewed nor polled any more".into()),
        (None, Some(_)) if !is_new => wrong("it is not reviewed any more".into()),
        (Some(_), None) if view.record.attention == Attention::Active => {
            wrong("it is active, and not polled any more".into())
        }
        (review, poll) => review
            .into_iter()
            .chain(poll)
            .find(|due| misplaced(*due))
            .and_then(|due| wrong(format!("its next time is {due}, and it is {now}"))),
    }
}
