//! Jobs that are stopped because their resource asks for that.

use steadfast_policy::{Confidence, Deployment, JobState, Mode, Seen, Snapshot, Streak, WantedSource};

use super::SUSPENDED;
use super::awaited::replacing;
use super::ended::is_still_at_it;
use crate::Verdict;
use crate::end;
use crate::memory::{Memory, Stop};
use crate::observations;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::rules;

/// Whether the record says that the job was stopped because its resource asked for it.
pub fn is_suspended(s: &Snapshot) -> bool {
    s.job.state == JobState::Suspended && s.job.reason.code == SUSPENDED
}

/// Whether a job was suspended as its resource asks, and still asks, and its Deployment is no news of it: that is there for
/// the session's other jobs, is going, or is the one that the job ran in.
pub fn stays_suspended(s: &Snapshot, memory: &Memory, deployment: &Deployment) -> bool {
    let is_no_news = s.job.mode == Mode::Session || deployment.deleting_since.is_some() || !s.never_ran();
    is_suspended(s) && is_no_news && memory.stop.is_asked_for()
}

/// The Deployment is there, scaled to zero and without a pod: what the resource says of that, if it says something.
pub fn scaled_to_zero(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let how = "the Deployment is scaled to zero, and no pod is left";
    match memory.stop {
        Stop::Suspension => Some(
            Verdict::inferred(JobState::Suspended, Rule::SuspendedAsAsked)
                .because(SUSPENDED, format!("{how}; its resource asks for a suspended job")),
        ),
        Stop::Deletion => None,
        Stop::NotAskedFor | Stop::Lifted if is_still_at_it(s, params, memory) => {
            Some(Verdict::keep(s, Rule::OperatorReplaces).as_sure_as(Confidence::Inferred))
        }
        Stop::NotAskedFor | Stop::Lifted => replacing(s, params, memory, how),
    }
}

/// A job on record as suspended whose resource is gone, by complete answers, and with its cluster the HA data from which
/// it could be resumed.
pub fn deleted_while_suspended(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let Seen::Absent { looks } = s.flink_resource() else {
        return None;
    };
    let streak = Streak::count(memory.resource_missing, looks);
    memory.resource_missing = Some(streak);
    let is_known = memory.stop == Stop::Deletion || rules::is_confirmed(s, params, streak);
    // In a session cluster that is there, the HA data is about other jobs too.
    let has_cluster = !s.deployment().is_absent();
    let rested = |verdict: Verdict| if has_cluster { verdict } else { verdict.asleep() };
    let kept = rested(Verdict::keep(s, Rule::SuspendedAsAsked).as_sure_as(Confidence::Inferred));
    if !is_known || observations::verdicts_wait(s, params) {
        return Some(kept.want_after(
            WantedSource::Kubernetes,
            params.absence_window.after(streak.watched_since(s)),
        ));
    }
    let gone_at = end::looked_for_since(s, &mut memory.resource_gone_at);
    let data = s.ha_data().asked_since(streak.first);
    if !has_cluster && data.is_unanswered() && s.age(gone_at) < end::patience(s, params) {
        let soon = kept.validate_after(end::patience(s, params));
        return Some(soon.want_after(WantedSource::HaData, streak.first.saturating_sub(1)));
    }
    if !has_cluster && data.is_present() {
        let message = "its resource is deleted, and Flink's HA data is still there: the job can be resumed";
        let resumable = Verdict::inferred(JobState::Suspended, Rule::GoneWithHaData).because(end::GONE, message);
        return Some(resumable.asleep());
    }
    memory.stop = Stop::Deletion;
    let ended = end::deleted();
    memory.data_unread = !has_cluster && data.is_unanswered();
    Some(rested(if has_cluster {
        ended
    } else {
        end::but_unread(s, ended, streak.first)
    }))
}

/// A job of which nothing is left, as its resource asks.
pub(super) fn suspended(memory: &mut Memory, message: &str) -> Verdict {
    memory.awaited_since = None;
    Verdict::inferred(JobState::Suspended, Rule::SuspendedAsAsked)
        .because(SUSPENDED, message)
        .asleep()
}
