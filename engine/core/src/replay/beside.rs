//! Two ways of one job, snapshot by snapshot: from when to when they show something else.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::shown::{Apart, Shown};
use crate::time::Timestamp;

/// What a way showed after one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Showing {
    /// When the snapshot was taken.
    pub at: Timestamp,
    /// `None`: it is not known, as earlier builds kept of decisions their transitions alone.
    pub shown: Option<Arc<Shown>>,
}

/// Something that two ways show otherwise, from one snapshot to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What.
    pub what: Apart,
    /// The first snapshot at which they differ so.
    pub from: Timestamp,
    /// The first at which they do not any more; `None`: they do at the last.
    pub until: Option<Timestamp>,
}

/// From when to when two ways through the same snapshots differ, and in what; the oldest first, and of one moment the gravest.
/// Where one of them is not known, nothing is said.
pub fn beside(first: &[Showing], second: &[Showing]) -> Vec<Span> {
    let mut open: BTreeMap<Apart, Timestamp> = BTreeMap::new();
    let mut spans = Vec::new();
    for (first, second) in first.iter().zip(second) {
        let at = second.at;
        let both = first.shown.as_deref().zip(second.shown.as_deref());
        let apart = both
            .map(|(first, second)| Apart::all(first, second))
            .unwrap_or_default();
        let over = open.extract_if(.., |what, _| !apart.contains(what));
        spans.extend(over.map(|(what, from)| Span {
            what,
            from,
            until: Some(at),
        }));
        for what in apart {
            open.entry(what).or_insert(at);
        }
    }
    let left = open.into_iter().map(|(what, from)| Span {
        what,
        from,
        until: None,
    });
    spans.extend(left);
    spans.sort_by(|a, b| (a.from, &a.what).cmp(&(b.from, &b.what)));
    spans
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lookup::LookupSource;
    use crate::record::AlertScope;
    use crate::shown::{Looks, Pair, ShownAlert, Side};
    use crate::state::JobState;
    use crate::testing::{at, decision, shown};

    fn way(showings: impl IntoIterator<Item = Option<Shown>>) -> Vec<Showing> {
        let showings = showings.into_iter().zip(1..);
        showings
            .map(|(shown, second)| Showing {
                at: at(second),
                shown: shown.map(Arc::new),
            })
            .collect()
    }

    fn plain() -> Shown {
        shown(&decision(JobState::Running), 1)
    }

    fn alerting() -> Shown {
        Shown {
            alerts: vec![alert()],
            ..plain()
        }
    }

    fn alert() -> ShownAlert {
        ShownAlert {
            name: "JobFailed".to_owned(),
            scope: AlertScope::Job,
        }
    }

    fn span(what: Apart, from: i64, until: Option<i64>) -> Span {
        Span {
            what,
            from: at(from),
            until: until.map(at),
        }
    }

    #[test]
    fn an_alert_that_one_raises_later_and_resolves_later_is_two_spans() {
        let early = way([plain(), alerting(), alerting(), plain(), plain()].map(Some));
        let late = way([plain(), plain(), alerting(), alerting(), plain()].map(Some));
        assert_eq!(
            beside(&early, &late),
            [
                span(Apart::Alert(alert(), Side::First), 2, Some(3)),
                span(Apart::Alert(alert(), Side::Second), 4, Some(5)),
            ]
        );
    }

    #[test]
    fn what_differs_at_the_last_snapshot_has_no_end_and_each_thing_is_apart_by_itself() {
        let slow = |mut shown: Shown| {
            shown.looks = shown.looks.map(|looks| Looks {
                poll_after: looks.poll_after * 12,
                wanted: vec![LookupSource::Events],
                ..looks
            });
            shown
        };
        let first = way([plain(), plain(), plain()].map(Some));
        let second = way([plain(), slow(plain()), slow(alerting())].map(Some));
        let poll = Pair {
            first: Duration::from_secs(5),
            second: Duration::from_secs(60),
        };
        assert_eq!(
            beside(&first, &second),
            [
                span(Apart::Poll(poll), 2, None),
                span(Apart::Lookup(LookupSource::Events, Side::Second), 2, None),
                span(Apart::Alert(alert(), Side::Second), 3, None),
            ]
        );
    }

    #[test]
    fn of_what_is_not_known_nothing_is_said() {
        let known = way([alerting(), plain()].map(Some));
        let unknown = way([None, Some(plain())]);
        assert_eq!(beside(&unknown, &known), []);
        assert_eq!(beside(&[], &known), []);
    }
}
