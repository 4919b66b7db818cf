//! What stands beside the state, and what is worth an alert.

use steadfast_policy::{
    AlertScope, Checkpoints, ConditionType, DecidedAlert, DecidedCondition, Fault, FaultKind, Intent, JobState, Looks,
    Millis, Pod, Seen, Snapshot, Timestamp,
};

use crate::Verdict;
use crate::diagnosis::{self, ProblemKind};
use crate::memory::{CheckpointBase, Instability, Memory};
use crate::observations;
use crate::operator;
use crate::params::Params;
use crate::rules;

/// The conditions that stand now.
pub fn of(s: &Snapshot, params: &Params, memory: &mut Memory, verdict: &Verdict) -> Vec<DecidedCondition> {
    let mut standing = Vec::new();
    let mut stand = |kind: ConditionType, message: String| standing.push(DecidedCondition { kind, message });
    observations::note_expectation(s, memory, verdict);
    // What cannot be reached changes nothing of an end that is known.
    if !verdict.state.is_terminal() {
        reachability(s, params, memory, &mut stand);
    }
    if let Some(problem) = diagnosis::of_pods(s) {
        match problem.kind {
            ProblemKind::CrashLoop => stand(ConditionType::CrashLoop, problem.message),
            ProblemKind::ImagePull => stand(ConditionType::ImagePull, problem.message),
            ProblemKind::Unschedulable
            | ProblemKind::PodFailed
            | ProblemKind::PodStuck
            | ProblemKind::NotCreated
            | ProblemKind::Operator => {}
        }
    }
    if let Seen::Present { value: deployment, .. } = s.deployment()
        && deployment.deleting_since.is_some()
    {
        stand(
            ConditionType::Terminating,
            format!("Deployment {} is being deleted", s.job.name),
        );
    }
    if is_under_way(verdict.state) && checkpoints_fail(s, params, memory) {
        stand(
            ConditionType::CheckpointsFailing,
            "checkpoints fail, none has completed since".into(),
        );
    }
    if let Some(since) = unstable_since(s, params, memory, verdict) {
        // One that lies there failed does not restart, though it may have stood before.
        let is_loop = !verdict.state.is_terminal() && memory.dark.lit_since(s, since) >= params.restart_loop_after;
        if is_loop || s.condition(ConditionType::RestartLoop).is_some() {
            stand(
                ConditionType::RestartLoop,
                "the job restarts and does not come to rest".into(),
            );
        }
    }
    if observations::is_disrupted(s, params) && !verdict.state.is_terminal() {
        stand(
            ConditionType::FleetDisrupted,
            "most jobs of this cluster are dark; nothing turns terminal meanwhile".into(),
        );
    }
    standing
}

/// Whether a run is under way, of which something can be said that its end resolves.
fn is_under_way(state: JobState) -> bool {
    let has_none = matches!(
        state,
        JobState::Suspended | JobState::Reconciling | JobState::Unknown | JobState::Starting
    );
    !has_none && !state.is_terminal()
}

/// Why a source tells nothing.
enum Silence<'a> {
    /// It gave no usable answer, which has lasted so long.
    Broken { fault: &'a Fault, is_long: bool },
    /// It was not asked yet since the engine started, or could not be, which says nothing of it.
    Unasked,
}

impl<'a> Silence<'a> {
    fn of<T: ?Sized>(seen: &Seen<'a, T>, is_long: impl FnOnce(&Looks) -> bool) -> Option<Self> {
        match seen {
            Seen::Present { .. } | Seen::Absent { .. } => None,
            Seen::Unknown { fault, .. } if fault.is_engines_own() => Some(Self::Unasked),
            Seen::Unknown { fault, looks } => Some(Self::Broken {
                fault,
                is_long: is_long(looks),
            }),
            Seen::Never => Some(Self::Unasked),
        }
    }

