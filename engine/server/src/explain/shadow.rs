//! What a shadow policy would show of the job, beside what is recorded.

use serde::{Deserialize, Serialize};
use steadfast_core::id::PolicyName;
use steadfast_core::record::JobRecord;
use steadfast_core::shadow;
use utoipa::ToSchema;

use super::compared::{Aspect, Compared};
use super::decision::FailureKind;
use super::record::Reason;
use super::scalar::Moment;
use super::state::{Confidence, State};
use super::table::Shows;

/// One shadow policy beside the record, as `/api/v1/shadows` shows it too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = explain::Shadow)]
pub struct Shadow {
    /// The shadow.
    pub policy: String,
    /// The job, as `cluster/namespace/name`, and `/flinkJobId` behind it for a session's job.
    #[schema(example = "local/default/orders")]
    pub job: String,
    /// Whether the two show another state or attempt.
    pub differs: bool,
    /// In what the two differ now, the gravest first; left out where they do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aspects: Vec<Aspect>,
    /// What the record says.
    pub decided: Decided,
    /// What it would say if the shadow decided.
    pub shadow: Shown,
    /// Since when the two differ, or agree.
    pub since: Moment,
    /// How often they were compared.
    pub judged: u64,
    /// How often they differed.
    pub differed: u64,
    /// The shadow's last failure.
    #[schema(required)]
    pub failure: Option<LastFailure>,
    /// What else is compared. An engine of an earlier version does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
}

impl From<&(PolicyName, shadow::ShadowView)> for Shadow {
    fn from((policy, view): &(PolicyName, shadow::ShadowView)) -> Self {
        let shadow::ShadowView {
            decided,
            beside: _,
            shown,
            aspects,
            differences: _,
            since,
            judged,
            differed,
            failure,
        } = view;
        Self {
            policy: policy.to_string(),
            job: decided.key.to_string(),
            differs: view.differs(),
            aspects: aspects.iter().map(|aspect| Shows::of(&aspect)).collect(),
            decided: Decided::from(&**decided),
            shadow: Shown::from(shown),
            since: Shows::of(since),
            judged: *judged,
            differed: *differed,
            failure: failure.as_ref().map(LastFailure::from),
            compared: Some(Compared::from(view)),
        }
    }
}

/// What the record says: as much of it as is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = explain::Decided)]
pub struct Decided {
    /// The policy that decides.
    pub policy: String,
    /// The state on record.
    pub state: State,
    /// In which attempt.
    pub attempt: u32,
    /// How sure the record is of it.
    pub confidence: Confidence,
    /// Why the state is what it is.
    pub reason: Reason,
}

impl From<&JobRecord> for Decided {
    fn from(record: &JobRecord) -> Self {
        Self {
            policy: record.policy.to_string(),
            state: Shows::of(&record.state),
            attempt: record.incarnation.attempt,
            confidence: Shows::of(&record.confidence),
            reason: Shows::of(&record.reason),
        }
    }
}

/// What a shadow would say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = explain::Shown)]
pub struct Shown {
    /// The state it would show.
    pub state: State,
    /// In which attempt.
    pub attempt: u32,
    /// How sure it is of it.
    pub confidence: Confidence,
    /// Why it would be that state.
    pub reason: Reason,
    /// The rule of its last decision; null until it has decided.
    pub rule: Option<String>,
}

impl From<&shadow::ShadowState> for Shown {
    fn from(core: &shadow::ShadowState) -> Self {
        let shown = &core.shows;
        Self {
            state: Shows::of(&shown.state),
            attempt: shown.attempt,
            confidence: Shows::of(&shown.confidence),
            reason: Shows::of(&core.reason),
            rule: core.rule.clone(),
        }
    }
}

/// When and how a shadow last failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = explain::LastFailure)]
pub struct LastFailure {
    /// When it failed.
    pub at: Moment,
    /// The kind, for metrics.
    pub kind: FailureKind,
    /// For people.
    pub message: String,
}

impl From<&shadow::LastFailure> for LastFailure {
    fn from(core: &shadow::LastFailure) -> Self {
        let shadow::LastFailure { at, failure } = core;
        let steadfast_core::decision::PolicyFailure { kind, message } = failure;
        Self {
            at: Shows::of(at),
            kind: Shows::of(kind),
            message: message.to_string(),
        }
    }
}
