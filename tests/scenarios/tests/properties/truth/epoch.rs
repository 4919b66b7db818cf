//! One target of a story from step to step, and who could be asked about it.

use std::collections::BTreeMap;

use steadfast_core::state::{Intent, JobState};
use steadfast_simulate::BEGINNING;
use steadfast_world::story::{FlinkFault, Found, JobSpec, KubernetesFault, SessionJobSpec, Step, Story, TargetSpec};

use crate::properties::plot::hostile::CALENDAR;

/// Looks take at most so long; a slower server gives none.
const TIMEOUT_MILLIS: u128 = 3_000;

/// What a resource of the operator's asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Running,
    Suspended,
    Deleted,
}

/// What resources asked for when they could last be read. What one asked for stands when it is gone.
#[derive(Clone, Default)]
pub struct Standing {
    resource: Option<Wish>,
    session_jobs: BTreeMap<String, Wish>,
}

/// One target, from a moment on until the next.
#[derive(Clone, Default)]
pub struct Epoch {
    pub from: i64,
    kubernetes: KubernetesFault,
    flink: FlinkFault,
    pub is_deployed: bool,
    /// Its Deployment asks for no replica.
    pub is_scaled_to_zero: bool,
    pub has_recovery_data: bool,
    pub jobs: Vec<(String, JobState)>,
    /// Jobs of which it lists a row that nobody can read: it says nothing of them, nor does it lack them.
    unreadable: Vec<String>,
    pub told: Vec<(String, JobState)>,
    pub intent: Option<Intent>,
    /// Its FlinkDeployment, if there is one.
    resource: Option<Wish>,
    /// Whether the story said so itself.
    is_said: bool,
    /// Its FlinkSessionJobs, by the job that each stands for.
    session_jobs: BTreeMap<String, Wish>,
    /// What could last be read of the FlinkDeployment, and of the FlinkSessionJobs.
    pub standing: Standing,
}

impl Epoch {
    pub fn flink_answers(&self) -> bool {
        match self.flink {
            FlinkFault::Ok => true,
            FlinkFault::Slow(wait) => wait.as_millis() < TIMEOUT_MILLIS,
            FlinkFault::Drop
            | FlinkFault::Refuse
            | FlinkFault::Unauthorized
            | FlinkFault::Forbidden
            | FlinkFault::ProxyNotFound
            | FlinkFault::TooManyRequests(_)
            | FlinkFault::ServerError
            | FlinkFault::BadGateway
            | FlinkFault::LoginPage
            | FlinkFault::LeaderElection
            | FlinkFault::Garbage
            | FlinkFault::Array => false,
        }
    }

    pub fn kubernetes_answers(&self) -> bool {
        match self.kubernetes {
            KubernetesFault::Ok
            | KubernetesFault::Expired
            | KubernetesFault::WatchSilent
            | KubernetesFault::WatchClose
            | KubernetesFault::Get(_)
            | KubernetesFault::BadObject
            | KubernetesFault::Operator(_) => true,
            KubernetesFault::Slow(wait) => wait.as_millis() < TIMEOUT_MILLIS,
            KubernetesFault::Drop
            | KubernetesFault::Refuse
            | KubernetesFault::Status(..)
            | KubernetesFault::Wordy
            | KubernetesFault::Html
            | KubernetesFault::Garbage
            | KubernetesFault::Array
            | KubernetesFault::ListFails => false,
        }
    }

    pub fn lists(&self, job: Option<&str>) -> bool {
        let listed = self.jobs.iter().map(|(id, _)| id);
        let mut all = listed.chain(&self.unreadable);
        all.any(|id| job.is_none_or(|job| job == id))
    }

    /// Whether the operator's kinds may be read: while only new requests fail, or are slow, an open watch goes on.
    pub fn shows_resources(&self) -> bool {
        !matches!(self.kubernetes, KubernetesFault::Drop | KubernetesFault::Refuse)
    }

    /// Whether the operator's resource asks for something of the target, or of that job of a session cluster.
    pub fn has_resource(&self, job: Option<&str>) -> bool {
        match job {
            None => self.resource.is_some(),
            Some(job) => self.session_jobs.contains_key(job),
        }
    }

    /// What it last asked for.
    pub fn asked_for(&self, job: Option<&str>) -> Option<Wish> {
        match job {
            None => self.standing.resource,
            Some(job) => self.standing.session_jobs.get(job).copied(),
        }
    }

