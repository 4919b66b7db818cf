//! The rules, in the order in which they speak: Flink's answer wins; where Flink is silent Kubernetes
//! explains; where both are silent the last state stays.

use steadfast_policy::{
    Confidence, Deployment, Fault, FlinkJob, Intent, JobState, Looks, Mode, Seen, Snapshot, Streak, Timestamp,
    WantedSource,
};

use crate::Verdict;
use crate::diagnosis;
use crate::end;
use crate::job_managers;
use crate::lacked;
use crate::memory::{Memory, ReportedEnd};
use crate::missing;
use crate::observations;
use crate::operator;
use crate::params::Params;
use crate::rulebook::Rule;
use crate::starting;
use crate::tasks;
use crate::watched;

/// The reason code of a Deployment that a complete answer lacks.
pub const MISSING: &str = "DeploymentMissing";
/// The reason code of a job whose Deployment was scaled to zero.
pub const SCALED_TO_ZERO: &str = "ScaledToZero";
/// The reason code of a failure whose cause Flink has named.
const ROOT_EXCEPTION: &str = "RootException";

/// Judges one snapshot.
pub fn judge(s: &Snapshot, params: &Params, memory: &mut Memory) -> Verdict {
    if observations::is_disrupted(s, params) {
        // Ages start again when the disruption lifts.
        memory.deployment_missing = None;
        memory.job_missing = None;
        memory.resource_missing = None;
        memory.resource_gone_at = None;
        memory.scaled_to_zero = None;
        memory.lacked_since = None;
    }
    watched::note(s, memory);
    job_managers::note_restarts(s, memory);
    operator::note_stop(s, params, memory);
    operator::note_orphan(s, params, memory);
    operator::note_told(s, params, memory);
    if s.deployment().is_present() && memory.deployment_missing.take().is_some() {
        // What was missing is not: it was not gone, nor was its end looked for.
        memory.gone_at = None;
    }
    let verdict = by_evidence(s, params, memory);
    operator::in_place_of_end(s, params, memory, operator::still_replaced(s, verdict))
}

/// By who answers, and what.
fn by_evidence(s: &Snapshot, params: &Params, memory: &mut Memory) -> Verdict {
    lacked::note_silence(s, params, memory);
    match (s.flink(), s.deployment()) {
        (Seen::Unknown { fault, looks }, _) if observations::leaves_open(fault) && !has_taken_its_place(s) => {
            left_open(s, memory, fault, looks)
        }
        (Seen::Present { value: job, looks }, _) => flink_lists(s, memory, job, looks),
        (Seen::Absent { .. }, Seen::Present { value, .. })
            if lacked::is_between_runs(s, params, memory, Some(value)) =>
        {
            memory.job_missing = None;
            starting::not_started(s, params, memory, value)
        }
        (Seen::Absent { .. }, Seen::Unknown { .. } | Seen::Never)
            if lacked::is_between_runs(s, params, memory, None) =>
        {
            memory.job_missing = None;
            let message = "Flink lists no job yet, and Kubernetes does not tell of its Deployment";
            Verdict::inferred(JobState::Starting, Rule::Starting).because("Starting", message)
        }
        (Seen::Absent { .. }, Seen::Present { value, .. }) if s.never_ran() => {
            let not_submitted = operator::not_submitted(s, params, memory);
            not_submitted.unwrap_or_else(|| starting::not_started(s, params, memory, value))
        }
        (Seen::Absent { looks }, _) => lacked::judge(s, params, memory, looks),
        (flink @ (Seen::Unknown { .. } | Seen::Never), Seen::Present { value, .. }) => {
            memory.gone_at = None;
            deployment_there(s, params, memory, value, flink.looks())
        }
        (Seen::Unknown { .. } | Seen::Never, Seen::Absent { looks }) => {
            missing::deployment_missing(s, params, memory, looks)
        }
        (flink @ (Seen::Unknown { .. } | Seen::Never), Seen::Unknown { .. } | Seen::Never) => {
            all_silent(s, memory, flink.looks())
        }
    }
}