    /// What to say of a condition that this silence is, once it is long. One that stands is ended by an answer alone, not by an
    /// engine that starts.
    fn stands(&self, s: &Snapshot, kind: ConditionType, whose: &str) -> Option<String> {
        let standing = s.condition(kind);
        match self {
            Self::Broken { fault, is_long } => {
                (*is_long || standing.is_some()).then(|| format!("{whose}: {}", fault.message))
            }
            Self::Unasked => standing.map(|condition| condition.message.clone()),
        }
    }

    /// The same of one that is about being refused.
    fn is_denied(&self, s: &Snapshot, whose: &str) -> Option<String> {
        match self {
            Self::Broken { fault, .. } if !fault.is_denied() => None,
            Self::Broken { .. } | Self::Unasked => self.stands(s, ConditionType::AccessDenied, whose),
        }
    }
}

fn reachability(s: &Snapshot, params: &Params, memory: &Memory, stand: &mut impl FnMut(ConditionType, String)) {
    let is_lasting = |looks: &Looks| {
        let silent = looks.silent_for(s);
        silent.is_some_and(|silent| silent >= params.unreachable_after)
    };
    let is_heard = matches!(s.flink(), Seen::Unknown { fault, .. } if observations::leaves_open(fault));
    let flink = |is_long: &dyn Fn(&Looks) -> bool| Silence::of(&s.flink(), is_long).filter(|_| !is_heard);
    let kubernetes = Silence::of(&s.deployment(), is_lasting).filter(|_| s.has_kubernetes());
    let is_unheard = |_: &Looks| {
        let unheard = observations::unheard_for(s, memory);
        unheard.is_some_and(|silent| silent >= params.unreachable_after)
    };
    if let Some(silence) = flink(&is_unheard)
        && memory.expected_since.is_some()
        && let Some(message) = silence.stands(s, ConditionType::FlinkUnreachable, "Flink gives no usable answer")
    {
        stand(ConditionType::FlinkUnreachable, message);
        let is_late = matches!(silence, Silence::Broken { fault, .. } if fault.kind == FaultKind::Timeout);
        if is_late && s.job_manager().is_some_and(Pod::is_ready) {
            stand(
                ConditionType::Unresponsive,
                "the JobManager's pod is ready and Flink does not answer in time".into(),
            );
        }
    }
    if let Some(silence) = &kubernetes
        && let Some(message) = silence.stands(
            s,
            ConditionType::KubernetesUnreachable,
            "the Kubernetes API gives no usable answer",
        )
    {
        stand(ConditionType::KubernetesUnreachable, message);
    }
    let pods = Silence::of(&s.pods(), is_lasting).filter(|_| s.has_kubernetes());
    let refusals = [
        (kubernetes, "Kubernetes"),
        (flink(&is_lasting), "Flink"),
        (pods, "pods"),
    ];
    let mut refused = refusals
        .iter()
        .filter_map(|(silence, whose)| silence.as_ref()?.is_denied(s, whose));
    if let Some(message) = refused.next() {
        stand(ConditionType::AccessDenied, message);
    }
}

/// Whether checkpoints fail and none completes. While Flink does not tell, what was told stands.
fn checkpoints_fail(s: &Snapshot, params: &Params, memory: &mut Memory) -> bool {
    match s.checkpoints() {
        Seen::Present { value, .. } => failed_checkpoints(*value, memory) >= params.checkpoint_failures,
        Seen::Unknown { .. } | Seen::Never => {
            memory.checkpoints.is_some() && s.condition(ConditionType::CheckpointsFailing).is_some()
        }
        Seen::Absent { .. } => false,
    }
}

/// How many checkpoints failed since the last completed one. A failover starts Flink's counters anew.
fn failed_checkpoints(counters: Checkpoints, memory: &mut Memory) -> u64 {
    let Checkpoints { completed, failed } = counters;
    let base = match memory.checkpoints {
        Some(base) if base.completed == completed && base.failed <= failed => base,
        // None completed: all failures count.
        None if completed == 0 => CheckpointBase { completed, failed: 0 },
        Some(_) | None => CheckpointBase { completed, failed },
    };
    memory.checkpoints = Some(base);
    failed - base.failed
}

