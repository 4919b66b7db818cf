//! What the Flink Kubernetes Operator's resource adds: what somebody asked for, and what the operator could not do.
//!
//! What the operator reports of the job is what it last saw, and is never taken for the job's state. What the
//! specification asks for is a fact: a stop that was asked for is no failure, and a Deployment that is gone while its
//! FlinkDeployment asks for the job to run is to come back.

use steadfast_policy::{
    Confidence, Deployment, DesiredState, FlinkResource, FlinkResourceKind, JobState, Looks, Millis, Mode, Rollout,
    Seen, Snapshot, Streak, Timestamp, WantedSource,
};

use crate::Verdict;
use crate::diagnosis::{Problem, ProblemKind};
use crate::end;
use crate::memory::{Memory, ResourceSeen, Stop};
use crate::observations;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::rules;

/// The reason code of a stop that the resource asked for.
pub const SUSPENDED: &str = "SuspendIntended";
/// The reason code of a cluster that the operator is to bring back.
const REPLACES: &str = "OperatorUpgrade";
/// The reason code of a suspended job whose resource was deleted.
const DELETED: &str = "DeletedWhileSuspended";
/// The reason code of what the operator could not do.
pub const ERROR: &str = "OperatorError";

/// Notes which stop the resource asks for. It stays asked for when the resource itself is gone; what comes after it under
/// the same name asks nothing of a job that was ended with it.
pub fn note_stop(s: &Snapshot, memory: &mut Memory) {
    let was_ended = memory.stop == Stop::Deletion && s.job.state.is_terminal();
    if let Some((resource, _)) = observations::resource(s) {
        memory.resource = ResourceSeen::Yes;
        memory.resource_missing = None;
        memory.resource_gone_at = None;
        if was_ended {
            return;
        }
        memory.stop = match (resource.deleting_since, resource.desired, memory.stop) {
            (Some(_), ..) => Stop::Deletion,
            (None, DesiredState::Suspended, _) => Stop::Suspension,
            (None, DesiredState::Running, Stop::Suspension) => {
                memory.awaited_since = None;
                Stop::Lifted
            }
            (None, DesiredState::Running, Stop::Lifted) => Stop::Lifted,
            (None, DesiredState::Running, Stop::NotAskedFor | Stop::Deletion) => Stop::NotAskedFor,
        };
    }
}

/// Whether the record says that the job was stopped because its resource asked for it.
pub fn is_suspended(s: &Snapshot) -> bool {
    s.job.state == JobState::Suspended && s.job.reason.code == SUSPENDED
}

/// Whether a job was suspended as its resource asks, and still asks, and its Deployment is no news of it: that is there for
/// the session's other jobs, or is going.
pub fn stays_suspended(s: &Snapshot, memory: &Memory, deployment: &Deployment) -> bool {
    let is_no_news = s.job.mode == Mode::Session || deployment.deleting_since.is_some();
    is_suspended(s) && is_no_news && memory.stop.is_asked_for()
}

/// The cluster is confirmed gone and nothing tells how the job ended, which `verdict` says: the resource may explain
/// it. `missing_since`: when the Deployment was seen to go, or first found missing; `deployment`: the looks behind that.
pub fn of_gone_cluster(
    s: &Snapshot,
    params: &Params,
    memory: &mut Memory,
    missing_since: Timestamp,
    deployment: &Looks,
    verdict: Verdict,
) -> Verdict {
    match memory.stop {
        Stop::Suspension => suspended(
            memory,
            "the Deployment is gone, and its resource asks for a suspended job",
        ),
        Stop::Deletion => verdict.also("its FlinkDeployment or FlinkSessionJob was being deleted"),
        Stop::NotAskedFor | Stop::Lifted => {
            let looking = |s: &Snapshot| {
                let message = "the Deployment is gone; looking whether its resource still asks for it";
                Verdict::inferred(s.job.state, Rule::LookingForTheResource)
                    .because("DeploymentGone", message)
                    .want_after(WantedSource::Kubernetes, deployment.asked_at)
                    .validate_after(s.poll())
            };
            match s.flink_resource() {
                // It may have been deleted together with the Deployment.
                Seen::Present { looks, .. } if looks.asked_at <= missing_since => looking(s),
                Seen::Present { value, .. } => replaced(s, params, memory, value, verdict),
                Seen::Absent { .. } => withdrawn(memory, verdict),
                Seen::Unknown { .. } | Seen::Never if is_resource_open(s, params, memory) => looking(s),
                Seen::Unknown { .. } | Seen::Never => verdict,
            }
        }
    }
}

