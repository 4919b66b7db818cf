//! Resources are there and no job has run yet in this attempt: what is said of a start, and when it has failed.

use steadfast_policy::{Deployment, JobState, Pod, Seen, Snapshot};

use crate::Verdict;
use crate::diagnosis;
use crate::memory::Memory;
use crate::observations;
use crate::operator;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::rules;

/// Resources are there and no job has run yet. Past the deadline, a problem that Kubernetes names is a failure;
/// a silence without a named problem never is.
pub fn not_started(s: &Snapshot, params: &Params, memory: &Memory, deployment: &Deployment) -> Verdict {
    let attempt_since = s.job.incarnation.since.unwrap_or(s.now);
    if s.job.state.is_terminal() && attempt_since <= s.job.since {
        // Only a job that runs, or another Deployment, shows that the failed start was mended.
        return rules::stands(s, Rule::StartFailed).poll_after(s.poll());
    }
    // A Deployment may have been there long before anybody looked: only a start that was seen to begin can be late.
    let is_starting = s.job.state == JobState::Starting;
    let began = attempt_since.max(s.job.since);
    let overdue = is_starting && memory.dark.watched_since(s, began) >= params.start_deadline;
    // Where one JobManager is ready, what keeps another from it keeps no job.
    let is_up = observations::pods(s).iter().any(Pod::is_ready);
    let of_kubernetes = || diagnosis::of_pods(s).or_else(|| diagnosis::of_deployment(s));
    let problem = (!is_up).then(of_kubernetes).flatten();
    let problem = problem.or_else(|| operator::problem(s));
    let verdict = match problem {
        Some(problem) if overdue && !observations::verdicts_wait(s, params) => {
            let message = format!("not started by its deadline: {}", problem.message);
            Verdict::inferred(JobState::Failed, Rule::StartDeadline).because(problem.kind.code(), message)
        }
        Some(problem) => Verdict::inferred(JobState::Starting, Rule::Starting).because("Starting", problem.message),
        None if is_starting => {
            // Between two crashes a pod looks well for a moment: only one that stays so has left its start behind.
            let well_for = memory.expected_since.map(|well| memory.dark.watched_since(s, well));
            without_a_problem(s, deployment, well_for.is_none_or(|well| well < params.start_deadline))
        }
        None => without_a_problem(s, deployment, has_appeared(s, params)),
    };
    rules::with_events(s, deployment, verdict.poll_after(s.poll()))
}

/// Whether the Deployment was seen to appear: it took another's place, or none was there.
fn has_appeared(s: &Snapshot, params: &Params) -> bool {
    let attempt = &s.job.incarnation;
    let is_lately_replaced =
        attempt.attempt > 1 && attempt.since.is_some_and(|since| s.age(since) < params.start_deadline);
    let was_missing = s.job.state == JobState::Unknown && s.job.reason.code == rules::MISSING;
    is_lately_replaced || was_missing || s.job.state.is_terminal()
}

/// Nothing keeps the Deployment's pods from running, as far as is known. That it starts is said only if Kubernetes says so,
/// or Flink, or its start was seen; one that was there before anybody looked may have run for weeks.
fn without_a_problem(s: &Snapshot, deployment: &Deployment, is_young: bool) -> Verdict {
    let flink = match s.flink() {
        Seen::Absent { .. } => "; Flink lists no job yet".to_owned(),
        Seen::Unknown { fault, .. } => format!("; Flink has not answered yet: {}", fault.message),
        Seen::Present { .. } | Seen::Never => String::new(),
    };
    let starts = is_young || s.flink().is_absent() || diagnosis::is_coming_up(s, deployment);
    if !starts && flink.is_empty() {
        return Verdict::keep(s, Rule::FlinkNotHeard);
    }
    let error = operator::error(s).map_or_else(String::new, |error| format!("; the operator says: {error}"));
    let message = format!(
        "Deployment {} has {} of {} replicas ready{}{flink}{error}",
        s.job.name,
        deployment.ready,
        deployment.replicas,
        diagnosis::under_way(s, deployment)
    );
    if starts {
        Verdict::inferred(JobState::Starting, Rule::Starting).because("Starting", message)
    } else {
        Verdict::inferred(JobState::Unknown, Rule::FlinkNotHeard).because("FlinkNotHeard", message)
    }
}
