//! What the API asks of the reconcile loop.

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use steadfast_core::decision::{Decision, PolicyFailure};
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::projection::JobView;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::Intent;
use steadfast_core::time::Timestamp;

use crate::problem::Problem;

/// The loop, as far as the API may reach into it.
#[async_trait]
pub trait Control: Send + Sync {
    /// Notes what somebody wants of a job. The record is committed when this returns.
    async fn intend(&self, job: &JobKey, intent: Intent) -> Result<JobView, ControlError>;

    /// Judges a job now, to show what was seen and decided; nothing is carried out.
    async fn explain(&self, job: &JobKey) -> Result<Explanation, ControlError>;

    /// Removes a job's record. Its removal is committed when this returns.
    async fn forget(&self, job: &JobKey) -> Result<(), ControlError>;
}

/// Why the loop did not do it. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no record of that job.
    #[error("no such job")]
    NoSuchJob,
    /// A `[[job]]` of the configuration names it: forgotten, it would be back at once.
    #[error("the configuration names this job; remove its [[job]] entry and restart instead")]
    Configured,
    /// The store or the loop cannot do it now.
    #[error("{0}")]
    Unavailable(String),
}

impl ControlError {
    pub(crate) fn problem(self, job: &JobKey) -> Problem {
        match self {
            Self::NoSuchJob => Problem::not_found(format!("there is no job {job}; GET /api/v1/jobs lists all")),
            Self::Configured => Problem::new(http::StatusCode::CONFLICT, self.to_string()),
            Self::Unavailable(why) => Problem::unavailable(format!("{why}; nothing has changed, try again")),
        }
    }
}

/// What was seen of a job, and what its policy made of it.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// All that was known.
    pub snapshot: Snapshot,
    /// What was decided; its `rule` names the rule that spoke.
    pub decision: Result<Decision, PolicyFailure>,
    /// Who decided.
    pub policy: PolicyName,
}

impl Explanation {
    /// As JSON: `{"policy", "snapshot", "decision"}` or `"failure"` in the place of the decision. Durations are
    /// seconds, a policy's memory is hex, and each piece of evidence gets `ageSeconds`, and `knownAgeSeconds`
    /// since its source last said present or absent.
    pub(crate) fn to_json(&self) -> Result<Value, serde_json::Error> {
        let mut snapshot = serde_json::to_value(&self.snapshot)?;
        for (_, evidence) in snapshot.as_object_mut().into_iter().flatten() {
            if let Some(evidence) = evidence.as_object_mut() {
                add_ages(evidence, self.snapshot.now);
            }
        }
        let (name, outcome) = match &self.decision {
            Ok(decision) => ("decision", serde_json::to_value(decision)?),
            Err(failure) => ("failure", serde_json::to_value(failure)?),
        };
        let mut explanation = json!({ "policy": self.policy, "snapshot": snapshot, name: outcome });
        make_readable(&mut explanation);
        Ok(explanation)
    }
}

fn add_ages(evidence: &mut Map<String, Value>, now: Timestamp) {
    for (moment, age) in [("observedAt", "ageSeconds"), ("knownAt", "knownAgeSeconds")] {
        let at = evidence.get(moment).and_then(Value::as_str).and_then(Timestamp::parse);
        if let Some(at) = at {
            evidence.insert(age.to_owned(), json!(now.since(at).as_secs_f64()));
        }
    }
}

fn make_readable(value: &mut Value) {
    if let Some(seconds) = as_seconds(value) {
        *value = json!(seconds);
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_array() {
                    Some(bytes) if name == "memory" => *member = json!(hex(bytes)),
                    Some(_) | None => make_readable(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_readable),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A duration as serde writes it: seconds and nanoseconds.
fn as_seconds(value: &Value) -> Option<f64> {
    let members = value.as_object().filter(|members| members.len() == 2)?;
    let (seconds, nanos) = (members.get("secs")?.as_u64()?, members.get("nanos")?.as_u64()?);
    let nanos = u32::try_from(nanos).ok()?;
    Some(std::time::Duration::new(seconds, nanos).as_secs_f64())
}

fn hex(bytes: &[Value]) -> String {
    let bytes = bytes.iter().filter_map(Value::as_u64);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