/// Whether there is a resource, of which nobody tells whether it still asks for the job. It is waited for as long as for what is
/// absent: who may not list resources any more is not told.
fn is_resource_open(s: &Snapshot, params: &Params, memory: &Memory) -> bool {
    let waited = memory.gone_at.map(|gone_at| s.watched_for(gone_at)).unwrap_or_default();
    memory.resource == ResourceSeen::Yes && waited < params.absence_window
}

/// An end that was guessed before anybody could tell that the resource asks for the job.
pub fn in_place_of_guess(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let (resource, _) = observations::resource(s)?;
    let is_asked_for = !memory.stop.is_asked_for() && resource.deleting_since.is_none();
    if s.job.reason.code != end::GONE || !is_asked_for {
        return None;
    }
    let verdict = replaced(s, params, memory, resource, Verdict::keep(s, Rule::Ended));
    (verdict.state == JobState::Reconciling).then_some(verdict)
}

/// The resource that stood for the job is no longer there, by a complete answer: whoever deleted it asked for the end.
fn withdrawn(memory: &mut Memory, verdict: Verdict) -> Verdict {
    if memory.resource == ResourceSeen::No {
        return verdict;
    }
    memory.stop = Stop::Deletion;
    verdict.also("its FlinkDeployment or FlinkSessionJob is deleted")
}

/// An end that Flink, a log or an archive told, which `verdict` says. FINISHED or CANCELED of a job whose resource asks for
/// a suspended job is how it came to be suspended, and during an upgrade it is how the old run made room. A job that
/// FAILED has failed, whatever was asked for; one that FINISHED while its resource is carried out has finished by itself.
pub fn in_place_of_end(s: &Snapshot, params: &Params, memory: &mut Memory, verdict: Verdict) -> Verdict {
    if !matches!(verdict.state, JobState::Finished | JobState::Canceled) {
        return verdict;
    }
    match memory.stop {
        Stop::Suspension => {
            let message = format!("{}; its resource asks for a suspended job", verdict.reason.message);
            let mut suspended = verdict.as_sure_as(Confidence::Inferred).because(SUSPENDED, message);
            (suspended.state, suspended.rule) = (JobState::Suspended, Rule::SuspendedAsAsked);
            suspended
        }
        Stop::Deletion => verdict,
        Stop::NotAskedFor | Stop::Lifted => replacing(s, params, memory, &verdict.reason.message).unwrap_or(verdict),
    }
}

/// The operator has taken the job away to bring it back in another shape, which `how` tells. That is believed for as long
/// as the operator says that it is at it; that it has yet to look at a new specification, has named another job that is to come,
/// or is to resume the job, until the start deadline.
pub fn replacing(s: &Snapshot, params: &Params, memory: &mut Memory, how: &str) -> Option<Verdict> {
    let (resource, looks) = observations::resource(s)?;
    let asks = resource.desired == DesiredState::Running && resource.deleting_since.is_none();
    // `SUSPENDED` is what it last carried out.
    let at_it = matches!(
        resource.lifecycle.as_deref(),
        Some("UPGRADING" | "ROLLING_BACK" | "SUSPENDED")
    );
    // It names the job before it submits it.
    let names_another = resource.kind == FlinkResourceKind::FlinkSessionJob
        && resource.flink_job_id.is_some()
        && resource.flink_job_id != s.job.incarnation.flink_job_id;
    let is_under_way = at_it || names_another || resource.rollout == Rollout::InProgress || memory.stop == Stop::Lifted;
    if !asks || !is_under_way {
        return None;
    }
    let since = *memory.awaited_since.get_or_insert(s.now);
    // What Flink said before the resource named it says nothing of that job.
    let is_unasked = names_another && s.flink().asked_at().is_none_or(|asked| asked <= looks.observed_at);
    let is_late = waited(s, since) >= params.start_deadline && !is_unasked;
    (at_it || !is_late).then(|| {
        Verdict::inferred(JobState::Reconciling, Rule::OperatorReplaces).because(
            REPLACES,
            format!(
                "{how}; {} asks for the job to run: the operator is to bring it back ({})",
                called(resource),
                standing(resource)
            ),
        )
    })
}

/// How long the operator has been waited for. An end that is on record stays: an engine that starts does not give it its time
/// again.
fn waited(s: &Snapshot, since: Timestamp) -> Millis {
    let has_ended = s.job.state.is_terminal() || s.job.reason.code == end::GONE;
    if has_ended { s.age(since) } else { s.watched_for(since) }
}

