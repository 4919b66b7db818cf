//! What the snapshot shows, in the words the rules use.

use steadfast_policy::{
    Confidence, Deployment, DeploymentAnswer, Fault, FaultKind, FlinkAnswer, FlinkJob, FlinkResource,
    FlinkResourceAnswer, Intent, JobState, Looks, Mode, Pod, PodsAnswer, Readiness, Snapshot, Timestamp,
};

use crate::params::Params;

/// What Flink says of the tracked job.
pub enum Flink<'a> {
    /// It lists the job.
    Lists(&'a FlinkJob, &'a Looks),
    /// It answers, and does not list the job.
    Lacks(&'a Looks),
    /// It gives no usable answer, or was never asked.
    Silent(Option<(&'a Fault, &'a Looks)>),
}

/// What Kubernetes says of the Deployment.
pub enum Kubernetes<'a> {
    /// It is there.
    There(&'a Deployment),
    /// A complete answer lacks it.
    Missing(&'a Looks),
    /// There is no usable answer, nobody asked, or the job has no Kubernetes.
    Silent(Option<(&'a Fault, &'a Looks)>),
}

/// Reads the Flink evidence.
pub fn flink(s: &Snapshot) -> Flink<'_> {
    match &s.flink {
        None => Flink::Silent(None),
        Some(evidence) => match &evidence.answer {
            FlinkAnswer::Present(job) => Flink::Lists(job, &evidence.looks),
            FlinkAnswer::Absent => Flink::Lacks(&evidence.looks),
            FlinkAnswer::Unknown(fault) => Flink::Silent(Some((fault, &evidence.looks))),
        },
    }
}

/// Reads the Deployment evidence.
pub fn kubernetes(s: &Snapshot) -> Kubernetes<'_> {
    match &s.deployment {
        None => Kubernetes::Silent(None),
        Some(evidence) => match &evidence.answer {
            DeploymentAnswer::Present(deployment) => Kubernetes::There(deployment),
            DeploymentAnswer::Absent => Kubernetes::Missing(&evidence.looks),
            DeploymentAnswer::Unknown(fault) => Kubernetes::Silent(Some((fault, &evidence.looks))),
        },
    }
}

/// The operator's resource that stands for the job, if it is known to be there.
pub fn resource(s: &Snapshot) -> Option<(&FlinkResource, &Looks)> {
    let evidence = s.flink_resource.as_ref()?;
    match &evidence.answer {
        FlinkResourceAnswer::Present(resource) => Some((resource, &evidence.looks)),
        FlinkResourceAnswer::Absent | FlinkResourceAnswer::Unknown(_) => None,
    }
}

/// The pods, if a fresh list says which there are.
pub fn pods(s: &Snapshot) -> &[Pod] {
    match s.pods.as_ref().map(|evidence| &evidence.answer) {
        Some(PodsAnswer::Present(pods)) => pods,
        Some(PodsAnswer::Absent | PodsAnswer::Unknown(_)) | None => &[],
    }
}

/// The pod that is, or is to become, the JobManager: the newest one that is not going.
pub fn job_manager(s: &Snapshot) -> Option<&Pod> {
    pods(s).iter().find(|pod| pod.deleting_since.is_none())
}

/// The container's restarts and whether it has ended since.
pub fn restarts(pod: &Pod) -> u32 {
    pod.container.as_ref().map_or(0, |container| container.restarts)
}

/// Whether the pod can serve.
pub fn is_ready(pod: &Pod) -> bool {
    pod.readiness == Readiness::Ready
}

/// Whether an intent of this kind was posted in this attempt.
pub fn intended(s: &Snapshot, intent: Intent) -> bool {
    let began = s.job.incarnation.since.unwrap_or(s.job.since);
    s.job
        .intent
        .as_ref()
        .is_some_and(|posted| posted.intent == intent && posted.since >= began)
}

