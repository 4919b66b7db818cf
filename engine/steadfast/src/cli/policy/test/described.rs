//! What a policy says about itself, held to what it does: people configure it and read its decisions by that.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use steadfast_core::decision::{Decide, Decision, Interrupt, PolicyFailure};
use steadfast_core::rule::Rule;
use steadfast_core::snapshot::Snapshot;
use steadfast_host::{Description, LoadError, Parameter, Policy};
use steadfast_reconcile::PolicySetup;

use super::Verdict;

/// The kinds of parameters that the contract knows.
const KINDS: [&str; 5] = ["integer", "number", "duration", "string", "boolean"];
/// How many snapshots of stories are kept, to try the defaults on.
const KEPT: usize = 5000;

/// Whether each parameter is of a known kind, and is what it is said to be while nobody gives it: alone and with its default it is
/// taken, and the policy decides as with no parameters.
pub(super) fn parameters(policy: &Policy, snapshots: &[Snapshot]) -> Verdict {
    let declared = &policy.description().parameters;
    let broken = with_none(policy).map_or_else(
        |refused| required(declared).is_none().then_some(refused),
        |mut none| {
            let decided = decisions(&mut none, snapshots);
            declared
                .iter()
                .find_map(|one| parameter(policy, one, snapshots, &decided))
        },
    );
    Verdict {
        what: format!(
            "describe: the kinds and the defaults of its {} parameters",
            declared.len()
        ),
        broken: kinds(declared).or(broken),
    }
}

fn kinds(declared: &[Parameter]) -> Option<String> {
    let unknown = declared.iter().find(|one| !KINDS.contains(&one.kind.as_str()))?;
    Some(format!(
        "parameter `{}` is of the kind `{}`; one of {}",
        unknown.name,
        unknown.kind,
        KINDS.join(", ")
    ))
}

fn with_none(policy: &Policy) -> Result<Policy, String> {
    policy.with_params("{}").map_err(|error| {
        format!(
            "`configure` refuses `{{}}`, although each parameter has a default: {}",
            said(&error)
        )
    })
}

/// A parameter without a default: such a policy cannot do without.
fn required(declared: &[Parameter]) -> Option<&Parameter> {
    declared.iter().find(|one| one.default.is_empty())
}

fn parameter(
    policy: &Policy,
    parameter: &Parameter,
    tried: &[Snapshot],
    expected: &[Result<Decision, PolicyFailure>],
) -> Option<String> {
    let Parameter { name, default, .. } = parameter;
    if default.is_empty() {
        return None;
    }
    let value = match default_of(parameter) {
        Ok(value) => value,
        Err(mistake) => return Some(mistake),
    };
    let mut given = match policy.with_params(&json!({ name: value }).to_string()) {
        Ok(given) => given,
        Err(error) => {
            return Some(format!(
                "parameter `{name}` is described, and `configure` refuses it with its default {default}: {}",
                said(&error)
            ));
        }
    };
    let place = decisions(&mut given, tried)
        .iter()
        .zip(expected)
        .position(|(found, expected)| found != expected)?;
    let at = tried.get(place)?;
    Some(format!(
        "parameter `{name}` given as its default {default} decides otherwise than left out, of {} at {}; `describe` must say \
         what it is without",
        at.record.key, at.now
    ))
}

/// A default as `configure` would be given it.
fn default_of(parameter: &Parameter) -> Result<Value, String> {
    let Parameter {
        name, kind, default, ..
    } = parameter;
    let written: Option<toml::Value> = toml::from_str::<toml::Table>(&format!("it = {default}"))
        .ok()
        .and_then(|table| table.get("it").cloned());
    let fits = match (&written, kind.as_str()) {
        (Some(toml::Value::Integer(_)), "integer" | "number")
        | (Some(toml::Value::Float(_)), "number")
        | (Some(toml::Value::String(_)), "string" | "duration")
        | (Some(toml::Value::Boolean(_)), "boolean") => written,
        _ => None,
    };
    let value = fits.and_then(|value| serde_json::to_value(value).ok());
    value.ok_or_else(|| {
        format!(
            "parameter `{name}` has the default `{default}`, which is no {kind} as config.toml would have it (texts and durations \
             stand in quotes)"
        )
    })
}

fn said(error: &LoadError) -> String {
    if let LoadError::Params { message, .. } = error {
        return message.to_string();
    }
    error.to_string()
}

fn decisions(policy: &mut Policy, snapshots: &[Snapshot]) -> Vec<Result<Decision, PolicyFailure>> {
    snapshots.iter().map(|snapshot| policy.decide(snapshot)).collect()
}

/// The rules that spoke in all that was tried, and what the stories showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoke(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    rules: BTreeSet<String>,
    shown: Vec<Snapshot>,
}

impl Spoke {
    /// A policy whose rules are noted.
    pub(super) fn over(&self, decide: Box<dyn Decide>) -> Box<dyn Decide> {
        Box::new(Heard {
            decide,
            spoke: self.clone(),
            is_kept: false,
        })
    }

    /// The same policies for the engine of a story: what they are shown is kept.
    pub(super) fn over_all(&self, setups: Vec<PolicySetup>) -> Vec<PolicySetup> {
        let noted = |setup: PolicySetup| PolicySetup {
            decide: Box::new(Heard {
                decide: setup.decide,
                spoke: self.clone(),
                is_kept: true,
            }),
            ..setup
        };
        setups.into_iter().map(noted).collect()
    }

