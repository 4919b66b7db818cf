//! Jobs that a resource asks for and of which nothing was ever observed.

use steadfast_policy::{
    Confidence, DesiredState, FlinkResourceKind, JobState, Looks, Mode, Seen, Snapshot, Streak, WantedSource,
};

use super::suspended::suspended;
use super::{ERROR, SUSPENDED, called, standing};
use crate::Verdict;
use crate::end::GONE;
use crate::memory::{Memory, ResourceSeen, Stop};
use crate::observations;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::rules;

/// What is said of a job that its resource asks for, while nothing of it is there.
const NOT_DEPLOYED: &str = "asks for the job; its Deployment is not there yet";
/// The same in a session cluster.
const NOT_SUBMITTED: &str = "asks for a job, and Flink lists none of it yet";
/// The reason code of a job whose resource went before it ran.
pub(super) const WITHDRAWN: &str = "Withdrawn";

/// A resource under the name of the one that the job ran for, which is over: what it asks for, while nothing of it has run. No end,
/// archive or HA data of the job before is about it.
pub fn made_anew(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let is_over = s.job.state.is_terminal() || observations::was_suspended(s);
    let is_to_start = matches!(
        s.job.state,
        JobState::Starting | JobState::Suspended | JobState::Unknown
    );
    let has_begun = is_to_start && s.job.reason.code != GONE;
    if memory.made_anew_at.is_none() || !(is_over || has_begun) {
        return None;
    }
    let kept = |rule| Some(Verdict::keep(s, rule).as_sure_as(Confidence::Inferred));
    match s.flink_resource() {
        Seen::Present { .. } => not_deployed(s, params, memory).or_else(|| kept(Rule::NotDeployedYet)),
        Seen::Absent { .. } if s.job.state.is_terminal() => kept(Rule::WithdrawnBeforeItRan),
        Seen::Absent { looks } => Some(withdrawn_before_it_ran(s, params, memory, looks)),
        Seen::Unknown { .. } | Seen::Never => kept(Rule::NotDeployedYet),
    }
}

/// A FlinkDeployment whose Deployment has not appeared, and of which nothing was ever observed.
pub fn not_deployed(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let (resource, _) = observations::resource(s)?;
    match memory.stop {
        Stop::Deletion => return None,
        Stop::Suspension => {
            let message = format!(
                "there is no Deployment, and {} asks for a suspended job",
                called(resource)
            );
            return Some(suspended(memory, &message));
        }
        Stop::NotAskedFor | Stop::Lifted => {}
    }
    let name = called(resource);
    if let Some(state) = resource.reported_state.filter(|state| state.is_terminal()) {
        let message = format!(
            "nothing of it is there to be observed; the operator last saw it {}",
            state.word()
        );
        return Some(Verdict::inferred(JobState::Unknown, Rule::NothingThere).because("DeploymentMissing", message));
    }
    if s.job.state == JobState::Failed && (s.job.reason.code == ERROR || memory.made_anew_at.is_none()) {
        // Only a Deployment shows that the failed start was mended.
        return Some(rules::stands(s, Rule::StartFailed));
    }
    let since = *memory.awaited_since.get_or_insert(s.now);
    let overdue = memory.operator_dark.watched_since(s, since) >= params.start_deadline
        && !observations::verdicts_wait(s, params);
    Some(match &resource.error {
        Some(error) if overdue => Verdict::inferred(JobState::Failed, Rule::OperatorError)
            .because(ERROR, format!("{name} has no Deployment by its deadline: {error}")),
        Some(_) | None => Verdict::inferred(JobState::Starting, Rule::NotDeployedYet)
            .because("Starting", format!("{name} {NOT_DEPLOYED} ({})", standing(resource))),
    })
}

