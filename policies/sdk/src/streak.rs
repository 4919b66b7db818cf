//! Complete answers in a row that lack something.

use serde::{Deserialize, Serialize};

use crate::{Looks, Millis, Timestamp};

/// Counts complete answers in a row. Keep it in the policy's memory, and begin anew when the thing is seen again.
///
/// ```
/// # use steadfast_policy::{Looks, Millis, Streak};
/// # let answer = |at: i64| Looks { asked_at: at, observed_at: at + 200, known_at: Some(at), unknown_since: None, failures: 0 };
/// let mut missing = None;
/// for at in [0, 0, 60_000] {
///     missing = Some(Streak::count(missing, &answer(at)));
/// }
/// let missing = missing.unwrap();
/// assert_eq!((missing.answers, missing.spans()), (2, Millis::new(59_800)), "one answer counts once");
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

    /// The time that the answers certainly span: from the first one's arrival to the last one's asking.
    pub fn spans(&self) -> Millis {
        Millis::between(self.first, self.last)
    }
}