    /// What the stories showed.
    pub(super) fn shown(&self) -> Vec<Snapshot> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.shown.clone()
    }

    /// Whether each is described: `explain` shows a rule's words by its name.
    pub(super) fn verdict(&self, description: &Description) -> Verdict {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spoke = &noted.rules;
        let is_known = |name: &String| description.rules.iter().any(|rule| rule.name == *name);
        let unknown: Vec<String> = spoke
            .iter()
            .filter(|name| !is_known(name))
            .map(|name| named(name))
            .collect();
        Verdict {
            what: format!("describe: the {} rules that spoke", spoke.len()),
            broken: (!unknown.is_empty()).then(|| {
                format!(
                    "`describe` has no rule {}; `steadfast explain` would show nothing of what it says and why",
                    unknown.join(", ")
                )
            }),
        }
    }
}

fn named(rule: &str) -> String {
    if rule.is_empty() {
        "`` (a decision whose `rule` is empty)".to_owned()
    } else {
        format!("`{rule}`")
    }
}

/// A policy whose rules are noted.
struct Heard {
    decide: Box<dyn Decide>,
    spoke: Spoke,
    /// Whether what it is shown is kept.
    is_kept: bool,
}

impl Decide for Heard {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let outcome = self.decide.decide(snapshot);
        if let Ok(decision) = &outcome {
            let mut noted = self.spoke.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !noted.rules.contains(&decision.rule) {
                noted.rules.insert(decision.rule.clone());
            }
            if self.is_kept && noted.shown.len() < KEPT {
                noted.shown.push(snapshot.clone());
            }
        }
        outcome
    }

    fn end_batch(&mut self) {
        self.decide.end_batch();
    }

    fn interrupt(&self) -> Option<Interrupt> {
        self.decide.interrupt()
    }

    fn rule(&self, name: &str) -> Option<Rule> {
        self.decide.rule(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::policy::sample;
    use steadfast_host::{PolicyEngine, PolicyLimits, builtin};

    fn declared(kind: &str, default: &str) -> Parameter {
        Parameter {
            name: "patience".into(),
            kind: kind.into(),
            default: default.into(),
            help: String::new(),
        }
    }

    #[test]
    fn a_default_is_of_its_kind() {
        for (kind, default) in [
            ("integer", "2"),
            ("number", "2"),
            ("number", "0.5"),
            ("duration", "\"15s\""),
            ("string", "\"\""),
            ("boolean", "false"),
        ] {
            assert!(default_of(&declared(kind, default)).is_ok(), "{kind} {default}");
        }
        for (kind, default) in [
            ("integer", "0.5"),
            ("duration", "15s"),
            ("string", "[1]"),
            ("boolean", "\"yes\""),
        ] {
            let mistake = default_of(&declared(kind, default)).unwrap_err();
            assert!(mistake.contains(&format!("which is no {kind}")), "{mistake}");
        }
        let mistake = kinds(&[declared("integer", "2"), declared("int", "2")]).unwrap();
        assert!(
            mistake.starts_with("parameter `patience` is of the kind `int`; one of integer, "),
            "{mistake}"
        );
    }

    #[test]
    fn a_policy_is_as_it_says_or_told_where_not() {
        let engine = PolicyEngine::new(None).unwrap();
        let load = |params| engine.load("mine", builtin::CONSERVATIVE, params, PolicyLimits::default());
        let policy = load("{}").unwrap();
        let recorded = sample::decisions().unwrap();
        let snapshots: Vec<Snapshot> = recorded.into_iter().map(|one| one.snapshot).collect();
        assert_eq!(parameters(&policy, &snapshots).broken, None);

        let expected = decisions(&mut policy.with_params("{}").unwrap(), &snapshots);
        let broken = |name: &str, kind: &str, default: &str| {
            let declared = Parameter {
                name: name.into(),
                ..declared(kind, default)
            };
            parameter(&policy, &declared, &snapshots, &expected).unwrap_or_default()
        };
        let lying = broken("unreachable_after", "duration", "\"1ms\"");
        assert!(
            lying.contains("given as its default \"1ms\" decides otherwise than left out"),
            "{lying}"
        );
        let refused = broken("patience", "integer", "2");
        assert!(
            refused.contains("`configure` refuses it") && refused.contains("`patience` is no parameter"),
            "{refused}"
        );
    }

    #[test]
    fn a_rule_that_is_not_described_is_named_and_an_empty_one_too() {
        let engine = PolicyEngine::new(None).unwrap();
        let policy = engine
            .load("mine", builtin::NAIVE, "{}", PolicyLimits::default())
            .unwrap();
        let spoke = Spoke::default();
        let mut heard = spoke.over(Box::new(policy.another()));
        for one in sample::decisions().unwrap() {
            heard.decide(&one.snapshot).unwrap();
        }
        assert_eq!(spoke.verdict(policy.description()).broken, None);
        let more = ["forgotten".to_owned(), String::new()];
        spoke.0.lock().unwrap().rules.extend(more);
        let broken = spoke.verdict(policy.description()).broken.unwrap();
        assert!(
            broken.starts_with("`describe` has no rule `` (a decision whose `rule` is empty), `forgotten`; "),
            "{broken}"
        );
    }
}