/// A FlinkSessionJob of which no job was ever seen, in a Flink that answers; or one that is gone, as its session cluster is; or a
/// FlinkDeployment that is gone before its Deployment was ever seen.
pub fn not_submitted(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let resource = match s.flink_resource() {
        Seen::Present { value, .. } if value.kind == FlinkResourceKind::FlinkSessionJob => value,
        Seen::Absent { looks }
            if (s.job.mode == Mode::Session || s.deployment().is_absent()) && memory.resource != ResourceSeen::No =>
        {
            return Some(withdrawn_before_it_ran(s, params, memory, looks));
        }
        Seen::Unknown { .. } | Seen::Never => return waits_still(s, memory),
        Seen::Present { .. } | Seen::Absent { .. } => return None,
    };
    let name = called(resource);
    let stands = format!("Flink lists no job of {name} ({})", standing(resource));
    if resource.deleting_since.is_some() {
        return Some(Verdict::inferred(s.job.state, Rule::NotSubmittedYet).because("NoJobYet", stands));
    }
    if resource.desired == DesiredState::Suspended {
        memory.awaited_since = None;
        let message = format!("{stands}, which asks for a suspended job");
        return Some(Verdict::inferred(JobState::Suspended, Rule::SuspendedAsAsked).because(SUSPENDED, message));
    }
    if let Some(state) = resource.reported_state.filter(|state| state.is_terminal()) {
        let message = format!("{stands}; the operator last saw it {}", state.word());
        return Some(Verdict::inferred(JobState::Unknown, Rule::NothingThere).because("NoJobYet", message));
    }
    if s.job.state == JobState::Failed && s.job.reason.code == ERROR && resource.error.is_some() {
        return Some(rules::stands(s, Rule::StartFailed));
    }
    if s.job.state.is_terminal() {
        // It was mended, or made anew.
        memory.awaited_since = None;
    }
    let since = *memory.awaited_since.get_or_insert(s.now);
    let overdue = memory.operator_dark.watched_since(s, since) >= params.start_deadline
        && !observations::verdicts_wait(s, params);
    Some(match &resource.error {
        Some(error) if overdue => Verdict::inferred(JobState::Failed, Rule::OperatorError)
            .because(ERROR, format!("{name} has no job by its deadline: {error}")),
        Some(_) | None => {
            let message = format!("{name} {NOT_SUBMITTED} ({})", standing(resource));
            Verdict::inferred(JobState::Starting, Rule::NotSubmittedYet).because("Starting", message)
        }
    })
}

/// A job of which none was ever seen, and whose resource was: what was said of it stays while the resource cannot be read, or
/// Flink is silent. The session's Deployment is not the job's own: another one is no start of it.
pub fn waits_still(s: &Snapshot, memory: &Memory) -> Option<Verdict> {
    let is_waiting = s.never_ran() && memory.resource != ResourceSeen::No && s.job.state != JobState::Unknown;
    let confidence = match s.job.confidence {
        Confidence::Confirmed if s.job.state.is_terminal() => Confidence::Confirmed,
        Confidence::Confirmed | Confidence::Inferred | Confidence::Stale => Confidence::Inferred,
    };
    is_waiting.then(|| Verdict::keep(s, Rule::NotSubmittedYet).as_sure_as(confidence))
}

/// Whether the record says of a job that never ran what is only said where a resource asks for it, or did.
pub(super) fn is_asked_for(s: &Snapshot) -> bool {
    let reason = &s.job.reason;
    let says = |words| reason.message.contains(words);
    let is_said = reason.code == WITHDRAWN || says(NOT_DEPLOYED) || says(NOT_SUBMITTED);
    s.never_ran() && s.job.state == JobState::Starting && is_said
}

/// A resource is gone of which no job was ever seen: known once it was seen to be deleted, or by complete answers over
/// the window.
fn withdrawn_before_it_ran(s: &Snapshot, params: &Params, memory: &mut Memory, looks: &Looks) -> Verdict {
    let what = match s.job.mode {
        Mode::Session => "FlinkSessionJob",
        Mode::Application | Mode::Standalone => "FlinkDeployment",
    };
    let streak = Streak::count(memory.resource_missing, looks);
    memory.resource_missing = Some(streak);
    let is_known = memory.stop == Stop::Deletion || rules::is_confirmed(s, params, streak);
    if !is_known || observations::verdicts_wait(s, params) {
        let message = format!(
            "its {what} is missing, and no job of it was ever seen; gone needs {} such answers at least {} apart",
            params.absence_confirmations, params.absence_window
        );
        let kept = Verdict::inferred(s.job.state, Rule::WithdrawnBeforeItRan).because(WITHDRAWN, message);
        return kept.want_after(
            WantedSource::Kubernetes,
            params.absence_window.after(streak.watched_since(s)),
        );
    }
    memory.stop = Stop::Deletion;
    let message = format!("its {what} is deleted, and no job of it was ever seen");
    Verdict::confirmed(JobState::Terminated, Rule::WithdrawnBeforeItRan).because(WITHDRAWN, message)
}
