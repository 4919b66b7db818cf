//! What a policy may not do, whatever it sees.
//!
//! A law judges every look, and may remember 64 bits of the path there. Laws of one's own are written in TOML
//! ([`written`]), or in Rust as a [`Law`].

mod alerted;
mod alive;
mod attempts;
mod bounded;
mod conditions;
mod confidence;
mod ends;
mod failures;
mod follows;
mod look_ups;
mod pace;
mod recovery;
mod repeatable;
mod rest;
mod silence;
mod standing;
mod starts;
mod steady;
mod unknown;
mod watch;
pub mod written;

use steadfast_core::record::{JobRecord, StandingAlert};
use steadfast_core::state::{ConditionType, Confidence, Intent, JobState};

use crate::lines::Along;
use crate::look::{Look, Watcher};
use crate::step::Step;

/// Something that must hold at every look of every sequence.
pub trait Law: Send + Sync {
    /// Its name, as `--law` takes it: a slug.
    fn name(&self) -> &str;

    /// What it says, in a sentence.
    fn says(&self) -> &str;

    /// Judges a look. `tracker` is what the law remembers of the path there, 0 at the beginning; states that differ in
    /// it are different states, so that the fewer values it takes, the fewer states there are.
    fn judge(&self, look: &Look, tracker: &mut u64) -> Result<(), Break>;

    /// Judges what would follow, once for all states of one future, whatever the laws remember of the paths to them. It
    /// may take further looks.
    fn probe(&self, _look: &Look, _future: Future, _watcher: &mut Watcher) -> Result<(), Break> {
        Ok(())
    }

    /// Judges a line after each of its looks, and at its end: what only shows over many looks. The looks themselves are held
    /// to [`Law::judge`] too.
    fn along(&self, _line: &Along<'_>) -> Result<(), Break> {
        Ok(())
    }

    /// Whether it has had a look to judge: evidence that is never met proves nothing.
    fn was_tried(&self) -> bool {
        true
    }

    /// The names of the alerts that it speaks of.
    fn alerts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The break, if it is one for this law, of a look that was taken twice and led to two states.
    fn came_out_otherwise(&self) -> Option<Break> {
        None
    }
}

/// What may follow a look. States that differ only in what the laws remember have one future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Future {
    /// A hash of what it depends on, by which one in so many can be chosen, whatever the number of threads.
    pub fingerprint: u64,
    /// How much has happened before.
    pub depth: u32,
}

/// How a law was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// In a sentence.
    pub why: String,
    /// What was done after the look to find it.
    pub then: Vec<Step>,
    /// What a record would show of it.
    pub shows: Shows,
}

/// What a story may expect so that the break shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The record shows a state that it may never show.
    State(JobState),
    /// The record shows a state that it may not show at that look, or after it, although it did before.
    StateAgain(JobState),
    /// The record goes back to a state that it had left.
    GoesBack,
    /// The job runs again, and the record does not say so.
    NotRecovered,
    /// The record is called confirmed while nothing answers.
    Confirmed,
    /// The policy fails, or its decision is trimmed.
    Failure,
    /// The record must be in one of these states by now.
    NotIn(Vec<JobState>),
    /// What stands beside the state is not what it must be.
    Beside(Beside),
    /// Nothing that a record would show.
    Nothing(&'static str),
}

/// What a record must show beside its state, or may not. Alerts are written as stories have them: `job:JobFailed`, `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// One of these confidences must be said.
    Confidence(Vec<Confidence>),
    /// One of these alerts must stand.
    Alert(Vec<String>),
    /// None of these alerts may stand.
    NoAlert(Vec<String>),
    /// One of these conditions must stand.
    Condition(Vec<ConditionType>),
    /// None of these conditions may stand.
    NoCondition(Vec<ConditionType>),
    /// No alert may begin a second time.
    AlertsOnce,
    /// No more alerts than so many may begin.
    AlertsAtMost(usize),
}

impl Break {
    /// A break that the look itself shows.
    pub fn new(why: impl Into<String>, shows: Shows) -> Self {
        Self {
            why: why.into(),
            then: Vec::new(),
            shows,
        }
    }
}

