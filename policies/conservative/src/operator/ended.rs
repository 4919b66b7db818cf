//! What the resource makes of an end: a stop that somebody asked for, an upgrade, or an end it is.

use steadfast_policy::{Confidence, JobState, Millis, Reason, Seen, Snapshot, Timestamp, WantedSource};

use super::SUSPENDED;
use super::awaited::{replaced, replacing};
use super::requested::WITHDRAWN;
use super::suspended::suspended;
use crate::Verdict;
use crate::end;
use crate::memory::{Memory, ResourceSeen, Stop, Told};
use crate::observations;
use crate::params::Params;
use crate::rulebook::Rule;

/// What is said of an end whose resource is gone, or was going.
const IS_DELETED: &str = "its FlinkDeployment or FlinkSessionJob is deleted";
const WAS_BEING_DELETED: &str = "its FlinkDeployment or FlinkSessionJob was being deleted";

/// The last words of what is said of an end whose resource is to be read.
pub(super) const LOOKING: &str = "looking whether its resource still asks for it";

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
        // It asks for another start, or for none. The one that the job ran for is deleted.
        _ if memory.made_anew_at.is_some() => verdict.also(IS_DELETED),
        Stop::Suspension => suspended(
            memory,
            &format!("{}, and its resource asks for a suspended job", gone.words()),
        ),
        Stop::Deletion => verdict.also(WAS_BEING_DELETED),
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
    if ![end::GONE, end::LOST, end::CANCELLED].contains(&s.job.reason.code.as_str()) {
        return None;
    }
    let verdict = of_unexplained_end(s, params, memory, gone, Verdict::keep(s, Rule::Ended));
    (verdict.state != s.job.state).then_some(verdict)
}

