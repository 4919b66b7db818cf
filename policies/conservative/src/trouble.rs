//! What Kubernetes says is wrong with an application's pods, in the words a person would look for.

use steadfast_policy::{Container, DeploymentAnswer, EventsAnswer, Pod, Snapshot};

use crate::sight::{is_ready, job_manager, pods};

/// Something that keeps a JobManager from running.
pub struct Trouble {
    /// What kind.
    pub kind: TroubleKind,
    /// Names the pod, the container and what Kubernetes says of it.
    pub message: String,
}

/// The kinds, by what a person would do about them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// The container ends again and again.
    CrashLoop,
    /// The image cannot be had.
    ImagePull,
    /// No node takes the pod.
    Unschedulable,
    /// The pod was evicted, or failed for good.
    PodFailed,
    /// The pod cannot be made: quota, admission, a rollout that does not get on.
    NotCreated,
}

impl TroubleKind {
    /// The reason code.
    pub fn code(self) -> &'static str {
        match self {
            Self::CrashLoop => "CrashLoop",
            Self::ImagePull => "ImagePull",
            Self::Unschedulable => "Unschedulable",
            Self::PodFailed => "PodFailed",
            Self::NotCreated => "FailedCreate",
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

/// The trouble of the JobManager's pod, if it has any.
pub fn of_pods(s: &Snapshot) -> Option<Trouble> {
    let pod = job_manager(s)?;
    let container = pod.container.as_ref();
    if let Some(trouble) = container.and_then(|container| of_container(pod, container)) {
        return Some(trouble);
    }
    if let Some(message) = &pod.unschedulable {
        return Some(Trouble {
            kind: TroubleKind::Unschedulable,
            message: format!("pod {}: {message}", pod.name),
        });
    }
    if pod.phase == "Failed" {
        let why = pod.reason.clone().unwrap_or_else(|| "phase Failed".into());
        return Some(Trouble {
            kind: TroubleKind::PodFailed,
            message: format!("pod {}: {why}", pod.name),
        });
    }
    None
}

fn of_container(pod: &Pod, container: &Container) -> Option<Trouble> {
    let place = format!("pod {}, container {}", pod.name, container.name);
    let ended = container.terminated.as_ref().map_or(String::new(), |t| {
        format!(", last ended {} ({})", t.reason, t.exit_code)
    });
    if let Some(waiting) = &container.waiting {
        if IMAGE_REASONS.contains(&waiting.reason.as_str()) {
            let message = format!(
                "{place}: image cannot be pulled: {}: {}",
                waiting.reason, waiting.message
            );
            return Some(Trouble {
                kind: TroubleKind::ImagePull,
                message,
            });
        }
        if waiting.reason == "CrashLoopBackOff" {
            let message = format!("{place}: CrashLoopBackOff after {} restarts{ended}", container.restarts);
            return Some(Trouble {
                kind: TroubleKind::CrashLoop,
                message,
            });
        }
        if matches!(
            waiting.reason.as_str(),
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError"
        ) {
            let message = format!("{place}: {}: {}", waiting.reason, waiting.message);
            return Some(Trouble {
                kind: TroubleKind::NotCreated,
                message,
            });
        }
    }
    let loops = container.restarts >= LOOPING_RESTARTS && !is_ready(pod) && container.terminated.is_some();
    loops.then(|| Trouble {
        kind: TroubleKind::CrashLoop,
        message: format!("{place}: crash loop, {} restarts{ended}", container.restarts),
    })
}

/// Why there is no pod at all: warning events, or the Deployment's own conditions.
pub fn of_deployment(s: &Snapshot) -> Option<Trouble> {
    if !pods(s).is_empty() {
        return None;
    }
    let told = match s.events.as_ref().map(|evidence| &evidence.answer) {
        Some(EventsAnswer::Present(events)) => events
            .first()
            .map(|event| format!("{}: {}: {}", event.object, event.reason, event.message)),
        Some(EventsAnswer::Absent | EventsAnswer::Unknown(_)) | None => None,
    };
    let own = match s.deployment.as_ref().map(|evidence| &evidence.answer) {
        Some(DeploymentAnswer::Present(deployment)) => deployment.trouble.clone(),
        Some(DeploymentAnswer::Absent | DeploymentAnswer::Unknown(_)) | None => None,
    };
    told.or(own).map(|message| Trouble {
        kind: TroubleKind::NotCreated,
        message,
    })
}
