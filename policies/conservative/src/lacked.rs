//! Flink answers without the job: lost, or about to be submitted again.

use steadfast_policy::{Deployment, JobState, Looks, Mode, Seen, Snapshot, Streak};

use crate::Verdict;
use crate::end;
use crate::job_managers::{self, MOVES, Who};
use crate::memory::Memory;
use crate::observations;
use crate::operator::{self, Gone};
use crate::params::Params;
use crate::rulebook::Rule;
use crate::rules::{SCALED_TO_ZERO, is_confirmed, reported_before, stands, waits};

/// Flink answers that it does not know the job it ran.
pub fn judge(s: &Snapshot, params: &Params, memory: &mut Memory, looks: &Looks) -> Verdict {
    if operator::is_suspended(s) {
        let deleted = operator::deleted_while_suspended(s, params, memory);
        if let Some(verdict) = deleted.or_else(|| operator::resumed(s, memory)) {
            return verdict;
        }
    }
    if let Some(verdict) = reported_before(s, memory) {
        return verdict;
    }
    let gone = Gone::Job {
        asked_at: looks.asked_at,
    };
    if let Some(verdict) = operator::reread(s, params, memory, gone) {
        return verdict;
    }
    if s.job.state.is_terminal() || operator::is_suspended(s) {
        return end::corrected(s, memory, stands(s, Rule::EndedJobNotListed));
    }
    // Of a resource that was made anew nothing has run either.
    let is_to_start = matches!(s.job.state, JobState::Starting | JobState::Unknown);
    if s.never_ran() || (memory.made_anew_at.is_some() && is_to_start) {
        let message = "Flink answers and lists no job";
        return Verdict::inferred(s.job.state, Rule::NoJobYet).because("NoJobYet", message);
    }
    if observations::verdicts_wait(s, params) {
        return waits(s, params, "JobNotListed", "Flink answers that it does not know the job");
    }
    memory.lacked_since.get_or_insert(s.now);
    let streak = match lacked_before(s, memory) {
        // Enough were counted: each more would be written to the store.
        Some(enough) if is_confirmed(s, params, enough) => enough,
        before => Streak::count(before, looks),
    };
    memory.job_missing = Some(streak);
    if is_confirmed(s, params, streak) {
        let lost_at = end::looked_for_since(s, &mut memory.gone_at);
        let mut verdict = end::of_lost_job(s, params, memory, lost_at);
        if verdict.state == JobState::Lost {
            verdict = operator::of_unexplained_end(s, params, memory, gone, verdict);
        }
        return if verdict.state == JobState::Lost {
            submitted_again(s, params, memory).unwrap_or(verdict)
        } else {
            verdict
        };
    }
    memory.gone_at = None;
    if let Some(verdict) = submitted_again(s, params, memory) {
        return verdict;
    }
    let message = format!(
        "Flink answers that it does not know the job; LOST needs {} such answers at least {} apart",
        params.absence_confirmations, params.absence_window
    );
    Verdict::inferred(s.job.state, Rule::JobNotListed).because("JobNotListed", message)
}

/// An application's JobManager that is not the one that last knew the job runs main(), which submits it.
fn submitted_again(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    if s.job.mode != Mode::Application || memory.was_cancelling || memory.stop.is_asked_for() {
        return None;
    }
    let verdict = match job_managers::who_answers(s, memory) {
        Who::TheSame => return None,
        Who::Another(how) => {
            let message = format!("{how}; Flink answers and does not know the job yet");
            Verdict::inferred(JobState::Restarting, Rule::JobManagerRestarts).because("JobManagerRestarted", message)
        }
        Who::Unknown(why) => {
            let message = format!("Flink answers and does not know the job; {why}");
            Verdict::inferred(s.job.state, Rule::JobNotListed).because("JobNotListed", message)
        }
    };
    has_time_to_submit(s, params, memory).then_some(verdict)
}

/// The answers without the job so far, if they are the same JobManager's: one that has just started knows none until it has
/// recovered them.
fn lacked_before(s: &Snapshot, memory: &mut Memory) -> Option<Streak> {
    let known = s.job_manager().map(|pod| (pod.uid.clone(), pod.restarts()));
    // Who gave those that were counted while no pod could be read, nobody knows.
    let is_another = known.is_some() && known != memory.lacked_by;
    let begins = memory.job_missing.is_none() || is_another;
    if begins || memory.lacked_by.is_none() {
        memory.lacked_by = known;
    }
    if begins {
        return None;
    }
    memory.job_missing
}

/// Notes that Flink fell silent: who answers next, without the job, may have started since. While nobody tells of the pods one lost
/// answer is enough; where they can be read they tell it.
pub fn note_silence(s: &Snapshot, params: &Params, memory: &mut Memory) {
    let Seen::Unknown { fault, looks } = s.flink() else {
        return;
    };
    let is_unseen = s.has_kubernetes() && s.pods().is_unanswered();
    if observations::leaves_open(fault) || (!is_unseen && s.lately_known(looks)) {
        return;
    }
    // A route that loses answers again and again must not keep a job for ever. An application's next JobManager submits it anew.
    let lacked_for = memory
        .lacked_since
        .map(|lacked| memory.flink_dark.watched_since(s, lacked));
    let is_beyond = |times: u64| lacked_for.is_some_and(|lacked| lacked >= params.start_deadline.times(times));
    let may_be_another = || {
        let is_same = s.lately_known(looks) || job_managers::is_only(s, memory.lacked_by.as_ref());
        s.job.mode == Mode::Application && !is_same && !is_beyond(u64::from(MOVES))
    };
    if !is_beyond(1) || may_be_another() {
        memory.job_missing = None;
    }
}

/// Whether an application starts again: the run before went with its Deployment, or with its last pod, and that Flink does not
/// know it is no loss of the one to come. While Kubernetes does not tell of the Deployment it is as it was.
pub fn is_between_runs(s: &Snapshot, params: &Params, memory: &mut Memory, deployment: Option<&Deployment>) -> bool {
    let is_scaled_up = s.job.state == JobState::Suspended && s.job.reason.code == SCALED_TO_ZERO;
    // One that hung and was given up (UNKNOWN) has not submitted either.
    let is_next = is_scaled_up || matches!(s.job.state, JobState::Starting | JobState::Unknown);
    let is_there = deployment.is_none_or(|deployment| deployment.replicas > 0 && deployment.deleting_since.is_none());
    let is_to_run = is_there && !memory.stop.is_asked_for();
    let is_between = s.job.mode == Mode::Application && !s.never_ran() && is_next && is_to_run;
    is_between && has_time_to_submit(s, params, memory)
}

/// Whether main() may still be on its way to submit the job: it has as long for that as for any start.
fn has_time_to_submit(s: &Snapshot, params: &Params, memory: &mut Memory) -> bool {
    if memory.lacked_since.is_none() && observations::is_disrupted(s, params) {
        return true;
    }
    let lacked = *memory.lacked_since.get_or_insert(s.now);
    memory.flink_dark.watched_since(s, lacked) < params.start_deadline
}
