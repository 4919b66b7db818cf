//! The facts in evidence.

use serde::{Deserialize, Serialize};
use steadfast_core::facts;
use utoipa::ToSchema;

use super::scalar::{JobId, Labels, Moment};
use super::state::{Mode, State};
use super::table::{Shows, object, words};

/// A list with a name: the schema of generic evidence is named after its fact, and `Vec` names no fact.
macro_rules! list {
    ($(#[$meta:meta])* $name:ident of $item:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(as = explain::$name)]
        pub struct $name(pub Vec<$item>);

        impl Shows<Vec<facts::$item>> for $name {
            fn of(core: &Vec<facts::$item>) -> Self {
                Self(Shows::of(core))
            }

            fn into_core(self) -> Vec<facts::$item> {
                self.0.into_core()
            }
        }
    };
}

list!(
    /// Pods of a Flink cluster, the newest first.
    Pods of Pod
);

list!(
    /// Kubernetes events about the target's objects.
    KubeEvents of KubeEvent
);

object!(
    /// One job of Flink's `/jobs/overview`.
    FlinkJob of facts::FlinkJob {
        /// `jid`.
        id: JobId = id,
        /// `state`.
        state: State = state,
        /// `start-time`.
        started_at: Moment = started_at,
        /// `end-time`, when it has ended.
        ended_at: Option<Moment> = ended_at,
        /// `tasks`.
        tasks: Tasks = tasks,
    }
);

object!(
    /// How many subtasks there are, and how many run.
    Tasks of facts::Tasks {
        /// All subtasks.
        total: u32 = total,
        /// Those that run or have finished.
        running: u32 = running,
    }
);

object!(
    /// Why a job failed, from `/jobs/<id>/exceptions`.
    RootException of facts::RootException {
        /// The first line: class and message.
        headline: String = headline,
        /// When it was thrown.
        at: Option<Moment> = at,
    }
);

object!(
    /// Checkpoint counters, from `/jobs/<id>/checkpoints`.
    Checkpoints of facts::Checkpoints {
        /// `counts.completed`.
        completed: u64 = completed,
        /// `counts.failed`.
        failed: u64 = failed,
        /// The number of a savepoint that is in progress.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        savepoint_in_progress: Option<u64> = savepoint_in_progress,
        /// The number of the newest completed savepoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        savepoint_completed: Option<u64> = savepoint_completed,
    }
);

object!(
    /// How a job ended, as something other than its living REST endpoint tells it.
    JobEnd of facts::JobEnd {
        /// The job it is about.
        job: JobId = job,
        /// FINISHED, FAILED or CANCELED.
        state: State = state,
        /// The cause of a failure, where the source has it.
        cause: Option<String> = cause,
        /// When it ended, where the source has it.
        ended_at: Option<Moment> = ended_at,
        /// Where it was read.
        told_by: EndSource = told_by,
    }
);

words!(
    /// What tells how a job ended.
    EndSource of facts::EndSource {
        "last-words" = LastWords,
        "archive" = Archive,
        "history-server" = HistoryServer,
        "job-result-store" = JobResultStore,
    }
);

object!(
    /// A Deployment.
    Deployment of facts::Deployment {
        /// `metadata.namespace`.
        namespace: String = namespace,
        /// `metadata.name`.
        name: String = name,
        /// `metadata.uid`.
        uid: String = uid,
        /// `metadata.creationTimestamp`, whole seconds.
        created_at: Option<Moment> = created_at,
        /// `metadata.deletionTimestamp`: when the deletion was asked for, plus the grace period.
        deleting_since: Option<Moment> = deleting_since,
        /// `spec.replicas`, 1 if unset.
        replicas: u32 = replicas,
        /// `status.readyReplicas`.
        ready: u32 = ready,
        /// What Flink's native integration started, by the container's arguments.
        native: Option<Mode> = native,
        /// The kind of the controlling owner, else of the first.
        owner: Option<String> = owner,
        /// A failed rollout or replica condition, as `reason: message`.
        trouble: Option<String> = trouble,
        /// Whether `status` has caught up with `spec`.
        rollout: Rollout = rollout,
        /// `metadata.labels`.
        #[serde(default)]
        labels: Labels = labels,
    }
);

words!(
    /// Whether a controller has carried out what a specification asks for.
    Rollout of facts::Rollout {
        "settled" = Settled,
        "in-progress" = InProgress,
    }
);

object!(
    /// A deletion that was seen.
    Deletion of facts::Deletion {
        /// The UID of what was deleted.
        uid: String = uid,
        /// When it was seen.
        seen_at: Moment = seen_at,
    }
);

object!(
    /// A pod of a Flink cluster.
    Pod of facts::Pod {
        /// `metadata.namespace`.
        namespace: String = namespace,
        /// `metadata.name`.
        name: String = name,
        /// `metadata.uid`.
        uid: String = uid,
        /// The label `app`: Flink's cluster id.
        app: String = app,
        /// `metadata.creationTimestamp`, whole seconds.
        created_at: Option<Moment> = created_at,
        /// `metadata.deletionTimestamp`: when the deletion was asked for, plus the grace period.
        deleting_since: Option<Moment> = deleting_since,
        /// `status.phase`.
        phase: String = phase,
        /// `status.reason: status.message`.
        reason: Option<String> = reason,
        /// `status.podIP`.
        ip: Option<String> = ip,
        /// The container port named `rest`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rest_port: Option<u16> = rest_port,
        /// Whether the condition `Ready` is `True`.
        ready: Readiness = ready,
        /// The condition `PodScheduled` is `False`: `reason: message`.
        unschedulable: Option<String> = unschedulable,
        /// The main container, or the one in trouble.
        container: Option<Container> = container,
    }
);

words!(
    /// Whether a pod is ready.
    Readiness of facts::Readiness {
        "ready" = Ready,
        "notReady" = NotReady,
    }
);

object!(
    /// What a container's status tells.
    Container of facts::Container {
        /// Its name.
        name: String = name,
        /// `restartCount`.
        restarts: u32 = restarts,
        /// `state.waiting`.
        waiting: Option<Waiting> = waiting,
        /// `state.terminated`, else `lastState.terminated`.
        terminated: Option<Termination> = terminated,
    }
);

object!(
    /// `state.waiting`.
    Waiting of facts::Waiting {
        /// E.g. `CrashLoopBackOff`.
        reason: String = reason,
        /// For people.
        message: String = message,
    }
);

object!(
    /// `terminated`, now or last.
    Termination of facts::Termination {
        /// E.g. `OOMKilled`.
        reason: String = reason,
        /// The process' exit code.
        exit_code: i32 = exit_code,
        /// `finishedAt`, whole seconds.
        at: Option<Moment> = at,
    }
);

object!(
    /// What Flink's Kubernetes HA services left.
    HaData of facts::HaData {
        /// The names of the ConfigMaps, sorted.
        config_maps: Vec<String> = config_maps,
    }
);

object!(
    /// A Kubernetes event about an object of the target.
    KubeEvent of facts::KubeEvent {
        /// The kind and name of the object.
        object: String = object,
        /// E.g. `FailedCreate`.
        reason: String = reason,
        /// For people.
        message: String = message,
        /// When it last occurred.
        at: Option<Moment> = at,
    }
);

object!(
    /// A FlinkDeployment or FlinkSessionJob of the Flink Kubernetes Operator.
    FlinkResource of facts::FlinkResource {
        /// Which of the two it is.
        kind: ResourceKind = kind,
        /// `metadata.namespace`.
        namespace: String = namespace,
        /// `metadata.name`.
        name: String = name,
        /// `metadata.uid`.
        uid: String = uid,
        /// The FlinkBlueGreenDeployment that owns it, if it is one of its two sides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blue_green: Option<String> = blue_green,
        /// The Deployment of its JobManager.
        deployment: String = deployment,
        /// Application if a FlinkDeployment has a `spec.job`, else session.
        mode: Mode = mode,
        /// `metadata.creationTimestamp`, whole seconds.
        created_at: Option<Moment> = created_at,
        /// `metadata.deletionTimestamp`: when the deletion was asked for, plus the grace period.
        deleting_since: Option<Moment> = deleting_since,
        /// `spec.job.state`.
        desired: Desired = desired,
        /// Whether `status.observedGeneration` is `metadata.generation`.
        rollout: Rollout = rollout,
        /// `status.jobStatus.jobId`.
        flink_job_id: Option<JobId> = flink_job_id,
        /// `status.jobStatus.state`.
        reported_state: Option<State> = reported_state,
        /// `status.lifecycleState`.
        lifecycle: Option<String> = lifecycle,
        /// `status.jobManagerDeploymentStatus`.
        job_manager_status: Option<String> = job_manager_status,
        /// `status.error`.
        error: Option<String> = error,
    }
);

words!(
    /// The kinds of the operator's resources.
    ResourceKind of facts::ResourceKind {
        "FlinkDeployment" = FlinkDeployment,
        "FlinkSessionJob" = FlinkSessionJob,
    }
);

words!(
    /// What a specification asks for.
    Desired of facts::Desired {
        "running" = Running,
        "suspended" = Suspended,
    }
);
