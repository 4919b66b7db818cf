//! What may happen next.

use steadfast_core::board::lookups::end_awaited;
use steadfast_core::evidence::FaultKind;
use steadfast_core::state::{Intent, JobState, Mode};

use crate::fault_kinds::Alike;
use crate::settings::Settings;
use crate::state::State;
use crate::step::{EndsStep, Explanation, FlinkStep, KubernetesStep, MemoryStep, Step, Visibility};
use crate::world::{ApiModel, Existence, FlinkModel, Health, Neighbours, Pods};

/// The ends that Flink knows.
pub(crate) const ENDS: [JobState; 3] = [JobState::Finished, JobState::Failed, JobState::Canceled];

/// Every state that Flink's overview may show, the ones of a start first.
const WORDS: [JobState; 11] = [
    JobState::Initializing,
    JobState::Created,
    JobState::Running,
    JobState::Failing,
    JobState::Restarting,
    JobState::Cancelling,
    JobState::Suspended,
    JobState::Reconciling,
    JobState::Finished,
    JobState::Failed,
    JobState::Canceled,
];

/// Everything that may happen from a state, what is common first.
pub(crate) fn of(state: &State, settings: &Settings, alike: &Alike) -> Vec<Step> {
    let mut steps: Vec<Step> = settings.waits.iter().copied().map(Step::Wait).collect();
    steps.extend(of_flink(state, alike).map(Step::Flink));
    if state.world.mode != Mode::Standalone {
        steps.extend(of_kubernetes(state, alike).map(Step::Kubernetes));
    }
    steps.extend(of_ends(state).map(Step::Ends));
    steps.extend(rare(state));
    steps
}

/// Whether a step can happen from a state, where a line is to take it.
pub(crate) fn is_possible(state: &State, step: Step) -> bool {
    let world = &state.world;
    let is_up = world.deployment.there == Existence::Up;
    let has_pod = is_up && matches!(world.pod.count, Pods::One | Pods::Two);
    match step {
        Step::Flink(FlinkStep::Says(word)) => may_follow(world.run.state, word),
        Step::Flink(FlinkStep::NewStart) => world.run.started_at < state.now,
        Step::Flink(FlinkStep::NewJob) => world.mode != Mode::Session,
        Step::Kubernetes(step) => match step {
            KubernetesStep::PodRestarts | KubernetesStep::PodCrashes | KubernetesStep::PodRecovers => has_pod,
            KubernetesStep::PodJoins => is_up && world.pod.count == Pods::One,
            KubernetesStep::PodLeaves => is_up && world.pod.count == Pods::Two,
            KubernetesStep::PodsGone | KubernetesStep::ScaledToZero => has_pod,
            KubernetesStep::PodsBack => is_up && !has_pod,
            KubernetesStep::Going(_) => is_up,
            KubernetesStep::Deleted | KubernetesStep::Missing => world.deployment.there != Existence::Gone,
            KubernetesStep::Silent(_) | KubernetesStep::Answers | KubernetesStep::Replaced => true,
        },
        Step::Flink(FlinkStep::Silent(_) | FlinkStep::Lacks | FlinkStep::LeavesOut)
        | Step::Wait(_)
        | Step::Ends(_)
        | Step::Explained(_)
        | Step::Memory(_)
        | Step::Neighbours(_)
        | Step::Intent(_)
        | Step::Restart
        | Step::PolicyFails
        | Step::Heal => true,
    }
}

fn of_flink<'a>(state: &State, alike: &'a Alike) -> impl Iterator<Item = FlinkStep> + use<'a> {
    let (flink, run) = (state.world.flink, state.world.run);
    let silent = alike.flink().map(FlinkStep::Silent);
    let silent =
        silent.filter(move |step| !matches!((step, flink), (FlinkStep::Silent(a), FlinkModel::Silent(b)) if *a == b));
    let lacks = (flink != FlinkModel::Lacks).then_some(FlinkStep::Lacks);
    let leaves_out = (flink != FlinkModel::LeavesOut).then_some(FlinkStep::LeavesOut);
    let says = WORDS
        .into_iter()
        .filter(move |word| may_follow(run.state, *word) && (flink != FlinkModel::Lists || *word != run.state))
        .map(FlinkStep::Says);
    // A run that begins in the moment in which another began cannot be distinguished from it.
    let starts = (run.started_at < state.now).then_some(FlinkStep::NewStart);
    silent
        .chain(lacks)
        .chain(leaves_out)
        .chain(says)
        .chain(starts)
        // In a session another job is another record's.
        .chain((state.world.mode != Mode::Session).then_some(FlinkStep::NewJob))
}

