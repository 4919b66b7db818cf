//! A decision in the making: what a rule says, with a default for all else.

use crate::{
    AlertScope, Attention, ConditionType, Confidence, DecidedAlert, DecidedCondition, Decision, JobState, Millis,
    Reason, Rules, Snapshot, Timestamp, Want, WantedSource, Watch,
};

/// What a policy decides. A rule is always named; what is not said has a default:
///
/// - the reason: the rule's own code and text; for [`Verdict::keep`] the reason on record;
/// - the pace: `[timing]`'s, `terminal_poll` for a state that has ended; the watch stays awake;
/// - nothing is looked up, and no condition and no alert stands.
///
/// ```
/// # use steadfast_policy::{testing, Confidence, JobState, Millis, Verdict};
/// # steadfast_policy::rules! { enum Rule { Silent = "silent" { says: "S.", because: "B.", changed_by: "C." } } }
/// # let snapshot = testing::job("orders").running().snapshot();
/// let verdict = Verdict::keep(&snapshot, Rule::Silent)
///     .because("FlinkSilent", "Flink gives no answer")
///     .poll_after(Millis::from_secs(30));
/// assert_eq!((verdict.state, verdict.confidence), (JobState::Running, Confidence::Stale));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Verdict<R> {
    /// The state.
    pub state: JobState,
    /// How sure.
    pub confidence: Confidence,
    /// Why; without a code, the rule's own.
    pub reason: Reason,
    /// Which rule spoke.
    pub rule: R,
    /// All conditions that stand now; what is left out no longer stands.
    pub conditions: Vec<DecidedCondition>,
    /// All alerts that stand now; what is left out is resolved.
    pub alerts: Vec<DecidedAlert>,
    /// Another pace of polls than the state's own.
    pub poll_after: Option<Millis>,
    /// Another time of the next complete look.
    pub validate_after: Option<Millis>,
    /// Whether polls go on.
    pub attention: Attention,
    wanted: Vec<Wanted>,
}

/// A look that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    /// One begun after that moment.
    After(WantedSource, Timestamp),
    /// One each time that so much has passed since the last.
    Each(WantedSource, Option<Millis>),
}

impl<R: Rules> Verdict<R> {
    /// A state, as sure as that.
    pub fn new(state: JobState, confidence: Confidence, rule: R) -> Self {
        Self {
            state,
            confidence,
            reason: Reason {
                code: String::new(),
                message: String::new(),
            },
            rule,
            conditions: Vec::new(),
            alerts: Vec::new(),
            poll_after: None,
            validate_after: None,
            attention: Attention::Active,
            wanted: Vec::new(),
        }
    }

    /// A state that the one who knows has just told.
    pub fn confirmed(state: JobState, rule: R) -> Self {
        Self::new(state, Confidence::Confirmed, rule)
    }

    /// A state that is concluded from other evidence.
    pub fn inferred(state: JobState, rule: R) -> Self {
        Self::new(state, Confidence::Inferred, rule)
    }

    /// State and reason stay as they are on record, stale: what to say where nothing is known.
    pub fn keep(snapshot: &Snapshot, rule: R) -> Self {
        Self::new(snapshot.job.state, Confidence::Stale, rule).reason(snapshot.job.reason.clone())
    }

    /// As sure as that.
    pub fn as_sure_as(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }

    /// Why: a word in CamelCase for machines, a sentence for people.
    pub fn because(self, code: &str, message: impl Into<String>) -> Self {
        self.reason(Reason {
            code: code.into(),
            message: message.into(),
        })
    }

    /// Why, as somebody else has put it.
    pub fn reason(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// The reason goes on with that.
    pub fn also(mut self, more: &str) -> Self {
        self.reason = self.reason.or_of(self.rule);
        self.reason.message.push_str("; ");
        self.reason.message.push_str(more);
        self
    }

    /// Asks for evidence, at most once a poll.
    pub fn want(mut self, source: WantedSource) -> Self {
        self.wanted.push(Wanted::Each(source, None));
        self
    }

    /// Asks for evidence each time that so much has passed since the last look.
    pub fn want_each(mut self, source: WantedSource, pace: Millis) -> Self {
        self.wanted.push(Wanted::Each(source, Some(pace)));
        self
    }

    /// Asks for evidence from a look begun after `moment`, which may lie ahead.
    pub fn want_after(mut self, source: WantedSource, moment: Timestamp) -> Self {
        self.wanted.push(Wanted::After(source, moment));
        self
    }

    /// A condition stands.
    pub fn condition(mut self, kind: ConditionType, message: impl Into<String>) -> Self {
        let message = message.into();
        self.conditions.push(DecidedCondition { kind, message });
        self
    }

    /// An alert about this job stands. It is told once until it is left out again.
    pub fn alert(self, name: &str, message: impl Into<String>) -> Self {
        self.alert_about(AlertScope::Job, name, message)
    }

    /// An alert stands, about this job or about its whole Kubernetes cluster (then told once for all jobs).
    pub fn alert_about(mut self, scope: AlertScope, name: &str, message: impl Into<String>) -> Self {
        self.alerts.push(DecidedAlert {
            name: name.into(),
            scope,
            message: message.into(),
        });
        self
    }

    /// An alert that stands on record goes on standing: where nothing is known, nothing is resolved.
    pub fn alert_stays(self, snapshot: &Snapshot, name: &str) -> Self {
        match snapshot.alert(name) {
            Some(alert) => self.alert_about(alert.scope, name, &alert.message),
            None => self,
        }
    }

    /// Another pace of polls than the state's own.
    pub fn poll_after(self, pace: Millis) -> Self {
        Self {
            poll_after: Some(pace),
            ..self
        }
    }

    /// Another time of the next complete look, and with it of the next decision.
    pub fn validate_after(self, pace: Millis) -> Self {
        Self {
            validate_after: Some(pace),
            ..self
        }
    }

    /// No more polls until something new wakes the watch. It has not ended.
    pub fn asleep(self) -> Self {
        Self {
            attention: Attention::Sleeping,
            ..self
        }
    }

    /// The decision as the engine takes it.
    pub(crate) fn decided(self, snapshot: &Snapshot, memory: Vec<u8>) -> Decision {
        let pace = if self.state.is_terminal() {
            snapshot.terminal_poll()
        } else {
            snapshot.poll()
        };
        Decision {
            state: self.state,
            confidence: self.confidence,
            rule: self.rule.name().into(),
            reason: self.reason.or_of(self.rule),
            watch: Watch {
                poll_after: self.poll_after.unwrap_or(pace).get(),
                validate_after: self.validate_after.unwrap_or(snapshot.validate()).get(),
                attention: self.attention,
            },
            wanted: self.wanted.into_iter().map(|wanted| wanted.at(snapshot)).collect(),
            conditions: self.conditions,
            alerts: self.alerts,
            memory,
        }
        .fit(snapshot)
    }
}

impl Wanted {
    fn at(self, snapshot: &Snapshot) -> Want {
        let (source, observed_after) = match self {
            Self::After(source, moment) => (source, moment),
            Self::Each(source, pace) => {
                let pace = pace.unwrap_or(snapshot.poll());
                let last = snapshot.asked_at(source);
                (
                    source,
                    last.map_or(snapshot.now.saturating_sub(1), |last| pace.after(last)),
                )
            }
        };
        Want { source, observed_after }
    }
}

impl Reason {
    fn or_of(mut self, rule: impl Rules) -> Self {
        if self.code.is_empty() {
            self.code = rule.code().into();
            if self.message.is_empty() {
                self.message = rule.says().into();
            }
        }
        self
    }
}
