//! What a policy makes of a snapshot, and what may change its mind.

use serde::{Deserialize, Serialize};
use steadfast_core::{decision, explanation, rule};
use utoipa::ToSchema;

use super::record::{AlertScope, Reason};
use super::scalar::{Hex, Moment, Seconds};
use super::state::{Attention, ConditionType, Confidence, State};
use super::table::{Shows, object, words};
use crate::words::schema;

/// What came of the call into the policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = explain::Outcome)]
pub enum Outcome {
    /// It decided.
    Decision(Decision),
    /// It failed; the last state stays.
    Failure(Failure),
}

impl From<&Result<decision::Decision, decision::PolicyFailure>> for Outcome {
    fn from(core: &Result<decision::Decision, decision::PolicyFailure>) -> Self {
        match core {
            Ok(decision) => Self::Decision(Decision::of(decision)),
            Err(failure) => Self::Failure(Failure::of(failure)),
        }
    }
}

/// What a policy makes of one snapshot, shown outside of an engine: by `steadfast policy decide`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// The rule that spoke; null if the policy does not describe it, or failed.
    pub rule: Option<Rule>,
    /// `decision`, or `failure` in its place.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Judgement {
    /// Shows what came of the call, and the rule that the decision named.
    pub fn new(rule: Option<&rule::Rule>, outcome: &Result<decision::Decision, decision::PolicyFailure>) -> Self {
        Self {
            rule: rule.map(Rule::of),
            outcome: Outcome::from(outcome),
        }
    }
}

object!(
    /// A policy's judgement of one snapshot.
    Decision of decision::Decision {
        /// The state the record should have.
        state: State = state,
        /// How sure the policy is of it.
        confidence: Confidence = confidence,
        /// Why the state is what it is.
        reason: Reason = reason,
        /// The name of the rule that spoke.
        rule: String = rule,
        /// When to look again.
        watch: Watch = watch,
        /// Evidence that is only looked up when asked for.
        wanted: Vec<LookupRequest> = wanted,
        /// What stands beside the state now; what is not named no longer stands.
        conditions: Vec<DecidedCondition> = conditions,
        /// Alerts that stand now; what is not named is resolved.
        alerts: Vec<DecidedAlert> = alerts,
        /// Handed back to the policy with the next snapshot.
        memory: Hex = memory,
    }
);

object!(
    /// The lifetime of a watch.
    Watch of decision::Watch {
        /// How long until Flink is asked again, while it answers.
        poll_after: Seconds = poll_after,
        /// How long until everything is looked at afresh.
        validate_after: Seconds = validate_after,
        /// Whether polls go on.
        attention: Attention = attention,
    }
);

object!(
    /// Evidence that the policy asks for.
    LookupRequest of decision::LookupRequest {
        /// Where it is looked up.
        source: LookupSource = source,
        /// Only an answer to a look begun after this moment will do.
        observed_after: Moment = observed_after,
    }
);

words!(
    /// The sources that are only asked on request.
    LookupSource of decision::LookupSource {
        "exceptions" = Exceptions,
        "checkpoints" = Checkpoints,
        "kubernetes" = Kubernetes,
        "ha-data" = HaData,
        "events" = Events,
        "last-words" = LastWords,
        "archive" = Archive,
        "task-managers" = TaskManagers,
    }
);

object!(
    /// A condition the policy sees.
    DecidedCondition of decision::DecidedCondition {
        /// What it is.
        #[serde(rename = "type")]
        kind: ConditionType = kind,
        /// For people.
        message: String = message,
    }
);

object!(
    /// An alert the policy wants to stand.
    DecidedAlert of decision::DecidedAlert {
        /// Its name in CamelCase.
        name: String = name,
        /// What it is about.
        scope: AlertScope = scope,
        /// For people.
        message: String = message,
    }
);

object!(
    /// Why a policy yielded no decision.
    Failure of decision::PolicyFailure {
        /// The kind, for metrics.
        kind: FailureKind = kind,
        /// For people.
        message: String = message,
    }
);

words!(
    /// How a policy can fail.
    FailureKind of decision::PolicyFailureKind {
        "error" = Error,
        "trap" = Trap,
        "deadline" = Deadline,
        "memory" = Memory,
        "invalid" = Invalid,
    }
);

object!(
    /// One rule of a policy, in the policy's own words.
    Rule of rule::Rule {
        /// As decisions name it.
        name: String = name,
        /// When it speaks, and what it concludes.
        says: String = says,
        /// Why it is so, with the source of the fact.
        because: String = because,
        /// Which evidence would lead to another conclusion.
        changed_by: String = changed_by,
    }
);

/// A look that is still to be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = explain::Awaited)]
pub struct Awaited {
    /// `flink`, a source that the policy asked for, or `review`: all is judged again at that time, since ages count.
    #[schema(value_type = schema::AwaitedLook, example = "flink")]
    pub look: String,
    /// When it begins; null if it has begun.
    #[schema(required)]
    pub due_at: Option<Moment>,
}

impl From<&explanation::Awaited> for Awaited {
    fn from(core: &explanation::Awaited) -> Self {
        let explanation::Awaited { awaiting, due } = core;
        let due_at = match due {
            explanation::Due::UnderWay => None,
            explanation::Due::At(at) => Some(Moment(*at)),
        };
        Self {
            look: awaiting.as_str().to_owned(),
            due_at,
        }
    }
}
