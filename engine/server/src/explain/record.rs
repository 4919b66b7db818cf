//! The record within a snapshot.

use serde::{Deserialize, Serialize};
use steadfast_core::id::FlinkJobId;
use steadfast_core::time::Timestamp;
use steadfast_core::{id, incarnation, record};

use super::scalar::{Hex, JobId, Labels, Moment, SessionJob};
use super::state::{Attention, ConditionType, Confidence, Intent, Mode, State};
use super::table::{Shows, object, words};

object!(
    /// The record as it stood before the decision, brought up to the newest attempt.
    Record of record::JobRecord {
        /// The job it is about.
        key: Key = key,
        /// How the job is deployed.
        mode: Mode = mode,
        /// Why it is watched.
        origin: Origin = origin,
        /// The labels of its Deployment, as they were last seen.
        #[serde(default)]
        labels: Labels = labels,
        /// The state on record.
        state: State = state,
        /// How sure the record is of it.
        confidence: Confidence = confidence,
        /// Why the state is what it is.
        reason: Reason = reason,
        /// When the state was first seen, by Steadfast's clock.
        since: Moment = since,
        /// When the state began by Flink's own word, by the JobManager's clock: the run's start-time, or its end-time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_since: Option<Moment> = told_since,
        /// When the state was last confirmed, as of the last commit.
        confirmed_at: Option<Moment> = confirmed_at,
        /// The run that the record is about.
        incarnation: Incarnation = incarnation,
        /// What stands beside the state, ordered by type.
        conditions: Vec<Condition> = conditions,
        /// Alerts that stand, ordered by name.
        alerts: Vec<Alert> = alerts,
        /// Of which alerts nobody is told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        silences: Vec<Silence> = silences,
        /// What somebody wants, if it was said.
        intent: Option<PostedIntent> = intent,
        /// Other jobs of the same application.
        other_jobs: Vec<OtherJob> = other_jobs,
        /// Whether the watch polls.
        attention: Attention = attention,
        /// The policy that decides.
        policy: String = policy,
        /// What that policy remembers; only the policy understands it.
        memory: Hex = memory,
        /// Grows by one with each commit.
        revision: u64 = revision,
    }
);

object!(
    /// Names a record: a whole application, or one job of a session cluster.
    Key of id::JobKey {
        /// The Flink cluster that the job runs on.
        target: Target = target,
        /// The job within a session cluster, by its id or its FlinkSessionJob's name; null otherwise.
        #[serde(rename = "session_job")]
        session_job: Option<SessionJob> = session_job,
    }
);

object!(
    /// One Flink cluster.
    Target of id::TargetId {
        /// The Kubernetes cluster; `-` for standalone jobs.
        cluster: String = cluster,
        /// The namespace; `-` for standalone jobs.
        namespace: String = namespace,
        /// The name the job is shown under.
        name: String = name,
    }
);

words!(
    /// Why a job is watched: a `[[job]]` names it, or it was found.
    Origin of record::Origin {
        "configured" = Configured,
        "discovered" = Discovered,
    }
);

object!(
    /// Why a state is what it is.
    Reason of record::Reason {
        /// A word in CamelCase, stable for machines.
        code: String = code,
        /// A sentence for people.
        message: String = message,
    }
);

object!(
    /// One attempt. What is null has not been seen yet.
    Incarnation of incarnation::Incarnation {
        /// 1 for the first one seen; 0 while nothing has been seen.
        attempt: u32 = attempt,
        /// The Deployment's UID.
        deployment_uid: Option<String> = deployment_uid,
        /// Whether that UID was seen in this attempt.
        uid_seen: UidSeen = uid_seen,
        /// The job's id.
        flink_job_id: Option<JobId> = flink_job_id,
        /// The job's start-time.
        started_at: Option<Moment> = started_at,
        /// When the attempt was first seen.
        since: Option<Moment> = since,
        /// Job and start-time of the attempt before.
        #[schema(value_type = Option<Vec<String>>)]
        previous: Option<Start> = previous,
        /// The Deployment's creationTimestamp.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deployment_created_at: Option<Moment> = deployment_created_at,
        /// That Deployment's name, where it is not the job's: of one side of a FlinkBlueGreenDeployment, or as configured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deployment_name: Option<String> = deployment_name,
        /// When that Deployment was first seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deployment_seen_at: Option<Moment> = deployment_seen_at,
        /// The UID of the FlinkSessionJob that the record goes by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_job_uid: Option<String> = session_job_uid,
        /// When the answer that first listed the run was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_seen_at: Option<Moment> = run_seen_at,
        /// Runs the record was about before, the newest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(value_type = Vec<Vec<String>>)]
        earlier: Vec<Start> = earlier,
    }
);

/// A job's id and its start-time: an array of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start(pub JobId, pub Moment);

impl Shows<(FlinkJobId, Timestamp)> for Start {
    fn of((job, at): &(FlinkJobId, Timestamp)) -> Self {
        Self(JobId::of(job), Moment::of(at))
    }

    fn into_core(self) -> (FlinkJobId, Timestamp) {
        (self.0.into_core(), self.1.into_core())
    }
}

words!(
    /// Whether a UID was seen in this attempt, or is left over from the one before.
    UidSeen of incarnation::UidSeen {
        "inThisAttempt" = InThisAttempt,
        "before" = Before,
    }
);

object!(
    /// Something that stands beside the state.
    Condition of record::Condition {
        /// What it is.
        #[serde(rename = "type")]
        kind: ConditionType = kind,
        /// Since when it stands without a break.
        since: Moment = since,
        /// For people.
        message: String = message,
    }
);

object!(
    /// An alert that stands.
    Alert of record::StandingAlert {
        /// Its name in CamelCase.
        name: String = name,
        /// What it is about.
        scope: AlertScope = scope,
        /// When it began to stand.
        since: Moment = since,
        /// For people.
        message: String = message,
        /// Its beginning was not told, as a silence stood.
        #[serde(default, skip_serializing_if = "is_false")]
        silenced: bool = silenced,
    }
);

object!(
    /// Until when nobody is told of an alert.
    Silence of record::Silence {
        /// The alert's name.
        alert: String = alert,
        /// Since when.
        since: Moment = since,
        /// Until when.
        until: Moment = until,
        /// Who said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String> = by,
        /// Why, as they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String> = comment,
    }
);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(silenced: &bool) -> bool {
    !silenced
}

words!(
    /// What an alert is about: a job, or the Kubernetes cluster it is in.
    AlertScope of record::AlertScope {
        "job" = Job,
        "cluster" = Cluster,
        "policy" = Policy,
    }
);

object!(
    /// What somebody wants of a job.
    PostedIntent of record::PostedIntent {
        /// What is wanted.
        intent: Intent = intent,
        /// When it was said.
        since: Moment = since,
        /// Who said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        author: Option<String> = author,
        /// The number of the newest completed savepoint when it was first looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        savepoint: Option<u64> = savepoint,
    }
);

object!(
    /// Another job of the same application.
    OtherJob of record::OtherJob {
        /// Its id.
        flink_job_id: JobId = flink_job_id,
        /// What Flink last said of it.
        state: State = state,
    }
);
