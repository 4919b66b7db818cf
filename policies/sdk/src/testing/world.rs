//! A job's world: what the sources say, the time, and the record that decisions make.

use super::Judged;
use crate::{
    Condition, Confidence, Decision, Deletion, Fleet, Incarnation, Instance, Intent, JobRecord, JobState, Label,
    Millis, Mode, Policy, PostedIntent, Reason, Seen, Snapshot, StandingAlert, Timestamp, Timing,
};

/// When every world begins: Thursday, 2026-01-01T00:00:00Z, as stories do.
pub const START: Timestamp = 1_767_225_600_000;

/// A job, what is known of it, and what its policy remembers.
#[derive(Clone, Debug)]
pub struct World {
    /// The snapshot of the next decision; what no method changes, a test changes here.
    pub snapshot: Snapshot,
    memory: Vec<u8>,
}

impl World {
    pub(super) fn of(name: &str) -> Self {
        let job = JobRecord {
            cluster: "local".into(),
            namespace: "default".into(),
            name: name.into(),
            mode: Mode::Application,
            labels: vec![],
            state: JobState::Unknown,
            confidence: Confidence::Stale,
            reason: reason("NotYetObserved", "nobody has looked yet"),
            since: START,
            confirmed_at: None,
            incarnation: Incarnation {
                attempt: 0,
                deployment_uid: None,
                flink_job_id: None,
                started_at: None,
                since: None,
            },
            conditions: vec![],
            alerts: vec![],
            intent: None,
            revision: 0,
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
        Self {
            snapshot: Snapshot {
                now: START,
                engine_since: START,
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
            },
            memory: vec![],
        }
    }

    /// Its Deployment is there, and STARTING is on record.
    pub fn starting(mut self) -> Self {
        self.deployment_there();
        self.on_record(JobState::Starting, Confidence::Inferred)
    }

    /// Its Deployment is there, Flink lists it, and RUNNING is on record, confirmed.
    pub fn running(mut self) -> Self {
        self.deployment_there().flink_reports(JobState::Running);
        self.on_record(JobState::Running, Confidence::Confirmed)
    }

    /// That state is on record.
    pub fn on_record(mut self, state: JobState, confidence: Confidence) -> Self {
        let job = &mut self.snapshot.job;
        (job.state, job.confidence, job.since) = (state, confidence, self.snapshot.now);
        job.confirmed_at = (confidence == Confidence::Confirmed).then_some(self.snapshot.now);
        job.reason = reason("OnRecord", "as the test has it");
        self
    }

    /// The time is so long after [`START`]: `"90s"`, `"10m"`.
    ///
    /// # Panics
    ///
    /// If that is no duration.
    #[track_caller]
    pub fn at(&mut self, since_start: &str) -> &mut Self {
        self.snapshot.now = duration(since_start).after(START);
        self
    }

    /// So much time passes.
    ///
    /// # Panics
    ///
    /// If that is no duration.
    #[track_caller]
    pub fn later(&mut self, span: &str) -> &mut Self {
        self.snapshot.now = duration(span).after(self.snapshot.now);
        self
    }

    /// The job stands in that namespace.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.snapshot.job.namespace = namespace.into();
        self
    }

