//! What a record says is bounded and harmless, whoever wrote it.

use steadfast_core::foreign_text::{ForeignText, is_harmful};
use steadfast_core::planner::{COUNT_LIMIT, NAME_LIMIT, TEXT_LIMIT};
use steadfast_core::projection::JobView;
use steadfast_core::record::JobRecord;
use steadfast_core::state::ConditionType;
use steadfast_simulate::Sight;

/// Why what is shown of a job may not be shown.
pub fn objection(view: &JobView, sight: &Sight<'_>) -> Option<String> {
    let record = &*view.record;
    let shown = texts(record);
    let wrong = shown.iter().find_map(|(what, text, limit)| {
        let size = text.len();
        if size > *limit {
            return Some(format!("{what} has {size} bytes, more than {limit}"));
        }
        let harmful = text.chars().find(|character| is_harmful(*character))?;
        Some(format!("{what} holds {harmful:?}"))
    });
    let count = record.conditions.len().max(record.alerts.len());
    let too_many = (count > COUNT_LIMIT).then(|| format!("{count} conditions or alerts stand"));
    // Texts are cut where they come in: what the policy makes of them fits.
    let trimmed = record.condition(ConditionType::DecisionTrimmed);
    let trimmed = trimmed.map(|condition| format!("its decision was trimmed: {}", condition.message));
    let why = wrong.or(too_many).or(trimmed)?;
    Some(format!("{} at {}: {why}", record.key, sight.at))
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
