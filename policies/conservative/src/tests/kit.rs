//! A snapshot that is changed step by step, and judged like the engine would: the decision becomes the record.

use steadfast_policy::*;

use crate::Conservative;

pub const JOB: &str = "00000000000000000000000000000001";
const UID: &str = "u1";

pub struct Story {
    pub snapshot: Snapshot,
    memory: Vec<u8>,
}

fn looks(asked: i64) -> Looks {
    Looks {
        asked_at: asked * 1000,
        observed_at: asked * 1000,
        known_at: Some(asked * 1000),
        unknown_since: None,
        failures: 0,
    }
}

fn silence(since: i64) -> Looks {
    Looks {
        asked_at: since * 1000,
        observed_at: since * 1000,
        known_at: Some(0),
        unknown_since: Some(since * 1000),
        failures: 1,
    }
}

fn fault() -> Fault {
    Fault {
        kind: FaultKind::Timeout,
        message: "no answer".into(),
    }
}

impl Story {
    /// RUNNING and confirmed since second 0.
    pub fn running() -> Self {
        let mut story = Self::starting();
        let job = &mut story.snapshot.job;
        job.state = JobState::Running;
        job.confidence = Confidence::Confirmed;
        job.incarnation.flink_job_id = Some(JOB.into());
        job.incarnation.started_at = Some(0);
        story.flink_lists(JobState::Running);
        story.decide();
        story
    }

    /// A Deployment seen at second 0 whose Flink has never answered.
    pub fn starting() -> Self {
        let incarnation = Incarnation {
            attempt: 1,
            deployment_uid: Some(UID.into()),
            flink_job_id: None,
            started_at: None,
            since: Some(0),
        };
        let job = JobRecord {
            cluster: "local".into(),
            namespace: "default".into(),
            name: "orders".into(),
            mode: Mode::Application,
            labels: vec![],
            state: JobState::Starting,
            confidence: Confidence::Inferred,
            reason: Reason {
                code: "Starting".into(),
                message: String::new(),
            },
            since: 0,
            confirmed_at: None,
            incarnation,
            conditions: vec![],
            alerts: vec![],
            intent: None,
            revision: 1,
        };
        let timing = Timing {
            poll: 5000,
            timeout: 3000,
            validate: 60_000,
            retry_initial: 800,
            retry_max: 30_000,
            startup_grace: 0,
            terminal_poll: 60_000,
        };
        let snapshot = Snapshot {
            now: 0,
            engine_since: 0,
            job,
            flink: None,
            exceptions: None,
            checkpoints: None,
            deployment: None,
            deletion: None,
            pods: None,
            events: None,
            ha_data: None,
            last_words: None,
            archive: None,
            flink_resource: None,
            task_managers: None,
            fleet: Fleet { targets: 1, dark: 0 },
            timing,
        };
        let mut story = Self {
            snapshot,
            memory: vec![],
        };
        story.deployment_there(0);
        story
    }

    /// RUNNING, then the Deployment was seen to be deleted and a complete answer lacks it; nothing tells the end.
    pub fn gone() -> Self {
        let mut story = Self::running();
        story.at(62).flink_silent(60).deletion_seen(60).deployment_missing(61);
        story.nothing_tells_the_end();
        story
    }

    pub fn at(&mut self, second: i64) -> &mut Self {
        self.snapshot.now = second * 1000;
        self
    }

    pub fn flink_lists(&mut self, state: JobState) -> &mut Self {
        let job = FlinkJob {
            id: JOB.into(),
            state,
            started_at: 0,
            ended_at: None,
            tasks: Tasks { total: 1, running: 1 },
        };
        let now = self.snapshot.now / 1000;
        self.snapshot.flink = Some(FlinkEvidence {
            looks: looks(now),
            answer: FlinkAnswer::Present(job),
        });
        self
    }

    pub fn flink_lacks(&mut self, asked: i64) -> &mut Self {
        self.snapshot.flink = Some(FlinkEvidence {
            looks: looks(asked),
            answer: FlinkAnswer::Absent,
        });
        self
    }

    pub fn flink_silent(&mut self, since: i64) -> &mut Self {
        self.snapshot.flink = Some(FlinkEvidence {
            looks: silence(since),
            answer: FlinkAnswer::Unknown(fault()),
        });
        self
    }

    pub fn kubernetes_silent(&mut self, since: i64) -> &mut Self {
        let answer = DeploymentAnswer::Unknown(fault());
        self.snapshot.deployment = Some(DeploymentEvidence {
            looks: silence(since),
            answer,
        });
        self
    }

