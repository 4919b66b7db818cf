//! The record of a job: what integrations read, and what survives a restart.

use std::sync::Arc;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::facts::FlinkJob;
use crate::id::{FlinkJobId, JobKey, PolicyName};
use crate::incarnation::Incarnation;
use crate::labels::Labels;
use crate::state::{Attention, ConditionType, Confidence, Intent, JobState, Mode, word};
use crate::time::Timestamp;

/// Why the state is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    /// A word in CamelCase, stable for machines.
    pub code: String,
    /// A sentence for people: names pods, containers, exceptions.
    pub message: String,
}

impl Reason {
    /// Joins the two.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

/// Something that stands beside the state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// Its type; a record has at most one condition of each.
    pub kind: ConditionType,
    /// Since when it stands without a break.
    pub since: Timestamp,
    /// A sentence for people, from the newest decision.
    pub message: String,
}

/// An alert that stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StandingAlert {
    /// Its name in CamelCase, e.g. `JobFailed`.
    pub name: String,
    /// What it is about: this job, or its whole cluster.
    pub scope: AlertScope,
    /// When it began to stand.
    pub since: Timestamp,
    /// A sentence for people.
    pub message: String,
    /// Of one about the job: its beginning was not told, as a silence stood. Of one that many records share: nobody had been told of it
    /// when this record raised it; what was told since is for [`ClusterAlerts`](crate::cluster_alerts::ClusterAlerts) to know.
    pub silenced: bool,
}

/// Until when nobody is told of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Silence {
    /// The alert's name.
    pub alert: String,
    /// Since when, however often it was made longer. Of an alert that many records share and that nobody was told of when it was
    /// silenced here too: since that alert stands.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who said so.
    pub by: Option<Arc<str>>,
    /// Why, as they said.
    pub comment: Option<Arc<str>>,
}

/// What an alert is about. One about a cluster or a policy is delivered once for all its jobs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum AlertScope {
    /// The job of the record that raises it.
    Job,
    /// The Kubernetes cluster the job is in.
    Cluster,
    /// The policy that decides the job. The engine alone raises it.
    Policy,
}

word!(AlertScope);

/// An intent somebody posted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PostedIntent {
    /// What is intended, as posted.
    pub intent: Intent,
    /// When it was posted.
    pub since: Timestamp,
    /// Who posted it, as they said.
    pub author: Option<Arc<str>>,
    /// The number of the newest completed savepoint when checkpoints were first seen after it was posted, 0 if there was
    /// none: a newer one fulfils the intent.
    pub savepoint: Option<u64>,
}

impl PostedIntent {
    /// As it is when it has just been posted.
    pub fn new(intent: Intent, author: Option<Arc<str>>, since: Timestamp) -> Self {
        Self {
            intent,
            since,
            author,
            savepoint: None,
        }
    }
}

/// Why a job is watched, which says how it stops being watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A `[[job]]` of the configuration names it: it is forgotten when that entry goes.
    Configured,
    /// It was found: it stays on record until an operator forgets it.
    Discovered,
}

/// A job's durable record. Everything in it is committed before it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobRecord {
    /// The job: its Flink cluster, and in a session cluster its id.
    pub key: JobKey,
    /// How it is deployed.
    pub mode: Mode,
    /// Why it is watched.
    pub origin: Origin,
    /// The labels of its Deployment, as they were last seen; an outage does not take them away.
    pub labels: Labels,
    /// The state that was decided last.
    pub state: JobState,
    /// How sure the state is: confirmed by the source that owns it, inferred from another, or stale.
    pub confidence: Confidence,
    /// Why it stands: a code in CamelCase and a sentence.
    pub reason: Reason,
    /// When the state was first seen, by our clock: what rules and policies count from.
    pub since: Timestamp,
    /// When the state began by Flink's own word: the run's start-time for one that comes up or runs, the end-time for one
    /// that ended. By the JobManager's clock, and never after `since`; `None` where Flink does not tell. It is shown and
    /// decides nothing.
    pub told_since: Option<Timestamp>,
    /// When the state was last confirmed: the time of the newest answer that it rests on. As of the last commit.
    pub confirmed_at: Option<Timestamp>,
    /// Which incarnation the record is about.
    pub incarnation: Incarnation,
    /// What stands beside the state, ordered by type.
    pub conditions: Vec<Condition>,
    /// Alerts that stand, ordered by name.
    pub alerts: Vec<StandingAlert>,
    /// Of which alerts nobody is told, ordered by name; at most [`MOST`](crate::silences::MOST).
    pub silences: Vec<Silence>,
    /// What somebody intends with the job; `None` if nothing was ever posted.
    pub intent: Option<PostedIntent>,
    /// Other jobs of the same application.
    pub other_jobs: Vec<OtherJob>,
    /// Whether the watch polls.
    pub attention: Attention,
    /// The policy that decides, and its own memory.
    pub policy: PolicyName,
    /// Bytes only that policy understands.
    pub memory: Vec<u8>,
    /// Grows by one with each commit.
    pub revision: u64,
}

/// A job of an application beside the one its record is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherJob {
    /// `jid`.
    pub flink_job_id: FlinkJobId,
    /// What Flink last said of it.
    pub state: JobState,
}

impl From<&FlinkJob> for OtherJob {
    fn from(job: &FlinkJob) -> Self {
        Self {
            flink_job_id: job.id,
            state: job.state,
        }
    }
}