    /// Takes a step of the story in.
    fn change(&mut self, target: &TargetSpec, step: &Step) {
        self.flink = step.flink.unwrap_or(self.flink);
        if let Some(deployment) = &step.deployment {
            self.is_deployed = deployment.present;
            self.is_scaled_to_zero = deployment.replicas == 0;
            // Without a word of its own, the resource is there as long as what it owns.
            if deployment.owner.is_some() && !self.is_said {
                let wish = if deployment.deleting {
                    Wish::Deleted
                } else {
                    Wish::Running
                };
                self.resource = deployment.present.then_some(wish);
            } else if !self.is_said {
                self.resource = None;
            }
        }
        if let Some(resource) = &step.resource {
            self.is_said = true;
            self.resource = resource.present.then(|| wish(resource.suspended, resource.deleting));
        }
        if let Some(jobs) = &step.session_jobs {
            let of = |job: &SessionJobSpec| {
                let named = target.flink_id(job.job.as_ref()?);
                Some((named, wish(job.suspended, job.deleting)))
            };
            self.session_jobs = jobs.iter().filter_map(of).collect();
        }
        self.has_recovery_data = step.ha.unwrap_or(self.has_recovery_data);
        if let Some(jobs) = &step.jobs {
            let each = jobs.iter().flat_map(JobSpec::each);
            let (readable, unreadable): (Vec<JobSpec>, Vec<JobSpec>) = each.partition(is_readable);
            let said = |job: &JobSpec| (target.flink_id(&job.id), job.state);
            self.jobs = readable.iter().map(said).collect();
            self.unreadable = unreadable.iter().map(|job| target.flink_id(&job.id)).collect();
        }
        let logs = step.pods.iter().flatten().flat_map(|pod| &pod.log);
        let archived = step.archive.iter().flatten().map(|end| (&end.id, end.state));
        let told = logs.map(|end| (&end.job, end.state)).chain(archived);
        self.told = told.map(|(job, state)| (target.flink_id(job), state)).collect();
        self.intent = step.intent.or(self.intent);
    }
}

/// Whether a row can be read: its state is one, its start is a moment of the calendar, and its tasks can be counted.
fn is_readable(job: &JobSpec) -> bool {
    let start = BEGINNING.as_millis().saturating_add(job.start.as_millis());
    let tasks = job.tasks.iter().flatten();
    let sum: u64 = tasks
        .filter(|(state, _)| *state != "total")
        .map(|(_, count)| u64::from(*count))
        .sum();
    let is_said = job.tasks.iter().any(|tasks| tasks.contains_key("total"));
    job.written_state.is_none() && CALENDAR.contains(&start) && (is_said || u32::try_from(sum).is_ok())
}

fn wish(suspended: bool, deleting: bool) -> Wish {
    match (deleting, suspended) {
        (true, _) => Wish::Deleted,
        (false, true) => Wish::Suspended,
        (false, false) => Wish::Running,
    }
}

/// A target, from step to step.
pub fn of(story: &Story, target: &TargetSpec) -> Vec<Epoch> {
    // The engine reads the operator's kinds where it discovers by them.
    let mut there = story.targets.iter().filter(|other| other.cluster == target.cluster);
    let reads_resources = there.any(|other| other.found == Found::FlinkDeployment);
    let mut now = Epoch::default();
    let mut epochs = Vec::new();
    for (at, step) in &story.steps {
        now.from = at.as_millis();
        let is_here = step.cluster.as_ref().is_none_or(|cluster| *cluster == target.cluster);
        if let Some(fault) = step.kubernetes.filter(|_| is_here) {
            now.kubernetes = fault;
        }
        if target.is_called(step.target.as_deref()) {
            now.change(target, step);
        }
        // There is one HistoryServer for all of them. Clusters of one id, as twins in two Kubernetes clusters, give one id to their jobs.
        for teller in story.select(step.target.as_deref()) {
            let ends = step.history.iter().flatten();
            let heard = ends.map(|end| (teller.flink_id(&end.id), end.state));
            now.told.extend(heard);
        }
        if reads_resources && now.shows_resources() {
            now.standing.resource = now.resource.or(now.standing.resource);
            let session_jobs = now.session_jobs.iter().map(|(job, wish)| (job.clone(), *wish));
            now.standing.session_jobs.extend(session_jobs);
        }
        epochs.push(now.clone());
    }
    epochs
}