    pub fn deployment_there(&mut self, asked: i64) -> &mut Self {
        let deployment = Deployment {
            uid: UID.into(),
            created_at: Some(0),
            deleting_since: None,
            replicas: 1,
            ready: 1,
            owner: None,
            trouble: None,
            rollout: Rollout::Settled,
        };
        let answer = DeploymentAnswer::Present(deployment);
        self.snapshot.deployment = Some(DeploymentEvidence {
            looks: looks(asked),
            answer,
        });
        self
    }

    pub fn deployment_missing(&mut self, asked: i64) -> &mut Self {
        self.snapshot.deployment = Some(DeploymentEvidence {
            looks: looks(asked),
            answer: DeploymentAnswer::Absent,
        });
        self
    }

    pub fn deletion_seen(&mut self, at: i64) -> &mut Self {
        self.snapshot.deletion = Some(Deletion {
            uid: UID.into(),
            seen_at: at * 1000,
        });
        self
    }

    pub fn nothing_tells_the_end(&mut self) {
        let now = self.snapshot.now / 1000;
        let absent = JobEndEvidence {
            looks: looks(now),
            answer: JobEndAnswer::Absent,
        };
        self.snapshot.last_words = Some(absent.clone());
        self.snapshot.archive = Some(absent);
        self.snapshot.ha_data = Some(HaDataEvidence {
            looks: looks(now),
            answer: HaDataAnswer::Absent,
        });
    }

    pub fn last_words(&mut self, job: &str, state: JobState) {
        let answer = JobEndAnswer::Present(JobEnd {
            job: job.into(),
            state,
            cause: None,
            ended_at: None,
            told_by: EndSource::LastWords,
        });
        self.snapshot.last_words = Some(JobEndEvidence {
            looks: looks(61),
            answer,
        });
    }

    pub fn archive_tells(&mut self, state: JobState, told_by: EndSource) {
        let cause = (state == JobState::Failed).then(|| "a.b.Trouble: it".into());
        self.archive(JobEndAnswer::Present(JobEnd {
            job: JOB.into(),
            state,
            cause,
            ended_at: None,
            told_by,
        }));
    }

    pub fn archive_unreadable(&mut self) {
        self.archive(JobEndAnswer::Unknown(fault()));
    }

    fn archive(&mut self, answer: JobEndAnswer) {
        self.snapshot.archive = Some(JobEndEvidence {
            looks: looks(self.snapshot.now / 1000),
            answer,
        });
    }

    /// After which second, rounded down, a look of that source is wanted, if it is.
    pub fn want_of(&mut self, source: WantedSource) -> Option<i64> {
        let decision = self.decide();
        let mut wanted = decision.wanted.iter().filter(|want| want.source == source);
        wanted.next().map(|want| want.observed_after / 1000)
    }

    /// The JobManager's pod carries a deletionTimestamp.
    pub fn going_pod(&mut self) {
        self.pod(0, true);
        if let Some(PodsEvidence {
            answer: PodsAnswer::Present(pods),
            ..
        }) = &mut self.snapshot.pods
        {
            pods[0].deleting_since = Some(self.snapshot.now);
        }
    }

    pub fn ha_data(&mut self) {
        let answer = HaDataAnswer::Present(vec!["orders-cluster-config-map".into()]);
        self.snapshot.ha_data = Some(HaDataEvidence {
            looks: looks(61),
            answer,
        });
    }

    /// The FlinkDeployment as a list of that second has it: it asks for the job to run, and the operator is content.
    pub fn resource(&mut self, asked: i64, change: impl FnOnce(&mut FlinkResource)) -> &mut Self {
        let mut resource = FlinkResource {
            kind: FlinkResourceKind::FlinkDeployment,
            name: "orders".into(),
            uid: "r1".into(),
            created_at: Some(0),
            deleting_since: None,
            desired: DesiredState::Running,
            rollout: Rollout::Settled,
            flink_job_id: Some(JOB.into()),
            reported_state: None,
            lifecycle: Some("STABLE".into()),
            job_manager_status: None,
            error: None,
        };
        change(&mut resource);
        self.snapshot.flink_resource = Some(FlinkResourceEvidence {
            looks: looks(asked),
            answer: FlinkResourceAnswer::Present(resource),
        });
        self
    }

    pub fn resource_missing(&mut self, asked: i64) -> &mut Self {
        self.snapshot.flink_resource = Some(FlinkResourceEvidence {
            looks: looks(asked),
            answer: FlinkResourceAnswer::Absent,
        });
        self
    }

    pub fn tasks(&mut self, total: u32, running: u32) -> &mut Self {
        if let Some(FlinkEvidence {
            answer: FlinkAnswer::Present(job),
            ..
        }) = &mut self.snapshot.flink
        {
            job.tasks = Tasks { total, running };
        }
        self
    }

    pub fn task_managers(&mut self, asked: i64, pods: Vec<Pod>) -> &mut Self {
        self.snapshot.task_managers = Some(PodsEvidence {
            looks: looks(asked),
            answer: PodsAnswer::Present(pods),
        });
        self
    }