/// Every built-in law, in the order in which they are reported.
pub fn all() -> Vec<Box<dyn Law>> {
    vec![
        Box::new(unknown::UnknownIsNotAbsent),
        Box::new(alive::AliveIsNotEnded),
        Box::new(ends::EndsAreTold),
        Box::new(starts::StartsAreSeen),
        Box::new(watch::WatchNeverEnds),
        Box::new(recovery::Recovers::default()),
        Box::new(rest::ComesToRest),
        Box::new(confidence::StaleIsNotConfirmed),
        Box::new(failures::AnswersEverything),
        Box::new(failures::FailureCostsNothing),
        Box::new(repeatable::SameInputSameOutput),
        Box::new(attempts::AttemptsGoForward),
        Box::new(silence::SilenceChangesNothing),
        Box::new(follows::FollowsFlink),
        Box::new(follows::LostWasSeen),
        Box::new(standing::StandsWithItsEvidence),
        Box::new(steady::AlertsAreSteady),
        Box::new(alerted::EndsAreAlerted),
        Box::new(alerted::AlertsClear),
        Box::new(conditions::ConditionsFollow),
        Box::new(conditions::TroubleIsTold),
        Box::new(pace::PaceIsSane),
        Box::new(look_ups::LookUpsArePaced),
        Box::new(bounded::MemoryIsBounded),
    ]
}

/// The law that says nothing of a policy that alerts of no end at all, and does not mean to.
pub const ENDS_ARE_ALERTED: &str = "ends-are-alerted";

/// The law that says nothing of a policy that has no condition for a silence.
pub const TROUBLE_IS_TOLD: &str = "trouble-is-told";

/// An alert as stories write it.
pub(crate) fn in_stories(alert: &StandingAlert) -> String {
    format!("{}:{}", alert.scope, alert.name)
}

/// Whether a record shows an end that nobody intended.
pub(crate) fn is_unintended_end(record: &JobRecord) -> bool {
    let is_intended = record
        .intent
        .as_ref()
        .is_some_and(|posted| posted.intent == Intent::Cancel);
    !is_intended && matches!(record.state, JobState::Failed | JobState::Lost | JobState::Terminated)
}

/// What may support an end: read off evidence alone.
mod support {
    use steadfast_core::evidence::{Evidence, Observed};
    use steadfast_core::facts::{JobEnd, Pod, Readiness};
    use steadfast_core::snapshot::Snapshot;
    use steadfast_core::state::JobState;

    /// Flink's word about the tracked job, if it is the newest.
    pub(super) fn flink(snapshot: &Snapshot) -> Option<JobState> {
        Some(snapshot.flink.as_ref()?.latest.present()?.state)
    }

    /// Whether a source gives no usable answer, or was not asked.
    pub(super) fn is_unanswered<T>(evidence: Option<&Evidence<T>>) -> bool {
        evidence.is_none_or(|evidence| !evidence.latest.is_known())
    }

    /// Whether no source answers that is asked unasked.
    pub(super) fn is_silent(snapshot: &Snapshot) -> bool {
        is_unanswered(snapshot.flink.as_ref())
            && is_unanswered(snapshot.deployment.as_ref())
            && is_unanswered(snapshot.pods.as_ref())
            && is_unanswered(snapshot.flink_resource.as_ref())
    }

    /// Whether a complete answer lacks the job or its Deployment.
    pub(super) fn something_is_absent(snapshot: &Snapshot) -> bool {
        let flink = snapshot.flink.as_ref().is_some_and(|e| e.latest == Observed::Absent);
        let deployment = snapshot
            .deployment
            .as_ref()
            .is_some_and(|e| e.latest == Observed::Absent);
        flink || deployment
    }

    /// The ends of this job that a log or an archive names.
    pub(super) fn reported_ends(snapshot: &Snapshot) -> impl Iterator<Item = &JobEnd> {
        let tracked = snapshot.record.incarnation.flink_job_id;
        [&snapshot.last_words, &snapshot.archive]
            .into_iter()
            .filter_map(|evidence| evidence.as_ref()?.latest.present())
            .filter(move |end| Some(end.job) == tracked)
    }

    /// Whether Kubernetes names a problem of a job that has not run in this attempt.
    pub(super) fn start_is_in_trouble(snapshot: &Snapshot) -> bool {
        let pods = snapshot.pods.as_ref().and_then(|pods| pods.latest.present());
        let in_trouble = |pod: &Pod| {
            let container = pod.container.as_ref();
            pod.ready == Readiness::NotReady
                && (pod.unschedulable.is_some()
                    || container.is_some_and(|c| c.waiting.is_some() || c.terminated.is_some()))
        };
        snapshot.record.incarnation.started_at.is_none() && pods.is_some_and(|pods| pods.iter().any(in_trouble))
    }
}