/// Flink lists the job: its word is the state.
fn flink_lists(s: &Snapshot, memory: &mut Memory, job: &FlinkJob, looks: &Looks) -> Verdict {
    memory.deployment_missing = None;
    memory.job_missing = None;
    memory.gone_at = None;
    memory.scaled_to_zero = None;
    memory.lacked_since = None;
    memory.restarts = 0;
    memory.reported = ReportedEnd::of(job.state);
    memory.reported_since = memory.reported.map(|_| memory.reported_since.unwrap_or(s.now));
    if !job.state.is_terminal() {
        memory.was_cancelling = job.state == JobState::Cancelling;
        memory.ended_by_itself = false;
    }
    if memory.reported.is_none() {
        operator::note_listed(memory, looks);
    }
    job_managers::note_answering(s, memory, looks);
    if job.state == JobState::Running && s.intended(Intent::Savepoint) {
        let message = "Flink reports RUNNING and shows no savepoint in progress; somebody said that one is taken";
        return Verdict::inferred(JobState::Savepointing, Rule::SavepointIntended)
            .because("SavepointIntended", message);
    }
    let message = if job.state == JobState::Savepointing {
        "Flink reports RUNNING and shows a savepoint in progress".to_owned()
    } else {
        format!("Flink reports {}", job.state.word())
    };
    let verdict = Verdict::confirmed(job.state, Rule::FlinkListsJob).because("FlinkReports", message);
    if matches!(job.state, JobState::Failed | JobState::Failing) {
        return with_cause(s, memory, verdict, looks);
    }
    memory.failing_since = None;
    tasks::explained(s, job, verdict)
}

/// Names the root exception of this failure, and asks for it until it is known. FAILING and FAILED are asked about each: what
/// failed meanwhile, unseen, may be another thing.
fn with_cause(s: &Snapshot, memory: &mut Memory, verdict: Verdict, looks: &Looks) -> Verdict {
    let failing_since = *memory.failing_since.get_or_insert(looks.asked_at);
    let was_listed = s.job.state == verdict.state;
    let stated_since = if was_listed { s.job.since } else { s.now };
    let seen = s.exceptions().asked_since(failing_since);
    let is_asked = s.exceptions().asked_at().is_some_and(|asked| asked >= stated_since);
    let is_final = is_asked && (seen.is_present() || (seen.is_absent() && verdict.state == JobState::Failed));
    let was_named = was_listed && s.job.reason.code == ROOT_EXCEPTION;
    let verdict = match seen {
        Seen::Present { value, .. } => verdict.because(ROOT_EXCEPTION, &value.headline),
        // An engine that starts has not asked yet.
        Seen::Absent { .. } | Seen::Unknown { .. } | Seen::Never if was_named => verdict.reason(s.job.reason.clone()),
        Seen::Absent { .. } | Seen::Unknown { .. } | Seen::Never => verdict,
    };
    if is_final {
        return verdict;
    }
    let asked = s.exceptions().asked_at().filter(|_| is_asked);
    verdict.want_after(
        WantedSource::Exceptions,
        asked.unwrap_or(stated_since.saturating_sub(1)),
    )
}

/// Whether the Deployment took another's place, and no Flink has told of its job: what is on record is of the run before.
fn has_taken_its_place(s: &Snapshot) -> bool {
    s.deployment().is_present() && s.never_ran() && s.job.incarnation.attempt > 1
}

/// Flink answers, and leaves open what became of the job.
fn left_open(s: &Snapshot, memory: &mut Memory, fault: &Fault, looks: &Looks) -> Verdict {
    memory.job_missing = None;
    if let Some(verdict) = reported_before(s, memory) {
        return verdict;
    }
    if s.job.state.is_terminal() {
        return stands(s, Rule::JobLeftOpen);
    }
    memory.gone_at = None;
    let confidence = observations::lingering(s, Some(looks), Confidence::Inferred);
    lingers(s, confidence, Rule::JobLeftOpen, "JobLeftOpen", fault.message.clone())
}

/// The state stays, as sure as a silence leaves it. One lost answer is no news; and a job that was suspended keeps its reason, for
/// that is what tells by whom.
fn lingers(s: &Snapshot, confidence: Confidence, rule: Rule, code: &str, message: String) -> Verdict {
    match confidence {
        Confidence::Confirmed => Verdict::keep(s, Rule::OneLostAnswer).as_sure_as(confidence),
        Confidence::Inferred | Confidence::Stale if observations::was_suspended(s) => {
            Verdict::keep(s, rule).as_sure_as(confidence)
        }
        Confidence::Inferred | Confidence::Stale => Verdict::new(s.job.state, confidence, rule).because(code, message),
    }
}

/// The end that Flink reported before it fell silent, of a record that took it for the way to something else, or waited for who may
/// say so.
pub fn reported_before(s: &Snapshot, memory: &Memory) -> Option<Verdict> {
    let end = memory.reported?.state();
    (!s.job.state.is_terminal() || is_contested(s, memory)).then(|| {
        Verdict::confirmed(end, Rule::EndedClusterStays)
            .because("FlinkReported", format!("Flink reported {}", end.word()))
    })
}

