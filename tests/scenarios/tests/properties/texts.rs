//! What records and evidence say is bounded and harmless, whoever wrote it.

use serde_json::Value;
use steadfast_core::foreign_text::{ForeignText, is_harmful};
use steadfast_core::planner::{COUNT_LIMIT, NAME_LIMIT, TEXT_LIMIT};
use steadfast_core::projection::JobView;
use steadfast_core::record::JobRecord;
use steadfast_core::recording::Recorded;
use steadfast_core::state::ConditionType;
use steadfast_server::explain::Snapshot;
use steadfast_simulate::Sight;

/// Why what is shown of a job may not be shown.
pub fn objection(view: &JobView, sight: &Sight<'_>) -> Option<String> {
    let record = &*view.record;
    let shown = texts(record);
    let wrong = shown.iter().find_map(|(what, text, limit)| in_text(what, text, *limit));
    let count = record.conditions.len().max(record.alerts.len());
    let too_many = (count > COUNT_LIMIT).then(|| format!("{count} conditions or alerts stand"));
    // Texts are cut where they come in: what the policy makes of them fits.
    let trimmed = record.condition(ConditionType::DecisionTrimmed);
    let trimmed = trimmed.map(|condition| format!("its decision was trimmed: {}", condition.message));
    let why = wrong.or(too_many).or(trimmed)?;
    Some(format!("{} at {}: {why}", record.key, sight.at))
}

/// What is wrong with a text that may have so many bytes.
fn in_text(what: &str, text: &str, limit: usize) -> Option<String> {
    let size = text.len();
    if size > limit {
        return Some(format!("{what} has {size} bytes, more than {limit}"));
    }
    let harms = |character: &char| character.is_control() || is_harmful(*character);
    let harmful = text.chars().find(harms)?;
    Some(format!("{what} holds {harmful:?}"))
}

/// Why what was shown to a policy, and is shown by `/explain`, may not be.
pub fn objection_to_evidence(recorded: &[Recorded]) -> Option<String> {
    recorded.iter().find_map(|one| {
        let shown = serde_json::to_value(Snapshot::from(&one.snapshot)).expect("a snapshot is JSON");
        let mut evidence = shown.as_object()?.iter();
        // The record is looked at where it stands.
        let wrong = evidence.find_map(|(key, value)| (key != "record").then(|| in_value(key, value))?)?;
        Some(format!("evidence of {} at {}: {wrong}", one.key(), one.at()))
    })
}

fn in_value(key: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => in_text(key, text, ForeignText::LIMIT),
        Value::Array(items) => items.iter().find_map(|item| in_value(key, item)),
        Value::Object(members) => members.iter().find_map(|(key, value)| in_value(key, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Every text of a record that came from outside or was made of such, with the most bytes that it may have.
fn texts(record: &JobRecord) -> Vec<(String, &str, usize)> {
    let mut texts = vec![
        ("reason.code".to_owned(), record.reason.code.as_str(), NAME_LIMIT),
        ("reason.message".to_owned(), record.reason.message.as_str(), TEXT_LIMIT),
    ];
    for condition in &record.conditions {
        texts.push((condition.kind.to_string(), condition.message.as_str(), TEXT_LIMIT));
    }
    for alert in &record.alerts {
        texts.push(("an alert's name".to_owned(), alert.name.as_str(), NAME_LIMIT));
        texts.push((alert.name.clone(), alert.message.as_str(), TEXT_LIMIT));
    }
    let author = record.intent.as_ref().and_then(|intent| intent.author.as_deref());
    let deployment = record.incarnation.deployment_name.as_deref();
    texts.extend(author.map(|name| ("the author of its intent".to_owned(), name, ForeignText::LIMIT)));
    texts.extend(deployment.map(|name| ("the name of its Deployment".to_owned(), name, ForeignText::LIMIT)));
    texts
}
