//! A decision in the making.

use steadfast_policy::{Attention, Confidence, JobState, Reason, Snapshot, Timestamp, Want, WantedSource};

use crate::rulebook::Rule;

/// What a rule says; pace, conditions and alerts follow from it.
#[derive(Debug)]
pub struct Verdict {
    /// The state.
    pub state: JobState,
    /// How sure.
    pub confidence: Confidence,
    /// Why.
    pub reason: Reason,
    /// Which rule spoke.
    pub rule: Rule,
    /// What else is to be looked up.
    pub wanted: Vec<Want>,
    /// Another pace than the state's own.
    pub poll_after: Option<u64>,
    /// A sooner look at everything than the usual one.
    pub validate_within: Option<u64>,
    /// Whether polls go on.
    pub attention: Attention,
}

impl Verdict {
    /// A rule's word.
    pub fn new(state: JobState, confidence: Confidence, rule: Rule, code: &str, message: impl Into<String>) -> Self {
        Self {
            state,
            confidence,
            reason: Reason {
                code: code.into(),
                message: message.into(),
            },
            rule,
            wanted: Vec::new(),
            poll_after: None,
            validate_within: None,
            attention: Attention::Active,
        }
    }

    /// State and reason stay.
    pub fn kept(s: &Snapshot, confidence: Confidence, rule: Rule) -> Self {
        Self::new(s.job.state, confidence, rule, "", "").reason(s.job.reason.clone())
    }

    /// Another reason.
    pub fn reason(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// Asks for evidence from a look begun after `moment`.
    pub fn want(mut self, source: WantedSource, moment: Timestamp) -> Self {
        self.wanted.push(Want {
            source,
            observed_after: moment,
        });
        self
    }

    /// Asks for a look at Kubernetes begun after Flink fell silent.
    pub fn look_at_kubernetes_since(self, silence: Option<Timestamp>) -> Self {
        match silence {
            Some(moment) => self.want(WantedSource::Kubernetes, moment),
            None => self,
        }
    }

    /// Another pace.
    pub fn poll_after(self, millis: u64) -> Self {
        Self {
            poll_after: Some(millis),
            ..self
        }
    }

    /// A sooner next look.
    pub fn validate_within(self, millis: u64) -> Self {
        Self {
            validate_within: Some(millis),
            ..self
        }
    }

    /// No more polls until something wakes the watch.
    pub fn sleeping(self) -> Self {
        Self {
            attention: Attention::Sleeping,
            ..self
        }
    }
}
