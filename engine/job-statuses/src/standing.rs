//! How a keeper stands, for `/readyz` and the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steadfast_core::id::Namespace;
use steadfast_core::time::Timestamp;

use crate::trouble::{Trouble, Verb};

/// Since when a cluster does not take what is written, and what it says. A clone is the same one.
#[derive(Clone, Debug, Default)]
pub struct Standing(Arc<Mutex<BTreeMap<What, Failing>>>);

/// What fails: a verb, in one namespace or in the whole cluster.
type What = (Verb, Option<Namespace>);

#[derive(Debug)]
struct Failing {
    since: Timestamp,
    why: String,
    trouble: Trouble,
}

impl Standing {
    /// Since when, and why, something fails that holds up more than one resource; `None`: nothing does.
    pub fn failing(&self) -> Option<(Timestamp, String)> {
        let failing = self.lock();
        let first = failing.values().min_by_key(|failing| failing.since)?;
        Some((first.since, first.why.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<What, Failing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether that is news: nothing like it is known, in this namespace or in another.
    pub(crate) fn fails(&self, now: Timestamp, trouble: Trouble, what: What, why: &str) -> bool {
        let mut failing = self.lock();
        let is_known = |(known, of): (&What, &Failing)| known.0 == what.0 && of.trouble == trouble;
        let is_news = !failing.iter().any(is_known);
        let since = failing.get(&what).map_or(now, |known| known.since);
        let why = why.to_owned();
        failing.insert(what, Failing { since, why, trouble });
        is_news
    }

    /// Something was taken, so the cluster as a whole is not in trouble, nor is that verb in that namespace. Whether that is news:
    /// something did fail, and nothing does any more.
    pub(crate) fn works(&self, verb: Verb, namespace: &Namespace) -> bool {
        let mut failing = self.lock();
        let before = failing.len();
        failing.retain(|(known, place), _| place.as_ref().is_some_and(|place| place != namespace || *known != verb));
        failing.len() < before && failing.is_empty()
    }

    /// All resources were listed: what is still in trouble shows it again, and what is gone cannot. Whether that is news: they could
    /// not be listed.
    pub(crate) fn begins_anew(&self) -> bool {
        std::mem::take(&mut *self.lock())
            .keys()
            .any(|(verb, _)| *verb == Verb::List)
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::testing::at;

    use super::*;

    #[test]
    fn what_fails_is_news_once_and_over_when_nothing_fails_any_more() {
        let standing = Standing::default();
        let [a, b] = ["a", "b"].map(Namespace::new);
        let no_right = |what: &Namespace, now| {
            standing.fails(
                at(now),
                Trouble::Namespace,
                (Verb::Apply, Some(what.clone())),
                "patch: no",
            )
        };
        assert!(no_right(&a, 1));
        assert!(
            !no_right(&a, 2) && !no_right(&b, 3),
            "the same in another namespace is no news"
        );
        assert!(standing.fails(at(4), Trouble::Cluster, (Verb::ApplyStatus, None), "503"));
        assert_eq!(standing.failing(), Some((at(1), "patch: no".to_owned())));
        // The cluster answers again, whatever it was asked.
        assert!(!standing.works(Verb::Delete, &b));
        assert!(!standing.works(Verb::Apply, &a));
        assert_eq!(standing.failing().map(|(since, _)| since), Some(at(3)));
        assert!(standing.works(Verb::Apply, &b) && !standing.works(Verb::Apply, &b));
        assert!(no_right(&a, 9) && !standing.begins_anew());
        assert_eq!(standing.failing(), None);
        assert!(standing.fails(at(10), Trouble::NotInstalled, (Verb::List, None), "404") && standing.begins_anew());
    }
}
