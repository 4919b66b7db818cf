//! `GET .../explain`: a decision laid open, as JSON.
//!
//! Its shape is part of the API (`/api/v1`), so it has types of its own here: core's fields and variants are renamed at
//! will, and the tables in this module say what each is shown as. Between them and core every field is named on both
//! sides, so that one that is new does not compile until it is shown. `tests/explain/v1.jsonl` pins the whole.
//! Within `/api/v1` a member may be added; one that changes its meaning, its key or its type is for `/api/v2`, which
//! would be a module beside this one.
//!
//! The command line reads these types, and `steadfast policy test` reads fixtures as [`Snapshot`].

mod compared;
mod decision;
mod evidence;
mod facts;
mod record;
mod scalar;
mod schema;
mod shadow;
mod snapshot;
mod state;
mod table;

use serde::{Deserialize, Serialize};
use steadfast_core::explanation;
use steadfast_core::id::PolicyName;
use steadfast_core::shadow::ShadowView;
use utoipa::ToSchema;

pub use compared::{Aspect, Beside, Compared, Difference};
pub use decision::{
    Awaited, DecidedAlert, DecidedCondition, Decision, Failure, FailureKind, Judgement, LookupRequest, LookupSource,
    Outcome, Rule, Watch,
};
pub use evidence::{Evidence, Fault, FaultKind, Observed};
pub use facts::{
    Checkpoints, Container, Deletion, Deployment, Desired, EndSource, FlinkJob, FlinkResource, HaData, JobEnd,
    KubeEvent, KubeEvents, Pod, Pods, Readiness, ResourceKind, Rollout, RootException, Tasks, Termination, Waiting,
};
pub use record::{
    Alert, AlertScope, Condition, Incarnation, Key, Origin, OtherJob, PostedIntent, Reason, Record, Start, Target,
    UidSeen,
};
pub use scalar::{Hex, JobId, Labels, Moment, Seconds};
pub use schema::{SnapshotSchema, snapshot_schema};
pub use shadow::{Decided, LastFailure, Shadow, Shown};
pub use snapshot::{Fleet, Snapshot, Timing};
pub use state::{Attention, ConditionType, Confidence, Intent, Mode, State};

use table::Shows as _;

/// Why a record says what it says. Spans of time are in seconds, what a policy remembers is in hex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = explain::Explanation)]
pub struct Explanation {
    /// The policy that decides.
    pub policy: String,
    /// The rule that spoke; null if the policy does not describe it.
    #[schema(required)]
    pub rule: Option<Rule>,
    /// What may change the decision next, the soonest first.
    pub waits_for: Vec<Awaited>,
    /// What each shadow policy would show instead.
    pub shadows: Vec<Shadow>,
    /// The evidence, with its ages.
    pub snapshot: Snapshot,
    /// Whether archive, history_server or job_result_store is configured for the job's cluster. Where none is, `archive` is absent
    /// whatever became of the job. An engine of an earlier version does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_configured: Option<bool>,
    /// `decision`, or `failure` in its place.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Explanation {
    /// Shows an explanation, beside what shadows would show.
    pub(crate) fn new(core: &explanation::Explanation, shadows: &[(PolicyName, ShadowView)]) -> Self {
        let explanation::Explanation {
            policy,
            snapshot,
            outcome,
            rule,
            waits_for,
        } = core;
        Self {
            policy: policy.to_string(),
            rule: Option::of(rule),
            waits_for: waits_for.iter().map(Awaited::from).collect(),
            shadows: shadows.iter().map(Shadow::from).collect(),
            snapshot: Snapshot::from(snapshot),
            archive_configured: None,
            outcome: Outcome::from(outcome),
        }
    }

    /// The same, with whether there is any place that tells of ended jobs.
    pub(crate) fn with_archive(self, is_configured: bool) -> Self {
        Self {
            archive_configured: Some(is_configured),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
