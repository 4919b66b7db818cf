//! What may happen next.

use steadfast_core::board::lookups::end_awaited;
use steadfast_core::evidence::FaultKind;
use steadfast_core::state::{Intent, JobState};

use crate::fault_kinds::Alike;
use crate::settings::Settings;
use crate::state::State;
use crate::step::{EndsStep, FlinkStep, KubernetesStep, Step, Visibility};
use crate::world::{ApiModel, Existence, FlinkModel, Health, Neighbours};

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
    steps.extend(of_kubernetes(state, alike).map(Step::Kubernetes));
    steps.extend(of_ends(state).map(Step::Ends));
    steps.extend(rare(state));
    steps
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
        .chain([FlinkStep::NewJob])
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
    let is_read = end_awaited(&state.record).is_some();
    let words = ENDS.into_iter().filter(move |_| is_up && is_read).map(Some);
    let offered = [
        (!answers, KubernetesStep::Answers),
        (is_up, KubernetesStep::PodRestarts),
        (is_up && is_well, KubernetesStep::PodCrashes),
        (is_up && !is_well, KubernetesStep::PodRecovers),
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
        .filter(move |_| asked.any());
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
