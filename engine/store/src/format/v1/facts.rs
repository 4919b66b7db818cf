//! The facts in evidence.

use steadfast_core::facts;

use super::scalar::{Foreign, JobId, Labels, Moment, Namespace, Uid};
use super::state::{Mode, State};
use crate::format::shape::{object, words};

object!(FlinkJob of facts::FlinkJob {
    "id": JobId = id,
    "state": State = state,
    "startedAt": Moment = started_at,
    "endedAt": Option<Moment> = ended_at,
    "tasks": Tasks = tasks,
});

object!(Tasks of facts::Tasks {
    "total": u32 = total,
    "running": u32 = running,
});

object!(RootException of facts::RootException {
    "headline": Foreign = headline,
    "at": Option<Moment> = at,
});

object!(Checkpoints of facts::Checkpoints {
    "completed": u64 = completed,
    "failed": u64 = failed,
    // Recordings from before savepoints were kept lack them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "savepointInProgress": Option<u64> = savepoint_in_progress,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "savepointCompleted": Option<u64> = savepoint_completed,
});

object!(JobEnd of facts::JobEnd {
    "job": JobId = job,
    "state": State = state,
    "cause": Option<Foreign> = cause,
    "endedAt": Option<Moment> = ended_at,
    "toldBy": EndSource = told_by,
});

words!(EndSource of facts::EndSource {
    "last-words" = LastWords,
    "archive" = Archive,
    "history-server" = HistoryServer,
    "job-result-store" = JobResultStore,
});

object!(Deployment of facts::Deployment {
    "namespace": Namespace = namespace,
    "name": String = name,
    "uid": Uid = uid,
    "createdAt": Option<Moment> = created_at,
    "deletingSince": Option<Moment> = deleting_since,
    "replicas": u32 = replicas,
    "ready": u32 = ready,
    "native": Option<Mode> = native,
    "owner": Option<Foreign> = owner,
    "trouble": Option<Foreign> = trouble,
    "rollout": Rollout = rollout,
    // Recordings from before labels were kept lack it.
    #[serde(default)]
    "labels": Labels = labels,
});

words!(Rollout of facts::Rollout {
    "settled" = Settled,
    "in-progress" = InProgress,
});

object!(Deletion of facts::Deletion {
    "uid": Uid = uid,
    "seenAt": Moment = seen_at,
});

object!(Pod of facts::Pod {
    "namespace": Namespace = namespace,
    "name": String = name,
    "uid": Uid = uid,
    "app": String = app,
    "createdAt": Option<Moment> = created_at,
    "deletingSince": Option<Moment> = deleting_since,
    "phase": Foreign = phase,
    "reason": Option<Foreign> = reason,
    "ip": Option<String> = ip,
    // Recordings from before the port was read lack it, and so does a pod that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "restPort": Option<u16> = rest_port,
    "ready": Readiness = ready,
    "unschedulable": Option<Foreign> = unschedulable,
    "container": Option<Container> = container,
});

words!(Readiness of facts::Readiness {
    "ready" = Ready,
    "notReady" = NotReady,
});

object!(Container of facts::Container {
    "name": Foreign = name,
    "restarts": u32 = restarts,
    "waiting": Option<Waiting> = waiting,
    "terminated": Option<Termination> = terminated,
});

object!(Waiting of facts::Waiting {
    "reason": Foreign = reason,
    "message": Foreign = message,
});

object!(Termination of facts::Termination {
    "reason": Foreign = reason,
    "exitCode": i32 = exit_code,
    "at": Option<Moment> = at,
});

object!(HaData of facts::HaData {
    "configMaps": Vec<Foreign> = config_maps,
});

object!(KubeEvent of facts::KubeEvent {
    "object": Foreign = object,
    "reason": Foreign = reason,
    "message": Foreign = message,
    "at": Option<Moment> = at,
});

object!(FlinkResource of facts::FlinkResource {
    "kind": ResourceKind = kind,
    "namespace": Namespace = namespace,
    "name": String = name,
    "uid": Uid = uid,
    // Snapshots from before it was kept lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "blueGreen": Option<String> = blue_green,
    "deployment": String = deployment,
    "mode": Mode = mode,
    "createdAt": Option<Moment> = created_at,
    "deletingSince": Option<Moment> = deleting_since,
    "desired": Desired = desired,
    "rollout": Rollout = rollout,
    "flinkJobId": Option<JobId> = flink_job_id,
    "reportedState": Option<State> = reported_state,
    "lifecycle": Option<Foreign> = lifecycle,
    "jobManagerStatus": Option<Foreign> = job_manager_status,
    "error": Option<Foreign> = error,
});

words!(ResourceKind of facts::ResourceKind {
    "FlinkDeployment" = FlinkDeployment,
    "FlinkSessionJob" = FlinkSessionJob,
});

words!(Desired of facts::Desired {
    "running" = Running,
    "suspended" = Suspended,
});
