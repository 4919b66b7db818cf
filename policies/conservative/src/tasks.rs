//! Why a job's tasks do not run although Flink answers: its TaskManagers' pods, and Flink's own exception.
//!
//! Both are looked up only while there is something to explain, at most once a poll: a healthy job asks for nothing.

use steadfast_policy::{FlinkJob, JobState, Pod, Seen, Snapshot, Timestamp, WantedSource};

use crate::Verdict;
use crate::diagnosis;

/// Adds to Flink's word why the tasks do not run, and asks for what would tell.
pub fn explained(s: &Snapshot, job: &FlinkJob, verdict: Verdict) -> Verdict {
    let Some(since) = failing_since(s, job) else {
        return verdict;
    };
    // What is older is about another problem, or of long ago.
    let oldest = since.max(s.validate().times(2).before(s.now));
    let (pods, none_there) = match s.task_managers().asked_since(oldest) {
        Seen::Present { value: pods, .. } => (worst(pods), None),
        Seen::Absent { .. } => (None, Some("no TaskManager pod is there".to_owned())),
        Seen::Unknown { .. } | Seen::Never => (None, None),
    };
    let exception = s.exceptions().asked_since(oldest).present();
    let exception = exception.map(|exception| format!("last exception: {}", exception.headline));
    let code = match (&pods, &exception) {
        (Some(_), _) => Some("TaskManagerTrouble"),
        (None, Some(_)) => Some("RootException"),
        (None, None) => None,
    };
    // What is known need not be looked up again in a hurry.
    let pace = if code.is_some() { s.validate() } else { s.poll() };
    let due = |source| {
        let asked = s.asked_at(source).filter(|asked| *asked >= since);
        asked.map_or(since.saturating_sub(1), |asked| pace.after(asked))
    };
    let mut verdict = verdict.want_after(WantedSource::Exceptions, due(WantedSource::Exceptions));
    if s.has_kubernetes() {
        verdict = verdict.want_after(WantedSource::TaskManagers, due(WantedSource::TaskManagers));
    }
    if let Some(code) = code {
        verdict.reason.code = code.into();
    }
    let explanations = [pods, none_there, exception].into_iter().flatten();
    explanations.fold(verdict, |verdict, explanation| verdict.also(&explanation))
}

/// Since when there is something to explain: the job restarts, or none of its tasks has run for two polls. A batch
/// job whose later tasks still wait is well.
fn failing_since(s: &Snapshot, job: &FlinkJob) -> Option<Timestamp> {
    let since = if s.job.state == job.state { s.job.since } else { s.now };
    match job.state {
        JobState::Restarting => Some(since),
        JobState::Running | JobState::Created => {
            let lasting = s.age(since) >= s.poll().times(2);
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

/// The problem of the pods, that of a container that ended before that of one that waits.
fn worst(pods: &[Pod]) -> Option<String> {
    let ended = |pod: &&Pod| pod.container.as_ref().is_some_and(|c| c.terminated.is_some());
    let describe = |pod: &Pod| diagnosis::of_pod(pod).map(|problem| problem.message);
    let of_ended = pods.iter().filter(ended).find_map(describe);
    of_ended.or_else(|| pods.iter().find_map(describe))
}