    pub fn exception(&mut self, asked: i64, headline: &str) -> &mut Self {
        self.snapshot.exceptions = Some(ExceptionsEvidence {
            looks: looks(asked),
            answer: ExceptionsAnswer::Present(RootException {
                headline: headline.into(),
                at: None,
            }),
        });
        self
    }

    pub fn event(&mut self, object: &str, reason: &str, message: &str) -> &mut Self {
        self.snapshot.events = Some(EventsEvidence {
            looks: looks(self.snapshot.now / 1000),
            answer: EventsAnswer::Present(vec![KubeEvent {
                object: object.into(),
                reason: reason.into(),
                message: message.into(),
                at: None,
            }]),
        });
        self
    }

    pub fn pods(&mut self, pods: Vec<Pod>) -> &mut Self {
        self.snapshot.pods = Some(PodsEvidence {
            looks: looks(self.snapshot.now / 1000),
            answer: PodsAnswer::Present(pods),
        });
        self
    }

    pub fn intent(&mut self, intent: Intent, since: i64) {
        self.snapshot.job.intent = Some(PostedIntent {
            intent,
            since: since * 1000,
        });
    }

    pub fn checkpoints(&mut self, answer: CheckpointsAnswer) {
        self.snapshot.checkpoints = Some(CheckpointsEvidence {
            looks: looks(self.snapshot.now / 1000),
            answer,
        });
    }

    pub fn pod(&mut self, restarts: u32, ready: bool) -> &mut Self {
        self.put_pod(
            Container {
                name: "flink-main-container".into(),
                restarts,
                waiting: None,
                terminated: None,
            },
            ready,
        );
        self
    }

    pub fn crash_looping(&mut self) {
        let waiting = Waiting {
            reason: "CrashLoopBackOff".into(),
            message: "back-off".into(),
        };
        let terminated = Some(Termination {
            reason: "Error".into(),
            exit_code: 1,
            at: None,
        });
        let container = Container {
            name: "flink-main-container".into(),
            restarts: 5,
            waiting: Some(waiting),
            terminated,
        };
        self.put_pod(container, false);
    }

    pub fn image_missing(&mut self, message: &str) {
        let waiting = Waiting {
            reason: "ImagePullBackOff".into(),
            message: message.into(),
        };
        self.put_pod(
            Container {
                name: "main".into(),
                restarts: 0,
                waiting: Some(waiting),
                terminated: None,
            },
            false,
        );
    }

    fn put_pod(&mut self, container: Container, ready: bool) {
        let pod = Pod {
            name: "orders-1".into(),
            uid: "p1".into(),
            created_at: Some(0),
            deleting_since: None,
            phase: "Running".into(),
            reason: None,
            readiness: if ready { Readiness::Ready } else { Readiness::NotReady },
            unschedulable: None,
            container: Some(container),
        };
        let now = self.snapshot.now / 1000;
        self.snapshot.pods = Some(PodsEvidence {
            looks: looks(now),
            answer: PodsAnswer::Present(vec![pod]),
        });
    }

    pub fn decide(&mut self) -> Decision {
        let policy = Conservative::configure("{}").unwrap();
        let decision = policy.decide(&self.snapshot, &self.memory).unwrap();
        let job = &mut self.snapshot.job;
        if job.state != decision.state {
            job.since = self.snapshot.now;
        }
        job.state = decision.state;
        job.confidence = decision.confidence;
        job.reason = decision.reason.clone();
        let before = std::mem::take(&mut job.conditions);
        job.conditions = decision
            .conditions
            .iter()
            .map(|c| Condition {
                kind: c.kind,
                since: before
                    .iter()
                    .find(|b| b.kind == c.kind)
                    .map_or(self.snapshot.now, |b| b.since),
                message: c.message.clone(),
            })
            .collect();
        self.memory = decision.memory.clone();
        decision
    }
}

/// A pod that runs and is ready.
pub fn pod(name: &str) -> Pod {
    Pod {
        name: name.into(),
        uid: name.into(),
        created_at: Some(0),
        deleting_since: None,
        phase: "Running".into(),
        reason: None,
        readiness: Readiness::Ready,
        unschedulable: None,
        container: Some(Container {
            name: "flink-main-container".into(),
            restarts: 0,
            waiting: None,
            terminated: None,
        }),
    }
}

/// A pod whose container has ended for good.
pub fn ended_pod(name: &str, reason: &str, exit_code: i32) -> Pod {
    let mut pod = pod(name);
    pod.phase = "Failed".into();
    pod.readiness = Readiness::NotReady;
    if let Some(container) = &mut pod.container {
        container.terminated = Some(Termination {
            reason: reason.into(),
            exit_code,
            at: None,
        });
    }
    pod
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