/// What to say of an upgrade that has taken the job away and does not get on.
pub fn stalled<'a>(s: &Snapshot, params: &Params, memory: &Memory, verdict: &'a Verdict) -> Option<&'a str> {
    let since = memory.awaited_since?;
    // An alarm is no verdict: engines that are started again and again keep nobody from hearing it.
    let is_late = verdict.reason.code == REPLACES && s.age(since) >= params.start_deadline;
    is_late.then_some(verdict.reason.message.as_str())
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
    let is_confirmed = memory.stop == Stop::Deletion || rules::is_confirmed(s, params, streak);
    // In a session cluster that is there, the HA data is about other jobs too.
    let has_cluster = !s.deployment().is_absent();
    let rested = |verdict: Verdict| if has_cluster { verdict } else { verdict.asleep() };
    let kept = rested(Verdict::keep(s, Rule::SuspendedAsAsked).as_sure_as(Confidence::Inferred));
    if !is_confirmed {
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
    let message = "the job was suspended, and no FlinkDeployment or FlinkSessionJob stands for it any more";
    let ended = Verdict::confirmed(JobState::Terminated, Rule::DeletedWhileSuspended).because(DELETED, message);
    Some(rested(ended))
}

/// The resource asks for the job to run: the operator is to bring its cluster back. That is believed until the start
/// deadline, or until the operator gives up.
fn replaced(s: &Snapshot, params: &Params, memory: &mut Memory, resource: &FlinkResource, verdict: Verdict) -> Verdict {
    let since = *memory.awaited_since.get_or_insert(s.now);
    let name = called(resource);
    if waited(s, since) >= params.start_deadline {
        let late = format!(
            "{name} asks for the job to run, and the operator has not brought it back ({})",
            standing(resource)
        );
        return verdict.also(&late);
    }
    if resource.lifecycle.as_deref() == Some("FAILED") {
        return verdict.also(&format!("the operator gave up on {name} ({})", standing(resource)));
    }
    Verdict::inferred(JobState::Reconciling, Rule::OperatorReplaces).because(
        REPLACES,
        format!(
            "the Deployment is gone and {name} asks for the job to run: the operator is to bring it back ({})",
            standing(resource)
        ),
    )
}

/// A job on record as suspended whose resource asks for it to run again, while nothing of it is there yet.
pub fn resumed(s: &Snapshot, memory: &mut Memory) -> Option<Verdict> {
    let (resource, _) = observations::resource(s)?;
    if !is_suspended(s) || memory.stop.is_asked_for() {
        return None;
    }
    memory.awaited_since.get_or_insert(s.now);
    Some(Verdict::inferred(JobState::Reconciling, Rule::OperatorResumes).because(
        REPLACES,
        format!(
            "{} asks for the job to run again ({})",
            called(resource),
            standing(resource)
        ),
    ))
}

