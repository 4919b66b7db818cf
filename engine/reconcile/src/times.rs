//! What the journal's own times tell of the time that it is.

use steadfast_core::journal::{EntriesOf, Journal, JournalError, Sequence};
use steadfast_core::time::Timestamp;

use crate::steady_clock::SETTLES;

/// The times of the journal's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// That of the newest entry.
    pub(crate) newest: Timestamp,
    /// The time that has certainly come: the newest entry's, unless a gap lies before it that is longer than a day and not a day
    /// old. An engine that starts with a clock years ahead leaves such a gap, with entries of its own behind it.
    pub(crate) settled: Timestamp,
}

impl Times {
    /// Of a journal whose newest entry is at that place; `None` if it has none.
    pub(crate) async fn on_record(journal: &dyn Journal, newest: Sequence) -> Result<Option<Self>, JournalError> {
        Self::of(newest, async |place: Sequence| {
            let before = Sequence(place.0.saturating_sub(1));
            let entries = journal.entries(EntriesOf::Everything, before, 1).await?;
            Ok(entries.first().map(|entry| (entry.sequence, entry.at)))
        })
        .await
    }

    /// The same, where `entry_from` tells the first entry at a place or after it, and when it was written.
    async fn of(
        newest: Sequence,
        entry_from: impl AsyncFn(Sequence) -> Result<Option<(Sequence, Timestamp)>, JournalError>,
    ) -> Result<Option<Self>, JournalError> {
        let Some((_, at)) = entry_from(newest).await? else {
            return Ok(None);
        };
        let settled = match gap(newest, at, entry_from).await? {
            Some((begins, ends)) if ends.since(begins) > SETTLES => begins.after(at.since(ends)),
            Some(_) | None => at,
        };
        Ok(Some(Self { newest: at, settled }))
    }
}

/// When the last entry was written that is older than the newest by more than a day, and the one after it. By halves, since a busy
/// day has many entries.
async fn gap(
    newest: Sequence,
    at: Timestamp,
    entry_from: impl AsyncFn(Sequence) -> Result<Option<(Sequence, Timestamp)>, JournalError>,
) -> Result<Option<(Timestamp, Timestamp)>, JournalError> {
    let edge = at.before(SETTLES);
    let mut older: Option<(Sequence, Timestamp)> = None;
    let mut younger = (newest, at);
    loop {
        let low = older.map_or(0, |(place, _)| place.0);
        let middle = Sequence(low + younger.0.0.saturating_sub(low) / 2);
        if middle.0 <= low {
            return Ok(older.map(|(_, begins)| (begins, younger.1)));
        }
        match entry_from(middle).await? {
            Some(entry) if entry.1 < edge => older = Some(entry),
            Some((_, at)) => younger = (middle, at),
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;
    const HOUR: i64 = DAY / 24;

    /// What a journal of entries with these sequences and times tells.
    async fn times(entries: &[(u64, i64)]) -> Option<(i64, i64)> {
        let newest = Sequence(entries.last().map_or(0, |(sequence, _)| *sequence));
        let entry_from = async |place: Sequence| {
            let entry = entries.iter().find(|(sequence, _)| *sequence >= place.0);
            Ok(entry.map(|(sequence, at)| (Sequence(*sequence), Timestamp::from_millis(*at))))
        };
        let times = Times::of(newest, entry_from).await.unwrap()?;
        Some((times.newest.as_millis(), times.settled.as_millis()))
    }

    #[tokio::test]
    async fn what_comes_after_a_long_gap_is_settled_once_it_is_a_day_old() {
        let now = 20_000 * DAY;
        let years = 3650 * DAY;
        let steady: Vec<(u64, i64)> = (1..=500)
            .map(|n| (n * 3, now + i64::try_from(n).unwrap() * HOUR))
            .collect();
        let end = now + 500 * HOUR;
        assert_eq!(times(&[]).await, None);
        assert_eq!(times(&[(7, now)]).await, Some((now, now)));
        assert_eq!(times(&steady).await, Some((end, end)));
        for own in [1, 2, 40] {
            let mut wrong = steady.clone();
            wrong.extend((0..own).map(|n| (1600 + n, end + years + i64::try_from(n).unwrap() * 1000)));
            let ran = i64::try_from(own - 1).unwrap() * 1000;
            assert_eq!(times(&wrong).await, Some((end + years + ran, end + ran)), "{own}");
            wrong.extend([(1700, end + years + 12 * HOUR), (1701, end + years + DAY + HOUR)]);
            let newest = end + years + DAY + HOUR;
            assert_eq!(
                times(&wrong).await,
                Some((newest, newest)),
                "an engine ran on for a day"
            );
        }
    }
}
