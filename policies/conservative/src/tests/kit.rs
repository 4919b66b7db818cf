//! The SDK's worlds, told in seconds, where a look may lie before the moment of the decision.

use std::ops::{Deref, DerefMut};

use steadfast_policy::testing::{self, START, Says, World};
use steadfast_policy::*;

use crate::Conservative;

pub use steadfast_policy::testing::{FLINK_JOB as JOB, ended as ended_pod, pod};

const TIMEOUT: FaultKind = FaultKind::Timeout;

/// A world whose record the conservative policy keeps.
#[derive(Clone)]
pub struct Story(World);

impl Deref for Story {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl DerefMut for Story {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.0
    }
}

fn moment(second: i64) -> Timestamp {
    START + second * 1000
}

impl Story {
    /// RUNNING and confirmed since second 0.
    pub fn running() -> Self {
        let mut story = Self(testing::job("orders").running());
        story.decide();
        story
    }

    /// The same; the one JobManager that listed it is known.
    pub fn running_in_a_pod() -> Self {
        let mut story = Self::running();
        story.pod(0, true).flink_lists(JobState::Running).decide();
        story
    }

    /// A Deployment seen at second 0 whose Flink has never answered.
    pub fn starting() -> Self {
        Self(testing::job("orders").starting())
    }

    /// A job of which nothing was ever observed.
    pub fn unseen() -> Self {
        Self(testing::job("orders"))
    }

    /// RUNNING, then the Deployment was seen to be deleted and a complete answer lacks it; nothing tells the end.
    pub fn gone() -> Self {
        let mut story = Self::running();
        story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
        story.nothing_tells_the_end();
        story
    }

    pub fn at(&mut self, second: i64) -> &mut Self {
        self.snapshot.now = moment(second);
        self
    }

    /// A look of that second gave that answer.
    fn looked(&mut self, second: i64, look: impl FnOnce(&mut World)) -> &mut Self {
        let now = std::mem::replace(&mut self.snapshot.now, moment(second));
        look(&mut self.0);
        self.snapshot.now = now;
        self
    }

    pub fn flink_lists(&mut self, state: JobState) -> &mut Self {
        self.0.flink_reports(state);
        self
    }

    pub fn flink_lacks(&mut self, asked: i64) -> &mut Self {
        self.looked(asked, |world| {
            world.flink(Says::Absent);
        })
    }

    pub fn flink_silent(&mut self, since: i64) -> &mut Self {
        self.looked(since, |world| {
            world.flink_unknown(TIMEOUT);
        })
    }

    pub fn kubernetes_silent(&mut self, since: i64) -> &mut Self {
        self.looked(since, |world| {
            world.deployment(Says::Unknown(TIMEOUT));
        })
    }

    pub fn deployment_there(&mut self, asked: i64) -> &mut Self {
        self.looked(asked, |world| {
            world.deployment_there();
        })
    }

    pub fn deployment_missing(&mut self, asked: i64) -> &mut Self {
        self.looked(asked, |world| {
            world.deployment_missing();
        })
    }

    pub fn deletion_seen(&mut self, at: i64) -> &mut Self {
        self.looked(at, |world| {
            world.deletion_seen();
        })
    }

    pub fn nothing_tells_the_end(&mut self) {
        self.last_words(Says::Absent)
            .archive(Says::Absent)
            .ha_data(Says::Absent);
    }

    /// The JobManager's log tells that a job ended so.
    pub fn log_tells(&mut self, job: &str, state: JobState) {
        let end = JobEnd {
            job: job.into(),
            ..testing::job_end(state, EndSource::LastWords)
        };
        self.last_words(Says::Present(end));
    }

    pub fn archive_tells(&mut self, state: JobState, told_by: EndSource) {
        let cause = (state == JobState::Failed).then(|| "a.b.Trouble: it".into());
        let end = JobEnd {
            cause,
            ..testing::job_end(state, told_by)
        };
        self.archive(Says::Present(end));
    }

    pub fn archive_unreadable(&mut self) {
        self.archive(Says::Unknown(TIMEOUT));
    }

    /// After which second, rounded down, a look of that source is wanted, if it is.
    pub fn want_of(&mut self, source: WantedSource) -> Option<i64> {
        let decision = self.decide();
        let mut wanted = decision.wanted.iter().filter(|want| want.source == source);
        wanted.next().map(|want| (want.observed_after - START) / 1000)
    }

