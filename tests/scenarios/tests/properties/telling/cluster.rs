//! A Flink cluster as it really is, and how a story writes it.

use std::collections::BTreeSet;

use super::hostile::{OddRow, Writings};
use super::operator::{Resource, SessionJob};
use crate::properties::plot::{Found, Kind, Operated, Recovery, Setting};

/// A Flink cluster as it really is.
pub struct Cluster {
    /// What the story calls it.
    pub name: String,
    /// Its Deployment's name, where another target has its own.
    pub deployment_name: Option<String>,
    pub kind: Kind,
    /// Its Kubernetes cluster.
    pub place: &'static str,
    pub found: Found,
    /// How far its JobManager's clock is ahead, in milliseconds.
    pub clock: i64,
    /// Counts Deployments: each new one has the next UID.
    pub uid: u32,
    /// When the present Deployment was made.
    pub created: u64,
    /// Counts pods.
    pub pod: u32,
    pub restarts: u32,
    pub terminated: Option<&'static str>,
    pub there: There,
    /// Whether there was a Deployment at any time.
    pub was_deployed: bool,
    /// Whether the operator's resource was there before any Deployment.
    pub was_asked_for_first: bool,
    /// Whether somebody took the label `type` away.
    pub is_unlabelled: bool,
    /// What is wrong with the way to its REST endpoint.
    pub way: &'static str,
    pub jobs: Vec<Job>,
    pub next_job: u32,
    /// Everything that anything ever said of a job here.
    pub told: BTreeSet<&'static str>,
    pub recovery_data: Recovery,
    pub intents: Vec<&'static str>,
    /// Its FlinkDeployment, if it is one of the operator's.
    pub resource: Option<Resource>,
    /// Its FlinkSessionJobs.
    pub session_jobs: Vec<SessionJob>,
    /// What somebody outside wrote of it.
    pub writings: Writings,
}

/// What there is of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// It answers.
    Up,
    /// Its Deployment is there, its JobManager does not answer.
    Down,
    /// Its Deployment is there, and asks for no replica.
    ScaledToZero,
    /// Nothing.
    Gone,
}

#[derive(Clone)]
pub struct Job {
    pub number: u32,
    pub state: &'static str,
    pub start: u64,
    /// Whether lists leave it out.
    pub is_left_out: bool,
    /// What stands in its row otherwise than it is.
    pub odd: OddRow,
}

impl Cluster {
    pub fn new(place: usize, setting: Setting, before: &[Self]) -> Self {
        let in_kubernetes = setting.kind != Kind::Standalone;
        let (cluster, deployment_name) = super::reach::placed(setting, before);
        let is_operated = in_kubernetes && setting.operated != Operated::No;
        let is_asked_for = is_operated && setting.operated == Operated::AskedFor && setting.kind == Kind::Application;
        Self {
            name: format!("t{place}"),
            deployment_name,
            kind: setting.kind,
            place: cluster,
            found: if in_kubernetes { setting.found } else { Found::Config },
            clock: i64::from(setting.clock) * 1000,
            uid: 1,
            created: 0,
            pod: 1,
            restarts: 0,
            terminated: None,
            there: if is_asked_for { There::Gone } else { There::Up },
            was_deployed: !is_asked_for,
            was_asked_for_first: is_asked_for,
            is_unlabelled: false,
            way: "ok",
            jobs: Vec::new(),
            next_job: 1,
            told: BTreeSet::new(),
            recovery_data: Recovery::None,
            intents: Vec::new(),
            resource: is_operated.then(Resource::default),
            session_jobs: Vec::new(),
            writings: Writings::default(),
        }
    }

    pub fn in_kubernetes(&self) -> bool {
        self.kind != Kind::Standalone
    }

    pub fn submit(&mut self, start: u64) {
        self.jobs.push(Job {
            number: self.next_job,
            state: "RUNNING",
            start,
            is_left_out: false,
            odd: OddRow::default(),
        });
        self.told.insert("RUNNING");
        if self.kind == Kind::Session && self.resource.is_some() {
            self.session_jobs.push(SessionJob::of(self.next_job));
        }
        self.next_job += 1;
    }