/// Whether Flink has told another end since the one on record was put there: that was guessed, or is of the run before.
pub fn is_contested(s: &Snapshot, memory: &Memory) -> bool {
    let is_another = memory.reported.is_some_and(|end| end.state() != s.job.state);
    is_another && memory.reported_since.is_some_and(|told| told >= s.job.since)
}

/// Something is absent of which nothing is concluded now.
pub fn waits(s: &Snapshot, params: &Params, code: &str, what: &str) -> Verdict {
    let kept = Verdict::keep(s, Rule::VerdictsWait).as_sure_as(Confidence::Inferred);
    if observations::was_suspended(s) {
        return kept;
    }
    let why = if observations::is_disrupted(s, params) {
        "most jobs of this cluster are dark"
    } else {
        "the engine has just started"
    };
    kept.because(code, format!("{what}; nothing is concluded from that while {why}"))
}

/// Flink is silent and the Deployment is there: its pods explain.
fn deployment_there(
    s: &Snapshot,
    params: &Params,
    memory: &mut Memory,
    deployment: &Deployment,
    flink: Option<&Looks>,
) -> Verdict {
    let state = s.job.state;
    // An end that Flink told is no less one because its Deployment is scaled to zero.
    if let Some(verdict) = reported_before(s, memory) {
        return verdict;
    }
    if deployment.replicas == 0 && deployment.deleting_since.is_none() && !state.is_terminal() {
        if let Some(verdict) = scaled_to_zero(s, params, memory) {
            return verdict;
        }
    } else {
        memory.scaled_to_zero = None;
    }
    if s.job.mode == Mode::Session
        && s.never_ran()
        && let Some(verdict) = operator::waits_still(s, memory)
    {
        return verdict;
    }
    if s.job.mode != Mode::Session && deployment.replicas > 0 {
        memory.awaited_since = None;
    }
    if operator::stays_suspended(s, memory, deployment) {
        return Verdict::keep(s, Rule::SuspendedAsAsked).as_sure_as(Confidence::Inferred);
    }
    if s.job.mode == Mode::Session
        && let Some(verdict) = operator::resumed(s, memory)
    {
        return verdict;
    }
    if observations::was_suspended(s) && deployment.replicas == 0 {
        // Its pods go, or are not told of.
        return Verdict::keep(s, Rule::ScaledToZero).as_sure_as(Confidence::Inferred);
    }
    let was_gone = state == JobState::Terminated && s.job.reason.code == end::GONE;
    if observations::was_suspended(s) || (was_gone && s.job.mode != Mode::Session) {
        let message = "the Deployment that was gone, or scaled to zero, is there again";
        // Whether a session cluster that is back has its jobs, Flink has to tell.
        let next = match s.job.mode {
            Mode::Session => JobState::Unknown,
            Mode::Application | Mode::Standalone => JobState::Starting,
        };
        return Verdict::inferred(next, Rule::DeploymentIsBack).because("DeploymentBack", message);
    }
    // The run before went with its pod, when it was scaled to zero.
    let is_next_start = s.job.mode == Mode::Application && state == JobState::Starting;
    if s.never_ran() || is_next_start {
        return starting::not_started(s, params, memory, deployment);
    }
    if state.is_terminal() {
        return stands(s, Rule::EndedClusterStays);
    }
    let verdict = silent_run(s, memory, deployment, flink);
    look_at_kubernetes_since(
        flink.and_then(|looks| looks.unknown_since),
        with_events(s, deployment, verdict),
    )
}

/// A job ran there, and Flink is silent: its JobManager restarts, or what was known stays.
fn silent_run(s: &Snapshot, memory: &Memory, deployment: &Deployment, flink: Option<&Looks>) -> Verdict {
    let problem = diagnosis::of_pods(s).or_else(|| diagnosis::of_deployment(s));
    let problem = problem.map_or_else(String::new, |problem| format!("; {}", problem.message));
    match job_managers::restarted(s, memory) {
        Some(message) => Verdict::inferred(JobState::Restarting, Rule::JobManagerRestarts)
            .because("JobManagerRestarted", format!("{message}{problem}")),
        None => {
            let confidence = observations::lingering(s, flink, Confidence::Inferred);
            let silence = match flink {
                Some(_) => "Flink gives no answer",
                None => "Flink has not been asked yet",
            };
            let message = format!(
                "{silence}; Deployment {} is there{}{problem}",
                s.job.name,
                diagnosis::under_way(s, deployment)
            );
            lingers(s, confidence, Rule::DeploymentIsThere, "FlinkSilent", message)
        }
    }
}

