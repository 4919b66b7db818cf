//! Evidence that is looked up only when a policy asks for it: one look at a time, with pauses after faults.

use steadfast_core::decision::{Want, WantedSource};
use steadfast_core::evidence::Evidence;
use steadfast_core::facts::{JobEnd, Pod};
use steadfast_core::id::JobKey;
use steadfast_core::time::Timestamp;
use steadfast_sources::job_results::ResultQuery;
use steadfast_sources::kubernetes::LogOf;

use super::Reactor;
use crate::looks::{Look, Wanted, WantedAnswer};

/// How the look-ups of one source for one job stand.
#[derive(Debug, Default)]
pub(super) struct LookState {
    under_way: UnderWay,
    failures: u32,
    /// The next attempt is not made before.
    not_before: Option<Timestamp>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum UnderWay {
    #[default]
    No,
    Yes,
}

impl LookState {
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way == UnderWay::Yes
    }

    pub(super) fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }
}

impl Reactor {
    /// Begins the looks a policy wants and does not have, or plans them for when they are due.
    pub(super) fn want(&mut self, key: &JobKey, wanted: &[Want], now: Timestamp) {
        for want in wanted {
            if self.is_satisfied(key, want) {
                continue;
            }
            if want.observed_after >= now {
                self.reviews.bring_forward(
                    key.clone(),
                    want.observed_after.after(std::time::Duration::from_millis(1)),
                );
                continue;
            }
            if want.source == WantedSource::Kubernetes {
                let cluster = key.target.cluster.clone();
                self.awaiting_lists
                    .entry(cluster.clone())
                    .or_default()
                    .insert(key.clone());
                self.looks.push(Look::Lists {
                    cluster,
                    after: want.observed_after,
                });
                continue;
            }
            if let Some(wait) = self
                .wanted
                .get(&(key.clone(), want.source))
                .and_then(|look| look.not_before)
                && wait > now
            {
                self.reviews.bring_forward(key.clone(), wait);
                continue;
            }
            if let Some(what) = self.wanted_look(key, want.source)
                && self.look_begins(key, &what)
            {
                self.looks.push(Look::Wanted { key: key.clone(), what });
            }
        }
    }

    /// Whether the newest evidence is from a look as late as the policy wants, or nothing new can come: an end that was
    /// told stays told, for this attempt.
    pub(super) fn is_satisfied(&self, key: &JobKey, want: &Want) -> bool {
        let is_recent = self
            .asked_at(key, want.source)
            .is_some_and(|asked| asked > want.observed_after);
        is_recent || self.is_settled(key, want.source)
    }

    fn is_settled(&self, key: &JobKey, source: WantedSource) -> bool {
        let Some(job) = self.board.job(key) else { return false };
        match source {
            WantedSource::LastWords => is_told(&job.last_words),
            WantedSource::Archive => is_told(&job.archive),
            WantedSource::Exceptions
            | WantedSource::Checkpoints
            | WantedSource::Kubernetes
            | WantedSource::HaData
            | WantedSource::Events
            | WantedSource::TaskManagers => false,
        }
    }

    /// When the look that gave the newest evidence of a source began.
    fn asked_at(&self, key: &JobKey, source: WantedSource) -> Option<Timestamp> {
        fn asked<T>(slot: Option<&Evidence<T>>) -> Option<Timestamp> {
            slot.map(|evidence| evidence.asked_at)
        }
        let job = self.board.job(key);
        let target = self.board.target(&key.target);
        match source {
            WantedSource::Exceptions => asked(job?.exceptions.as_ref()),
            WantedSource::Checkpoints => asked(job?.checkpoints.as_ref()),
            WantedSource::LastWords => asked(job?.last_words.as_ref()),
            WantedSource::Archive => asked(job?.archive.as_ref()),
            WantedSource::HaData => asked(target?.ha_data.as_ref()),
            WantedSource::Events => asked(target?.events.as_ref()),
            WantedSource::TaskManagers => asked(target?.task_managers.as_ref()),
            WantedSource::Kubernetes => {
                let place = self.targets.get(&key.target)?.place.as_ref()?;
                self.board
                    .kubernetes(&key.target.cluster)?
                    .deployment(place)
                    .map(|evidence| evidence.asked_at)
            }
        }
    }

