//! What the snapshot shows, in the words the rules use.

use steadfast_policy::{Confidence, Fault, FaultKind, FlinkResource, Looks, Millis, Pod, Snapshot};

use crate::params::Params;

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
    fault.kind == FaultKind::Other
}

/// Whether nothing may turn terminal by inference now.
pub fn verdicts_wait(s: &Snapshot, params: &Params) -> bool {
    s.is_disrupted(params.fleet_unknown_share) || s.in_startup_grace()
}

/// How sure to be of a state that stays because Flink is silent: one lost answer is no news.
pub fn lingering(s: &Snapshot, looks: Option<&Looks>, otherwise: Confidence) -> Confidence {
    match looks {
        Some(looks) if s.job.confidence == Confidence::Confirmed && s.lately_known(looks) => Confidence::Confirmed,
        Some(_) | None => otherwise,
    }
}

/// How long until a silence that has begun counts as unreachability, for each source that is silent.
pub fn unreachable_in(s: &Snapshot, params: &Params) -> impl Iterator<Item = Millis> {
    let left = |looks: &Looks| params.unreachable_after.left_after(looks.silent_for(s)?);
    let looks = [s.flink().looks(), s.deployment().looks()];
    looks.into_iter().flatten().filter_map(left)
}