/// Whether most of the cluster's targets are dark: then a silence is no news of one job.
pub fn disrupted(s: &Snapshot, params: &Params) -> bool {
    s.fleet.targets > 2 && f64::from(s.fleet.dark) >= params.fleet_unknown_share * f64::from(s.fleet.targets)
}

/// Whether nothing may turn terminal by inference now.
pub fn verdicts_wait(s: &Snapshot, params: &Params) -> bool {
    disrupted(s, params) || age(s, s.engine_since) < s.timing.startup_grace
}

/// Milliseconds since a moment; zero if it lies ahead.
pub fn age(s: &Snapshot, since: Timestamp) -> u64 {
    u64::try_from(s.now.saturating_sub(since)).unwrap_or(0)
}

/// A moment moved ahead.
pub fn after(moment: Timestamp, span: u64) -> Timestamp {
    moment.saturating_add(i64::try_from(span).unwrap_or(i64::MAX))
}

/// Whether the job has ended, as far as is known. SUSPENDED has not: Flink calls it only locally terminal.
pub fn is_terminal(state: JobState) -> bool {
    matches!(
        state,
        JobState::Failed | JobState::Canceled | JobState::Finished | JobState::Lost | JobState::Terminated
    )
}

/// Whether no Flink has been seen to run the job in this attempt.
pub fn never_ran(s: &Snapshot) -> bool {
    s.job.incarnation.started_at.is_none()
}

/// How sure to be of a state that stays because Flink is silent: for two polls and a timeout it still counts as
/// confirmed, since one lost answer is no news.
pub fn lingering(s: &Snapshot, looks: Option<&Looks>, otherwise: Confidence) -> Confidence {
    let fresh = s.timing.poll.saturating_mul(2).saturating_add(s.timing.timeout);
    let known = looks.and_then(|looks| looks.known_at);
    match known {
        Some(known) if s.job.confidence == Confidence::Confirmed && age(s, known) <= fresh => Confidence::Confirmed,
        Some(_) | None => otherwise,
    }
}

/// Whether Flink lists the job now.
pub fn flink_lists_job(s: &Snapshot) -> bool {
    matches!(flink(s), Flink::Lists(..))
}

/// How long until a silence that has begun counts as unreachability, for each source that is silent.
pub fn unreachable_in(s: &Snapshot, params: &Params) -> impl Iterator<Item = u64> {
    let flink = s.flink.as_ref().and_then(|evidence| evidence.looks.unknown_since);
    let kubernetes = s.deployment.as_ref().and_then(|evidence| evidence.looks.unknown_since);
    let left = |since: Timestamp| {
        params
            .unreachable_after
            .get()
            .checked_sub(age(s, since))
            .filter(|left| *left > 0)
    };
    [flink.and_then(left), kubernetes.and_then(left)].into_iter().flatten()
}

/// Whether the fault is a refusal to let us look.
pub fn is_denied(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Unauthorized | FaultKind::Forbidden)
}

/// Whether the job stands beside any Kubernetes.
pub fn has_kubernetes(s: &Snapshot) -> bool {
    s.job.mode != Mode::Standalone
}

/// The state's word as the record shows it.
pub fn word(state: JobState) -> &'static str {
    match state {
        JobState::Created => "CREATED",
        JobState::Initializing => "INITIALIZING",
        JobState::Running => "RUNNING",
        JobState::Failing => "FAILING",
        JobState::Failed => "FAILED",
        JobState::Cancelling => "CANCELLING",
        JobState::Canceled => "CANCELED",
        JobState::Finished => "FINISHED",
        JobState::Restarting => "RESTARTING",
        JobState::Suspended => "SUSPENDED",
        JobState::Reconciling => "RECONCILING",
        JobState::Unknown => "UNKNOWN",
        JobState::Starting => "STARTING",
        JobState::Savepointing => "SAVEPOINTING",
        JobState::Lost => "LOST",
        JobState::Terminated => "TERMINATED",
    }
}