impl JobRecord {
    /// The record of a job of which nothing has been observed.
    pub fn unseen(key: JobKey, mode: Mode, origin: Origin, policy: PolicyName, now: Timestamp) -> Self {
        let incarnation = Incarnation::unseen(key.flink_job_id());
        Self {
            key,
            mode,
            origin,
            labels: Labels::default(),
            state: JobState::Unknown,
            confidence: Confidence::Stale,
            reason: Reason::new("NeverObserved", "no source has answered yet"),
            since: now,
            told_since: None,
            confirmed_at: None,
            incarnation,
            conditions: Vec::new(),
            alerts: Vec::new(),
            silences: Vec::new(),
            intent: None,
            other_jobs: Vec::new(),
            attention: Attention::Active,
            policy,
            memory: Vec::new(),
            revision: 0,
        }
    }

    /// The name of its Deployment; `None` outside of Kubernetes, where there is none. It is that of the record unless a `[[job]]` or an
    /// operator calls it otherwise.
    pub fn deployment(&self) -> Option<&str> {
        let target = &self.key.target;
        let known = self.incarnation.deployment_name.as_deref();
        (target.cluster.as_str() != "-").then(|| known.unwrap_or(&target.name))
    }

    /// The record as another policy finds it. The state stays; memory is of use only to the policy that wrote it.
    pub fn handed_to(&self, policy: &PolicyName) -> Self {
        let memory = if self.policy == *policy {
            self.memory.clone()
        } else {
            Vec::new()
        };
        Self {
            policy: policy.clone(),
            memory,
            ..self.clone()
        }
    }

    /// A stored record as an engine that starts takes it up: nothing is believed before it was confirmed anew.
    pub fn taken_up(&self, origin: Origin, policy: &PolicyName, now: Timestamp) -> Self {
        Self {
            confidence: Confidence::Stale,
            origin,
            ..self.handed_to(policy).begun_by(now)
        }
    }

    /// The same with no time of ours that is yet to come, as an engine writes whose clock is wrong: an age that counts from there
    /// would not grow. What the policy remembers counts from such times too, and goes. (A confirmation is written down late, and
    /// may be newer than what the clock goes on from.)
    fn begun_by(mut self, now: Timestamp) -> Self {
        let mut is_ahead = false;
        let attempt = &mut self.incarnation;
        self.confirmed_at = self.confirmed_at.map(|confirmed| confirmed.min(now));
        let seen = [
            &mut attempt.since,
            &mut attempt.run_seen_at,
            &mut attempt.deployment_seen_at,
        ];
        let stood = self.conditions.iter_mut().map(|condition| &mut condition.since);
        let alerted = self.alerts.iter_mut().map(|alert| &mut alert.since);
        let intended = self.intent.iter_mut().map(|intent| &mut intent.since);
        let silenced = self.silences.iter_mut().map(|silence| &mut silence.since);
        let times = seen.into_iter().flatten().chain([&mut self.since]);
        for time in times.chain(stood).chain(alerted).chain(silenced).chain(intended) {
            is_ahead |= *time > now;
            *time = now.min(*time);
        }
        if is_ahead {
            self.memory.clear();
        }
        self
    }

    /// When the state began, for people: by Flink's own word where it tells, else when it was first seen.
    pub fn began(&self) -> Timestamp {
        self.told_since.unwrap_or(self.since)
    }

    /// The silence of that alert, if there is one.
    pub fn silence(&self, alert: &str) -> Option<&Silence> {
        self.silences.iter().find(|silence| silence.alert == alert)
    }

    /// The condition of that type, if it stands.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn no_time_of_a_record_that_is_taken_up_is_yet_to_come() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let ahead = Timestamp::from_millis(now.as_millis() * 2);
        let mut record = testing::record(testing::job_key("orders"), now);
        (record.since, record.confirmed_at) = (ahead, Some(ahead));
        record.incarnation.since = Some(ahead);
        record.conditions = vec![Condition {
            kind: ConditionType::CrashLoop,
            since: ahead,
            message: String::new(),
        }];
        record.memory = vec![1];
        let policy = record.policy.clone();
        let taken_up = record.taken_up(record.origin, &policy, now);
        assert_eq!((taken_up.since, taken_up.confirmed_at), (now, Some(now)));
        assert_eq!(
            (taken_up.incarnation.since, taken_up.conditions[0].since),
            (Some(now), now)
        );
        assert_eq!(
            taken_up.memory,
            Vec::<u8>::new(),
            "what it remembers counts from such a time"
        );
        let again = taken_up.taken_up(record.origin, &policy, now);
        assert_eq!(again, taken_up);
        let known = JobRecord {
            memory: vec![1],
            ..taken_up
        };
        assert_eq!(known.taken_up(record.origin, &policy, now).memory, [1]);
    }

    #[test]
    fn nothing_is_believed_of_a_record_that_is_taken_up() {
        let now = testing::at(9);
        let confirmed = JobRecord {
            confidence: Confidence::Confirmed,
            ..testing::record(testing::job_key("orders"), now)
        };
        let taken_up = confirmed.taken_up(Origin::Configured, &PolicyName::new("other"), now);
        assert_eq!(
            (taken_up.confidence, taken_up.origin),
            (Confidence::Stale, Origin::Configured)
        );
        assert_eq!(taken_up.policy, PolicyName::new("other"));
    }

    #[test]
    fn a_deployment_has_the_name_of_its_record_unless_it_is_known_by_another() {
        let now = testing::at(9);
        let mut record = testing::record(testing::job_key("orders"), now);
        assert_eq!(record.deployment(), Some("orders"));
        record.incarnation.deployment_name = Some("orders-blue".to_owned());
        assert_eq!(record.deployment(), Some("orders-blue"));
        let standalone = JobKey::application(crate::id::TargetId::standalone("orders"));
        assert_eq!(testing::record(standalone, now).deployment(), None);
    }
}
