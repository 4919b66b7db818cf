//! A decision, with what a test may say of it. What does not hold panics, and shows the whole decision and its evidence.

use std::fmt::Write as _;
use std::ops::Deref;

use super::START;
use crate::{Attention, ConditionType, Confidence, Decision, JobState, Millis, Rules, Seen, Snapshot, WantedSource};

/// A decision that was made.
#[derive(Clone, Debug)]
pub struct Judged {
    decision: Decision,
    summary: String,
}

impl Deref for Judged {
    type Target = Decision;

    fn deref(&self) -> &Decision {
        &self.decision
    }
}

impl Judged {
    pub(super) fn of(snapshot: &Snapshot, decision: &Decision) -> Self {
        Self {
            decision: decision.clone(),
            summary: summary(snapshot, decision),
        }
    }

    /// It is that state, as sure as that.
    #[track_caller]
    pub fn is(&self, state: JobState, confidence: Confidence) -> &Self {
        assert!(
            (self.state, self.confidence) == (state, confidence),
            "{} {confidence:?} was expected; {}",
            state.word(),
            self.summary
        );
        self
    }

    /// That rule spoke.
    #[track_caller]
    pub fn by(&self, rule: impl Rules) -> &Self {
        assert!(
            self.rule == rule.name(),
            "rule {} was expected; {}",
            rule.name(),
            self.summary
        );
        self
    }

    /// The reason contains that.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        let reason = &self.reason;
        assert!(
            reason.code == words || reason.message.contains(words),
            "a reason with `{words}` was expected; {}",
            self.summary
        );
        self
    }

    /// Exactly these conditions stand, in this order.
    #[track_caller]
    pub fn conditions(&self, kinds: &[ConditionType]) -> &Self {
        let standing: Vec<ConditionType> = self.conditions.iter().map(|condition| condition.kind).collect();
        assert!(
            standing == kinds,
            "conditions {kinds:?} were expected; {}",
            self.summary
        );
        self
    }

    /// Exactly these alerts stand, in this order.
    #[track_caller]
    pub fn alerts(&self, names: &[&str]) -> &Self {
        let standing: Vec<&str> = self.alerts.iter().map(|alert| alert.name.as_str()).collect();
        assert!(standing == names, "alerts {names:?} were expected; {}", self.summary);
        self
    }

    /// Exactly these looks are asked for, in this order.
    #[track_caller]
    pub fn wants(&self, sources: &[WantedSource]) -> &Self {
        let wanted: Vec<WantedSource> = self.wanted.iter().map(|want| want.source).collect();
        assert!(wanted == sources, "looks {sources:?} were expected; {}", self.summary);
        self
    }

    /// The watch goes on with polls.
    #[track_caller]
    pub fn awake(&self) -> &Self {
        assert!(
            self.watch.attention == Attention::Active,
            "polls were expected to go on; {}",
            self.summary
        );
        self
    }

    /// The watch sleeps until something new is seen.
    #[track_caller]
    pub fn asleep(&self) -> &Self {
        assert!(
            self.watch.attention == Attention::Sleeping,
            "the watch was expected to sleep; {}",
            self.summary
        );
        self
    }
}

/// The decision and what it rests on, for a person whose test has failed.
fn summary(s: &Snapshot, decision: &Decision) -> String {
    let mut text = format!(
        "it is {} {:?} by rule {} ({}: {})\n",
        decision.state.word(),
        decision.confidence,
        decision.rule,
        decision.reason.code,
        decision.reason.message
    );
    let conditions: Vec<ConditionType> = decision.conditions.iter().map(|condition| condition.kind).collect();
    let alerts: Vec<&str> = decision.alerts.iter().map(|alert| alert.name.as_str()).collect();
    let wanted: Vec<WantedSource> = decision.wanted.iter().map(|want| want.source).collect();
    let lines = [
        format!(
            "conditions {conditions:?}, alerts {alerts:?}, wants {wanted:?}, {:?}",
            decision.watch
        ),
        format!(
            "at {} {} was on record as {} {:?}, attempt {}",
            Millis::between(START, s.now),
            s.job.name,
            s.job.state.word(),
            s.job.confidence,
            s.job.incarnation.attempt
        ),
        line("flink", s, s.flink()),
        line("deployment", s, s.deployment()),
        line("pods", s, s.pods()),
        line("exceptions", s, s.exceptions()),
        line("checkpoints", s, s.checkpoints()),
        line("events", s, s.events()),
        line("ha data", s, s.ha_data()),
        line("last words", s, s.last_words()),
        line("archive", s, s.archive()),
        line("resource", s, s.flink_resource()),
        line("task managers", s, s.task_managers()),
    ];
    for line in lines.iter().filter(|line| !line.is_empty()) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// One piece of evidence; nothing for one that nobody asked for.
fn line<T: ?Sized + std::fmt::Debug>(name: &str, s: &Snapshot, seen: Seen<'_, T>) -> String {
    match seen {
        Seen::Never => String::new(),
        Seen::Present { value, looks } => format!("{name}, {} ago: {value:?}", s.age(looks.asked_at)),
        Seen::Absent { looks } => format!("{name}, {} ago: absent", s.age(looks.asked_at)),
        Seen::Unknown { fault, looks } => {
            let silent = looks.silent_for(s).unwrap_or_default();
            format!(
                "{name}, for {silent}: unknown ({:?}, {} looks)",
                fault.kind, looks.failures
            )
        }
    }
}
