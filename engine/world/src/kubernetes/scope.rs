//! What a request is about: path, query and selectors.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::objects::{Key, Kind};

/// A request's parameters.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn of(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    pub(super) fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// Whether a flag is set.
    pub(super) fn is_set(&self, key: &str) -> bool {
        matches!(self.get(key), "1" | "true")
    }

    pub(super) fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key).parse().ok()
    }
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Objects of a kind: all, those of a namespace, or one.
    Objects {
        kind: Kind,
        namespace: Option<String>,
        name: Option<String>,
    },
    /// A pod's log.
    Log { namespace: String, name: String },
    /// Anything else.
    Other(String),
}

impl Subject {
    pub(super) fn of(path: &str) -> Self {
        let other = || Self::Other(path.to_owned());
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group_version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return other(),
        };
        let (namespace, plural, name) = match rest {
            ["namespaces", namespace, "pods", name, "log"] if group_version == "v1" => {
                return Self::Log {
                    namespace: (*namespace).to_owned(),
                    name: (*name).to_owned(),
                };
            }
            ["namespaces"] => (None, "namespaces", None),
            ["namespaces", name] => (None, "namespaces", Some(*name)),
            ["namespaces", namespace, plural] => (Some(*namespace), *plural, None),
            ["namespaces", namespace, plural, name] => (Some(*namespace), *plural, Some(*name)),
            [plural] => (None, *plural, None),
            _ => return other(),
        };
        Kind::find(&group_version, plural).map_or_else(other, |kind| Self::Objects {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
        })
    }
}

/// Which objects a request is about.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) kind: Kind,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    labels: String,
    fields: String,
}

impl Scope {
    pub(super) fn of(subject: &Subject, query: &Query) -> Option<Self> {
        let Subject::Objects { kind, namespace, name } = subject else {
            return None;
        };
        Some(Self {
            kind: *kind,
            namespace: namespace.clone(),
            name: name.clone(),
            labels: query.get("labelSelector").to_owned(),
            fields: query.get("fieldSelector").to_owned(),
        })
    }

    /// Whether the object is among them.
    pub(super) fn holds(&self, key: &Key, object: &Value) -> bool {
        key.kind == self.kind
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == key.namespace)
            && self.name.as_ref().is_none_or(|name| *name == key.name)
            && labels_match(&self.labels, &object["metadata"]["labels"])
            && fields_match(&self.fields, object)
    }
}

/// Equality, set and existence terms, joined by commas.
fn labels_match(selector: &str, labels: &Value) -> bool {
    let label = |key: &str| labels.get(key.trim()).and_then(Value::as_str);
    terms(selector).into_iter().all(|term| {
        if let Some((head, values)) = term.trim_end().trim_end_matches(')').split_once('(') {
            let mut words = head.split_whitespace();
            let (key, operator) = (words.next().unwrap_or_default(), words.next());
            let is_in = values.split(',').any(|value| Some(value.trim()) == label(key));
            is_in == (operator == Some("in"))
        } else if let Some((key, value)) = term.split_once("!=") {
            label(key) != Some(value.trim())
        } else if let Some((key, value)) = term.split_once('=') {
            label(key) == Some(value.trim_start_matches('=').trim())
        } else if let Some(key) = term.trim().strip_prefix('!') {
            label(key).is_none()
        } else {
            label(term).is_some()
        }
    })
}

/// The terms of a selector: commas within parentheses part values, not terms.
fn terms(selector: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = selector.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.filter(|term| !term.trim().is_empty()).collect()
}

fn fields_match(selector: &str, object: &Value) -> bool {
    selector.split(',').filter(|term| !term.is_empty()).all(|term| {
        let Some((path, value)) = term.split_once('=') else {
            return false;
        };
        let (path, wanted) = path.strip_suffix('!').map_or((path, true), |path| (path, false));
        let found = path.split('.').try_fold(object, |at, part| at.get(part));
        let text = found.map_or_else(String::new, |found| {
            found.as_str().map_or_else(|| found.to_string(), str::to_owned)
        });
        (text == value.trim_start_matches('=')) == wanted
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_of_every_form_are_understood() {
        let labels = json!({ "app": "orders", "type": "flink-native-kubernetes", "component": "jobmanager" });
        for good in [
            "",
            "app=orders",
            "app==orders",
            "app",
            "!missing",
            "app!=other",
            "type in (flink-native-kubernetes,flink-standalone-kubernetes),component=jobmanager",
            "type notin (a, b)",
        ] {
            assert!(labels_match(good, &labels), "{good}");
        }
        for bad in [
            "app=other",
            "!app",
            "missing",
            "app!=orders",
            "type in (a,b)",
            "type notin (flink-native-kubernetes)",
        ] {
            assert!(!labels_match(bad, &labels), "{bad}");
        }
    }

    #[test]
    fn fields_are_found_by_their_path() {
        let object = json!({ "metadata": { "name": "a" }, "type": "Warning" });
        assert!(fields_match("metadata.name=a,type!=Normal", &object));
        assert!(!fields_match("metadata.name=b", &object));
        assert!(!fields_match("spec.nodeName=n", &object));
    }

    #[test]
    fn paths_name_what_they_are_about() {
        let objects = |kind, namespace: Option<&str>, name: Option<&str>| Subject::Objects {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        assert_eq!(
            Subject::of("/apis/apps/v1/deployments"),
            objects(Kind::Deployment, None, None)
        );
        assert_eq!(
            Subject::of("/api/v1/namespaces/a/pods/p"),
            objects(Kind::Pod, Some("a"), Some("p"))
        );
        assert_eq!(
            Subject::of("/api/v1/namespaces/a"),
            objects(Kind::Namespace, None, Some("a"))
        );
        let log = Subject::Log {
            namespace: "a".into(),
            name: "p".into(),
        };
        assert_eq!(Subject::of("/api/v1/namespaces/a/pods/p/log"), log);
        assert_eq!(Subject::of("/apis/apps/v1"), Subject::Other("/apis/apps/v1".into()));
    }
}