    /// The JobManager's pod carries a deletionTimestamp.
    pub fn going_pod(&mut self) {
        let pod = Pod {
            deleting_since: Some(self.snapshot.now),
            ..pod("orders-1")
        };
        self.0.pods(Says::Present(vec![pod]));
    }

    pub fn ha_data_there(&mut self) {
        self.ha_data(Says::Present(vec!["orders-cluster-config-map".into()]));
    }

    /// The FlinkDeployment as a list of that second has it: it asks for the job to run, and the operator is content.
    pub fn resource(&mut self, asked: i64, change: impl FnOnce(&mut FlinkResource)) -> &mut Self {
        let mut resource = testing::flink_resource();
        change(&mut resource);
        self.looked(asked, |world| {
            world.flink_resource(Says::Present(resource));
        })
    }

    pub fn resource_missing(&mut self, asked: i64) -> &mut Self {
        self.looked(asked, |world| {
            world.flink_resource(Says::Absent);
        })
    }

    /// Flink lists the job RUNNING with so many tasks.
    pub fn tasks(&mut self, total: u32, running: u32) -> &mut Self {
        let tasks = Tasks { total, running };
        let job = FlinkJob {
            tasks,
            ..testing::flink_job(JobState::Running)
        };
        self.0.flink(Says::Present(job));
        self
    }

    pub fn task_managers(&mut self, asked: i64, pods: Vec<Pod>) -> &mut Self {
        self.looked(asked, |world| {
            world.task_managers(Says::Present(pods));
        })
    }

    pub fn exception(&mut self, asked: i64, headline: &str) -> &mut Self {
        let headline = headline.into();
        self.looked(asked, |world| {
            world.exceptions(Says::Present(RootException { headline, at: None }));
        })
    }

    pub fn event(&mut self, object: &str, reason: &str, message: &str) -> &mut Self {
        let event = KubeEvent {
            object: object.into(),
            reason: reason.into(),
            message: message.into(),
            at: None,
        };
        self.events(Says::Present(vec![event]));
        self
    }

    pub fn pods(&mut self, pods: Vec<Pod>) -> &mut Self {
        self.0.pods(Says::Present(pods));
        self
    }

    /// A list of that second has no pod of the JobManager's.
    pub fn no_pod(&mut self, asked: i64) -> &mut Self {
        self.looked(asked, |world| {
            world.pods(Says::Absent);
        })
    }

    pub fn pods_say(&mut self, says: Says<Vec<Pod>>) {
        self.0.pods(says);
    }

    pub fn intent(&mut self, intent: Intent, since: i64) {
        self.looked(since, |world| {
            world.intent(intent);
        });
    }

    /// The JobManager's pod, its container restarted so often.
    pub fn pod(&mut self, restarts: u32, ready: bool) -> &mut Self {
        let mut pod = pod("orders-1");
        pod.readiness = if ready { Readiness::Ready } else { Readiness::NotReady };
        if let Some(container) = &mut pod.container {
            container.restarts = restarts;
        }
        self.pods(vec![pod])
    }

    pub fn crash_looping(&mut self) {
        self.pods(vec![testing::waiting("orders-1", "CrashLoopBackOff", 5)]);
    }

    pub fn image_missing(&mut self, message: &str) {
        let mut pod = testing::waiting("orders-1", "ImagePullBackOff", 0);
        if let Some(waiting) = pod.container.as_mut().and_then(|container| container.waiting.as_mut()) {
            waiting.message = message.into();
        }
        self.pods(vec![pod]);
    }

    pub fn decide(&mut self) -> Decision {
        let policy = testing::policy::<Conservative>("{}");
        Decision::clone(&self.0.decide(&policy))
    }
}

pub fn conditions(decision: &Decision) -> Vec<ConditionType> {
    decision.conditions.iter().map(|c| c.kind).collect()
}

pub fn alerts(decision: &Decision) -> Vec<(&str, AlertScope)> {
    decision.alerts.iter().map(|a| (a.name.as_str(), a.scope)).collect()
}

pub fn wants(decision: &Decision, source: WantedSource) -> bool {
    decision.wanted.iter().any(|want| want.source == source)
}
