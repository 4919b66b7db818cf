//! What befalls the resources of the operator's: a FlinkDeployment, and the FlinkSessionJobs of a session cluster.
//!
//! While there is a Deployment that the operator made there is its FlinkDeployment: the finalizer lets go of it only once the
//! Deployment is gone.

use std::collections::BTreeSet;

use super::Tale;
use super::cluster::{Cluster, Job, There};
use super::expected::{ENDS, STOPS};
use super::hostile::Writings;
use crate::properties::plot::{Ask, Kind, Recovery};

/// How soon the operator does what a resource asks for, in milliseconds, where it does so at once.
const CARRIES_OUT: u64 = 1_500;
/// How long the operator's finalizer holds on to a resource whose Deployment is gone, in milliseconds.
const FINALIZES: u64 = 3_000;

/// What a resource asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Running,
    Suspended,
    /// It carries a deletionTimestamp.
    Deleted,
    /// There is none any more.
    None,
}

/// A FlinkDeployment.
pub struct Resource {
    pub wish: Wish,
    pub generation: u32,
    pub lifecycle: &'static str,
    /// Whether it ever asked for less than a running job.
    pub was_withdrawn: bool,
    /// Whether its present wish came when there was no Deployment.
    pub asked_of_nothing: bool,
    /// Whether it came when Flink said already that the job had stopped by itself.
    pub asked_of_stopped: bool,
    /// The ends that Flink had told by then, though it may have lost them with its JobManager.
    pub told_before: BTreeSet<&'static str>,
}

/// A FlinkSessionJob.
pub struct SessionJob {
    /// The job that it stands for.
    pub job: u32,
    pub wish: Wish,
    /// The state in which the job was when the operator stopped it, as the resource asked.
    pub stopped_as: Option<&'static str>,
    /// Whether somebody had said by then that it is to be cancelled.
    pub was_to_be_cancelled: bool,
    /// Whether its present wish came when Flink said already that the job had stopped by itself.
    pub asked_of_stopped: bool,
    /// Whether nobody could read in which state it was then.
    pub was_unreadable: bool,
}

impl Default for Resource {
    fn default() -> Self {
        Self {
            wish: Wish::Running,
            generation: 1,
            lifecycle: "STABLE",
            was_withdrawn: false,
            asked_of_nothing: false,
            asked_of_stopped: false,
            told_before: BTreeSet::new(),
        }
    }
}

impl Resource {
    /// Asks for something; says whether that is news.
    pub fn ask(&mut self, wish: Wish) -> bool {
        if self.wish == wish {
            return false;
        }
        self.generation = if self.wish == Wish::None {
            1
        } else {
            self.generation + 1
        };
        self.lifecycle = match wish {
            Wish::Deleted => "DELETING",
            Wish::Running if self.lifecycle == "SUSPENDED" => "UPGRADING",
            Wish::Running | Wish::Suspended | Wish::None => "STABLE",
        };
        self.was_withdrawn |= wish != Wish::Running;
        self.wish = wish;
        true
    }

    /// As the story writes it, with what somebody wrote of it once there is something that it asked for.
    fn says(&self, writings: &Writings, is_carried_out: bool) -> String {
        let asks = match self.wish {
            Wish::None => return "resource = { present = false }\n".into(),
            Wish::Running => "",
            Wish::Suspended => "suspended = true, ",
            Wish::Deleted => "deleting = true, ",
        };
        let (generation, stands) = (self.generation, writings.of_resource(self.lifecycle, is_carried_out));
        format!("resource = {{ {asks}generation = {generation}, {stands} }}\n")
    }
}

impl SessionJob {
    pub fn of(job: u32) -> Self {
        Self {
            job,
            wish: Wish::Running,
            stopped_as: None,
            was_to_be_cancelled: false,
            asked_of_stopped: false,
            was_unreadable: false,
        }
    }

    /// Its name is its own in the namespace, whichever session it is of.
    fn says(&self, session: &str, writings: &Writings) -> String {
        let asks = match self.wish {
            Wish::Running | Wish::None => "",
            Wish::Suspended if self.stopped_as.is_some() => ", suspended = true, lifecycle = \"SUSPENDED\"",
            Wish::Suspended => ", suspended = true",
            Wish::Deleted => ", deleting = true, lifecycle = \"DELETING\"",
        };
        let error = writings.of_session_job();
        format!("{{ name = \"{session}-s{0}\", job = \"j{0}\"{asks}{error} }}", self.job)
    }
}

impl Cluster {
    /// Whether the operator made it.
    pub fn is_operated(&self) -> bool {
        self.resource.is_some()
    }

    /// Its resources, if it has any.
    pub fn resources(&self) -> String {
        let Some(resource) = &self.resource else {
            return String::new();
        };
        let mut says = resource.says(&self.writings, self.was_deployed);
        if self.kind == Kind::Session {
            let written = |job: &SessionJob| job.says(&self.name, &self.writings);
            let jobs: Vec<String> = self.session_jobs.iter().map(written).collect();
            says += &format!("session_jobs = [{}]\n", jobs.join(", "));
        }
        says
    }

    fn is_listed(&self, number: u32) -> bool {
        self.jobs.iter().any(|job| job.number == number)
    }
}

