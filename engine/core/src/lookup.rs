//! Evidence on request: what is too costly to ask for all the time, and is looked up when a policy asks for it.
//!
//! [`lookup_sources!`] below is the one table of it. A row names a source, its word, the slot its evidence is kept in and
//! what an answer holds; the evidence slots, the answers and the snapshot follow from it. To add a source: a row here with
//! its [`Query`], an arm in `board/lookups.rs` that says of whom it is asked, a field in [`Snapshot`], and the compiler names
//! nearly all of the rest; `docs/contributing.md` has the whole list with a diff.
//!
//! What is known of one attempt and what its attempts share are kept apart by type: a new attempt begins without the
//! former, so that the exception or the end of the run before is never taken for its own.

use crate::board::ObjectRef;
use crate::decision::LookupRequest;
use crate::evidence::{Evidence, Fault, Observation, accept};
use crate::facts::{Checkpoints, HaData, JobEnd, KubeEvent, Pod, RootException};
use crate::id::{FlinkJobId, Uid};
use crate::kube_update::ObjectKind;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;

macro_rules! lookup_sources {
    (
        attempt { $($(#[doc = $adoc:literal])+ $Attempt:ident = $aword:literal, $aslot:ident: $AFound:ty;)+ }
        target { $($(#[doc = $tdoc:literal])+ $Target:ident = $tword:literal, $tslot:ident: $TFound:ty;)+ }
        lists { $(#[doc = $ldoc:literal])+ $Lists:ident = $lword:literal; }
    ) => {
        /// The sources that are asked only on request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum LookupSource {
            $($(#[doc = $adoc])+ $Attempt,)+
            $($(#[doc = $tdoc])+ $Target,)+
            $(#[doc = $ldoc])+ $Lists,
        }

        impl LookupSource {
            /// Every source, in their order.
            pub const ALL: &[Self] = &[$(Self::$Attempt,)+ $(Self::$Target,)+ Self::$Lists];

            /// The source as a word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Attempt => $aword,)+
                    $(Self::$Target => $tword,)+
                    Self::$Lists => $lword,
                }
            }
        }

        /// What was looked up about one attempt of a job.
        #[derive(Clone, Debug, Default)]
        pub struct AttemptLookups { $($(#[doc = $adoc])+ pub $aslot: Option<Evidence<$AFound>>,)+ }

        /// What was looked up about one Flink cluster.
        #[derive(Clone, Debug, Default)]
        pub struct TargetLookups { $($(#[doc = $tdoc])+ pub $tslot: Option<Evidence<$TFound>>,)+ }

        /// What came of one look-up.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Finding {
            $($(#[doc = $adoc])+ $Attempt(Observation<$AFound>),)+
            $($(#[doc = $tdoc])+ $Target(Observation<$TFound>),)+
        }

        impl Finding {
            /// Where it was looked up.
            pub fn source(&self) -> LookupSource {
                match self {
                    $(Self::$Attempt(_) => LookupSource::$Attempt,)+
                    $(Self::$Target(_) => LookupSource::$Target,)+
                }
            }

            /// The fault, if there was no usable answer.
            pub fn fault(&self) -> Option<&Fault> {
                match self {
                    $(Self::$Attempt(found) => found.fault(),)+
                    $(Self::$Target(found) => found.fault(),)+
                }
            }

            /// What it is about, and when it was asked for.
            pub(crate) fn about(&self) -> About {
                match self {
                    $(Self::$Attempt(found) => About::Attempt { asked_at: found.asked_at },)+
                    $(Self::$Target(_) => About::Target,)+
                }
            }

            /// Keeps it in its slot, unless what is there is as new or final. Says whether it was taken.
            pub(crate) fn keep(self, attempt: &mut AttemptLookups, target: &mut TargetLookups) -> bool {
                let is_final = self.source().is_final();
                match self {
                    $(Self::$Attempt(found) => keep(&mut attempt.$aslot, found, is_final),)+
                    $(Self::$Target(found) => keep(&mut target.$tslot, found, is_final),)+
                }
            }
        }

        impl Snapshot {
            /// How the evidence that it holds of a source stands; `None`: there is none.
            fn stands(&self, source: LookupSource) -> Option<Stands> {
                match source {
                    $(LookupSource::$Attempt => stands(self.$aslot.as_ref(), source),)+
                    $(LookupSource::$Target => stands(self.$tslot.as_ref(), source),)+
                    LookupSource::$Lists => stands(self.deployment.as_ref(), source),
                }
            }
        }

        impl AttemptLookups {
            /// When the newest evidence of a source was asked for, and whether it is final; `None` for another owner's
            /// source, or one that was never looked up.
            pub(crate) fn stands(&self, source: LookupSource) -> Option<Stands> {
                match source {
                    $(LookupSource::$Attempt => stands(self.$aslot.as_ref(), source),)+
                    $(LookupSource::$Target => None,)+
                    LookupSource::$Lists => None,
                }
            }

            pub(crate) fn show(&self, snapshot: &mut Snapshot) {
                $(snapshot.$aslot.clone_from(&self.$aslot);)+
            }
        }

        impl TargetLookups {
            pub(crate) fn stands(&self, source: LookupSource) -> Option<Stands> {
                match source {
                    $(LookupSource::$Attempt => None,)+
                    $(LookupSource::$Target => stands(self.$tslot.as_ref(), source),)+
                    LookupSource::$Lists => None,
                }
            }

            pub(crate) fn show(&self, snapshot: &mut Snapshot) {
                $(snapshot.$tslot.clone_from(&self.$tslot);)+
            }
        }
    };
}

lookup_sources! {
    attempt {
        /// `/jobs/<id>/exceptions`.
        Exceptions = "exceptions", exceptions: RootException;
        /// `/jobs/<id>/checkpoints`.
        Checkpoints = "checkpoints", checkpoints: Checkpoints;
        /// The log of the JobManager's pod.
        LastWords = "last-words", last_words: JobEnd;
        /// Archive directory, HistoryServer, JobResultStore.
        Archive = "archive", archive: JobEnd;
    }
    target {
        /// Flink's HA ConfigMaps.
        HaData = "ha-data", ha_data: HaData;
        /// Kubernetes events about the target's objects.
        Events = "events", events: Vec<KubeEvent>;
        /// The TaskManagers' pods.
        TaskManagers = "task-managers", task_managers: Vec<Pod>;
    }
    lists {
        /// The job's Deployment, its pods and the operator's resource, each asked for by name; where that does not do, a complete
        /// list of each kind. They arrive as updates of the board's Kubernetes, and have no slot of their own.
        Kubernetes = "kubernetes";
    }
}

impl Snapshot {
    /// Whether its evidence will do for a request, so that nothing is asked.
    pub fn answers(&self, request: &LookupRequest) -> bool {
        self.stands(request.source)
            .is_some_and(|stands| stands.will_do_for(request))
    }
}

impl LookupSource {
    /// Whether an answer that is present is final: the pod or the archive that named an end may be gone when it is asked
    /// again, and its silence would take nothing back.
    pub const fn is_final(self) -> bool {
        match self {
            Self::LastWords | Self::Archive => true,
            Self::Exceptions
            | Self::Checkpoints
            | Self::HaData
            | Self::Events
            | Self::TaskManagers
            | Self::Kubernetes => false,
        }
    }

    /// Whether it can be read for some seconds only: it does not queue behind others and is soon tried again.
    pub const fn is_fleeting(self) -> bool {
        match self {
            Self::LastWords => true,
            Self::Archive
            | Self::Exceptions
            | Self::Checkpoints
            | Self::HaData
            | Self::Events
            | Self::TaskManagers
            | Self::Kubernetes => false,
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// One run of the job. Asked for before the run began, it is about the one before.
    Attempt { asked_at: Timestamp },
    /// The Flink cluster, whichever run is on it.
    Target,
}

/// How the evidence of one source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stands {
    /// When the newest evidence was asked for.
    pub(crate) asked_at: Timestamp,
    /// Whether nothing that is asked later could change it.
    pub(crate) is_final: bool,
}

impl Stands {
    /// Whether it was asked for late enough, or is final.
    pub(crate) fn will_do_for(self, request: &LookupRequest) -> bool {
        self.is_final || self.asked_at > request.observed_after
    }
}

fn stands<T>(slot: Option<&Evidence<T>>, source: LookupSource) -> Option<Stands> {
    slot.map(|evidence| Stands {
        asked_at: evidence.asked_at,
        is_final: source.is_final() && evidence.latest.present().is_some(),
    })
}

fn keep<T>(slot: &mut Option<Evidence<T>>, found: Observation<T>, is_final: bool) -> bool {
    let is_settled = is_final && slot.as_ref().is_some_and(|known| known.latest.present().is_some());
    !is_settled && accept(slot, found)
}

/// A look-up that can be made: what is asked about whom. Routes and credentials are the fetcher's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// `/jobs/<id>/exceptions`.
    Exceptions {
        /// The job's id, which is part of the path.
        job: FlinkJobId,
    },
    /// `/jobs/<id>/checkpoints`.
    Checkpoints {
        /// The job's id, which is part of the path.
        job: FlinkJobId,
    },
    /// The logs of the JobManager's pods.
    LastWords {
        /// The Flink cluster's Deployment.
        object: ObjectRef,
        /// The logs to read, in order; the first that names an end is believed.
        logs: Vec<PodLog>,
        /// Only this job's end counts.
        job: FlinkJobId,
    },
    /// Archive directory, HistoryServer and JobResultStore, those of them that are configured.
    Archive(ResultQuery),
    /// The HA ConfigMaps of a Flink cluster.
    HaData {
        /// Its Deployment.
        object: ObjectRef,
    },
    /// The events about a Flink cluster's objects.
    Events {
        /// Its Deployment.
        object: ObjectRef,
    },
    /// The TaskManagers of a Flink cluster.
    TaskManagers {
        /// Its Deployment.
        object: ObjectRef,
    },
}

impl Query {
    /// Where it is looked up.
    pub fn source(&self) -> LookupSource {
        match self {
            Self::Exceptions { .. } => LookupSource::Exceptions,
            Self::Checkpoints { .. } => LookupSource::Checkpoints,
            Self::LastWords { .. } => LookupSource::LastWords,
            Self::Archive(_) => LookupSource::Archive,
            Self::HaData { .. } => LookupSource::HaData,
            Self::Events { .. } => LookupSource::Events,
            Self::TaskManagers { .. } => LookupSource::TaskManagers,
        }
    }
}

/// A question to Kubernetes about what one job needs, instead of a list of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectQuestion {
    /// Whether one object is there.
    Named {
        /// Its kind: never a pod.
        kind: ObjectKind,
        /// Its own namespace and name.
        object: ObjectRef,
        /// Its `metadata.uid`, as last seen. Another one under this name is another object.
        uid: Option<Uid>,
    },
    /// Which JobManager pods a Deployment has.
    PodsOf {
        /// The Deployment.
        object: ObjectRef,
        /// Names and UIDs of those that were seen last. A selection by labels does not say of these that they are gone.
        known: Vec<(String, Uid)>,
    },
}

impl ObjectQuestion {
    /// The kind of the objects that it is about.
    pub const fn kind(&self) -> ObjectKind {
        match self {
            Self::Named { kind, .. } => *kind,
            Self::PodsOf { .. } => ObjectKind::Pod,
        }
    }

    /// The object that is in question, or whose pods are.
    pub const fn object(&self) -> &ObjectRef {
        match self {
            Self::Named { object, .. } | Self::PodsOf { object, .. } => object,
        }
    }
}

/// Which run's end is looked for where results outlive a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultQuery {
    /// Flink's `kubernetes.cluster-id`, which is the Deployment's name.
    pub cluster_id: String,
    /// The job's id.
    pub job: FlinkJobId,
    /// The `start-time` of the run, if it is known. With high availability the job of a cluster that is deployed again
    /// has the same id, and the archive still holds the end of the run before: one that lies before this moment.
    pub started_at: Option<Timestamp>,
}

/// One log of a JobManager's pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodLog {
    /// The pod's name.
    pub pod: String,
    /// Which of its container's runs wrote it.
    pub container: ContainerRun,
}

/// Which run of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerRun {
    /// The one that runs, or ran last.
    Current,
    /// The one before it, in the same pod.
    Previous {
        /// Lines from before this moment are left out: they may be of an earlier run of the same job.
        since: Option<Timestamp>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_are_final_and_only_a_log_is_gone_soon() {
        let which =
            |is: fn(LookupSource) -> bool| LookupSource::ALL.iter().copied().filter(|s| is(*s)).collect::<Vec<_>>();
        assert_eq!(
            which(LookupSource::is_final),
            [LookupSource::LastWords, LookupSource::Archive]
        );
        assert_eq!(which(LookupSource::is_fleeting), [LookupSource::LastWords]);
    }
}
