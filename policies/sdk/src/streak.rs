//! Complete answers in a row that lack something.

use serde::{Deserialize, Serialize};

use crate::{Looks, Millis, Snapshot, Timestamp};

/// Counts complete answers in a row. Keep it in the policy's memory, and begin anew when the thing is seen again.
///
/// ```
/// # use steadfast_policy::{Instance, JobState, Looks, Millis, Streak, testing};
/// # let mut snapshot = testing::job("orders").running().snapshot();
/// # snapshot.engine_since = 0;
/// # let answer = |at: i64| Looks { asked_at: at, observed_at: at + 200, known_at: Some(at), unknown_since: None, failures: 0 };
/// let mut missing = None;
/// for at in [0, 0, 60_000] {
///     missing = Some(Streak::count(missing, &answer(at)));
/// }
/// let missing = missing.unwrap();
/// assert_eq!((missing.answers, missing.spans(&snapshot)), (2, Millis::new(59_800)), "one answer counts once");
///
/// // An engine that starts in between counts the time from there on.
/// snapshot.engine_since = 50_000;
/// assert_eq!(missing.spans(&snapshot), Millis::new(10_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// When the first of them arrived.
    pub first: Timestamp,
    /// When the last one was asked for: what it says is no older.
    pub last: Timestamp,
    /// How many.
    pub answers: u32,
}

impl Streak {
    /// Counts the answer of a look; one already counted is not counted again. Only for complete answers: an error is
    /// part of no streak.
    pub fn count(streak: Option<Self>, looks: &Looks) -> Self {
        match streak {
            None => Self {
                first: looks.observed_at,
                last: looks.asked_at,
                answers: 1,
            },
            Some(streak) if looks.asked_at > streak.last => Self {
                last: looks.asked_at,
                answers: streak.answers.saturating_add(1),
                ..streak
            },
            Some(streak) => streak,
        }
    }

    /// Since when this engine has watched it: since the first answer arrived, or since the engine started, whose clock may be
    /// another than that of the engine before.
    pub fn watched_since(&self, snapshot: &Snapshot) -> Timestamp {
        self.first.max(snapshot.engine_since)
    }

    /// The time that the answers certainly span while this engine watched: from the first one's arrival to the last one's
    /// asking.
    pub fn spans(&self, snapshot: &Snapshot) -> Millis {
        Millis::between(self.watched_since(snapshot), self.last)
    }
}
