//! What shadow policies would show of a job, and in what that differs from its record.

use steadfast_server::explain::{Aspect, Beside, LookupSource, Seconds, Shadow};

use super::seconds;

/// What each shadow policy would show instead.
pub(super) fn page(shadows: &[Shadow]) -> String {
    if shadows.is_empty() {
        return String::new();
    }
    let lines = shadows.iter().map(|one| {
        let compared = compared(one);
        let failed = one.failure.as_ref().map_or_else(String::new, |failure| {
            format!("\n    failed at {}: {}", failure.at, failure.message)
        });
        format!(
            "  {}: {}, {}; {compared} since {}, differed in {} of {} decisions\n    {}: {}{}{failed}\n",
            one.policy,
            one.shadow.state,
            one.shadow.confidence,
            one.since,
            one.differed,
            one.judged,
            one.shadow.reason.code,
            one.shadow.reason.message,
            beside_state(one),
        )
    });
    format!("\nShadow policies\n{}", lines.collect::<String>())
}

/// Whether they differ in state; what else they differ in is told below.
fn compared(shadow: &Shadow) -> &'static str {
    match (shadow.differs, shadow.aspects.is_empty()) {
        (true, _) => "differs",
        (false, true) => "agrees",
        (false, false) => "agrees in state",
    }
}

/// In what they differ beside the state, and in what they have differed.
fn beside_state(shadow: &Shadow) -> String {
    let Some(compared) = &shadow.compared else {
        return String::new();
    };
    let differs = |aspect| shadow.aspects.contains(&aspect);
    let mut said = String::new();
    let mut line = |text: String| said.push_str(&format!("\n    {text}"));
    if differs(Aspect::Alerts) {
        let raised = |beside: &Beside| {
            named(
                beside
                    .alerts
                    .iter()
                    .map(|alert| format!("{} ({})", alert.name, alert.scope)),
            )
        };
        line(format!(
            "alerts: {}, recorded: {}",
            raised(&compared.shadow),
            raised(&compared.decided)
        ));
    }
    if differs(Aspect::Conditions) {
        let standing = |beside: &Beside| named(beside.conditions.iter().map(|condition| condition.kind.to_string()));
        line(format!(
            "conditions: {}, recorded: {}",
            standing(&compared.shadow),
            standing(&compared.decided)
        ));
    }
    if differs(Aspect::Pace) {
        line(format!(
            "{}, recorded: {}",
            pace(&compared.shadow),
            pace(&compared.decided)
        ));
    }
    if differs(Aspect::Lookups) {
        let wanted = |beside: &Beside| {
            let of = |source: &LookupSource| {
                let asked = if beside.asked.contains(source) {
                    " (asked now)"
                } else {
                    ""
                };
                format!("{source}{asked}")
            };
            named(beside.wanted.iter().map(of))
        };
        line(format!(
            "looks up: {}, recorded: {}",
            wanted(&compared.shadow),
            wanted(&compared.decided)
        ));
    }
    let so_far = compared
        .differences
        .iter()
        .map(|one| format!("{} in {}", one.aspect, one.times));
    let so_far: Vec<String> = so_far.collect();
    if !so_far.is_empty() {
        line(format!("so far: {} of {} decisions", so_far.join(", "), shadow.judged));
    }
    said
}

fn named(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn pace(beside: &Beside) -> String {
    let spoken = |what: &str, after: &Option<Seconds>| {
        let after = after.as_ref()?;
        Some(format!("{what} each {}, ", seconds(after.0.as_secs_f64())))
    };
    let polls = spoken("polls", &beside.poll_after_seconds).unwrap_or_default();
    let validates = spoken("looks at all anew", &beside.validate_after_seconds).unwrap_or_default();
    format!("{polls}{validates}{}", beside.attention)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shadow(aspects: &Value, compared: &Value) -> Shadow {
        let reason = json!({ "code": "FlinkSays", "message": "Flink lists it so" });
        let shown =
            json!({ "state": "RUNNING", "attempt": 1, "confidence": "confirmed", "reason": reason, "rule": "flink" });
        let mut decided = shown.clone();
        decided["policy"] = "default".into();
        let mut document = json!({
            "policy": "storms", "job": "local/default/orders", "differs": false, "decided": decided, "shadow": shown,
            "since": "2026-01-31T12:00:00.000Z", "judged": 9, "differed": 0, "failure": null, "aspects": aspects,
        });
        document["compared"] = compared.clone();
        serde_json::from_value(document).unwrap()
    }

    fn beside(alerts: &Value, poll: f64) -> Value {
        json!({ "alerts": alerts, "conditions": [], "attention": "active", "pollAfterSeconds": poll, "wanted": [] })
    }

    #[test]
    fn an_alert_that_only_a_shadow_raises_is_told_and_its_state_agrees() {
        let alert =
            json!({ "name": "RestartStorm", "scope": "job", "since": "2026-01-31T12:00:00.000Z", "message": "5" });
        let compared = json!({
            "differences": [{ "aspect": "alerts", "since": "2026-01-31T12:00:00.000Z", "times": 4 },
                { "aspect": "pace", "since": null, "times": 1 }],
            "decided": beside(&json!([]), 5.0), "shadow": beside(&json!([alert]), 5.0),
        });
        let page = page(&[shadow(&json!(["alerts"]), &compared)]);
        assert!(
            page.contains("storms: RUNNING, confirmed; agrees in state since"),
            "{page}"
        );
        assert!(
            page.contains("\n    alerts: RestartStorm (job), recorded: none\n"),
            "{page}"
        );
        assert!(
            page.contains("\n    so far: alerts in 4, pace in 1 of 9 decisions\n"),
            "{page}"
        );
        assert!(!page.contains("polls each"), "only what differs now: {page}");
    }

    #[test]
    fn what_an_earlier_engine_says_is_told_as_it_was() {
        let page = page(&[shadow(&json!([]), &Value::Null)]);
        assert!(page.contains("; agrees since") && !page.contains("so far"), "{page}");
    }
}
