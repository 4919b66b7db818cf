//! How the look-ups that a policy asks for stand against the board: which are answered, which are open, and what is asked.
//!
//! The reactor makes the look-ups that these rules call open, and `policy verify` answers the same ones: about a look-up
//! that only one of them makes, nothing could be proved.

use crate::board::{Board, ObjectRef};
use crate::decision::{LookupRequest, LookupSource};
use crate::evidence::Observed;
use crate::facts::Pod;
use crate::id::{FlinkJobId, JobKey, SessionJob};
use crate::kube_update::ObjectKind;
use crate::lookup::{About, ContainerRun, Finding, ObjectQuestion, PodLog, Query, ResultQuery, Stands};
use crate::record::JobRecord;
use crate::state::JobState;
use crate::time::Timestamp;

/// How a look-up that a policy asks for stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The evidence at hand will do.
    Answered,
    /// Only an answer to a request made after this moment will do, and it has not passed.
    Ahead(Timestamp),
    /// It is to be asked.
    Open(Query),
    /// A complete list, begun after this moment, is to be read.
    OpenLists {
        /// A list begun sooner will not do.
        after: Timestamp,
    },
    /// These objects are to be asked for by name. What is not answered is left to a list, as for [`Self::OpenLists`].
    OpenObjects {
        /// Each of them.
        questions: Vec<ObjectQuestion>,
        /// A list begun sooner will not do.
        after: Timestamp,
    },
    /// Nobody can be asked: the job's id is not known yet, or no pod is left whose log could be read.
    NobodyToAsk,
}

/// What is asked about single objects, instead of a list of their cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InQuestion {
    /// Each of them. The Deployment's answer is the one that counts as the look's, and is asked for last.
    pub objects: Vec<ObjectQuestion>,
    /// A kind of which only a list says whether it has one for the job, since nobody knows its name.
    pub unnamed: Option<ObjectKind>,
}

impl Board {
    /// Takes in what came of a look-up for a job. What was asked before the record's attempt began, or before its run was seen, says nothing of it,
    /// and an end that is known is not taken back. Returns whether it was taken.
    pub fn accept_finding(&mut self, record: &JobRecord, finding: Finding) -> bool {
        match finding.about() {
            About::Attempt { asked_at } => {
                let incarnation = &record.incarnation;
                let began = incarnation.since.max(incarnation.run_seen_at);
                if began.is_some_and(|began| asked_at < began) {
                    return false;
                }
            }
            About::Target => {}
        }
        let attempt = self.attempts.entry(record.key.clone()).or_default();
        let target = self.targets.entry(record.key.target.clone()).or_default();
        finding.keep(attempt, &mut target.lookups)
    }

    /// Whether the newest evidence will do for a request: it was asked for late enough, or it is final.
    pub fn answers(&self, key: &JobKey, object: Option<&ObjectRef>, request: &LookupRequest) -> bool {
        self.stands(key, object, request.source)
            .is_some_and(|stands| stands.will_do_for(request))
    }

    /// How a request stands for a job as its record was committed.
    pub fn standing(
        &self,
        record: &JobRecord,
        object: Option<&ObjectRef>,
        request: &LookupRequest,
        now: Timestamp,
    ) -> Standing {
        if self.answers(&record.key, object, request) {
            Standing::Answered
        } else if request.observed_after >= now {
            Standing::Ahead(request.observed_after)
        } else if request.source == LookupSource::Kubernetes {
            let after = request.observed_after;
            let in_question = object.and_then(|object| self.in_question(record, object));
            match in_question {
                Some(InQuestion {
                    objects: questions,
                    unnamed: None,
                }) => Standing::OpenObjects { questions, after },
                Some(InQuestion { unnamed: Some(_), .. }) | None => Standing::OpenLists { after },
            }
        } else {
            self.query(record, object, request.source)
                .map_or(Standing::NobodyToAsk, Standing::Open)
        }
    }

    fn stands(&self, key: &JobKey, object: Option<&ObjectRef>, source: LookupSource) -> Option<Stands> {
        if source == LookupSource::Kubernetes {
            let deployment = self.kubernetes(&key.target.cluster)?.deployment(object?)?;
            return Some(Stands {
                asked_at: deployment.asked_at,
                is_final: false,
            });
        }
        let attempt = || self.attempt(key)?.stands(source);
        let target = || self.target(&key.target)?.stands(source);
        attempt().or_else(target)
    }

