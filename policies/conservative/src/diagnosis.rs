//! What Kubernetes says is wrong with a cluster's pods, in the words a person would look for.

use steadfast_policy::{
    Container, Deployment, KubeEvent, Millis, Pod, Rollout, Seen, Snapshot, Termination, Timestamp,
};

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

const CRASH_LOOP_BACK_OFF: &str = "CrashLoopBackOff";

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
    let pod = s.job_manager()?;
    let problem = of_pod(pod)?;
    let claim = claim_trouble(s, pod).filter(|_| problem.kind == ProblemKind::Unschedulable);
    Some(match claim {
        Some(claim) => Problem {
            message: format!("{}; {claim}", problem.message),
            ..problem
        },
        None => problem,
    })
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
        if reason == CRASH_LOOP_BACK_OFF {
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

/// Whether the kubelet waits before it starts a pod's container again.
pub fn backs_off(pod: &Pod) -> bool {
    let waiting = pod.container.as_ref().and_then(|container| container.waiting.as_ref());
    waiting.is_some_and(|waiting| waiting.reason == CRASH_LOOP_BACK_OFF)
}

/// Whether events may tell what the pods do not: there is none, or the JobManager's does not get to run.
pub fn events_may_tell(s: &Snapshot, deployment: &Deployment) -> bool {
    match s.job_manager() {
        Some(pod) => pod.phase == "Pending" && (of_pod(pod).is_none() || waits_for_a_volume(pod)),
        None => deployment.ready < deployment.replicas && pods(s).is_empty(),
    }
}

/// Whether Kubernetes says that the Deployment is on its way up: it is not ready, is being rolled out, or has no ready pod.
pub fn is_coming_up(s: &Snapshot, deployment: &Deployment) -> bool {
    let lacks_a_pod = match s.pods() {
        Seen::Present { .. } => !s.job_manager().is_some_and(Pod::is_ready),
        Seen::Absent { .. } => true,
        Seen::Unknown { .. } | Seen::Never => false,
    };
    let is_unfinished = deployment.ready < deployment.replicas || deployment.rollout == Rollout::InProgress;
    deployment.deleting_since.is_none() && (is_unfinished || lacks_a_pod)
}

/// What warning events say of a pod that does not get to run, in Kubernetes' own words: the kubelet's
/// (pkg/kubelet/events/event.go, and the admission in pkg/kubelet/lifecycle/predicate.go), the scheduler's
/// (pkg/scheduler/schedule_one.go), the attach-detach controller's (pkg/controller/volume/events) and the node lifecycle
/// controller's (pkg/controller/util/node). A claim that is not bound is told by FailedScheduling too.
const STUCK_EVENTS: [&str; 22] = [
    "FailedScheduling",
    "FailedMount",
    "FailedAttachVolume",
    "FailedMapVolume",
    "FailedPrepareDynamicResources",
    "VolumeResizeFailed",
    "FileSystemResizeFailed",
    "FailedCreatePodSandBox",
    "FailedPodSandBoxStatus",
    "NetworkNotReady",
    "FailedCreatePodContainer",
    "FailedValidation",
    "FailedSync",
    "FailedPostStartHook",
    "Failed",
    "InspectFailed",
    "ErrImageNeverPull",
    "BackOff",
    "Evicted",
    "Preempted",
    "NodeNotReady",
    "UnexpectedAdmissionError",
];

/// Warnings that come along with pods that are well, or with the end of one.
const HARMLESS_EVENTS: [&str; 8] = [
    "Unhealthy",
    "ProbeWarning",
    "FailedToRetrieveImagePullSecret",
    "DNSConfigForming",
    "AlreadyMountedVolume",
    "FailedKillPod",
    "FailedPreStopHook",
    "ExceededGracePeriod",
];

/// What controllers say of pods or ReplicaSets that they cannot make: a quota, an admission webhook, a missing service
/// account (pkg/controller/controller_utils.go, pkg/controller/deployment/sync.go).
const CREATE_EVENTS: [&str; 2] = ["FailedCreate", "ReplicaSetCreateError"];

/// How old an event about something that cannot be made may be: a controller tries again after 1000 s at most
/// (client-go's default rate limiter), and tells of it again.
const CREATE_RETRIED: Millis = Millis::from_mins(20);

/// What is said of the claim of a volume that is not there: by the controller of volumes
/// (pkg/controller/volume/events/event.go), and by the external provisioners. Claims that merely wait are told of last.
const CLAIM_EVENTS: [&str; 4] = ["ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimLost"];

/// Whether the scheduler says of a pod that it waits for a volume.
fn waits_for_a_volume(pod: &Pod) -> bool {
    let said = pod.unschedulable.as_deref().unwrap_or_default().to_lowercase();
    has_no_node(pod)
        && ["persistentvolume", "persistent volume", "volumebinding"]
            .iter()
            .any(|word| said.contains(word))
}

/// Whether no kubelet has taken the pod up. One that has had all its claims bound before.
fn has_no_node(pod: &Pod) -> bool {
    pod.phase == "Pending" && pod.container.is_none()
}

/// Why a claim of a pod that has no node yet is not bound. The engine tells of no claims but those of pods that are there.
fn claim_trouble(s: &Snapshot, pod: &Pod) -> Option<String> {
    let is_of_claim = |event: &KubeEvent| event.object.starts_with("PersistentVolumeClaim/");
    let event = loudest(s, &CLAIM_EVENTS, |event| {
        is_of_claim(event) && is_since(event, pod.created_at)
    });
    event.filter(|_| has_no_node(pod)).map(describe)
}

fn describe(event: &KubeEvent) -> String {
    format!("{}: {}: {}", event.object, event.reason, event.message)
}

/// Why there is no pod, or why the JobManager's does not get to run: warning events, or the Deployment's own conditions.
/// An event speaks only for what is there now, and only if it is no older than that.
pub fn of_deployment(s: &Snapshot) -> Option<Problem> {
    if let Some(pod) = s.job_manager() {
        let object = format!("Pod/{}", pod.name);
        let event = loudest(s, &STUCK_EVENTS, |event| {
            event.object == object && is_since(event, pod.created_at)
        });
        let kind = match event {
            Some(event) if event.reason != "FailedScheduling" => ProblemKind::PodStuck,
            Some(_) | None => ProblemKind::Unschedulable,
        };
        let claim = claim_trouble(s, pod).filter(|_| kind == ProblemKind::Unschedulable);
        let told: Vec<String> = event.map(describe).into_iter().chain(claim).collect();
        return (pod.phase == "Pending" && !told.is_empty()).then(|| Problem {
            kind,
            message: told.join("; "),
        });
    }
    if !pods(s).is_empty() {
        return None;
    }
    let deployment = s.deployment().present()?;
    let event = loudest(s, &CREATE_EVENTS, |event| {
        let is_maker = ["ReplicaSet/", "Deployment/"]
            .iter()
            .any(|kind| event.object.starts_with(kind));
        let is_recent = event.at.is_none_or(|at| s.age(at) <= CREATE_RETRIED);
        is_maker && is_recent && is_since(event, deployment.created_at)
    });
    let message = event.map(describe).or_else(|| deployment.trouble.clone())?;
    Some(Problem {
        kind: ProblemKind::NotCreated,
        message,
    })
}

/// Of the events that fit, the newest that tells one of these reasons; else the newest of any reason but a harmless one.
fn loudest<'a>(s: &'a Snapshot, reasons: &[&str], fits: impl Fn(&KubeEvent) -> bool) -> Option<&'a KubeEvent> {
    let events = s.events().present().unwrap_or_default();
    let telling = |event: &&KubeEvent| reasons.contains(&event.reason.as_str());
    let serious = |event: &&KubeEvent| !HARMLESS_EVENTS.contains(&event.reason.as_str());
    let fitting = || events.iter().filter(|event| fits(event));
    fitting().find(telling).or_else(|| fitting().find(serious))
}

/// Whether an event is no older than the object it is about; both times are of the same API server.
fn is_since(event: &KubeEvent, created_at: Option<Timestamp>) -> bool {
    event.at.zip(created_at).is_none_or(|(at, created)| at >= created)
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
