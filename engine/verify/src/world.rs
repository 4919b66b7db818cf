//! What the world would say if it were asked now: one application on one Kubernetes cluster, and its neighbours.

use steadfast_core::evidence::FaultKind;
use steadfast_core::state::{JobState, Mode};
use steadfast_core::time::Timestamp;

use crate::step::{FlinkStep, KubernetesStep};

/// The world, as far as evidence can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// How the job is deployed: a standalone one has no Kubernetes, and a session's job is the only one its record is about.
    pub(crate) mode: Mode,
    pub(crate) flink: FlinkModel,
    /// The run that Flink lists, or would.
    pub(crate) run: Run,
    pub(crate) kubernetes: ApiModel,
    pub(crate) deployment: DeploymentModel,
    pub(crate) pod: PodModel,
    pub(crate) neighbours: Neighbours,
}

/// How Flink answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FlinkModel {
    /// It lists the run.
    Lists,
    /// It answers, and lists no job.
    Lacks,
    /// It answers, its list leaves the run out, and asked for it by its id it gives no usable answer.
    LeavesOut,
    /// It gives no usable answer.
    Silent(FaultKind),
}

/// A run of the job. Jobs are numbered in the order in which they first appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    pub(crate) job: u16,
    /// Under which Deployment it began.
    pub(crate) uid: u16,
    pub(crate) started_at: Timestamp,
    pub(crate) state: JobState,
}

/// Whether the Kubernetes API answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ApiModel {
    Answers,
    Silent(FaultKind),
}

/// The Deployment. Its UIDs are numbered in the order in which they first appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeploymentModel {
    pub(crate) uid: u16,
    pub(crate) created_at: Timestamp,
    pub(crate) there: Existence,
}

/// What there is of a Deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Existence {
    /// It is there.
    Up,
    /// It carries a deletionTimestamp, and so does its pod.
    Going { since: Timestamp },
    /// It is not there.
    Gone,
}

/// The JobManager's pods: the newest of them, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PodModel {
    /// How many the Deployment had before it.
    pub(crate) number: u16,
    pub(crate) count: Pods,
    pub(crate) restarts: u16,
    pub(crate) health: Health,
}

/// How many pods a Deployment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pods {
    One,
    /// The one before is still there, and ready.
    Two,
    None,
    /// None is asked for.
    ScaledToZero,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Health {
    Ready,
    /// Its container waits in CrashLoopBackOff.
    CrashLoop,
}

/// The other targets of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Neighbours {
    Seen,
    Dark,
}

impl World {
    /// Nothing answers yet, and what is there has not been seen.
    pub(crate) fn before_all(now: Timestamp) -> Self {
        Self {
            flink: FlinkModel::Silent(FaultKind::Timeout),
            kubernetes: ApiModel::Silent(FaultKind::Timeout),
            ..Self::healthy(Mode::Application, now)
        }
    }

    /// A job that runs, and everything answers.
    pub(crate) fn healthy(mode: Mode, now: Timestamp) -> Self {
        Self {
            mode,
            flink: FlinkModel::Lists,
            run: Run {
                job: 1,
                uid: 1,
                started_at: now,
                state: JobState::Running,
            },
            kubernetes: ApiModel::Answers,
            deployment: DeploymentModel {
                uid: 1,
                created_at: earlier(now),
                there: Existence::Up,
            },
            pod: PodModel::FIRST,
            neighbours: Neighbours::Seen,
        }
    }

    /// What Flink says from now on.
    pub(crate) fn flink_turns(&mut self, step: FlinkStep, now: Timestamp) {
        match step {
            FlinkStep::Silent(kind) => self.flink = FlinkModel::Silent(kind),
            FlinkStep::Lacks => self.flink = FlinkModel::Lacks,
            FlinkStep::LeavesOut => self.flink = FlinkModel::LeavesOut,
            FlinkStep::Says(state) => {
                self.flink = FlinkModel::Lists;
                self.run.state = state;
            }
            FlinkStep::NewStart => self.runs(self.run.job, now),
            FlinkStep::NewJob => self.runs(self.run.job.saturating_add(1), now),
        }
    }