fn looking(s: &Snapshot, gone: Gone) -> Verdict {
    let message = format!("{}; {LOOKING}", gone.words());
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
/// absent, and at least until it was asked for again, for who may not list it does so with the validation; during an upgrade for as
/// long as for any start. Time in which nobody told of the Deployment either does not count; but where Flink itself goes on to tell
/// the end, that is not waited for without an end.
fn is_open(s: &Snapshot, params: &Params, memory: &Memory) -> bool {
    let unread = match s.flink_resource() {
        Seen::Unknown { looks, .. } => looks.unknown_since,
        Seen::Never => None,
        Seen::Present { .. } | Seen::Absent { .. } => return false,
    };
    if memory.resource == ResourceSeen::No {
        return false;
    }
    let is_told = !s.flink().is_unanswered();
    // A route that flaps begins the search for the end again, and not the loss.
    let gone_at = if is_told { memory.lacked_since } else { memory.gone_at };
    let since = unread.max(gone_at).max(memory.reported_since);
    let since = since.unwrap_or(s.engine_since);
    let patience = if s.job.state == JobState::Reconciling {
        params.start_deadline
    } else {
        next_list(s, params)
    };
    let is_asked_for = s.flink_resource().looks().is_some();
    let told_for = memory
        .told_unread
        .map_or(s.watched_for(since), |told| Millis::new(told.watched));
    let is_late = is_told && is_asked_for && told_for >= told_long_enough(s, params);
    memory.kubernetes_dark.watched_since(s, since) < patience && !is_late
}

/// Notes for how long Flink has told an end while nobody told of the resource. It counts over engines; of a silence of Flink's, and of
/// time in which no engine ran, no more than until the next list.
pub fn note_told(s: &Snapshot, params: &Params, memory: &mut Memory) {
    let is_told = memory.reported_since.is_some() || memory.lacked_since.is_some();
    let is_explained = memory.stop.is_asked_for() || memory.made_anew_at.is_some();
    if memory.resource == ResourceSeen::No || !is_told || is_explained || !s.flink_resource().is_unanswered() {
        memory.told_unread = None;
        return;
    }
    if s.flink().is_unanswered() {
        return;
    }
    let told = memory.told_unread.get_or_insert(Told {
        watched: 0,
        last: s.now,
    });
    // Another engine's clock may have been ahead.
    told.last = told.last.min(s.now);
    let more = s.age(told.last);
    let step = s.poll().times(3);
    let was_off = s.engine_since > told.last;
    let most = if was_off {
        next_list(s, params)
    } else {
        next_list(s, params).max(step.plus(s.poll()))
    };
    if more >= params.start_deadline.max(most) {
        // In such a gap a whole upgrade has room, and of one that no engine saw nothing is known.
        let enough = told_long_enough(s, params).get();
        let left = if was_off { 0 } else { told.watched.min(enough) / 2 };
        (told.watched, told.last) = (left, s.now);
        return;
    }
    // In steps, and no further than it is waited for, since each is written to the store.
    if told.watched < told_long_enough(s, params).get() && more >= step {
        told.watched = told.watched.saturating_add(more.min(most).get());
        told.last = s.now;
    }
}

/// How long an end that Flink goes on to tell is waited with for those who may explain it, who were asked again meanwhile.
fn told_long_enough(s: &Snapshot, params: &Params) -> Millis {
    params.start_deadline.max(next_list(s, params))
}

/// By when a list that failed was asked for again: who may not list does so with the validation.
fn next_list(s: &Snapshot, params: &Params) -> Millis {
    let again = s.validate().plus(s.poll()).plus(s.timeout());
    params.absence_window.max(again)
}

/// Whether the operator was at an upgrade when its resource was last read, and nobody tells of it.
pub(super) fn is_still_at_it(s: &Snapshot, params: &Params, memory: &Memory) -> bool {
    s.job.state == JobState::Reconciling && is_open(s, params, memory)
}

/// The resource that stood for the job is no longer there, by a complete answer: whoever deleted it asked for the end.
fn withdrawn(memory: &mut Memory, verdict: Verdict) -> Verdict {
    if memory.resource == ResourceSeen::No {
        return verdict;
    }
    memory.stop = Stop::Deletion;
    verdict.also(IS_DELETED)
}

/// Whether an end is on record as one that whoever deleted its resource asked for. The record says so: what a policy remembers may
/// go, with a clock or with another version of it.
pub fn is_as_asked(reason: &Reason) -> bool {
    let says = |what: &str| reason.message.contains(what);
    [end::DELETED, WITHDRAWN].contains(&reason.code.as_str()) || says(IS_DELETED) || says(WAS_BEING_DELETED)
}

/// An end that Flink, a log or an archive told, which `verdict` says. FINISHED or CANCELED of a job whose resource asks for
/// a suspended job is how it came to be suspended, and during an upgrade it is how the old run made room. A job that
/// FAILED has failed, whatever was asked for; one that FINISHED while its resource is carried out has finished by itself.
pub fn in_place_of_end(s: &Snapshot, params: &Params, memory: &mut Memory, verdict: Verdict) -> Verdict {
    // Another resource than the one that the job ran for explains nothing of it.
    if !matches!(verdict.state, JobState::Finished | JobState::Canceled) || memory.made_anew_at.is_some() {
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
        Stop::NotAskedFor | Stop::Lifted if s.job.state != verdict.state && is_open(s, params, memory) => {
            until_it_is_read(s, &verdict)
        }
        Stop::NotAskedFor | Stop::Lifted => match replacing(s, params, memory, &verdict.reason.message) {
            Some(replaced) => replaced,
            None => {
                memory.ended_by_itself |= s.job.state == verdict.state && was_read_since(s, s.job.since, params);
                let is_unread = memory.resource != ResourceSeen::No && s.flink_resource().is_unanswered();
                let was_certain = s.job.state == verdict.state && s.job.confidence == Confidence::Confirmed;
                if is_unread && !was_certain {
                    verdict.as_sure_as(Confidence::Inferred)
                } else {
                    verdict
                }
            }
        },
    }
}

/// An end was told, and whether it is the way to something else cannot be read: what was known stays meanwhile.
fn until_it_is_read(s: &Snapshot, verdict: &Verdict) -> Verdict {
    let kept = Verdict::keep(s, Rule::OperatorReplaces).as_sure_as(Confidence::Inferred);
    if observations::is_replaced_or_suspended(s) {
        return kept;
    }
    if end::is_guessed(s) {
        // By its reason it is corrected yet.
        return Verdict::keep(s, Rule::LookingForTheResource)
            .as_sure_as(Confidence::Inferred)
            .want_after(WantedSource::Kubernetes, s.job.since)
            .validate_after(s.poll());
    }
    let message = format!("{}; {LOOKING}", verdict.reason.message);
    Verdict::inferred(s.job.state, Rule::LookingForTheResource)
        .because(&verdict.reason.code, message)
        .want_after(WantedSource::Kubernetes, s.job.since)
        .validate_after(s.poll())
}

/// Whether the resource was read so long after that moment that what stopped the job then would show.
fn was_read_since(s: &Snapshot, moment: Timestamp, params: &Params) -> bool {
    let read = s.flink_resource().looks().filter(|_| s.flink_resource().is_present());
    read.is_some_and(|looks| looks.asked_at >= params.absence_window.after(moment))
}
