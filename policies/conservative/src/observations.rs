//! What the snapshot shows, in the words the rules use.

use steadfast_policy::{
    Confidence, Fault, FaultKind, FlinkResource, JobState, Looks, Millis, Mode, Pod, Seen, Snapshot,
};

use crate::Verdict;
use crate::end;
use crate::memory::Memory;
use crate::operator;
use crate::params::Params;
use crate::rules;

/// The operator's resource that stands for the job, if it is known to be there.
pub fn resource(s: &Snapshot) -> Option<(&FlinkResource, &Looks)> {
    let seen = s.flink_resource();
    seen.present().zip(seen.looks())
}

/// The pods, if a list says which there are.
pub fn pods(s: &Snapshot) -> &[Pod] {
    s.pods().present().unwrap_or_default()
}

/// Whether Flink answers, and only leaves open what became of this job.
pub fn leaves_open(fault: &Fault) -> bool {
    fault.kind == FaultKind::Other && !fault.is_engines_own()
}

/// Whether so much of the job's cluster is dark that its own silence tells nothing of it. Standalone Flinks have only the network
/// in common, and no cluster.
pub fn is_disrupted(s: &Snapshot, params: &Params) -> bool {
    s.job.mode != Mode::Standalone && s.is_disrupted(params.fleet_unknown_share)
}

/// Whether nothing may turn terminal by inference now.
pub fn verdicts_wait(s: &Snapshot, params: &Params) -> bool {
    is_disrupted(s, params) || s.in_startup_grace()
}

/// Whether the record says already why a run that ended was not the end of the job.
pub fn is_replaced_or_suspended(s: &Snapshot) -> bool {
    s.job.state == JobState::Reconciling || was_suspended(s)
}

/// Whether the record says that the job was suspended: as its resource asked, by scaling to zero, or with its cluster. Flink's own
/// SUSPENDED is none of these.
pub fn was_suspended(s: &Snapshot) -> bool {
    is_suspension(s.job.state, &s.job.reason.code)
}

/// Whether a state with such a reason is a suspension.
pub fn is_suspension(state: JobState, code: &str) -> bool {
    state == JobState::Suspended && [operator::SUSPENDED, rules::SCALED_TO_ZERO, end::GONE].contains(&code)
}

/// How sure to be of a state that stays because Flink is silent: one lost answer is no news.
pub fn lingering(s: &Snapshot, looks: Option<&Looks>, otherwise: Confidence) -> Confidence {
    match looks {
        Some(looks) if s.job.confidence == Confidence::Confirmed && s.lately_known(looks) => Confidence::Confirmed,
        Some(_) | None => otherwise,
    }
}

/// Notes whether Flink is expected to answer, and since when.
pub fn note_expectation(s: &Snapshot, memory: &mut Memory, verdict: &Verdict) {
    memory.expected_since = is_expected(s, memory, verdict).then(|| memory.expected_since.unwrap_or(s.now));
}

/// A job that has ended or was suspended is not expected to answer, nor one whose cluster is gone, nor a JobManager that
/// Kubernetes says never ran. While Kubernetes does not tell, it is as it was.
fn is_expected(s: &Snapshot, memory: &Memory, verdict: &Verdict) -> bool {
    let state = verdict.state;
    if state.is_terminal() || is_suspension(state, &verdict.reason.code) {
        return false;
    }
    if !s.has_kubernetes() {
        return true;
    }
    let has_run = !s.never_ran() && state != JobState::Starting;
    let (wants_none, none_ready) = match s.deployment() {
        Seen::Present { value, .. } => (value.replicas == 0, value.ready == 0),
        Seen::Absent { .. } => return false,
        Seen::Unknown { .. } | Seen::Never if has_run || was_told_of(s) => {
            return memory.expected_since.is_some() || !s.flink().is_unanswered();
        }
        Seen::Unknown { .. } | Seen::Never => (false, false),
    };
    match s.pods() {
        Seen::Present { .. } => has_run || s.job_manager().is_some_and(Pod::is_ready),
        Seen::Absent { .. } => has_run && !wants_none,
        Seen::Unknown { .. } | Seen::Never => has_run || !none_ready,
    }
}

/// Whether Kubernetes has ever told of the Deployment, to this engine.
fn was_told_of(s: &Snapshot) -> bool {
    s.deployment().looks().is_some_and(|looks| looks.known_at.is_some())
}

/// How long Flink has been silent while it was expected to answer; `None` if it is not, or if its last answer was usable.
/// The silence of a JobManager that was not up, or of the attempt before, is not counted.
pub fn unheard_for(s: &Snapshot, memory: &Memory) -> Option<Millis> {
    let silent = s.flink().looks()?.unknown_since?;
    Some(s.age(silent.max(memory.expected_since?)))
}

/// How long until a silence that has begun counts as unreachability, for each source that is silent.
pub fn unreachable_in(s: &Snapshot, params: &Params, memory: &Memory) -> impl Iterator<Item = Millis> {
    let kubernetes = s.deployment().looks().and_then(|looks| looks.silent_for(s));
    let silences = [unheard_for(s, memory), kubernetes];
    let left = |silent: Millis| params.unreachable_after.left_after(silent);
    silences.into_iter().flatten().filter_map(left)
}