    /// The objects that a look at Kubernetes is about, if a few answers about single objects will do for a complete list: the
    /// Deployment, its pods where it is there, and the operator's resource that may change it or bring it back. `None`: a list is
    /// needed. Only a list says which FlinkSessionJob names a job.
    pub fn in_question(&self, record: &JobRecord, object: &ObjectRef) -> Option<InQuestion> {
        let target = &record.key.target;
        let kubernetes = self.kubernetes(&target.cluster)?;
        let pods = match kubernetes.deployment(object)?.latest {
            Observed::Absent => None,
            // Nothing is known of pods that were never listed. Where they may not be, nobody would say which a Deployment has.
            Observed::Present(_) => kubernetes.are_pods_listed(&object.namespace)?.then(|| {
                let known = kubernetes.last_pods(object).into_iter();
                ObjectQuestion::PodsOf {
                    object: object.clone(),
                    known: known.map(|pod| (pod.name.clone(), pod.uid.clone())).collect(),
                }
            }),
            Observed::Unknown(_) => return None,
        };
        let deployment = ObjectQuestion::Named {
            kind: ObjectKind::Deployment,
            object: object.clone(),
            uid: record.incarnation.deployment_uid.clone(),
        };
        // By which name it would be asked for; a job that was submitted may have a resource of any.
        let (kind, named) = match &record.key.session_job {
            None => (ObjectKind::FlinkDeployment, Some(object.clone())),
            Some(SessionJob::Requested(name)) => (
                ObjectKind::FlinkSessionJob,
                Some(ObjectRef::new(&object.namespace, name)),
            ),
            Some(SessionJob::Submitted(_)) => (ObjectKind::FlinkSessionJob, None),
        };
        let resource = kubernetes.resource_of(&record.key, object);
        let mut unnamed = None;
        let resource = match resource.map(|evidence| evidence.latest) {
            // Not watched, not installed, not granted: nothing is known of it, and this would not change that.
            None | Some(Observed::Unknown(_)) => None,
            Some(Observed::Present(resource)) => Some(ObjectQuestion::Named {
                kind,
                object: ObjectRef::new(&resource.namespace, &resource.name),
                uid: Some(resource.uid),
            }),
            Some(Observed::Absent) => match named {
                Some(object) => Some(ObjectQuestion::Named {
                    kind,
                    object,
                    uid: None,
                }),
                None => {
                    unnamed = Some(kind);
                    None
                }
            },
        };
        // The Deployment's answer is the one that counts as the look's: the others come first.
        let objects = pods.into_iter().chain(resource).chain([deployment]).collect();
        Some(InQuestion { objects, unnamed })
    }

    /// What is asked of whom; `None` while nobody can be asked.
    fn query(&self, record: &JobRecord, object: Option<&ObjectRef>, source: LookupSource) -> Option<Query> {
        let incarnation = &record.incarnation;
        let job = incarnation.flink_job_id;
        let target = &record.key.target;
        Some(match source {
            LookupSource::Exceptions => Query::Exceptions { job: job? },
            LookupSource::Checkpoints => Query::Checkpoints { job: job? },
            LookupSource::HaData => Query::HaData {
                object: object?.clone(),
            },
            LookupSource::Events => Query::Events {
                object: object?.clone(),
            },
            LookupSource::TaskManagers => Query::TaskManagers {
                object: object?.clone(),
            },
            LookupSource::Archive => Query::Archive(ResultQuery {
                cluster_id: object.map_or_else(|| target.name.to_string(), |object| object.name.clone()),
                job: job?,
                started_at: incarnation.started_at,
            }),
            LookupSource::LastWords => {
                let object = object?;
                let pods = self.kubernetes(&target.cluster)?.pods(object)?;
                last_words(record, object, pods.latest.present()?, job?)
            }
            LookupSource::Kubernetes => return None,
        })
    }
}

/// The job whose end is not known yet: its id is known, and its record is not terminal, or TERMINATED, which says only that
/// it ended.
pub fn end_awaited(record: &JobRecord) -> Option<FlinkJobId> {
    let is_end_known = record.state.is_terminal() && record.state != JobState::Terminated;
    record.incarnation.flink_job_id.filter(|_| !is_end_known)
}

/// What is read at once when a JobManager's pod is being deleted, asked for or not: its log is readable for less than a
/// second more. `None` if no end is awaited.
pub fn parting_words(record: &JobRecord, object: &ObjectRef, pod: &Pod) -> Option<Query> {
    let job = end_awaited(record)?;
    Some(last_words(record, object, std::slice::from_ref(pod), job))
}

fn last_words(record: &JobRecord, object: &ObjectRef, pods: &[Pod], job: FlinkJobId) -> Query {
    Query::LastWords {
        object: object.clone(),
        logs: logs_of(pods, record.incarnation.started_at),
        job,
    }
}

/// The logs in which a run's last words may stand: each pod's, and where its container has begun anew, the one's before.
fn logs_of(pods: &[Pod], started_at: Option<Timestamp>) -> Vec<PodLog> {
    let log = |pod: &Pod, container| PodLog {
        pod: pod.name.clone(),
        container,
    };
    pods.iter()
        .flat_map(|pod| {
            let restarts = pod.container.as_ref().map_or(0, |container| container.restarts);
            let before = ContainerRun::Previous { since: started_at };
            let previous = (restarts > 0).then(|| log(pod, before));
            std::iter::once(log(pod, ContainerRun::Current)).chain(previous)
        })
        .collect()
}

#[cfg(test)]
mod tests;
