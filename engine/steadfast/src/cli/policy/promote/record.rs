//! What a shadow has differed in since it became one, asked of the engine before its counts begin anew.

use serde_json::Value;

use super::super::super::client::{Client, ServerOptions};
use super::super::super::printer;

/// What the running engine has compared of a shadow, in a sentence; `None`: there is no such engine, or it compares no such
/// shadow.
pub(super) async fn of(name: &str, server: &ServerOptions) -> Option<String> {
    let page = Client::new(server).ok()?.get("/api/v1/shadows?limit=1").await.ok()?;
    told(name, &page)
}

fn told(name: &str, page: &Value) -> Option<String> {
    let policies = page.get("policies")?.as_array()?;
    let policy = policies
        .iter()
        .find(|policy| policy.get("policy").and_then(Value::as_str) == Some(name))?;
    let count = |of: &Value, member: &str| of.get(member).and_then(Value::as_u64).unwrap_or_default();
    let (jobs, judged) = (count(policy, "jobs"), count(policy, "judged"));
    if judged == 0 {
        return Some(format!(
            "as a shadow, `{name}` was compared with nothing yet: what it would have shown is not known"
        ));
    }
    let head = format!(
        "as a shadow, `{name}` was compared {}, on {}",
        counted(judged, "time"),
        counted(jobs, "job")
    );
    let Some(aspects) = policy.get("aspects").and_then(Value::as_array) else {
        let differed = count(policy, "differed");
        return Some(format!(
            "{head}: it differed in state {}; this engine does not say what of alerts and the rest",
            counted(differed, "time")
        ));
    };
    let differing = aspects
        .iter()
        .filter(|aspect| count(aspect, "differed") > 0)
        .map(|aspect| {
            let word = aspect.get("aspect").and_then(Value::as_str).unwrap_or("?");
            let (times, now) = (count(aspect, "differed"), count(aspect, "jobs"));
            format!("{word} {}, on {} now", counted(times, "time"), counted(now, "job"))
        });
    let differing: Vec<String> = differing.collect();
    let failures = match count(policy, "failures") {
        0 => String::new(),
        failures => format!("; it failed {}", counted(failures, "time")),
    };
    Some(if differing.is_empty() {
        format!("{head}, and differed in nothing{failures}")
    } else {
        format!("{head}, and differed in {}{failures}", differing.join("; in "))
    })
}

fn counted(count: u64, noun: &str) -> String {
    printer::counted(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(aspects: &Value) -> Value {
        json!({ "policies": [
            { "policy": "other", "jobs": 1, "judged": 1, "differed": 0, "failures": 0, "aspects": [] },
            { "policy": "storms", "jobs": 6, "judged": 900, "differed": 0, "failures": 2, "aspects": aspects },
        ] })
    }

    #[test]
    fn what_it_differed_in_is_told_by_aspect() {
        let aspects = json!([
            { "aspect": "state", "jobs": 0, "differed": 0 },
            { "aspect": "alerts", "jobs": 1, "differed": 40 },
            { "aspect": "pace", "jobs": 0, "differed": 3 },
        ]);
        assert_eq!(
            told("storms", &page(&aspects)).unwrap(),
            "as a shadow, `storms` was compared 900 times, on 6 jobs, and differed in alerts 40 times, on 1 job now; \
             in pace 3 times, on 0 jobs now; it failed 2 times"
        );
        assert!(told("other", &page(&aspects)).unwrap().ends_with("differed in nothing"));
        assert_eq!(told("nobody", &page(&aspects)), None);
    }

    #[test]
    fn an_engine_that_compares_states_alone_is_not_taken_for_one_that_found_nothing() {
        let told = told("storms", &page(&Value::Null)).unwrap();
        assert!(told.contains("does not say what of alerts"), "{told}");
    }

    #[test]
    fn a_shadow_that_was_compared_with_nothing_says_so() {
        let page = json!({ "policies": [{ "policy": "new", "jobs": 0, "judged": 0, "aspects": [] }] });
        assert!(told("new", &page).unwrap().contains("not known"));
    }
}