    /// Its Deployment carries that label.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        let (name, value) = (name.into(), value.into());
        self.snapshot.job.labels.push(Label { name, value });
        self
    }

    /// An intent is posted.
    pub fn intent(&mut self, intent: Intent) -> &mut Self {
        let since = self.snapshot.now;
        self.snapshot.job.intent = Some(PostedIntent { intent, since });
        self
    }

    /// The Deployment's deletion is seen, on the watch or as a deletionTimestamp.
    pub fn deletion_seen(&mut self) -> &mut Self {
        let uid = self.snapshot.job.incarnation.deployment_uid.clone();
        let (uid, seen_at) = (uid.unwrap_or_default(), self.snapshot.now);
        self.snapshot.deletion = Some(Deletion { uid, seen_at });
        self
    }

    /// So many of the cluster's targets are dark.
    pub fn fleet(&mut self, targets: u32, dark: u32) -> &mut Self {
        self.snapshot.fleet = Fleet { targets, dark };
        self
    }

    /// The snapshot as it stands.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    /// The policy decides; what it decides is the record from now on, and it gets its memory back next time.
    ///
    /// # Panics
    ///
    /// If it gives an error in place of a decision.
    #[track_caller]
    pub fn decide<P: Policy>(&mut self, policy: &Instance<P>) -> Judged {
        let decision = match policy.decide(&self.snapshot, &self.memory) {
            Ok(decision) => decision,
            #[allow(clippy::panic, reason = "a test whose policy gives no decision has failed")]
            Err(error) => panic!("{} decides nothing: {error}", P::NAME),
        };
        let judged = Judged::of(&self.snapshot, &decision);
        self.record(&decision);
        judged
    }

    /// Nothing changes until then: each poll looks again, gets the same answers, and the policy decides.
    ///
    /// # Panics
    ///
    /// If that is no duration, or the policy gives an error in place of a decision.
    #[track_caller]
    pub fn lasts_until<P: Policy>(&mut self, since_start: &str, policy: &Instance<P>) -> Judged {
        let end = duration(since_start).after(START);
        loop {
            self.snapshot.now = self.snapshot.poll().after(self.snapshot.now).min(end);
            self.look_again();
            let judged = self.decide(policy);
            if self.snapshot.now >= end {
                return judged;
            }
        }
    }

    /// The record as the engine would keep it.
    fn record(&mut self, decision: &Decision) {
        let (now, job) = (self.snapshot.now, &mut self.snapshot.job);
        if job.state != decision.state {
            job.since = now;
            job.revision += 1;
        }
        if decision.confidence == Confidence::Confirmed {
            job.confirmed_at = Some(now);
        }
        (job.state, job.confidence) = (decision.state, decision.confidence);
        job.reason = decision.reason.clone();
        let before = std::mem::take(&mut job.conditions);
        let since = |kind| before.iter().find(|old| old.kind == kind).map_or(now, |old| old.since);
        job.conditions = decision
            .conditions
            .iter()
            .map(|standing| Condition {
                kind: standing.kind,
                since: since(standing.kind),
                message: standing.message.clone(),
            })
            .collect();
        let before = std::mem::take(&mut job.alerts);
        let since = |name| before.iter().find(|old| old.name == name).map_or(now, |old| old.since);
        job.alerts = decision
            .alerts
            .iter()
            .map(|standing| StandingAlert {
                name: standing.name.clone(),
                scope: standing.scope,
                since: since(standing.name.as_str()),
                message: standing.message.clone(),
            })
            .collect();
        self.memory = decision.memory.clone();
    }

    /// Which run the evidence is about: what is not yet known is filled in, what contradicts begins a new attempt.
    pub(super) fn follow(&mut self) {
        let known = &self.snapshot.job.incarnation;
        let mut seen = known.clone();
        if let Seen::Present { value, .. } = self.snapshot.deployment() {
            seen.deployment_uid = Some(value.uid.clone());
        }
        if let Seen::Present { value, .. } = self.snapshot.flink() {
            seen.flink_job_id = Some(value.id.clone());
            seen.started_at = Some(value.started_at);
        }
        let is_other = |known: &Option<String>, seen: &Option<String>| known.is_some() && known != seen;
        let is_new = known.attempt == 0 && seen != *known
            || is_other(&known.deployment_uid, &seen.deployment_uid)
            || is_other(&known.flink_job_id, &seen.flink_job_id)
            || known.started_at.is_some_and(|started| Some(started) != seen.started_at);
        if is_new {
            seen.attempt += 1;
            seen.since = Some(self.snapshot.now);
        }
        self.snapshot.job.incarnation = seen;
    }
}

fn reason(code: &str, message: &str) -> Reason {
    Reason {
        code: code.into(),
        message: message.into(),
    }
}

#[track_caller]
fn duration(text: &str) -> Millis {
    match Millis::parse(text) {
        Some(duration) => duration,
        #[allow(clippy::panic, reason = "a test that cannot be read has failed")]
        None => panic!("`{text}` is no duration; write for example \"90s\""),
    }
}
