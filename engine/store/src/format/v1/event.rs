//! An event: the column `event` of `journal`.

use serde::{Deserialize, Serialize};
use steadfast_core::{alert, journal};

use super::alert::AlertEvent as Alert;
use super::call::Call;
use super::record::Reason;
use super::scalar::{Moment, PolicyName};
use super::state::{Confidence, State};
use crate::format::shape::{Shape, object, words};

/// `kind` comes first, then what the kind has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Event {
    #[serde(rename = "transition")]
    Transition(Transition),
    /// With `call`, one that somebody called for; else with how sure the state is after it. Builds before they were kept pass
    /// over both.
    #[serde(rename = "update")]
    Update {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<Call>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confidence: Option<Confidence>,
    },
    #[serde(rename = "alert")]
    Alert(Alert),
    #[serde(rename = "forgotten")]
    Forgotten,
}

impl Shape for Event {
    type Core = journal::Event;

    fn of(core: &journal::Event) -> Self {
        match core {
            journal::Event::Transition(transition) => Self::Transition(Transition::of(transition)),
            journal::Event::Update(confidence) => Self::Update {
                call: None,
                confidence: confidence.as_ref().map(Confidence::of),
            },
            journal::Event::Called(call) => Self::Update {
                call: Some(Call::of(call)),
                confidence: None,
            },
            journal::Event::Alert(alert) => Self::Alert(Alert::of(alert)),
            journal::Event::Forgotten => Self::Forgotten,
        }
    }

    fn into_core(self) -> journal::Event {
        match self {
            Self::Transition(transition) => journal::Event::Transition(transition.into_core()),
            Self::Update { call: Some(call), .. } => journal::Event::Called(call.into_core()),
            Self::Update { call: None, confidence } => journal::Event::Update(confidence.map(Shape::into_core)),
            Self::Alert(alert) => journal::Event::Alert(alert.into_core()),
            Self::Forgotten => journal::Event::Forgotten,
        }
    }
}

object!(Transition of journal::Transition {
    "from": State = from,
    "to": State = to,
    "confidence": Confidence = confidence,
    "reason": Reason = reason,
    "attempt": u32 = attempt,
    "policy": PolicyName = policy,
    // Where Flink told no time, and in entries from before it was kept, it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "toldSince": Option<Moment> = told_since,
});

words!(AlertStatus of alert::AlertStatus {
    "firing" = Firing,
    "resolved" = Resolved,
});