    fn wanted_look(&self, key: &JobKey, source: WantedSource) -> Option<Wanted> {
        let incarnation = &self.records.get(key)?.incarnation;
        let job = incarnation.flink_job_id;
        let cluster = key.target.cluster.clone();
        let place = self.targets.get(&key.target)?.place.clone();
        Some(match source {
            WantedSource::Exceptions => Wanted::Exceptions {
                endpoint: self.endpoint(&key.target)?,
                job: job?,
            },
            WantedSource::Checkpoints => Wanted::Checkpoints {
                endpoint: self.endpoint(&key.target)?,
                job: job?,
            },
            WantedSource::HaData => Wanted::HaData { cluster, place: place? },
            WantedSource::Events => Wanted::Events { cluster, place: place? },
            WantedSource::TaskManagers => Wanted::TaskManagers { cluster, place: place? },
            WantedSource::Archive => {
                let cluster_id = place.map_or_else(|| key.target.name.to_string(), |place| place.name);
                let sought = ResultQuery {
                    cluster_id,
                    job: job?,
                    started_at: incarnation.started_at,
                };
                Wanted::Archive { cluster, sought }
            }
            WantedSource::LastWords => {
                let place = place?;
                let pods = self.board.kubernetes(&cluster)?.pods(&place)?;
                let logs = logs_of(pods.latest.present()?, incarnation.started_at);
                Wanted::LastWords {
                    cluster,
                    place,
                    logs,
                    job: job?,
                }
            }
            WantedSource::Kubernetes => return None,
        })
    }

    /// Notes that a look begins; says no if one is under way.
    pub(super) fn look_begins(&mut self, key: &JobKey, what: &Wanted) -> bool {
        let look = self.wanted.entry((key.clone(), what.source())).or_default();
        let free = look.under_way == UnderWay::No;
        look.under_way = UnderWay::Yes;
        free
    }

    pub(super) fn look_ended(&mut self, key: &JobKey, answer: &WantedAnswer, now: Timestamp) {
        let Some(look) = self.wanted.get_mut(&(key.clone(), answer.source())) else {
            return;
        };
        look.under_way = UnderWay::No;
        match answer.fault() {
            Some(fault) => {
                look.failures = look.failures.saturating_add(1);
                look.not_before = Some(now.after(self.backoff.delay(look.failures, fault.retry_after, &mut self.rng)));
            }
            None => {
                look.failures = 0;
                // A policy that is never content with the answer must not ask without a pause. Last words are gone
                // within seconds, and their log may be read in the moment of its rotation.
                let pause = match answer.source() {
                    WantedSource::LastWords => self.timing.poll / 20,
                    WantedSource::Exceptions
                    | WantedSource::Checkpoints
                    | WantedSource::Kubernetes
                    | WantedSource::HaData
                    | WantedSource::Events
                    | WantedSource::Archive
                    | WantedSource::TaskManagers => self.timing.poll / 2,
                };
                look.not_before = Some(now.after(pause));
            }
        }
    }
}

/// Whether a source has told the end.
pub(super) fn is_told(slot: &Option<Evidence<JobEnd>>) -> bool {
    slot.as_ref()
        .is_some_and(|evidence| evidence.latest.present().is_some())
}

/// The logs in which a run's last words may stand: each pod's, and where its container has begun anew, the one's before.
pub(super) fn logs_of(pods: &[Pod], started_at: Option<Timestamp>) -> Vec<(String, LogOf)> {
    let before = LogOf::Previous { since: started_at };
    pods.iter()
        .flat_map(|pod| {
            let restarts = pod.container.as_ref().map_or(0, |container| container.restarts);
            let previous = (restarts > 0).then(|| (pod.name.clone(), before));
            std::iter::once((pod.name.clone(), LogOf::Current)).chain(previous)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use steadfast_core::evidence::{Fault, FaultKind, Observed};
    use steadfast_core::facts::{Container, EndSource, Readiness};
    use steadfast_core::id::{FlinkJobId, Namespace, Uid};
    use steadfast_core::state::JobState;

    use super::*;

    fn pod(name: &str, restarts: u32) -> Pod {
        Pod {
            namespace: Namespace::new("default"),
            name: name.into(),
            uid: Uid::new(name),
            app: "orders".into(),
            created_at: None,
            deleting_since: None,
            phase: "Running".into(),
            reason: None,
            ip: None,
            ready: Readiness::Ready,
            unschedulable: None,
            container: Some(Container {
                restarts,
                ..Container::default()
            }),
        }
    }

    #[test]
    fn a_restarted_containers_log_before_is_read_behind_its_own() {
        let since = Some(Timestamp::from_millis(7));
        assert_eq!(
            logs_of(&[pod("jm-1", 0), pod("jm-2", 1)], since),
            [
                ("jm-1".to_owned(), LogOf::Current),
                ("jm-2".to_owned(), LogOf::Current),
                ("jm-2".to_owned(), LogOf::Previous { since }),
            ]
        );
    }

    #[test]
    fn only_an_end_that_was_told_is_not_asked_for_again() {
        let moment = Timestamp::from_millis(7);
        let told = JobEnd {
            job: FlinkJobId::parse("00000000000000000000000000000001").unwrap(),
            state: JobState::Finished,
            cause: None,
            ended_at: None,
            told_by: EndSource::Archive,
        };
        let silent = Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"));
        for (answer, expected) in [
            (Observed::Present(told), true),
            (Observed::Absent, false),
            (silent, false),
        ] {
            assert_eq!(is_told(&Some(Evidence::first(answer, moment, moment))), expected);
        }
        assert!(!is_told(&None));
    }
}
