//! `[[sink]] select`: which events a sink is told of.

use std::collections::BTreeMap;

use steadfast_core::glob::glob_matches;
use steadfast_core::id::TargetId;
use steadfast_core::journal::{Entry, Event};
use steadfast_core::labels::Labels;
use steadfast_core::record::AlertScope;
use steadfast_core::state::JobState;

/// Which events a sink is told of. In names `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Any of these must match the Kubernetes cluster; `-` is that of standalone jobs.
    pub cluster: Vec<String>,
    /// Any of these must match the namespace.
    pub namespace: Vec<String>,
    /// Any of these must match the name.
    pub name: Vec<String>,
    /// Each of these labels of the Deployment must match.
    pub labels: BTreeMap<String, String>,
    /// Transitions into one of these states; none: into any. Says nothing of alerts.
    pub states: Vec<JobState>,
    /// What is told at all.
    pub events: Events,
}

/// What a sink is told at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Transitions and alerts.
    All,
    /// Alerts alone.
    Alerts,
}

impl Selection {
    /// Selects each of those events.
    pub fn all(events: Events) -> Self {
        let any = || vec!["*".to_owned()];
        Self {
            cluster: any(),
            namespace: any(),
            name: any(),
            labels: BTreeMap::new(),
            states: Vec::new(),
            events,
        }
    }

    /// Whether it selects this entry of the journal, about a job with those labels. What is silenced no sink is told of. A job that was forgotten has none that are
    /// known: what became of it is told rather than lost.
    pub fn selects(&self, entry: &Entry, labels: Option<&Labels>) -> bool {
        match &entry.event {
            Event::Transition(transition) => {
                self.events == Events::All
                    && (self.states.is_empty() || self.states.contains(&transition.to))
                    && self.covers(AlertScope::Job, &entry.key.target, labels)
            }
            Event::Alert(alert) => !alert.silenced && self.covers(alert.scope, &entry.key.target, labels),
            Event::Update(_) | Event::Called(_) | Event::Forgotten => false,
        }
    }

    /// Whether it selects what has that scope. What is about a cluster is told with one of its jobs, and what is about a policy
    /// with any: which one that is must not decide who hears of it.
    pub fn covers(&self, scope: AlertScope, target: &TargetId, labels: Option<&Labels>) -> bool {
        match scope {
            AlertScope::Policy => true,
            AlertScope::Cluster => any_matches(&self.cluster, target.cluster.as_str()),
            AlertScope::Job => {
                any_matches(&self.cluster, target.cluster.as_str())
                    && any_matches(&self.namespace, target.namespace.as_str())
                    && any_matches(&self.name, &target.name)
                    && labels.is_none_or(|labels| self.matches_labels(labels))
            }
        }
    }

    fn matches_labels(&self, labels: &Labels) -> bool {
        self.labels
            .iter()
            .all(|(name, glob)| labels.get(name).is_some_and(|value| glob_matches(glob, value)))
    }
}

fn any_matches(globs: &[String], text: &str) -> bool {
    globs.iter().any(|glob| glob_matches(glob, text))
}

#[cfg(test)]
mod tests {
    use steadfast_core::alert::AlertStatus;

    use super::*;
    use crate::sinks::testing::{alert, entry};
    use crate::testing::moved;

    fn labels(team: &str) -> Labels {
        BTreeMap::from([("team".to_owned(), team.to_owned())]).into()
    }

    fn payments() -> Selection {
        Selection {
            namespace: vec!["prod-*".to_owned()],
            labels: BTreeMap::from([("team".to_owned(), "pay*".to_owned())]),
            states: vec![JobState::Failed],
            ..Selection::all(Events::All)
        }
    }

    #[test]
    fn a_transition_must_match_everything() {
        let failed = || moved(JobState::Running, JobState::Failed);
        for (job, team, event, is_selected) in [
            ("a/prod-1/orders", "payments", failed(), true),
            ("a/test/orders", "payments", failed(), false),
            ("a/prod-1/orders", "search", failed(), false),
            (
                "a/prod-1/orders",
                "payments",
                moved(JobState::Failed, JobState::Running),
                false,
            ),
        ] {
            let entry = entry(1, job, event);
            assert_eq!(
                payments().selects(&entry, Some(&labels(team))),
                is_selected,
                "{entry:?} {team}"
            );
        }
        assert!(!payments().selects(&entry(1, "a/prod-1/x", failed()), Some(&Labels::default())));
    }

    #[test]
    fn states_say_nothing_of_alerts_and_alerts_alone_leave_transitions_out() {
        let selection = Selection {
            events: Events::Alerts,
            ..payments()
        };
        let fired = entry(
            1,
            "a/prod-1/orders",
            alert("JobFailed", AlertScope::Job, AlertStatus::Firing),
        );
        assert!(selection.selects(&fired, Some(&labels("payments"))));
        let failed = entry(1, "a/prod-1/orders", moved(JobState::Running, JobState::Failed));
        assert!(!selection.selects(&failed, Some(&labels("payments"))));
    }

    #[test]
    fn what_is_about_all_jobs_does_not_go_by_the_one_it_was_told_with() {
        let selection = Selection {
            cluster: vec!["a".to_owned()],
            ..payments()
        };
        let about = |cluster: &str, scope| {
            let alert = alert("FlinkUnreachable", scope, AlertStatus::Firing);
            entry(1, &format!("{cluster}/test/other"), alert)
        };
        assert!(selection.selects(&about("a", AlertScope::Cluster), Some(&labels("search"))));
        assert!(!selection.selects(&about("b", AlertScope::Cluster), None));
        assert!(selection.selects(&about("b", AlertScope::Policy), None));
        assert!(!selection.selects(&about("a", AlertScope::Job), None));
    }

    #[test]
    fn the_end_of_a_forgotten_job_is_told_though_its_labels_are_gone() {
        let failed = entry(1, "a/prod-1/orders", moved(JobState::Running, JobState::Failed));
        assert!(payments().selects(&failed, None));
    }

    #[test]
    fn what_is_silenced_no_sink_is_told_of() {
        for scope in [AlertScope::Job, AlertScope::Cluster, AlertScope::Policy] {
            for status in [AlertStatus::Firing, AlertStatus::Resolved] {
                let Event::Alert(mut told) = alert("JobFailed", scope, status) else {
                    panic!()
                };
                told.silenced = true;
                let entry = entry(1, "a/prod-1/orders", Event::Alert(told));
                assert!(
                    !Selection::all(Events::All).selects(&entry, None),
                    "{scope:?} {status:?}"
                );
            }
        }
    }
}