    /// What Kubernetes says from now on.
    pub(crate) fn kubernetes_turns(&mut self, step: KubernetesStep, now: Timestamp) {
        if let KubernetesStep::Silent(kind) = step {
            self.kubernetes = ApiModel::Silent(kind);
            return;
        }
        self.kubernetes = ApiModel::Answers;
        match step {
            KubernetesStep::Silent(_) | KubernetesStep::Answers => {}
            KubernetesStep::PodRestarts => {
                self.pod.restarts = self.pod.restarts.saturating_add(1);
                self.pod.health = Health::Ready;
            }
            KubernetesStep::PodCrashes => {
                self.pod.restarts = self.pod.restarts.saturating_add(3);
                self.pod.health = Health::CrashLoop;
            }
            KubernetesStep::PodRecovers => self.pod.health = Health::Ready,
            KubernetesStep::PodJoins => self.pod = self.pod.next(Pods::Two),
            KubernetesStep::PodLeaves => self.pod.count = Pods::One,
            KubernetesStep::PodsGone => self.pod.count = Pods::None,
            KubernetesStep::ScaledToZero => self.pod.count = Pods::ScaledToZero,
            KubernetesStep::PodsBack => self.pod = self.pod.next(Pods::One),
            KubernetesStep::Going(_) => self.deployment.there = Existence::Going { since: now },
            KubernetesStep::Deleted | KubernetesStep::Missing => self.deployment.there = Existence::Gone,
            KubernetesStep::Replaced => self.deployed_anew(now),
        }
    }

    /// All is well again: the same run if it can go on, the next one if it cannot.
    pub(crate) fn heals(&mut self, now: Timestamp) {
        self.kubernetes = ApiModel::Answers;
        self.neighbours = Neighbours::Seen;
        self.pod = match self.pod.count {
            Pods::One | Pods::Two => PodModel {
                health: Health::Ready,
                ..self.pod
            },
            Pods::None | Pods::ScaledToZero => self.pod.next(Pods::One),
        };
        let is_of_another = self.run.uid != self.deployment.uid;
        match self.deployment.there {
            Existence::Up if is_of_another => self.runs(self.next_job(), now),
            Existence::Up if self.run.state.is_terminal() => self.runs(self.run.job, now),
            Existence::Up => {
                self.run.state = JobState::Running;
                self.flink = FlinkModel::Lists;
            }
            Existence::Going { .. } | Existence::Gone => {
                self.deployed_anew(earlier(now));
                self.runs(self.next_job(), now);
            }
        }
    }

    /// The job that runs where another Deployment has taken the place of the one before: a session's record is about one job only.
    fn next_job(&self) -> u16 {
        match self.mode {
            Mode::Application | Mode::Standalone => self.run.job.saturating_add(1),
            Mode::Session => self.run.job,
        }
    }

    fn runs(&mut self, job: u16, now: Timestamp) {
        self.flink = FlinkModel::Lists;
        self.run = Run {
            job,
            uid: self.deployment.uid,
            started_at: now,
            state: JobState::Running,
        };
    }

    fn deployed_anew(&mut self, now: Timestamp) {
        self.deployment = DeploymentModel {
            uid: self.deployment.uid.saturating_add(1),
            created_at: now,
            there: Existence::Up,
        };
        self.pod = PodModel::FIRST;
    }
}

impl PodModel {
    const FIRST: Self = Self {
        number: 0,
        count: Pods::One,
        restarts: 0,
        health: Health::Ready,
    };

    fn next(self, count: Pods) -> Self {
        Self {
            number: self.number.saturating_add(1),
            count,
            ..Self::FIRST
        }
    }
}

/// A Deployment is there before its JobManager runs a job: 2 s, in whole seconds.
fn earlier(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis() - 2_000)
}