/// Since when the job has not come to rest. A short rest between two restarts does not end it; an end does. One that FAILED may be
/// started again at once, and fail again: it ends nothing before it has stood long enough to be an alarm of its own.
fn unstable_since(s: &Snapshot, params: &Params, memory: &mut Memory, verdict: &Verdict) -> Option<Timestamp> {
    let has_just_failed = verdict.state == JobState::Failed
        && !(s.job.state == JobState::Failed && s.age(s.job.since) >= params.alert_after);
    let is_over = verdict.state.is_terminal() && !has_just_failed;
    // Where nobody answers nobody sees it come to rest or to an end.
    let is_dark = s.flink().is_unanswered() && s.deployment().is_unanswered();
    if is_over && is_dark && s.condition(ConditionType::RestartLoop).is_some() {
        return memory.instability.map(|instability| instability.since);
    }
    if is_over || observations::is_suspension(verdict.state, &verdict.reason.code) {
        memory.instability = None;
        memory.restless_at = None;
        return None;
    }
    let rest = params.restart_loop_after.part(5);
    let unrest = match unrest(s, params, memory, verdict, rest) {
        Unrest::Calm if is_dark => Unrest::Unknown,
        seen @ (Unrest::Restless | Unrest::Calm | Unrest::Unknown) => seen,
    };
    let stands_unseen = matches!(unrest, Unrest::Unknown) && s.condition(ConditionType::RestartLoop).is_some();
    // Nobody knows whether it rested while no engine ran; nor does an engine that starts, until it sees the job.
    let was_unwatched = |at| Millis::between(at, s.engine_since) >= rest;
    if !stands_unseen && memory.restless_at.is_some_and(was_unwatched) {
        memory.instability = None;
    }
    memory.has_failed_over = false;
    memory.instability = match (memory.instability, &unrest) {
        (None, Unrest::Restless) => Some(Instability {
            since: s.now,
            calm_since: None,
        }),
        (None, Unrest::Calm | Unrest::Unknown) => None,
        (Some(instability), Unrest::Restless) => Some(Instability {
            calm_since: None,
            ..instability
        }),
        (Some(instability), Unrest::Unknown) if has_just_failed || stands_unseen => Some(instability),
        (Some(instability), Unrest::Unknown | Unrest::Calm) => match instability.calm_since {
            None => Some(Instability {
                calm_since: Some(s.now),
                ..instability
            }),
            Some(calm) if memory.dark.watched_since(s, calm) >= rest => None,
            Some(_) => Some(instability),
        },
    };
    if memory.instability.is_none() {
        memory.restless_at = None;
        if s.flink().is_present() {
            memory.restarted_at = None;
        }
    } else if (matches!(unrest, Unrest::Restless) || stands_unseen)
        && memory.restless_at.is_none_or(|at| s.age(at) >= rest.part(2))
    {
        memory.restless_at = Some(s.now);
    }
    memory.instability.map(|instability| instability.since)
}

/// Whether the job restarts.
enum Unrest {
    Restless,
    Calm,
    /// Its JobManager has restarted once, and knows it not yet or is silent: it may hang, or come up slowly. Or it has just failed. Or
    /// nobody answers.
    Unknown,
}

