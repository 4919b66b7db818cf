//! What Kubernetes says is wrong with a cluster's pods, in the words a person would look for.

use steadfast_policy::{Container, Deployment, KubeEvent, Pod, Rollout, Snapshot, Termination};

use crate::observations::pods;

/// Something that keeps a pod from running.
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// Names the pod, the container and what Kubernetes says of it.
    pub message: String,
}

/// The kinds, by what a person would do about them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The container ends again and again.
    CrashLoop,
    /// The image cannot be had.
    ImagePull,
    /// No node takes the pod.
    Unschedulable,
    /// The pod was evicted, or failed for good.
    PodFailed,
    /// The pod has a node and does not get to run: a volume, a sandbox, its configuration.
    PodStuck,
    /// The pod cannot be made: quota, admission, a rollout that does not get on.
    NotCreated,
    /// The Flink Kubernetes Operator names an error that it will not get over by itself.
    Operator,
}

impl ProblemKind {
    /// The reason code.
    pub fn code(self) -> &'static str {
        match self {
            Self::CrashLoop => "CrashLoop",
            Self::ImagePull => "ImagePull",
            Self::Unschedulable => "Unschedulable",
            Self::PodFailed => "PodFailed",
            Self::PodStuck => "PodStuck",
            Self::NotCreated => "FailedCreate",
            Self::Operator => crate::operator::ERROR,
        }
    }
}

/// A container that has ended this often and is not ready loops, even in the moments between two runs.
const LOOPING_RESTARTS: u32 = 3;

const IMAGE_REASONS: [&str; 5] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
];

const STUCK_REASONS: [&str; 3] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// The problem of the JobManager's pod, if it has any.
pub fn of_pods(s: &Snapshot) -> Option<Problem> {
    of_pod(s.job_manager()?)
}

/// The problem of one pod.
pub fn of_pod(pod: &Pod) -> Option<Problem> {
    let problem = |kind, message| Some(Problem { kind, message });
    if let Some(problem) = pod
        .container
        .as_ref()
        .and_then(|container| of_container(pod, container))
    {
        return Some(problem);
    }
    if let Some(message) = &pod.unschedulable {
        return problem(ProblemKind::Unschedulable, format!("pod {}: {message}", pod.name));
    }
    (pod.phase == "Failed").then(|| Problem {
        kind: ProblemKind::PodFailed,
        message: end_of(pod).unwrap_or_else(|| format!("pod {}: phase Failed", pod.name)),
    })
}

/// How a pod ended: why it was put to an end (`Evicted`), and how its container did.
pub fn end_of(pod: &Pod) -> Option<String> {
    let container = pod
        .container
        .as_ref()
        .and_then(|container| Some((container, container.terminated.as_ref()?)));
    match (&pod.reason, container) {
        (Some(reason), Some((container, ended))) => Some(format!(
            "pod {}: {reason}; container {} ended {}",
            pod.name,
            container.name,
            how(ended)
        )),
        (Some(reason), None) => Some(format!("pod {}: {reason}", pod.name)),
        (None, Some((container, ended))) => Some(format!(
            "pod {}, container {}: {}",
            pod.name,
            container.name,
            how(ended)
        )),
        (None, None) => None,
    }
}

/// E.g. `OOMKilled (137)`.
pub fn how(ended: &Termination) -> String {
    format!("{} ({})", ended.reason, ended.exit_code)
}

fn of_container(pod: &Pod, container: &Container) -> Option<Problem> {
    let place = format!("pod {}, container {}", pod.name, container.name);
    let ended = container
        .terminated
        .as_ref()
        .map_or_else(String::new, |ended| format!(", last ended {}", how(ended)));
    if let Some(waiting) = &container.waiting {
        let reason = waiting.reason.as_str();
        if IMAGE_REASONS.contains(&reason) {
            let message = format!("{place}: image cannot be pulled: {reason}: {}", waiting.message);
            return Some(Problem {
                kind: ProblemKind::ImagePull,
                message,
            });
        }
        if reason == "CrashLoopBackOff" {
            let message = format!("{place}: CrashLoopBackOff after {} restarts{ended}", container.restarts);
            return Some(Problem {
                kind: ProblemKind::CrashLoop,
                message,
            });
        }
        if STUCK_REASONS.contains(&reason) {
            let message = format!("{place}: {reason}: {}", waiting.message);
            return Some(Problem {
                kind: ProblemKind::PodStuck,
                message,
            });
        }
    }
    let loops = container.restarts >= LOOPING_RESTARTS && !pod.is_ready() && container.terminated.is_some();
    loops.then(|| Problem {
        kind: ProblemKind::CrashLoop,
        message: format!("{place}: crash loop, {} restarts{ended}", container.restarts),
    })
}

/// Whether events may tell what the pods do not: there is none, or the JobManager's does not get to run.
pub fn events_may_tell(s: &Snapshot, deployment: &Deployment) -> bool {
    match s.job_manager() {
        Some(pod) => pod.phase == "Pending" && of_pod(pod).is_none(),
        None => deployment.ready < deployment.replicas && pods(s).is_empty(),
    }
}

/// Why there is no pod, or why the JobManager's does not get to run: warning events, or the Deployment's own conditions.
pub fn of_deployment(s: &Snapshot) -> Option<Problem> {
    let events = s.events().present().unwrap_or_default();
    let describe = |event: &KubeEvent| format!("{}: {}: {}", event.object, event.reason, event.message);
    if let Some(pod) = s.job_manager() {
        let object = format!("Pod/{}", pod.name);
        let event = events.iter().find(|event| event.object == object)?;
        return (pod.phase == "Pending").then(|| Problem {
            kind: if event.reason == "FailedScheduling" {
                ProblemKind::Unschedulable
            } else {
                ProblemKind::PodStuck
            },
            message: describe(event),
        });
    }
    if !pods(s).is_empty() {
        return None;
    }
    let own = s
        .deployment()
        .present()
        .and_then(|deployment| deployment.trouble.clone());
    events.first().map(describe).or(own).map(|message| Problem {
        kind: ProblemKind::NotCreated,
        message,
    })
}

/// What is under way with a Deployment that is there, for a sentence that goes on with it.
pub fn under_way(s: &Snapshot, deployment: &Deployment) -> &'static str {
    match (deployment.deleting_since, deployment.rollout, s.job_manager()) {
        (Some(_), _, _) => ", and is being deleted",
        (None, Rollout::InProgress, _) => ", and a rollout is in progress",
        (None, Rollout::Settled, None) if !pods(s).is_empty() => ", and its pod is being deleted",
        (None, Rollout::Settled, Some(pod)) if pod.phase == "Running" && !pod.is_ready() => {
            ", and its pod is not ready"
        }
        (None, Rollout::Settled, Some(_) | None) => "",
    }
}
