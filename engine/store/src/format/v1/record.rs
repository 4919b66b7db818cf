//! A record: the column `record` of `jobs`, and within recordings.

use std::sync::Arc;

use steadfast_core::{id, incarnation, record};

use super::alert::StandingAlert as Alert;
use super::condition::Condition;
use super::scalar::{ClusterName, JobId, Labels, Moment, Namespace, PolicyName, SessionJob, Uid};
use super::state::{Attention, Confidence, Intent, Mode, State};
use crate::format::shape::{object, words};

object!(Record of record::JobRecord {
    "key": Key = key,
    "mode": Mode = mode,
    "origin": Origin = origin,
    // Records from before labels were kept lack it.
    #[serde(default)]
    "labels": Labels = labels,
    "state": State = state,
    "confidence": Confidence = confidence,
    "reason": Reason = reason,
    "since": Moment = since,
    "confirmedAt": Option<Moment> = confirmed_at,
    "incarnation": Incarnation = incarnation,
    "conditions": Vec<Condition> = conditions,
    "alerts": Vec<Alert> = alerts,
    "intent": Option<PostedIntent> = intent,
    "otherJobs": Vec<OtherJob> = other_jobs,
    "attention": Attention = attention,
    "policy": PolicyName = policy,
    // An array of numbers; empty in `jobs`, which has a column for it.
    "memory": Vec<u8> = memory,
    "revision": u64 = revision,
    // Where Flink told no time, and in records from before it was kept, it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "toldSince": Option<Moment> = told_since,
    // Where nothing is silenced, and in records from before that could be, it is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    "silences": Vec<Silence> = silences,
});

object!(Silence of record::Silence {
    "alert": String = alert,
    "since": Moment = since,
    "until": Moment = until,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "by": Option<Arc<str>> = by,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "comment": Option<Arc<str>> = comment,
});

object!(Key of id::JobKey {
    "target": Target = target,
    // 32 hex digits, or the name of a FlinkSessionJob.
    "session_job": Option<SessionJob> = session_job,
});

object!(Target of id::TargetId {
    "cluster": ClusterName = cluster,
    "namespace": Namespace = namespace,
    "name": Arc<str> = name,
});

words!(Origin of record::Origin {
    "configured" = Configured,
    "discovered" = Discovered,
});

object!(Reason of record::Reason {
    "code": String = code,
    "message": String = message,
});

object!(Incarnation of incarnation::Incarnation {
    "attempt": u32 = attempt,
    "deploymentUid": Option<Uid> = deployment_uid,
    "uidSeen": UidSeen = uid_seen,
    "flinkJobId": Option<JobId> = flink_job_id,
    "startedAt": Option<Moment> = started_at,
    "since": Option<Moment> = since,
    "previous": Option<(JobId, Moment)> = previous,
    // Records from before these were kept lack them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "deploymentName": Option<String> = deployment_name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "deploymentCreatedAt": Option<Moment> = deployment_created_at,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "deploymentSeenAt": Option<Moment> = deployment_seen_at,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "sessionJobUid": Option<Uid> = session_job_uid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "runSeenAt": Option<Moment> = run_seen_at,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    "earlier": Vec<(JobId, Moment)> = earlier,
});

words!(UidSeen of incarnation::UidSeen {
    "inThisAttempt" = InThisAttempt,
    "before" = Before,
});

words!(AlertScope of record::AlertScope {
    "job" = Job,
    "cluster" = Cluster,
} nearest {
    Policy as Cluster,
});

object!(PostedIntent of record::PostedIntent {
    "intent": Intent = intent,
    "since": Moment = since,
    // Intents from before these were kept lack them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "author": Option<Arc<str>> = author,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "savepoint": Option<u64> = savepoint,
});

object!(OtherJob of record::OtherJob {
    "flinkJobId": JobId = flink_job_id,
    "state": State = state,
});
