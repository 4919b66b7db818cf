//! An explanation as JSON.

use serde_json::{Map, Value, json};
use steadfast_core::explanation::{Due, Explanation};
use steadfast_core::id::PolicyName;
use steadfast_core::shadow::ShadowView;
use steadfast_core::time::Timestamp;

use crate::shadows::Comparison;

/// `{"policy", "rule", "waitsFor", "shadows", "snapshot", "decision"}`, or `"failure"` in the place of the decision. Durations are
/// seconds, a policy's memory is hex, and each piece of evidence gets `ageSeconds`, and `knownAgeSeconds` since its
/// source last said present or absent. `rule` is null if the policy does not describe it, `dueAt` of a look that is
/// under way.
pub(crate) fn to_json(
    explanation: &Explanation,
    shadows: &[(PolicyName, ShadowView)],
) -> Result<Value, serde_json::Error> {
    let shadows: Vec<Comparison> = shadows.iter().map(Comparison::from).collect();
    let mut snapshot = serde_json::to_value(&explanation.snapshot)?;
    for (_, evidence) in snapshot.as_object_mut().into_iter().flatten() {
        if let Some(evidence) = evidence.as_object_mut() {
            add_ages(evidence, explanation.snapshot.now);
        }
    }
    let (name, outcome) = match &explanation.outcome {
        Ok(decision) => ("decision", serde_json::to_value(decision)?),
        Err(failure) => ("failure", serde_json::to_value(failure)?),
    };
    let waits_for = explanation.waits_for.iter().map(|awaited| {
        let due = match awaited.due {
            Due::UnderWay => None,
            Due::At(at) => Some(at),
        };
        json!({ "look": awaited.look.as_str(), "dueAt": due })
    });
    let mut shown = json!({
        "policy": explanation.policy,
        "rule": explanation.rule,
        "waitsFor": waits_for.collect::<Vec<_>>(),
        "shadows": shadows,
        "snapshot": snapshot,
        name: outcome,
    });
    make_readable(&mut shown);
    Ok(shown)
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

#[cfg(test)]
mod tests;
