//! What a policy's parameters and its module name, and an exploration tries: spans of time and labels.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use steadfast_core::duration::parse_duration;
use steadfast_core::labels::{is_name, is_value};
use steadfast_verify::Settings;

use super::super::super::printer;
use crate::run::LoadedPolicy;

/// A span that a policy waits for is over a moment later.
const A_MOMENT: Duration = Duration::from_secs(1);
/// What is shorter is made of the usual spans.
const USUAL: Duration = Duration::from_secs(600);
/// No span is longer: after a year nobody waits.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);
/// So many spans are followed along lines, ...
const SPANS: usize = 8;
/// ... and so many of the longest are tried everywhere.
const EVERYWHERE: usize = 2;
/// So many values of labels are tried.
const VALUES: usize = 8;
/// So many names of labels.
const NAMES: usize = 20_000;

/// Tells an exploration what the policy is about.
pub(super) fn tell(settings: &mut Settings, loaded: &LoadedPolicy, module: &[u8], may_wait: bool) {
    let description = loaded.module.description();
    let params: Value = serde_json::from_str(&loaded.config.params).unwrap_or(Value::Null);
    let mut texts = BTreeSet::new();
    gather(&params, &mut texts);
    for parameter in &description.parameters {
        if params.get(&parameter.name).is_none()
            && let Ok(table) = toml::from_str::<toml::Table>(&format!("default = {}", parameter.default))
            && let Ok(default) = serde_json::to_value(table)
        {
            gather(default.get("default").unwrap_or(&Value::Null), &mut texts);
        }
    }
    settings.spans = spans(&texts);
    if may_wait {
        let long = settings
            .spans
            .iter()
            .rev()
            .copied()
            .filter(|span| *span > USUAL + A_MOMENT);
        settings.waits.extend(long.take(EVERYWHERE));
    }
    let (labels, is_cut) = labels(&texts, module);
    settings.labels.extend(labels);
    if is_cut {
        printer::note(&format!(
            "the module has more texts that may be names of labels than the {NAMES} that are tried; name those that matter with --label"
        ));
    }
}

/// Every text in a value, the keys of its tables too. A text may be JSON itself.
fn gather(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => gather(&inner, texts),
            Ok(_) | Err(_) => {
                texts.insert(text.clone());
            }
        },
        Value::Array(list) => list.iter().for_each(|value| gather(value, texts)),
        Value::Object(table) => {
            for (key, value) in table {
                texts.insert(key.clone());
                gather(value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Just beyond each span that is named, the shortest first; of many the longest.
fn spans(texts: &BTreeSet<String>) -> Vec<Duration> {
    let spans = texts.iter().filter_map(|text| parse_duration(text));
    let spans: BTreeSet<Duration> = spans.filter(|span| !span.is_zero() && *span <= LONGEST).collect();
    let skipped = spans.len().saturating_sub(SPANS);
    spans.into_iter().skip(skipped).map(|span| span + A_MOMENT).collect()
}

/// Labels that may matter: every name that is found, with every value. Whether names were left out.
fn labels(texts: &BTreeSet<String>, module: &[u8]) -> (Vec<(String, String)>, bool) {
    let (mut names, is_cut) = names_in(module);
    names.extend(texts.iter().filter(|text| is_name(text)).cloned());
    let values = texts
        .iter()
        .filter(|text| !text.is_empty() && is_value(text) && parse_duration(text).is_none());
    let values: BTreeSet<&str> = std::iter::once("true")
        .chain(values.map(String::as_str))
        .take(VALUES)
        .collect();
    let pairs = values
        .iter()
        .flat_map(|value| names.iter().map(|name| (name.clone(), (*value).to_owned())));
    (pairs.collect(), is_cut)
}

/// Whether a text that stands among others is a domain: Kubernetes takes more.
fn is_domain(text: &str) -> bool {
    let top = text.rsplit('.').next().unwrap_or_default();
    text.contains('.') && top.len() > 1 && top.bytes().all(|b| b.is_ascii_lowercase())
}

/// Names of labels with a domain that stand in a module. A compiler puts texts side by side, so each may begin and end anywhere
/// around its slash.
/// There may be as many as the square of that: no more are made than are tried. Says whether there are more.
fn names_in(module: &[u8]) -> (BTreeSet<String>, bool) {
    let is_of_name = |b: &u8| b.is_ascii_alphanumeric() || b"-_./".contains(b);
    let runs = module
        .split(move |b| !is_of_name(b))
        .filter(|run| run.len() >= 5 && run.contains(&b'/'));
    let texts = runs.filter_map(|run| std::str::from_utf8(run).ok());
    let found = texts.flat_map(|text| text.match_indices('/').flat_map(move |(at, _)| around(text, at)));
    let mut names = BTreeSet::new();
    for name in found {
        if names.len() == NAMES {
            return (names, true);
        }
        names.insert(name);
    }
    (names, false)
}

/// The longest a domain and a name are looked for around a slash.
const AROUND: usize = 40;

fn around(text: &str, at: usize) -> impl Iterator<Item = String> {
    let domains = (at.saturating_sub(AROUND)..at)
        .filter_map(move |from| text.get(from..at))
        .filter(|domain| is_domain(domain));
    domains.flat_map(move |domain| {
        (at + 2..=text.len().min(at + 1 + AROUND))
            .filter_map(move |to| Some(format!("{domain}/{}", text.get(at + 1..to)?)))
            .filter(|name| is_name(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &Value) -> BTreeSet<String> {
        let mut texts = BTreeSet::new();
        gather(value, &mut texts);
        texts
    }

    #[test]
    fn spans_are_found_wherever_they_stand_and_a_moment_longer() {
        let params =
            serde_json::json!({ "give_up": "61m", "teams": "{\"a\": {\"after\": \"7d\"}}", "count": 5, "none": "0s" });
        let wanted = [3_661, 604_801].map(Duration::from_secs);
        assert_eq!(spans(&texts(&params)), wanted);
    }

    #[test]
    fn no_more_names_are_made_than_are_tried() {
        let module: Vec<u8> = (0..100_000)
            .flat_map(|number| format!("a{number}.example.com/tier{number}abcdefghijklmnop\0").into_bytes())
            .collect();
        let (names, is_cut) = names_in(&module);
        assert_eq!((names.len(), is_cut), (NAMES, true));
        assert!(names.iter().all(|name| is_name(name)), "{names:?}");
        let (names, is_cut) = names_in(b"\0example.com/a1\0");
        assert!(names.contains("example.com/a1") && !is_cut, "{names:?}");
    }

    #[test]
    fn labels_are_named_by_parameters_and_by_the_module() {
        let params = serde_json::json!({ "team_label": "app.kubernetes.io/team", "teams": "{\"payments\": {}}" });
        let module = b"\0brokenexample.com/tierterminated\0src/lib.rs\0";
        let (found, is_cut) = labels(&texts(&params), module);
        assert!(!is_cut);
        for pair in [
            ("app.kubernetes.io/team", "payments"),
            ("example.com/tier", "true"),
            ("example.com/tier", "payments"),
        ] {
            let pair = (pair.0.to_owned(), pair.1.to_owned());
            assert!(found.contains(&pair), "{pair:?}");
        }
        assert!(found.iter().all(|(name, _)| !name.starts_with("src/")), "{found:?}");
    }
}