/// A Flink that answers has lost a job, which `verdict` says: it may have been asked to.
pub fn of_lost_job(s: &Snapshot, params: &Params, memory: &mut Memory, verdict: Verdict) -> Verdict {
    match memory.stop {
        Stop::Suspension => suspended(
            memory,
            "Flink no longer knows the job, and its resource asks for a suspended job",
        ),
        Stop::Deletion => verdict.also("its FlinkSessionJob was being deleted"),
        Stop::NotAskedFor | Stop::Lifted => {
            let replacing = replacing(s, params, memory, "Flink no longer knows the job");
            match replacing {
                Some(replacing) => replacing,
                None if s.flink_resource().is_absent() => withdrawn(memory, verdict),
                None => verdict,
            }
        }
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
    if s.job.state == JobState::Failed {
        // Only a Deployment shows that the failed start was mended.
        return Some(rules::stands(s, Rule::StartFailed));
    }
    let since = *memory.awaited_since.get_or_insert(s.now);
    let overdue = s.watched_for(since) >= params.start_deadline && !observations::verdicts_wait(s, params);
    Some(match &resource.error {
        Some(error) if overdue => Verdict::inferred(JobState::Failed, Rule::OperatorError)
            .because(ERROR, format!("{name} has no Deployment by its deadline: {error}")),
        Some(_) | None => Verdict::inferred(JobState::Starting, Rule::NotDeployedYet).because(
            "Starting",
            format!(
                "{name} asks for the job; its Deployment is not there yet ({})",
                standing(resource)
            ),
        ),
    })
}

/// A FlinkSessionJob of which no job was ever seen, in a Flink that answers; or one that is gone, as its session cluster is.
pub fn not_submitted(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let resource = match s.flink_resource() {
        Seen::Present { value, .. } if value.kind == FlinkResourceKind::FlinkSessionJob => value,
        Seen::Absent { looks } if s.job.mode == Mode::Session && memory.resource == ResourceSeen::Yes => {
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
    let overdue = s.watched_for(since) >= params.start_deadline && !observations::verdicts_wait(s, params);
    Some(match &resource.error {
        Some(error) if overdue => Verdict::inferred(JobState::Failed, Rule::OperatorError)
            .because(ERROR, format!("{name} has no job by its deadline: {error}")),
        Some(_) | None => {
            let message = format!(
                "{name} asks for a job, and Flink lists none of it yet ({})",
                standing(resource)
            );
            Verdict::inferred(JobState::Starting, Rule::NotSubmittedYet).because("Starting", message)
        }
    })
}

/// A job of which none was ever seen, and whose resource was: what was said of it stays while the resource cannot be read, or
/// Flink is silent. The session's Deployment is not the job's own: another one is no start of it.
pub fn waits_still(s: &Snapshot, memory: &Memory) -> Option<Verdict> {
    let is_waiting = s.never_ran() && memory.resource == ResourceSeen::Yes && s.job.state != JobState::Unknown;
    let confidence = match s.job.confidence {
        Confidence::Confirmed if s.job.state.is_terminal() => Confidence::Confirmed,
        Confidence::Confirmed | Confidence::Inferred | Confidence::Stale => Confidence::Inferred,
    };
    is_waiting.then(|| Verdict::keep(s, Rule::NotSubmittedYet).as_sure_as(confidence))
}

/// A FlinkSessionJob is gone of which no job was ever seen: known once it was seen to be deleted, or by complete answers over
/// the window.
fn withdrawn_before_it_ran(s: &Snapshot, params: &Params, memory: &mut Memory, looks: &Looks) -> Verdict {
    let streak = Streak::count(memory.resource_missing, looks);
    memory.resource_missing = Some(streak);
    let is_known = memory.stop == Stop::Deletion || rules::is_confirmed(s, params, streak);
    if !is_known || observations::verdicts_wait(s, params) {
        let message = format!(
            "its FlinkSessionJob is missing, and no job of it was ever seen; gone needs {} such answers at least {} apart",
            params.absence_confirmations, params.absence_window
        );
        let kept = Verdict::inferred(s.job.state, Rule::WithdrawnBeforeItRan).because("Withdrawn", message);
        return kept.want_after(
            WantedSource::Kubernetes,
            params.absence_window.after(streak.watched_since(s)),
        );
    }
    memory.stop = Stop::Deletion;
    let message = "its FlinkSessionJob is deleted, and no job of it was ever seen";
    Verdict::confirmed(JobState::Terminated, Rule::WithdrawnBeforeItRan).because("Withdrawn", message)
}

/// What the operator calls a terminal error of a Deployment that is there.
pub fn problem(s: &Snapshot) -> Option<Problem> {
    let (resource, _) = observations::resource(s)?;
    let error = resource.error.as_ref()?;
    // `ERROR`: terminal, the operator does nothing more until the specification changes. Other errors pass.
    (resource.job_manager_status.as_deref() == Some("ERROR")).then(|| Problem {
        kind: ProblemKind::Operator,
        message: format!("the operator says of {}: {error}", called(resource)),
    })
}

/// The operator's error, for a message that has nothing better to say.
pub fn error(s: &Snapshot) -> Option<&str> {
    observations::resource(s)?.0.error.as_deref()
}

fn suspended(memory: &mut Memory, message: &str) -> Verdict {
    memory.awaited_since = None;
    Verdict::inferred(JobState::Suspended, Rule::SuspendedAsAsked)
        .because(SUSPENDED, message)
        .asleep()
}

fn called(resource: &FlinkResource) -> String {
    let kind = match resource.kind {
        FlinkResourceKind::FlinkDeployment => "FlinkDeployment",
        FlinkResourceKind::FlinkSessionJob => "FlinkSessionJob",
    };
    format!("{kind} {}", resource.name)
}

/// What the operator says of the resource.
fn standing(resource: &FlinkResource) -> String {
    let lifecycle = resource.lifecycle.as_deref().unwrap_or("not yet looked at");
    match &resource.error {
        Some(error) => format!("lifecycle {lifecycle}, error: {error}"),
        None => format!("lifecycle {lifecycle}"),
    }
}
