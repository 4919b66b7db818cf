//! What the resource makes of an end: a stop that somebody asked for, an upgrade, or an end it is.

use steadfast_policy::{Confidence, JobState, Seen, Snapshot, Timestamp, WantedSource};

use super::SUSPENDED;
use super::awaited::{replaced, replacing};
use super::suspended::suspended;
use crate::Verdict;
use crate::end;
use crate::memory::{Memory, ResourceSeen, Stop};
use crate::params::Params;
use crate::rulebook::Rule;

/// What is gone of a job.
#[derive(Clone, Copy, Debug)]
pub enum Gone {
    /// Its cluster, since a Deployment was seen to go, or was first found missing.
    Cluster { since: Timestamp, asked_at: Timestamp },
    /// The job, by the word of a Flink that answers.
    Job { asked_at: Timestamp },
}

impl Gone {
    fn words(self) -> &'static str {
        match self {
            Self::Cluster { .. } => "the Deployment is gone",
            Self::Job { .. } => "Flink no longer knows the job",
        }
    }

    /// When the look was asked for that found it gone.
    fn asked_at(self) -> Timestamp {
        match self {
            Self::Cluster { asked_at, .. } | Self::Job { asked_at } => asked_at,
        }
    }

    /// Whether a resource that was read then may have been deleted together with it.
    fn outdates(self, read_at: Timestamp) -> bool {
        match self {
            Self::Cluster { since, .. } => read_at <= since,
            Self::Job { .. } => false,
        }
    }
}

/// A job is confirmed gone and nothing tells how it ended, which `verdict` says: the resource may explain it.
pub fn of_unexplained_end(s: &Snapshot, params: &Params, memory: &mut Memory, gone: Gone, verdict: Verdict) -> Verdict {
    match memory.stop {
        Stop::Suspension => suspended(
            memory,
            &format!("{}, and its resource asks for a suspended job", gone.words()),
        ),
        Stop::Deletion => verdict.also("its FlinkDeployment or FlinkSessionJob was being deleted"),
        Stop::NotAskedFor | Stop::Lifted => match s.flink_resource() {
            Seen::Present { looks, .. } if gone.outdates(looks.asked_at) => looking(s, gone),
            Seen::Present { value, .. } => match gone {
                Gone::Cluster { .. } => replaced(s, params, memory, value, verdict),
                Gone::Job { .. } => replacing(s, params, memory, gone.words()).unwrap_or(verdict),
            },
            Seen::Absent { .. } => withdrawn(memory, verdict),
            Seen::Unknown { .. } | Seen::Never if is_open(s, params, memory) => looking(s, gone),
            Seen::Unknown { .. } | Seen::Never => {
                if memory.resource == ResourceSeen::Yes {
                    memory.resource = ResourceSeen::UnreadAtTheEnd;
                }
                verdict
            }
        },
    }
}

/// A job whose end was judged while its resource could not be read, which can be read now: what it makes of the end, if that is
/// something else.
pub fn reread(s: &Snapshot, params: &Params, memory: &mut Memory, gone: Gone) -> Option<Verdict> {
    let is_read = s.flink_resource().is_present() || s.flink_resource().is_absent();
    if memory.resource != ResourceSeen::UnreadAtTheEnd || !is_read {
        return None;
    }
    memory.resource = ResourceSeen::Yes;
    if ![end::GONE, end::LOST].contains(&s.job.reason.code.as_str()) {
        return None;
    }
    let verdict = of_unexplained_end(s, params, memory, gone, Verdict::keep(s, Rule::Ended));
    (verdict.state != s.job.state).then_some(verdict)
}

fn looking(s: &Snapshot, gone: Gone) -> Verdict {
    let message = format!("{}; looking whether its resource still asks for it", gone.words());
    let code = match gone {
        Gone::Cluster { .. } => "DeploymentGone",
        Gone::Job { .. } => "JobNotListed",
    };
    Verdict::inferred(s.job.state, Rule::LookingForTheResource)
        .because(code, message)
        .want_after(WantedSource::Kubernetes, gone.asked_at())
        .validate_after(s.poll())
}

/// Whether there is a resource, of which nobody tells whether it still asks for the job. It is waited for as long as for what is
/// absent: who may not list resources any more is not told.
fn is_open(s: &Snapshot, params: &Params, memory: &Memory) -> bool {
    let unread = match s.flink_resource() {
        Seen::Unknown { looks, .. } => looks.unknown_since,
        Seen::Never => None,
        Seen::Present { .. } | Seen::Absent { .. } => return false,
    };
    let since = unread.max(memory.gone_at).unwrap_or(s.engine_since);
    memory.resource != ResourceSeen::No && s.watched_for(since) < params.absence_window
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
        Stop::Suspension if memory.ended_by_itself => verdict,
        Stop::Suspension => {
            let message = format!("{}; its resource asks for a suspended job", verdict.reason.message);
            let mut suspended = verdict.as_sure_as(Confidence::Inferred).because(SUSPENDED, message);
            (suspended.state, suspended.rule) = (JobState::Suspended, Rule::SuspendedAsAsked);
            suspended
        }
        Stop::Deletion => verdict,
        Stop::NotAskedFor | Stop::Lifted if s.job.state == JobState::Reconciling && is_open(s, params, memory) => {
            Verdict::keep(s, Rule::OperatorReplaces).as_sure_as(Confidence::Inferred)
        }
        Stop::NotAskedFor | Stop::Lifted => match replacing(s, params, memory, &verdict.reason.message) {
            Some(replaced) => replaced,
            None => {
                memory.ended_by_itself |= s.job.state == verdict.state && was_read_since(s, s.job.since, params);
                verdict
            }
        },
    }
}

/// Whether the resource was read so long after that moment that what stopped the job then would show.
fn was_read_since(s: &Snapshot, moment: Timestamp, params: &Params) -> bool {
    let read = s.flink_resource().looks().filter(|_| s.flink_resource().is_present());
    read.is_some_and(|looks| looks.asked_at >= params.absence_window.after(moment))
}
