//! What people are told of a running policy beside what it does: its parameters as they are in force, and who signed its module.

use serde_json::{Map, Value};
use steadfast_host::Description;

use super::preparing::Prepared;
use crate::config::effective::may_be_secret;

/// Stands for a value that is not shown.
const HIDDEN: &str = "***";

/// What people are told of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Particulars {
    /// The name of the policy.
    pub(super) name: String,
    /// The sha256 of the module they are of, in hex; empty where none can be used.
    pub(super) sha256: String,
    /// Its parameters, as the configuration gives them, and else their defaults.
    pub(super) params: Map<String, Value>,
    /// The fingerprint of the key that signed the module; `None`: none was asked for.
    pub(super) signed_by: Option<String>,
}

impl Particulars {
    pub(super) fn of(policy: &Prepared) -> Self {
        let name = policy.entry.name.clone();
        match &policy.loaded {
            Some(loaded) => Self {
                name,
                sha256: loaded.module.digest().to_owned(),
                params: in_force(&loaded.config.params, Some(loaded.module.description())),
                signed_by: loaded.provenance.signed_by.map(|key| key.oci()),
            },
            None => Self {
                name,
                params: in_force(&policy.entry.params, None),
                ..Self::default()
            },
        }
    }
}

/// The parameters as given, in JSON, and the defaults of those that were not.
fn in_force(given: &str, description: Option<&Description>) -> Map<String, Value> {
    let mut params: Map<String, Value> = serde_json::from_str(given).unwrap_or_default();
    for parameter in description.into_iter().flat_map(|description| &description.parameters) {
        if !params.contains_key(&parameter.name) {
            params.insert(parameter.name.clone(), written(&parameter.default));
        }
    }
    hide(&mut params);
    params
}

/// Hides what has the name of a secret, however deep it lies.
fn hide(params: &mut Map<String, Value>) {
    fn within(value: &mut Value) {
        match value {
            Value::Object(inner) => hide(inner),
            Value::Array(items) => items.iter_mut().for_each(within),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for (name, value) in params {
        if may_be_secret(name) {
            *value = Value::from(HIDDEN);
        } else {
            within(value);
        }
    }
}

/// A default, which is written as it would be in the configuration.
fn written(default: &str) -> Value {
    let table: Option<toml::Table> = format!("value = {default}").parse().ok();
    let value = table.and_then(|mut table| table.remove("value"));
    let value = value.and_then(|value| serde_json::to_value(value).ok());
    value.unwrap_or_else(|| Value::from(default))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steadfast_host::Parameter;

    use super::*;

    #[test]
    fn what_is_given_counts_and_what_is_not_has_its_default() {
        let parameter = |name: &str, default: &str| Parameter {
            name: name.to_owned(),
            kind: String::new(),
            default: default.to_owned(),
            help: String::new(),
        };
        let description = Description {
            name: String::new(),
            version: String::new(),
            summary: String::new(),
            parameters: vec![
                parameter("window", "\"50s\""),
                parameter("share", "0.55"),
                parameter("times", "2"),
                parameter("odd", "not toml"),
            ],
            rules: Vec::new(),
        };
        let given = r#"{"times":3,"webhook_token":"t0p","auth":{"token":"t0p","of":[{"api_key":"t0p","url":"u"}]}}"#;
        assert_eq!(
            Value::from(in_force(given, Some(&description))),
            json!({"window": "50s", "share": 0.55, "times": 3, "odd": "not toml", "webhook_token": "***",
                "auth": {"token": "***", "of": [{"api_key": "***", "url": "u"}]}})
        );
        assert_eq!(Value::from(in_force("", None)), json!({}));
    }
}
