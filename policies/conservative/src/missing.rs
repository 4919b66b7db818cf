//! Flink is silent and complete answers lack the Deployment.

use steadfast_policy::{JobState, Looks, Mode, Seen, Snapshot, Streak, WantedSource};

use crate::Verdict;
use crate::end;
use crate::memory::Memory;
use crate::observations;
use crate::operator::{self, Gone};
use crate::params::Params;
use crate::rulebook::Rule;
use crate::rules::{MISSING, is_confirmed, reported_before, waits};

/// Whether the cluster is gone, and what became of its job.
pub fn deployment_missing(s: &Snapshot, params: &Params, memory: &mut Memory, looks: &Looks) -> Verdict {
    let state = s.job.state;
    let not_yet = never_there(s, params, memory).or_else(|| operator::made_anew(s, params, memory));
    if let Some(verdict) = not_yet {
        return verdict;
    }
    if let Some(verdict) = operator::resumed(s, memory) {
        return verdict;
    }
    if operator::is_suspended(s)
        && let Some(verdict) = operator::deleted_while_suspended(s, params, memory)
    {
        return verdict;
    }
    let is_guess = state == JobState::Suspended && s.job.reason.code == end::GONE;
    if state.is_terminal() || is_guess || operator::is_suspended(s) {
        let gone = Gone::Cluster {
            since: memory.gone_at.unwrap_or(s.job.since),
            asked_at: looks.asked_at,
        };
        let contested = reported_before(s, memory).filter(|_| state.is_terminal());
        let told = contested.or_else(|| operator::reread(s, params, memory, gone));
        return told.unwrap_or_else(|| end::revisited(s, memory));
    }
    if observations::verdicts_wait(s, params) {
        return waits(s, params, MISSING, "the Deployment is missing");
    }
    let streak = Streak::count(memory.deployment_missing, looks);
    memory.deployment_missing = Some(streak);
    let deletion = s.deletion.as_ref().filter(|deletion| {
        s.job
            .incarnation
            .deployment_uid
            .as_ref()
            .is_none_or(|uid| *uid == deletion.uid)
    });
    let seen_and_confirmed = deletion.is_some_and(|deletion| looks.asked_at > deletion.seen_at);
    if seen_and_confirmed || is_confirmed(s, params, streak) {
        let gone_at = end::looked_for_since(s, &mut memory.gone_at);
        let verdict = match reported_before(s, memory) {
            Some(verdict) => verdict,
            None => end::of_gone_cluster(s, params, memory, gone_at),
        };
        if [end::GONE, end::CANCELLED].contains(&verdict.reason.code.as_str()) {
            let gone = Gone::Cluster {
                since: deletion.map_or(streak.first, |deletion| deletion.seen_at),
                asked_at: looks.asked_at,
            };
            return operator::of_unexplained_end(s, params, memory, gone, verdict);
        }
        return verdict;
    }
    memory.gone_at = None;
    let (look_after, message) = match deletion {
        Some(deletion) => (
            deletion.seen_at,
            "the Deployment was seen to be deleted; a complete answer is to confirm it".to_owned(),
        ),
        None => (
            params.absence_window.after(streak.watched_since(s)),
            format!(
                "the Deployment is missing and no deletion was seen; gone needs {} such answers at least {} apart",
                params.absence_confirmations, params.absence_window
            ),
        ),
    };
    let verdict = Verdict::inferred(state, Rule::DeploymentMissing).because(MISSING, message);
    verdict.want_after(WantedSource::Kubernetes, look_after)
}

/// A Deployment of which none was ever seen: what its resource says, if one asks for it.
fn never_there(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let is_requested = s.job.mode == Mode::Session && s.never_ran();
    if s.job.incarnation.attempt == 0 || is_requested {
        let of_resource = match s.flink_resource() {
            Seen::Absent { .. } => operator::not_submitted(s, params, memory),
            Seen::Present { .. } => operator::not_deployed(s, params, memory),
            Seen::Unknown { .. } | Seen::Never => operator::waits_still(s, memory),
        };
        if let Some(verdict) = of_resource {
            return Some(verdict);
        }
    }
    (s.job.incarnation.attempt == 0).then(|| {
        let message = format!("Deployment {} does not exist, and Flink does not answer", s.job.name);
        Verdict::inferred(JobState::Unknown, Rule::NothingThere).because(MISSING, message)
    })
}
