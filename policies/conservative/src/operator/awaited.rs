//! Jobs that the operator has taken away, or stopped, and is to bring back.

use steadfast_policy::{
    DesiredState, FlinkResource, FlinkResourceKind, JobState, Millis, Mode, Rollout, Snapshot, Timestamp,
};

use super::ended::LOOKING;
use super::requested::is_asked_for;
use super::{called, is_suspended, standing};
use crate::Verdict;
use crate::memory::{Memory, ResourceSeen, Stop};
use crate::observations;
use crate::params::Params;
use crate::rulebook::Rule;

/// The reason code of a job that the operator is to bring back.
const REPLACES: &str = "OperatorUpgrade";
/// The alert about an upgrade that does not get on.
pub const STALLED: &str = "UpgradeStalled";
/// The lifecycle of a resource that the operator does nothing more for.
const GAVE_UP: &str = "FAILED";

/// The operator has taken the job away to bring it back in another shape, which `how` tells. That is believed for as long
/// as the operator says that it is at it; that it has yet to look at a new specification, has named another job that is to come,
/// or is to resume the job, until the start deadline.
pub(super) fn replacing(s: &Snapshot, params: &Params, memory: &mut Memory, how: &str) -> Option<Verdict> {
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
    let resumes = memory.stop == Stop::Lifted && resource.lifecycle.as_deref() != Some(GAVE_UP);
    if !asks || !(at_it || names_another || resumes || resource.rollout == Rollout::InProgress) {
        memory.awaited_since = None;
        return None;
    }
    let since = *memory.awaited_since.get_or_insert(s.now);
    // What Flink said before the resource named it says nothing of that job.
    let is_unasked = names_another && s.flink().asked_at().is_none_or(|asked| asked <= looks.observed_at);
    let is_late = waited(s, memory, since) >= params.start_deadline && !is_unasked;
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

/// The resource asks for the job to run: the operator is to bring its cluster back. That is believed until the start
/// deadline, or until the operator gives up.
pub(super) fn replaced(
    s: &Snapshot,
    params: &Params,
    memory: &mut Memory,
    resource: &FlinkResource,
    verdict: Verdict,
) -> Verdict {
    let since = *memory.awaited_since.get_or_insert(s.now);
    let name = called(resource);
    if waited(s, memory, since) >= params.start_deadline {
        let late = format!(
            "{name} asks for the job to run, and the operator has not brought it back ({})",
            standing(resource)
        );
        return verdict.also(&late);
    }
    if resource.lifecycle.as_deref() == Some(GAVE_UP) {
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
    // Who remembers no suspension was told of it by an engine that kept no note of it.
    memory.stop = Stop::Lifted;
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

/// Whether the record says that the operator is to bring the job back. Flink has a RECONCILING of its own.
fn is_replaced(s: &Snapshot) -> bool {
    s.job.state == JobState::Reconciling && s.job.reason.code == REPLACES
}

/// What is said meanwhile of a job that the operator is to bring back has its code, by which the record tells whose RECONCILING it
/// is: until Flink lists the job, or its Deployment is there again.
pub fn still_replaced(s: &Snapshot, mut verdict: Verdict) -> Verdict {
    let deployment = s.deployment().present().filter(|_| s.job.mode != Mode::Session);
    let is_back = s.flink().is_present() || deployment.is_some_and(|deployment| deployment.replicas > 0);
    if verdict.state == JobState::Reconciling && is_replaced(s) && !is_back {
        REPLACES.clone_into(&mut verdict.reason.code);
    }
    verdict
}

/// Whether the record says what is only said where a resource stands for the job.
pub fn speaks_of_a_resource(s: &Snapshot) -> bool {
    let is_looked_for = s.job.state == JobState::Reconciling && s.job.reason.message.ends_with(LOOKING);
    is_replaced(s) || is_looked_for || is_suspended(s) || is_asked_for(s)
}

/// How long the operator has been waited for. An end that is on record, or a suspension that nobody asked for, was judged by the
/// deadline and stays: an engine that starts does not give it its time again.
fn waited(s: &Snapshot, memory: &Memory, since: Timestamp) -> Millis {
    let is_judged = s.job.state == JobState::Suspended && !is_suspended(s);
    if s.job.state.is_terminal() || is_judged {
        s.age(since)
    } else {
        memory.operator_dark.watched_since(s, since)
    }
}

/// What to say of an upgrade that has taken the job away and does not get on.
pub fn stalled<'a>(s: &Snapshot, params: &Params, memory: &Memory, verdict: &'a Verdict) -> Option<&'a str> {
    // Flink's own RECONCILING is a job that it lists. An alarm is no verdict: neither a darkness nor an engine that starts
    // resolves it, nor that what was remembered is gone. But only what was watched raises it.
    let stands = s.alert(STALLED).is_some();
    let is_late = match memory.awaited_since {
        Some(since) => stands || memory.operator_dark.lit_since(s, since) >= params.start_deadline,
        None => stands && memory.resource != ResourceSeen::No && verdict.reason.code == REPLACES,
    };
    (verdict.state == JobState::Reconciling && is_late).then_some(verdict.reason.message.as_str())
}
