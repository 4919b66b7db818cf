//! Fits a decision into the contract: what is only its ornament is cut, clamped or left out, and named; its state counts all
//! the same. A rule about form must never keep a record from saying that its job has failed.
//!
//! Refused is only what leaves nothing to go by: a contradiction in the verdict itself, or a memory that cannot be kept, since
//! half a memory is not the policy's.

use std::collections::BTreeSet;
use std::time::Duration;

use strum::IntoStaticStr;

use super::{COUNT_LIMIT, MEMORY_LIMIT, NAME_LIMIT, TEXT_LIMIT};
use crate::decision::{DecidedAlert, Decision, PolicyFailure, PolicyFailureKind};
use crate::foreign_text::harmless;
use crate::state::{ConditionType, Confidence, JobState, RaisedBy};
use crate::timing::Timing;

/// The code of a reason that names none.
const NO_CODE: &str = "Unspecified";

/// What was trimmed of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Trim {
    /// `reason.code` was missing.
    NoReasonCode,
    /// `reason.code` was too long.
    ReasonCode,
    /// `reason.message` was too long.
    ReasonMessage,
    /// The name of the rule was too long.
    Rule,
    /// A condition was the engine's own.
    EngineCondition,
    /// There were too many conditions.
    ConditionCount,
    /// A condition's message was too long.
    ConditionMessage,
    /// There were too many alerts.
    AlertCount,
    /// An alert's name was missing or too long.
    AlertName,
    /// An alert's message was too long.
    AlertMessage,
    /// There were too many wishes for evidence.
    WantedCount,
    /// `watch.poll-after` was too short or too long.
    PollAfter,
    /// `watch.validate-after` was too short or too long.
    ValidateAfter,
}

impl Trim {
    /// As a word, for metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// For people: what was done. It holds no number that changes from one decision to the next, which would make each of
    /// them an entry in the journal.
    pub(super) fn said(self) -> String {
        match self {
            Self::NoReasonCode => format!("reason.code is empty and became {NO_CODE}; give a word in CamelCase"),
            Self::ReasonCode => format!("reason.code was cut to {NAME_LIMIT} bytes"),
            Self::ReasonMessage => format!("reason.message was cut to {TEXT_LIMIT} bytes"),
            Self::Rule => format!("the rule's name was cut to {NAME_LIMIT} bytes"),
            Self::EngineCondition => "a condition that only the engine raises was left out".to_owned(),
            Self::ConditionCount => format!("conditions beyond {COUNT_LIMIT} were left out"),
            Self::ConditionMessage => format!("a condition's message was cut to {TEXT_LIMIT} bytes"),
            Self::AlertCount => format!("alerts beyond {COUNT_LIMIT} were left out"),
            Self::AlertName => {
                format!("an alert's name is to have 1 to {NAME_LIMIT} bytes, and was cut or the alert left out")
            }
            Self::AlertMessage => format!("an alert's message was cut to {TEXT_LIMIT} bytes"),
            Self::WantedCount => format!("wishes for evidence beyond {COUNT_LIMIT} were left out"),
            Self::PollAfter => "watch.poll-after was moved to the nearest pace there is".to_owned(),
            Self::ValidateAfter => "watch.validate-after was moved to the nearest pace there is".to_owned(),
        }
    }
}

/// All that was trimmed of a decision, for people.
pub(super) fn described(trims: &BTreeSet<Trim>) -> String {
    let said: Vec<String> = trims.iter().map(|trim| trim.said()).collect();
    said.join("; ")
}

/// The decision as the contract has it, and what was trimmed for that. Fails where there is nothing to go by.
pub(super) fn fit(mut decision: Decision, timing: &Timing) -> Result<(Decision, BTreeSet<Trim>), PolicyFailure> {
    refuse(&decision)?;
    let mut trims = BTreeSet::new();
    let mut noted = |trim: Trim, was_trimmed: bool| {
        if was_trimmed {
            trims.insert(trim);
        }
    };
    let reason = &mut decision.reason;
    noted(Trim::ReasonCode, cut(&mut reason.code, NAME_LIMIT));
    if reason.code.is_empty() {
        NO_CODE.clone_into(&mut reason.code);
        noted(Trim::NoReasonCode, true);
    }
    noted(Trim::ReasonMessage, cut(&mut reason.message, TEXT_LIMIT));
    noted(Trim::Rule, cut(&mut decision.rule, NAME_LIMIT));

    let conditions = &mut decision.conditions;
    noted(Trim::ConditionCount, conditions.len() > COUNT_LIMIT);
    conditions.truncate(COUNT_LIMIT);
    let decided = conditions.len();
    conditions.retain(|condition| is_decided(condition.kind));
    noted(Trim::EngineCondition, conditions.len() < decided);
    for condition in conditions {
        noted(Trim::ConditionMessage, cut(&mut condition.message, TEXT_LIMIT));
    }

    let alerts = &mut decision.alerts;
    noted(Trim::AlertCount, alerts.len() > COUNT_LIMIT);
    alerts.truncate(COUNT_LIMIT);
    let decided = alerts.len();
    alerts.retain(|alert: &DecidedAlert| !alert.name.is_empty());
    noted(Trim::AlertName, alerts.len() < decided);
    for alert in alerts {
        noted(Trim::AlertName, cut(&mut alert.name, NAME_LIMIT));
        noted(Trim::AlertMessage, cut(&mut alert.message, TEXT_LIMIT));
    }

    noted(Trim::WantedCount, decision.wanted.len() > COUNT_LIMIT);
    decision.wanted.truncate(COUNT_LIMIT);
    let watch = &mut decision.watch;
    noted(Trim::PollAfter, clamp(&mut watch.poll_after, timing.poll_paces()));
    noted(Trim::ValidateAfter, clamp(&mut watch.validate_after, Timing::PACES));
    Ok((decision, trims))
}

/// Whether a policy may decide it. That it is outdated the engine has put on the decision; policies have no word for it.
fn is_decided(kind: ConditionType) -> bool {
    kind.raised_by() == RaisedBy::Policy || kind == ConditionType::PolicyOutdated
}

fn refuse(decision: &Decision) -> Result<(), PolicyFailure> {
    let size = decision.memory.len();
    let message = if size > MEMORY_LIMIT {
        format!("memory has {size} bytes, more than {MEMORY_LIMIT}; remember less")
    } else if decision.state == JobState::Unknown && decision.confidence == Confidence::Confirmed {
        "UNKNOWN cannot be confirmed; say stale or inferred".to_owned()
    } else {
        return Ok(());
    };
    Err(PolicyFailure {
        kind: PolicyFailureKind::Invalid,
        message: message.into(),
    })
}

/// Makes a text harmless and cuts it to a limit. Says whether it was too long.
fn cut(text: &mut String, limit: usize) -> bool {
    let is_too_long = text.len() > limit;
    if let std::borrow::Cow::Owned(kept) = harmless(text, limit) {
        *text = kept;
    }
    is_too_long
}

fn clamp(pace: &mut Duration, paces: std::ops::RangeInclusive<Duration>) -> bool {
    let asked = *pace;
    *pace = asked.clamp(*paces.start(), *paces.end());
    *pace != asked
}