fn unrest(s: &Snapshot, params: &Params, memory: &Memory, verdict: &Verdict, rest: Millis) -> Unrest {
    if memory.has_failed_over || memory.restarted_at.is_some_and(|(at, _)| at == s.now) {
        return Unrest::Restless;
    }
    match verdict.state {
        JobState::Failed if s.job.state == JobState::Failed => return Unrest::Unknown,
        JobState::Failed => return Unrest::Restless,
        JobState::Restarting | JobState::Failing => {}
        JobState::Created
        | JobState::Initializing
        | JobState::Running
        | JobState::Cancelling
        | JobState::Canceled
        | JobState::Finished
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing
        | JobState::Lost
        | JobState::Terminated => return Unrest::Calm,
    }
    if s.flink().is_present() {
        return Unrest::Restless;
    }
    // One that dies every five minutes has not rested after two; one that dies twice a day is at rest in between.
    let restarts_lately = memory.restarted_at.is_some_and(|(last, before)| {
        let gap = Some(Millis::between(before, last)).filter(|gap| *gap <= params.restart_loop_after);
        memory.dark.watched_since(s, last) < gap.map_or(rest, |gap| rest.max(gap.times(2)))
    });
    let waits_to_restart = s.job_manager().is_some_and(diagnosis::backs_off);
    if memory.restarts > 1 && (restarts_lately || waits_to_restart) {
        Unrest::Restless
    } else if !restarts_lately && s.job_manager().is_some_and(Pod::is_ready) {
        // It hangs, or cannot be reached: whatever that is, it restarts no more.
        Unrest::Calm
    } else {
        Unrest::Unknown
    }
}

/// The alerts that stand now: ends nobody intended, loops, and, once for a cluster, unreachability.
pub fn alerts(s: &Snapshot, params: &Params, memory: &Memory, verdict: &Verdict) -> Vec<DecidedAlert> {
    let mut standing = Vec::new();
    let name = match verdict.state {
        JobState::Failed => Some("JobFailed"),
        JobState::Lost => Some("JobLost"),
        JobState::Terminated => Some("JobTerminated"),
        JobState::Created
        | JobState::Initializing
        | JobState::Running
        | JobState::Failing
        | JobState::Cancelling
        | JobState::Canceled
        | JobState::Finished
        | JobState::Restarting
        | JobState::Suspended
        | JobState::Reconciling
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing => None,
    };
    // A job that is gone as somebody asked is no alarm; one that failed is.
    let is_asked_for = memory.stop.is_asked_for() || operator::is_as_asked(&verdict.reason);
    let is_alarm = (verdict.state == JobState::Failed || !is_asked_for) && !s.intended(Intent::Cancel);
    // While Flink goes on to tell another end it is judged yet.
    let is_contested = rules::is_contested(s, memory) && !s.flink().is_unanswered();
    // One of an earlier attempt is over, so that this one is told.
    let stood = name.and_then(|name| s.alert(name));
    let is_of_another = stood.is_some_and(|alert| s.job.incarnation.since.is_some_and(|since| alert.since < since));
    if let Some(name) = name
        && is_alarm
        && !is_of_another
        && s.job.state == verdict.state
        && (stood.is_some() || (s.age(s.job.since) >= params.alert_after && !is_contested))
    {
        standing.push(DecidedAlert {
            name: name.into(),
            scope: AlertScope::Job,
            message: verdict.reason.message.clone(),
        });
    }
    if let Some(message) = operator::stalled(s, params, memory, verdict) {
        standing.push(DecidedAlert {
            name: operator::STALLED.into(),
            scope: AlertScope::Job,
            message: message.into(),
        });
    }
    for condition in &verdict.conditions {
        let (name, scope) = match condition.kind {
            ConditionType::CheckpointsFailing => ("CheckpointsFailing", AlertScope::Job),
            ConditionType::RestartLoop => ("RestartLoop", AlertScope::Job),
            ConditionType::FlinkUnreachable => ("FlinkUnreachable", AlertScope::Cluster),
            ConditionType::KubernetesUnreachable => ("KubernetesUnreachable", AlertScope::Cluster),
            ConditionType::AccessDenied
            | ConditionType::Unresponsive
            | ConditionType::CrashLoop
            | ConditionType::ImagePull
            | ConditionType::Terminating
            | ConditionType::FleetDisrupted
            | ConditionType::PolicyFailing => continue,
        };
        let stood = s.condition(condition.kind).map(|standing| s.age(standing.since));
        if stood.is_some_and(|age| age >= params.alert_after) || s.alert(name).is_some() {
            standing.push(DecidedAlert {
                name: name.into(),
                scope,
                message: condition.message.clone(),
            });
        }
    }
    standing
}
