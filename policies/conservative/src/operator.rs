//! What the Flink Kubernetes Operator's resource adds: what somebody asked for, and what the operator could not do.
//!
//! What the operator reports of the job is what it last saw, and is never taken for the job's state. What the
//! specification asks for is a fact: a stop that was asked for is no failure, and a Deployment that is gone while its
//! FlinkDeployment asks for the job to run is to come back.

mod awaited;
mod ended;
mod requested;
mod suspended;

use steadfast_policy::{DesiredState, FlinkResource, FlinkResourceKind, JobState, Looks, Mode, Seen, Snapshot, Streak};

use crate::diagnosis::{Problem, ProblemKind};
use crate::memory::{Memory, ResourceSeen, Stop};
use crate::observations;
use crate::params::Params;

pub use awaited::{STALLED, resumed, speaks_of_a_resource, stalled, still_replaced};
pub use ended::{Gone, in_place_of_end, is_as_asked, note_told, of_unexplained_end, reread};
pub use requested::{made_anew, not_deployed, not_submitted, waits_still};
pub use suspended::{deleted_while_suspended, is_suspended, scaled_to_zero, stays_suspended};

/// The reason code of a stop that the resource asked for.
pub const SUSPENDED: &str = "SuspendIntended";
/// The reason code of what the operator could not do.
pub const ERROR: &str = "OperatorError";

/// Notes which stop the resource asks for. It stays asked for when the resource itself is gone; what comes after it under
/// the same name is another one, and asks nothing of a job that was ended with it.
pub fn note_stop(s: &Snapshot, params: &Params, memory: &mut Memory) {
    let Some((resource, _)) = observations::resource(s) else {
        return;
    };
    if memory.resource == ResourceSeen::No {
        memory.resource = ResourceSeen::Yes;
    }
    memory.resource_missing = None;
    memory.resource_gone_at = None;
    let is_known = memory.resource_uid.as_ref() == Some(&resource.uid);
    let is_another = !is_known && memory.resource_uid.replace(resource.uid.clone()).is_some();
    // What was being deleted does not come back.
    let is_back = memory.stop == Stop::Deletion && s.job.state.is_terminal() && resource.deleting_since.is_none();
    if (is_another || is_back) && s.job.mode != Mode::Session {
        memory.made_anew_at = Some(s.now);
        (memory.reported, memory.reported_since) = (None, None);
        // Whatever the other one asks for: this end was there before it.
        memory.ended_by_itself |= s.job.state == JobState::Finished;
        memory.awaited_since = None;
        memory.stop = Stop::NotAskedFor;
    }
    if memory.stop == Stop::Deletion && s.job.state.is_terminal() && memory.made_anew_at.is_none() {
        return;
    }
    // A Deployment that still stands, and does not go, is its own.
    let stands = s
        .deployment()
        .present()
        .is_some_and(|deployment| deployment.deleting_since.is_none());
    memory.made_anew_at = memory
        .made_anew_at
        .filter(|at| !stands || s.watched_for(*at) < params.absence_window);
    memory.stop = match (resource.deleting_since, resource.desired, memory.stop) {
        (Some(_), ..) => Stop::Deletion,
        (None, DesiredState::Suspended, _) => Stop::Suspension,
        (None, DesiredState::Running, Stop::Suspension) if !s.never_ran() => {
            memory.awaited_since = Some(s.now);
            Stop::Lifted
        }
        (None, DesiredState::Running, Stop::Lifted) => Stop::Lifted,
        (None, DesiredState::Running, Stop::NotAskedFor | Stop::Suspension | Stop::Deletion) => Stop::NotAskedFor,
    };
}

/// A session's job that runs on, or another whose Deployment stands, long after complete answers lack its resource was orphaned: nobody asked for its
/// end. That the resource was deleted need not have been seen.
pub fn note_orphan(s: &Snapshot, params: &Params, memory: &mut Memory) {
    let goes_on = match s.job.mode {
        Mode::Session => s.flink().present().is_some_and(|job| !job.state.is_terminal()),
        // It goes with its Deployment, however long a pod of it answers.
        Mode::Application | Mode::Standalone => s
            .deployment()
            .present()
            .is_some_and(|deployment| deployment.deleting_since.is_none() && deployment.replicas > 0),
    };
    let is_over = s.job.state.is_terminal() || observations::was_suspended(s);
    if memory.resource == ResourceSeen::No || s.never_ran() || is_over || !goes_on {
        return;
    }
    if let Seen::Absent { looks } = s.flink_resource() {
        let streak = Streak::count(memory.resource_missing, looks);
        memory.resource_missing = Some(streak);
        if streak.spans(s) >= params.start_deadline {
            memory.stop = Stop::NotAskedFor;
            memory.resource = ResourceSeen::No;
            memory.resource_missing = None;
        }
    }
}

/// Flink lists a job that has not ended: nobody is waited for any more. An answer from before a suspension was lifted says
/// nothing of what comes of that.
pub fn note_listed(memory: &mut Memory, looks: &Looks) {
    if memory.stop == Stop::Lifted {
        if memory.awaited_since.is_some_and(|lifted| looks.asked_at <= lifted) {
            return;
        }
        memory.stop = Stop::NotAskedFor;
    }
    memory.awaited_since = None;
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