    /// What `flink` the story says.
    pub fn flink(&self) -> &'static str {
        match self.there {
            There::Up => self.way,
            There::Down | There::ScaledToZero | There::Gone => "refuse",
        }
    }

    /// A moment by the clock of its JobManager, in milliseconds.
    fn clocked(&self, at: u64) -> i64 {
        i64::try_from(at).unwrap_or(i64::MAX) + self.clock
    }

    /// A job as the story writes it, with what else is said of it.
    pub fn row(&self, id: &str, state: &str, start: u64, says: &str) -> String {
        let start = self.clocked(start);
        format!("{{ id = \"{id}\", state = \"{state}\", start = \"{start}ms\"{says} }}")
    }

    /// A job of its own, as its lists have it.
    fn own_row(&self, job: &Job) -> String {
        let (number, state) = (job.number, job.state);
        let (start, odd) = (job.odd.start(self.clocked(job.start)), job.odd.says());
        let left_out = if job.is_left_out {
            ", listed = false, asked = \"500\""
        } else {
            ""
        };
        format!("{{ id = \"j{number}\", state = \"{state}\", start = \"{start}ms\"{left_out}{odd} }}")
    }

    pub fn listed(&self) -> String {
        let jobs: Vec<String> = match self.there {
            There::Up => self.jobs.iter().map(|job| self.own_row(job)).collect(),
            There::Down | There::ScaledToZero | There::Gone => Vec::new(),
        };
        format!("jobs = [{}]\n", jobs.join(", "))
    }

    /// What else somebody wrote that Kubernetes shows.
    pub fn beside(&self) -> String {
        if self.in_kubernetes() {
            self.writings.beside()
        } else {
            String::new()
        }
    }

    /// Its Deployment and its pods.
    pub fn deployment(&self) -> String {
        if !self.in_kubernetes() {
            return String::new();
        }
        match self.there {
            There::Gone => "deployment = { present = false }\npods = []\n".into(),
            There::ScaledToZero => self.deployment_with("replicas = 0, ready = 0") + "pods = []\n",
            There::Up | There::Down => {
                let ready = self.there == There::Up;
                let restarts = if ready {
                    self.writings.restarts(self.restarts)
                } else {
                    self.restarts
                };
                let pods = format!(
                    "pods = [{{ name = \"jm-{}\", ready = {ready}, restarts = {restarts}{} }}]\n",
                    self.pod,
                    self.writings.of_pod(self.terminated),
                );
                self.deployment_with(&format!("ready = {}", u32::from(ready))) + &pods
            }
        }
    }

    pub fn deployment_with(&self, says: &str) -> String {
        let owner = if self.is_operated() {
            ", owner = \"FlinkDeployment\""
        } else {
            ""
        };
        let label = if self.is_unlabelled { ", type_label = false" } else { "" };
        format!("deployment = {{ uid = \"u{}\", {says}{owner}{label} }}\n", self.uid)
    }

    /// Another Deployment, with another pod that does not answer yet; its jobs are gone.
    pub fn replace(&mut self, now: u64) {
        self.there = There::Down;
        self.was_deployed = true;
        self.is_unlabelled = false;
        self.created = now;
        self.uid += 1;
        self.pod += 1;
        (self.restarts, self.terminated) = (0, None);
        self.jobs.clear();
    }

    /// The JobManager answers again.
    pub fn recover(&mut self, recovery: Recovery, now: u64) {
        self.there = There::Up;
        let alive = |job: &Job| !matches!(job.state, "FINISHED" | "FAILED" | "CANCELED");
        let lasting: Vec<Job> = self.jobs.iter().filter(|job| alive(job)).cloned().collect();
        self.jobs.clear();
        if recovery == Recovery::None || lasting.is_empty() {
            self.submit(now);
            return;
        }
        self.told.insert("RUNNING");
        self.jobs = lasting
            .into_iter()
            .map(|job| Job {
                state: "RUNNING",
                start: now,
                is_left_out: false,
                odd: OddRow::default(),
                ..job
            })
            .collect();
    }

    /// Lets one job move on; says whether one could.
    pub fn move_on(&mut self, choice: u8) -> bool {
        let count = self.jobs.len();
        let Some(job) = self.jobs.get_mut(usize::from(choice) % count.max(1)) else {
            return false;
        };
        let next: &[&'static str] = match job.state {
            "CREATED" => &["RUNNING", "CANCELLING", "FAILING"],
            "INITIALIZING" => &["CREATED", "RUNNING", "FAILED"],
            "RUNNING" => &["FINISHED", "FAILING", "RESTARTING", "CANCELLING", "SUSPENDED"],
            "FAILING" => &["FAILED", "RESTARTING"],
            "RESTARTING" => &["RUNNING", "CREATED", "FAILING", "CANCELLING"],
            "CANCELLING" => &["CANCELED", "FAILING"],
            _ => return false,
        };
        let Some(state) = next.get(usize::from(choice / 4) % next.len()) else {
            return false;
        };
        job.state = state;
        self.told.insert(state);
        true
    }
}
