//! What differs beside the transitions, for people and for programs: from when to when an alert, a condition, a pace is another.

use serde_json::{Value, json};
use steadfast_core::replay::Span;
use steadfast_core::shown::{Apart, Aspect, Side};

use super::super::printer::one_line;

/// How many lines about one aspect are shown for a job.
const MOST: usize = 4;

/// The lines for people. Where the transitions differ too, they tell of state and attempt; what follows from another state (how
/// sure it is, why, how often it is looked at) is left to the document.
pub(super) fn lines(spans: &[Span], transitions_differ: bool) -> String {
    let mut text = String::new();
    for aspect in Aspect::ALL {
        if transitions_differ && !matches!(aspect, Aspect::Alerts | Aspect::Conditions) {
            continue;
        }
        let of_aspect: Vec<&Span> = spans.iter().filter(|span| span.what.aspect() == *aspect).collect();
        for span in of_aspect.iter().take(MOST) {
            text.push_str(&format!("  {}\n", line(span)));
        }
        let more = of_aspect.len().saturating_sub(MOST);
        if more > 0 {
            text.push_str(&format!("  {aspect} differ {more} more times\n"));
        }
    }
    text
}

fn line(Span { what, from, until }: &Span) -> String {
    let until = until.map_or_else(|| "the last snapshot".to_owned(), |until| until.to_string());
    let (kind, said) = words(what);
    format!("{kind:<8}  {from} until {until}  {said}")
}

/// The kind of a difference, and what differs.
fn words(what: &Apart) -> (&'static str, String) {
    let changed =
        |name: &str, first: String, second: String| ("changed", format!("{name} {second} instead of {first}"));
    let alone = |side: Side, said: String| match side {
        Side::First => ("removed", said),
        Side::Second => ("added", said),
    };
    match what {
        Apart::State(pair) => changed("state", pair.first.to_string(), pair.second.to_string()),
        Apart::Attempt(pair) => changed("attempt", pair.first.to_string(), pair.second.to_string()),
        Apart::Alert(alert, side) => alone(*side, format!("alert {} ({})", one_line(&alert.name), alert.scope)),
        Apart::Condition(kind, side) => alone(*side, format!("condition {kind}")),
        Apart::Confidence(pair) => changed("confidence", pair.first.to_string(), pair.second.to_string()),
        Apart::Reason(pair) => changed("reason", one_line(&pair.first), one_line(&pair.second)),
        Apart::Attention(pair) => changed("watch", pair.first.to_string(), pair.second.to_string()),
        Apart::Poll(pair) => changed("poll each", format!("{:?}", pair.first), format!("{:?}", pair.second)),
        Apart::Validation(pair) => changed(
            "looks at all anew each",
            format!("{:?}", pair.first),
            format!("{:?}", pair.second),
        ),
        Apart::Lookup(source, side) => alone(*side, format!("look-up of {}", source.as_str())),
        Apart::Asked(source, side) => alone(*side, format!("another look-up of {}", source.as_str())),
    }
}

/// One of them in a document. What only one of the two has says which: `old` is what was recorded, or the first policy.
pub(super) fn document(Span { what, from, until }: &Span) -> Value {
    let only = |side: Side| match side {
        Side::First => "old",
        Side::Second => "new",
    };
    let (what_differs, rest) = match what {
        Apart::State(pair) => ("state", json!({ "old": pair.first, "new": pair.second })),
        Apart::Attempt(pair) => ("attempt", json!({ "old": pair.first, "new": pair.second })),
        Apart::Alert(alert, side) => (
            "alert",
            json!({ "only": only(*side), "alert": alert.name, "scope": alert.scope.as_str() }),
        ),
        Apart::Condition(kind, side) => ("condition", json!({ "only": only(*side), "condition": kind })),
        Apart::Confidence(pair) => ("confidence", json!({ "old": pair.first, "new": pair.second })),
        Apart::Reason(pair) => ("reason", json!({ "old": pair.first, "new": pair.second })),
        Apart::Attention(pair) => ("attention", json!({ "old": pair.first, "new": pair.second })),
        Apart::Poll(pair) => (
            "pollAfterSeconds",
            json!({ "old": pair.first.as_secs_f64(), "new": pair.second.as_secs_f64() }),
        ),
        Apart::Validation(pair) => (
            "validateAfterSeconds",
            json!({ "old": pair.first.as_secs_f64(), "new": pair.second.as_secs_f64() }),
        ),
        Apart::Lookup(source, side) => ("lookup", json!({ "only": only(*side), "lookup": source.as_str() })),
        Apart::Asked(source, side) => ("asked", json!({ "only": only(*side), "asked": source.as_str() })),
    };
    let mut document = json!({
        "aspect": what.aspect().as_str(),
        "what": what_differs,
        "from": from.to_string(),
        "until": until.map(|until| until.to_string()),
    });
    if let (Some(document), Value::Object(rest)) = (document.as_object_mut(), rest) {
        document.extend(rest);
    }
    document
}
