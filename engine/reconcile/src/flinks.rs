//! Which Flinks answer their polls, and since when the others are silent.

use std::collections::BTreeMap;

use steadfast_core::evidence::{Fault, Observation, Observed};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::time::Timestamp;

/// Whether a Flink answers its polls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answering {
    /// It does, since then.
    Answers { since: Timestamp },
    /// It does not, since a poll that was asked then; why is of the newest.
    Silent { since: Timestamp, fault: Fault },
}

/// How many Flinks of a cluster should answer, and how many of those do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlinkCounts {
    /// Those that were polled, and whose jobs have not all ended.
    pub watched: u64,
    /// Those of them whose last poll had no usable answer.
    pub silent: u64,
    /// Since when the one gives none that has given none the longest.
    pub silent_since: Option<Timestamp>,
}

/// Every Flink that was polled. One that was not is neither silent nor answering.
#[derive(Debug, Default)]
pub(crate) struct Flinks {
    by_target: BTreeMap<TargetId, Answering>,
}

impl Flinks {
    /// Takes in what came of a poll. Says whether the Flink fell silent or answers again; its first poll counts if it failed.
    pub(crate) fn note(&mut self, id: &TargetId, poll: &Observation<FlinkOverview>) -> bool {
        let before = self.by_target.get(id);
        let (next, changed) = match (&poll.answer, before) {
            (Observed::Unknown(fault), before) => {
                let since = match before {
                    Some(Answering::Silent { since, .. }) => Some(*since),
                    Some(Answering::Answers { .. }) | None => None,
                };
                let silent = Answering::Silent {
                    since: since.unwrap_or(poll.asked_at),
                    fault: fault.clone(),
                };
                (silent, since.is_none())
            }
            (Observed::Present(_) | Observed::Absent, Some(Answering::Answers { .. })) => return false,
            (Observed::Present(_) | Observed::Absent, before) => {
                let since = poll.observed_at;
                (Answering::Answers { since }, before.is_some())
            }
        };
        self.by_target.insert(id.clone(), next);
        changed
    }

    /// It is not polled any more.
    pub(crate) fn forget(&mut self, id: &TargetId) {
        self.by_target.remove(id);
    }

    pub(crate) fn get(&self, id: &TargetId) -> Option<&Answering> {
        self.by_target.get(id)
    }

    /// Those of a cluster.
    pub(crate) fn of_cluster(&self, cluster: &ClusterName) -> impl Iterator<Item = (&TargetId, &Answering)> {
        self.by_target.iter().filter(move |(id, _)| id.cluster == *cluster)
    }

    /// By cluster, how many of those that should answer are silent.
    pub(crate) fn counts(&self, is_expected: impl Fn(&TargetId) -> bool) -> BTreeMap<ClusterName, FlinkCounts> {
        let mut counts: BTreeMap<ClusterName, FlinkCounts> = BTreeMap::new();
        for (id, answering) in self.by_target.iter().filter(|(id, _)| is_expected(id)) {
            let count = counts.entry(id.cluster.clone()).or_default();
            count.watched += 1;
            if let Answering::Silent { since, .. } = answering {
                count.silent += 1;
                let before = count.silent_since.get_or_insert(*since);
                *before = (*before).min(*since);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::evidence::FaultKind;
    use steadfast_core::testing::at;

    use super::*;

    fn polled(answer: Observed<FlinkOverview>, asked: i64) -> Observation<FlinkOverview> {
        Observation::new(answer, at(asked), at(asked + 1))
    }

    fn silent(asked: i64) -> Observation<FlinkOverview> {
        polled(Observed::Unknown(Fault::new(FaultKind::Refused, "no")), asked)
    }

    #[test]
    fn silence_lasts_from_the_first_poll_without_an_answer_to_the_first_with_one() {
        let (mut flinks, id) = (Flinks::default(), TargetId::standalone("a"));
        assert!(
            !flinks.note(&id, &polled(Observed::Absent, 0)),
            "it answers from the start"
        );
        assert!(flinks.note(&id, &silent(10)));
        assert!(!flinks.note(&id, &silent(20)));
        let Some(Answering::Silent { since, .. }) = flinks.get(&id) else {
            panic!("{flinks:?}")
        };
        assert_eq!(*since, at(10));
        assert!(flinks.note(&id, &polled(Observed::Absent, 30)));
        assert_eq!(flinks.get(&id), Some(&Answering::Answers { since: at(31) }));
    }

    #[test]
    fn only_those_that_should_answer_are_counted() {
        let mut flinks = Flinks::default();
        let [a, b, ended] = ["a", "b", "ended"].map(TargetId::standalone);
        flinks.note(&a, &silent(0));
        flinks.note(&b, &polled(Observed::Absent, 0));
        flinks.note(&ended, &silent(0));
        let counts = flinks.counts(|id| *id != ended);
        assert_eq!(
            counts.into_values().collect::<Vec<_>>(),
            [FlinkCounts {
                watched: 2,
                silent: 1,
                silent_since: Some(at(0))
            }]
        );
    }
}
