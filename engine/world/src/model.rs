//! The truth of the world: what is there, and what is wrong with the networks in front of it. Pure data, changed by
//! steps.

mod runs;

use std::collections::BTreeMap;
use std::ops::Deref;

use steadfast_core::time::{Clock, Timestamp};

pub use self::runs::{Failure, Run, Runs};
use crate::clock::WorldClock;
use crate::story::{
    DeploymentSpec, EndedJob, EventSpec, FilesFault, FlinkFault, JobSpec, PodSpec, ResourceSpec, SessionJobSpec, Step,
    Story, TargetSpec,
};

/// The truth about one Flink cluster.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name, place and mode, as the story declares them.
    pub spec: TargetSpec,
    /// What is wrong with its REST endpoint.
    pub flink: FlinkFault,
    /// What the Flink that answers for it calls its cluster: another one does so under its own name.
    pub cluster_id: String,
    /// Its Deployment, if there is one.
    pub deployment: Option<DeploymentSpec>,
    /// What the UIDs of its objects are made from.
    pub uid: String,
    /// Its JobManager's pods.
    pub pods: Vec<PodSpec>,
    /// Its TaskManagers' pods.
    pub task_managers: Vec<PodSpec>,
    /// Its FlinkDeployment as the story says it, if it says something of it.
    pub said_resource: Option<ResourceSpec>,
    /// How many FlinkDeployments of its name there have been, with the present one: what was deleted does not come back.
    pub resources: u32,
    /// Its FlinkSessionJobs.
    pub session_jobs: Vec<SessionJobSpec>,
    /// Kubernetes events about it.
    pub events: Vec<EventSpec>,
    /// What its Flink lists.
    pub jobs: Vec<JobSpec>,
    /// When those came into their states, and when they failed.
    pub runs: Runs,
    /// What the archive holds of it.
    pub archive: Vec<EndedJob>,
    /// What the HistoryServer knows of it.
    pub history: Vec<EndedJob>,
    /// What the JobResultStore holds of it.
    pub job_results: Vec<EndedJob>,
    /// Whether Flink's HA ConfigMaps exist.
    pub ha: bool,
}

impl Deref for Target {
    type Target = TargetSpec;

    fn deref(&self) -> &TargetSpec {
        &self.spec
    }
}

impl Target {
    /// A cluster of which nothing is there yet.
    pub fn empty(spec: TargetSpec) -> Self {
        Self {
            cluster_id: spec.name.clone(),
            spec,
            flink: FlinkFault::Ok,
            deployment: None,
            uid: String::new(),
            pods: Vec::new(),
            task_managers: Vec::new(),
            said_resource: None,
            resources: 0,
            session_jobs: Vec::new(),
            events: Vec::new(),
            jobs: Vec::new(),
            runs: Runs::default(),
            archive: Vec::new(),
            history: Vec::new(),
            job_results: Vec::new(),
            ha: false,
        }
    }

    /// Takes over what the step says, by that clock now; the rest stays.
    pub fn change(&mut self, step: &Step, clock: WorldClock) {
        let before = self.resource();
        replace(&mut self.flink, step.flink.as_ref());
        replace(&mut self.cluster_id, step.cluster_id.as_ref());
        replace(&mut self.pods, step.pods.as_ref());
        replace(&mut self.task_managers, step.task_managers.as_ref());
        replace(&mut self.session_jobs, step.session_jobs.as_ref());
        if step.resource.is_some() {
            self.said_resource.clone_from(&step.resource);
        }
        replace(&mut self.events, step.events.as_ref());
        replace(&mut self.archive, step.archive.as_ref());
        replace(&mut self.history, step.history.as_ref());
        replace(&mut self.job_results, step.job_results.as_ref());
        replace(&mut self.ha, step.ha.as_ref());
        if let Some(deployment) = &step.deployment {
            self.uid.clone_from(&deployment.uid);
            self.deployment = deployment.present.then(|| deployment.clone());
        }
        if let Some(jobs) = &step.jobs {
            self.jobs = jobs.iter().flat_map(JobSpec::each).collect();
            self.runs.see(&self.jobs, clock);
        }
        let is_there = self.resource().is_some_and(|resource| !resource.deleting);
        let is_new = before.is_none_or(|before| before.deleting);
        self.resources += u32::from(is_there && is_new);
    }
}

impl Target {
    /// Its FlinkDeployment, if there is one: as the story says, else beside the Deployment that it owns.
    pub fn resource(&self) -> Option<ResourceSpec> {
        match &self.said_resource {
            Some(said) => said.present.then(|| said.clone()),
            None => {
                let owned = self
                    .deployment
                    .as_ref()
                    .filter(|deployment| deployment.owner.is_some())?;
                Some(ResourceSpec {
                    deleting: owned.deleting,
                    ..ResourceSpec::default()
                })
            }
        }
    }
}

fn replace<T: Clone>(value: &mut T, by: Option<&T>) {
    if let Some(by) = by {
        value.clone_from(by);
    }
}

/// The truth about all Flink clusters, and when each thing was first there.
#[derive(Debug)]
pub struct Model {
    /// The clusters, by what the story calls them.
    pub targets: BTreeMap<String, Target>,
    /// What is wrong with the files of archive and JobResultStore.
    pub files: FilesFault,
    /// When things were first there.
    pub births: Births,
}

impl Model {
    /// The world before a story's first step.
    pub fn before(story: &Story, clock: WorldClock) -> Self {
        let targets = story
            .targets
            .iter()
            .map(|spec| (spec.handle.clone(), Target::empty(spec.clone())));
        Self {
            targets: targets.collect(),
            files: FilesFault::Ok,
            births: Births {
                clock,
                seen: BTreeMap::new(),
            },
        }
    }

    /// Takes over what the step says, in all targets it means.
    pub fn change(&mut self, step: &Step) {
        replace(&mut self.files, step.files.as_ref());
        for target in self.targets.values_mut() {
            if target.spec.is_called(step.target.as_deref()) {
                target.change(step, self.births.clock);
            }
        }
    }
}

/// Remembers when a thing was first there, so that its timestamps stay.
#[derive(Debug)]
pub struct Births {
    /// The world's time.
    pub clock: WorldClock,
    seen: BTreeMap<String, Timestamp>,
}

impl Births {
    /// When that was first there: now, if nobody asked before.
    pub fn of(&mut self, what: String) -> Timestamp {
        let now = self.clock.now();
        *self.seen.entry(what).or_insert(now)
    }
}
