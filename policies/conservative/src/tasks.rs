//! Why a job's tasks do not run although Flink answers: its TaskManagers' pods, and Flink's own exception.
//!
//! Both are looked up only while there is something to explain, at most once a poll: a healthy job asks for nothing.

use steadfast_policy::{
    ExceptionsAnswer, FlinkJob, JobState, Looks, Pod, PodsAnswer, Snapshot, Timestamp, WantedSource,
};

use crate::sight;
use crate::trouble;
use crate::verdict::Verdict;

/// Adds to Flink's word why the tasks do not run, and asks for what would tell.
pub fn explained(s: &Snapshot, job: &FlinkJob, verdict: Verdict) -> Verdict {
    let Some(since) = troubled_since(s, job) else {
        return verdict;
    };
    let pods = s
        .task_managers
        .as_ref()
        .filter(|evidence| is_fresh(s, &evidence.looks, since));
    let (pods, none_there) = match pods.map(|evidence| &evidence.answer) {
        Some(PodsAnswer::Present(pods)) => (worst(pods), None),
        Some(PodsAnswer::Absent) => (None, Some("no TaskManager pod is there".to_owned())),
        Some(PodsAnswer::Unknown(_)) | None => (None, None),
    };
    let exception = s
        .exceptions
        .as_ref()
        .filter(|evidence| is_fresh(s, &evidence.looks, since));
    let exception = match exception.map(|evidence| &evidence.answer) {
        Some(ExceptionsAnswer::Present(exception)) => Some(format!("last exception: {}", exception.headline)),
        Some(ExceptionsAnswer::Absent | ExceptionsAnswer::Unknown(_)) | None => None,
    };
    let code = match (&pods, &exception) {
        (Some(_), _) => Some("TaskManagerTrouble"),
        (None, Some(_)) => Some("RootException"),
        (None, None) => None,
    };
    // What is known need not be looked up again in a hurry.
    let pace = if code.is_some() {
        s.timing.validate
    } else {
        s.timing.poll
    };
    let due = |looks: Option<&Looks>| {
        looks
            .map(|looks| looks.asked_at)
            .filter(|asked| *asked >= since)
            .map_or(since.saturating_sub(1), |asked| sight::after(asked, pace))
    };
    let pods_due = due(s.task_managers.as_ref().map(|evidence| &evidence.looks));
    let exception_due = due(s.exceptions.as_ref().map(|evidence| &evidence.looks));
    let mut verdict = verdict.want(WantedSource::Exceptions, exception_due);
    if sight::has_kubernetes(s) {
        verdict = verdict.want(WantedSource::TaskManagers, pods_due);
    }
    if let Some(code) = code {
        verdict.reason.code = code.into();
    }
    for told in [pods, none_there, exception].into_iter().flatten() {
        verdict.reason.message = format!("{}; {told}", verdict.reason.message);
    }
    verdict
}

/// Since when there is something to explain: the job restarts, or none of its tasks has run for two polls. A batch
/// job whose later tasks still wait is well.
fn troubled_since(s: &Snapshot, job: &FlinkJob) -> Option<Timestamp> {
    let since = if s.job.state == job.state { s.job.since } else { s.now };
    match job.state {
        JobState::Restarting => Some(since),
        JobState::Running | JobState::Created => {
            let lasting = sight::age(s, since) >= s.timing.poll.saturating_mul(2);
            (job.tasks.total > 0 && job.tasks.running == 0 && lasting).then_some(since)
        }
        JobState::Initializing
        | JobState::Failing
        | JobState::Failed
        | JobState::Cancelling
        | JobState::Canceled
        | JobState::Finished
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing
        | JobState::Lost
        | JobState::Terminated => None,
    }
}

/// Whether a look is about this trouble, and not about one of long ago.
fn is_fresh(s: &Snapshot, looks: &Looks, since: Timestamp) -> bool {
    looks.asked_at >= since && sight::age(s, looks.asked_at) <= s.timing.validate.saturating_mul(2)
}

/// The trouble of the pods, that of a container that ended before that of one that waits.
fn worst(pods: &[Pod]) -> Option<String> {
    let ended = |pod: &&Pod| pod.container.as_ref().is_some_and(|c| c.terminated.is_some());
    let told = |pod: &Pod| trouble::of_pod(pod).map(|trouble| trouble.message);
    let of_ended = pods.iter().filter(ended).find_map(told);
    of_ended.or_else(|| pods.iter().find_map(told))
}