/// Nothing is asked for. If nothing is there either, by complete answers over a window, the job runs no more; it comes back
/// by itself when somebody scales its Deployment up.
fn scaled_to_zero(s: &Snapshot, params: &Params, memory: &mut Memory) -> Option<Verdict> {
    let is_known = s.job.state == JobState::Suspended && s.job.reason.code == SCALED_TO_ZERO;
    let Seen::Absent { looks } = s.pods() else {
        memory.scaled_to_zero = None;
        return is_known.then(|| Verdict::keep(s, Rule::ScaledToZero).as_sure_as(Confidence::Inferred));
    };
    // The pods that answered are gone for good: the next is a start, and takes nobody's place.
    memory.lacked_since = None;
    memory.job_missing = None;
    if let Some(verdict) = operator::scaled_to_zero(s, params, memory) {
        return Some(verdict);
    }
    let streak = Streak::count(memory.scaled_to_zero, looks);
    memory.scaled_to_zero = Some(streak);
    let is_over = is_known || is_confirmed(s, params, streak) && !observations::verdicts_wait(s, params);
    if is_over {
        memory.answering = Vec::new();
        memory.job_manager = None;
        let message = format!("Deployment {} is scaled to zero, and no pod is left", s.job.name);
        return Some(Verdict::inferred(JobState::Suspended, Rule::ScaledToZero).because(SCALED_TO_ZERO, message));
    }
    let message = format!(
        "Deployment {} is scaled to zero and has no pod; SUSPENDED needs {} such answers at least {} apart",
        s.job.name, params.absence_confirmations, params.absence_window
    );
    let verdict = Verdict::inferred(s.job.state, Rule::DeploymentIsThere).because("FlinkSilent", message);
    Some(verdict.want_after(
        WantedSource::Kubernetes,
        params.absence_window.after(streak.watched_since(s)),
    ))
}

/// Asks for events where they may tell what the pods do not.
pub fn with_events(s: &Snapshot, deployment: &Deployment, verdict: Verdict) -> Verdict {
    if diagnosis::events_may_tell(s, deployment) {
        verdict.want_after(WantedSource::Events, s.validate().before(s.now))
    } else {
        verdict
    }
}

/// Nothing answers: what was known stays.
fn all_silent(s: &Snapshot, memory: &Memory, flink: Option<&Looks>) -> Verdict {
    if s.job.incarnation.attempt == 0 {
        return Verdict::keep(s, Rule::NeverObserved);
    }
    if s.job.state.is_terminal() {
        return Verdict::keep(s, Rule::EndedAndSilent).as_sure_as(s.job.confidence);
    }
    let confidence = observations::lingering(s, flink, Confidence::Stale);
    let message = match memory.reported.filter(|_| !observations::is_replaced_or_suspended(s)) {
        Some(end) => format!(
            "no source answers; Flink reported {} when last heard, and whether the job's resource asks for more is not known",
            end.state().word()
        ),
        None => format!("no source answers; {} when last seen", s.job.state.word()),
    };
    let verdict = lingers(s, confidence, Rule::AllSilent, "AllSilent", message);
    look_at_kubernetes_since(flink.and_then(|looks| looks.unknown_since), verdict)
}

/// Asks for a look at Kubernetes begun after Flink fell silent.
fn look_at_kubernetes_since(silence: Option<Timestamp>, verdict: Verdict) -> Verdict {
    match silence {
        Some(moment) => verdict.want_after(WantedSource::Kubernetes, moment),
        None => verdict,
    }
}

/// Whether complete answers over a window lack the thing.
pub fn is_confirmed(s: &Snapshot, params: &Params, streak: Streak) -> bool {
    streak.answers >= params.absence_confirmations && streak.spans(s) >= params.absence_window
}

/// What is on record stays, and is known still, after a restart too: somebody answers who would tell otherwise.
pub fn stands(s: &Snapshot, rule: Rule) -> Verdict {
    let confidence = match s.job.confidence {
        Confidence::Stale => Confidence::Inferred,
        Confidence::Confirmed | Confidence::Inferred => s.job.confidence,
    };
    Verdict::keep(s, rule).as_sure_as(confidence)
}