/// Whether a run of that state may be found in the other later. An end is an end, and no run begins twice.
fn may_follow(before: JobState, after: JobState) -> bool {
    let begins = matches!(after, JobState::Initializing | JobState::Created);
    before == after || !(before.is_terminal() || begins)
}

fn of_kubernetes<'a>(state: &State, alike: &'a Alike) -> impl Iterator<Item = KubernetesStep> + use<'a> {
    let world = state.world;
    let silent = alike.kubernetes().map(KubernetesStep::Silent);
    let silent = silent.filter(
        move |step| !matches!((step, world.kubernetes), (KubernetesStep::Silent(a), ApiModel::Silent(b)) if *a == b),
    );
    let answers = world.kubernetes == ApiModel::Answers;
    let is_up = world.deployment.there == Existence::Up;
    let is_there = world.deployment.there != Existence::Gone;
    let is_well = world.pod.health == Health::Ready;
    let has_pod = is_up && matches!(world.pod.count, Pods::One | Pods::Two);
    let is_read = end_awaited(&state.record).is_some();
    let words = ENDS.into_iter().filter(move |_| is_up && is_read).map(Some);
    let offered = [
        (!answers, KubernetesStep::Answers),
        (has_pod, KubernetesStep::PodRestarts),
        (has_pod && is_well, KubernetesStep::PodCrashes),
        (has_pod && !is_well, KubernetesStep::PodRecovers),
        (is_up && world.pod.count == Pods::One, KubernetesStep::PodJoins),
        (is_up && world.pod.count == Pods::Two, KubernetesStep::PodLeaves),
        (has_pod, KubernetesStep::PodsGone),
        (has_pod, KubernetesStep::ScaledToZero),
        (is_up && !has_pod, KubernetesStep::PodsBack),
        (is_up, KubernetesStep::Going(None)),
        (is_there && answers, KubernetesStep::Deleted),
        (is_there, KubernetesStep::Missing),
        (true, KubernetesStep::Replaced),
    ];
    let offered = offered.into_iter().filter_map(|(may, step)| may.then_some(step));
    silent.chain(offered).chain(words.map(KubernetesStep::Going))
}

fn of_ends(state: &State) -> impl Iterator<Item = EndsStep> + use<> {
    let asked = state.asked;
    let common = [EndsStep::Nothing, EndsStep::Unreadable]
        .into_iter()
        .filter(move |_| asked.of_the_end());
    let ends = ENDS
        .into_iter()
        .map(EndsStep::Archive)
        .chain([EndsStep::OfAnotherJob(JobState::Failed)]);
    let left = asked.ha_data.then_some(EndsStep::RecoveryData);
    common.chain(ends.filter(move |_| asked.archive)).chain(left)
}

fn rare(state: &State) -> impl Iterator<Item = Step> + use<> {
    let stands = state
        .record
        .intent
        .as_ref()
        .map_or(Intent::None, |posted| posted.intent);
    let intents = [Intent::Cancel, Intent::Savepoint, Intent::Start, Intent::None];
    let sight = match state.world.neighbours {
        Neighbours::Seen => Visibility::Dark,
        Neighbours::Dark => Visibility::Seen,
    };
    intents
        .into_iter()
        .filter(move |intent| *intent != stands)
        .map(Step::Intent)
        .chain([Step::Neighbours(sight), Step::Restart, Step::PolicyFails])
        .chain(of_memory(state))
        .chain(of_explanations(state))
}

/// Every kind of fault.
pub(crate) const KINDS: [FaultKind; 15] = [
    FaultKind::Timeout,
    FaultKind::Refused,
    FaultKind::Address,
    FaultKind::Tls,
    FaultKind::Connection,
    FaultKind::Unauthorized,
    FaultKind::Forbidden,
    FaultKind::NotFound,
    FaultKind::Expired,
    FaultKind::TooManyRequests,
    FaultKind::LeaderElection,
    FaultKind::Status,
    FaultKind::Malformed,
    FaultKind::TooLarge,
    FaultKind::Other,
];

fn of_memory(state: &State) -> impl Iterator<Item = Step> + use<> {
    let has_some = !state.record.memory.is_empty();
    let steps = [MemoryStep::Emptied, MemoryStep::OfAnother];
    steps.into_iter().filter(move |_| has_some).map(Step::Memory)
}

fn of_explanations(state: &State) -> impl Iterator<Item = Step> + use<> {
    let asked = state.asked;
    let offered = [
        (asked.that_explains(), Explanation::Calm),
        (asked.checkpoints, Explanation::CheckpointsFail),
    ];
    offered
        .into_iter()
        .filter_map(|(may, explanation)| may.then_some(Step::Explained(explanation)))
}