impl Tale {
    /// Something happens to a resource, of this target or of the next that has one. Of a session cluster it is one of its FlinkSessionJobs, save where the cluster itself
    /// is to be deleted, or to come back.
    pub fn resource(&mut self, place: usize, ask: Ask) {
        let count = self.clusters.len();
        let around = (place..place + count).map(|place| place % count);
        let of = |place: usize| Some((place, self.clusters[place].resource.as_ref()?.wish));
        let Some((place, wish)) = around.filter_map(of).next() else {
            return;
        };
        let cluster = &self.clusters[place];
        let is_about_jobs = cluster.kind == Kind::Session && cluster.there == There::Up && wish == Wish::Running;
        match ask {
            Ask::Suspend if is_about_jobs => self.session_job(place, Wish::Running, Wish::Suspended),
            Ask::Run if is_about_jobs => self.session_job(place, Wish::Suspended, Wish::Running),
            Ask::CarryOut(_) if is_about_jobs => self.carry_out_session_job(place),
            // One of its jobs first; the cluster itself once none is left to be deleted.
            Ask::Delete if is_about_jobs && !cluster.session_jobs.is_empty() => {
                self.session_job(place, Wish::Running, Wish::Deleted);
            }
            Ask::Suspend if wish == Wish::Running && cluster.kind == Kind::Application => {
                self.asks(place, Wish::Suspended)
            }
            Ask::Run if wish == Wish::Suspended || wish == Wish::None => self.asks(place, Wish::Running),
            Ask::Delete if matches!(wish, Wish::Running | Wish::Suspended) => self.asks(place, Wish::Deleted),
            Ask::CarryOut(recovery) => self.carry_out(place, wish, recovery),
            Ask::SuspendAndCarryOut(recovery) => self.resource_then(place, Ask::Suspend, recovery),
            Ask::DeleteAndCarryOut => self.resource_then(place, Ask::Delete, Recovery::None),
            Ask::Suspend | Ask::Run | Ask::Delete => {}
        }
    }

    fn resource_then(&mut self, place: usize, ask: Ask, recovery: Recovery) {
        self.resource(place, ask);
        self.now += CARRIES_OUT;
        self.resource(place, Ask::CarryOut(recovery));
    }

    fn asks(&mut self, place: usize, wish: Wish) {
        let cluster = &mut self.clusters[place];
        if let Some(resource) = &mut cluster.resource
            && resource.ask(wish)
        {
            resource.asked_of_nothing = cluster.there == There::Gone;
            resource.asked_of_stopped = cluster.jobs.iter().any(|job| STOPS.contains(&job.state));
            resource.told_before = ENDS.into_iter().filter(|end| cluster.told.contains(end)).collect();
            let says = cluster.resources();
            self.step(Some(place), &says);
        }
    }

    /// The operator does what the FlinkDeployment asks for.
    pub fn carry_out(&mut self, place: usize, wish: Wish, recovery: Recovery) {
        let is_there = self.clusters[place].there != There::Gone;
        match wish {
            Wish::Suspended if is_there => {
                if let Some(resource) = &mut self.clusters[place].resource {
                    resource.lifecycle = "SUSPENDED";
                }
                self.remove(place, recovery);
            }
            Wish::Running if !is_there => self.restore(place),
            Wish::Deleted => {
                if is_there {
                    self.remove(place, Recovery::None);
                }
                self.now += FINALIZES;
                let cluster = &mut self.clusters[place];
                cluster.session_jobs.clear();
                let had_data = std::mem::replace(&mut cluster.recovery_data, Recovery::None) == Recovery::Lasts;
                self.asks(place, Wish::None);
                if had_data {
                    self.step(Some(place), "ha = false\n");
                }
            }
            Wish::Suspended | Wish::Running | Wish::None => {}
        }
    }

    /// The first FlinkSessionJob that asks for one thing asks for another.
    fn session_job(&mut self, place: usize, from: Wish, to: Wish) {
        let cluster = &mut self.clusters[place];
        if let Some(resource) = cluster.session_jobs.iter_mut().find(|resource| resource.wish == from) {
            resource.wish = to;
            let mut listed = cluster.jobs.iter().filter(|job| job.number == resource.job);
            resource.asked_of_stopped = listed.any(|job| STOPS.contains(&job.state));
            let says = cluster.resources();
            self.step(Some(place), &says);
        }
    }

    /// The operator does what the first FlinkSessionJob asks for that it has not done.
    fn carry_out_session_job(&mut self, place: usize) {
        let now = self.now;
        let cluster = &mut self.clusters[place];
        let is_open = |resource: &SessionJob| match resource.wish {
            Wish::Running => !cluster.is_listed(resource.job),
            Wish::Suspended => cluster.is_listed(resource.job),
            Wish::Deleted | Wish::None => true,
        };
        let Some(index) = cluster.session_jobs.iter().position(is_open) else {
            return;
        };
        let (job, wish) = (cluster.session_jobs[index].job, cluster.session_jobs[index].wish);
        let listed = cluster.jobs.iter().find(|listed| listed.number == job);
        let state = listed.map(|job| job.state);
        cluster.session_jobs[index].was_unreadable = listed.is_some_and(|job| job.odd.is_unreadable());
        cluster.jobs.retain(|listed: &Job| listed.number != job);
        match wish {
            Wish::Suspended => {
                cluster.session_jobs[index].stopped_as = state;
                cluster.session_jobs[index].was_to_be_cancelled = cluster.intents.contains(&"cancel");
            }
            Wish::Running | Wish::Deleted | Wish::None => {
                cluster.session_jobs.remove(index);
            }
        }
        // It comes back under another id, and its resource names that one then.
        if wish == Wish::Running {
            cluster.submit(now);
        }
        let says = cluster.listed() + &cluster.resources();
        self.step(Some(place), &says);
    }
}
