//! `[[policy]]`, beside what [`super::trust`] says of its module.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use steadfast_host::MAX_POLICIES;
use steadfast_modules::{ModuleRef, Trust};
use steadfast_reconcile::{Select, Share};
use toml::Spanned;

use super::{Checker, Policy, file};
use crate::config::values::Percent;

impl Checker<'_> {
    pub(super) fn policies(&mut self, entries: &[file::Policy]) -> Vec<Policy> {
        let mut names = BTreeSet::new();
        let mut policies: Vec<Policy> = Vec::new();
        for entry in entries {
            let name = self.name(&entry.name, "policy.name");
            if !names.insert(name.clone()) {
                self.refuse(
                    entry.name.span(),
                    format!("two [[policy]] entries are named `{name}`"),
                    "give each its own name",
                );
            }
            if let Some(key) = unwritable(&entry.params) {
                self.refuse(
                    entry.name.span(),
                    format!("policy `{name}`: params.{key} is no finite number"),
                    "write a number; a parameter that is left out has its default",
                );
            }
            let deadline = self.span("policy.deadline", entry.deadline.as_ref(), Duration::from_millis(50));
            let module = self.module(&entry.module);
            policies.push(Policy {
                trust: self.trust(entry, &module),
                module,
                select: Select {
                    namespace: entry.select.namespace.clone(),
                    name: entry.select.name.clone(),
                },
                rollout: entry.rollout.as_ref().map_or(Share::ALL, |share| self.share(share)),
                params: serde_json::to_string(&entry.params).unwrap_or_default(),
                deadline,
                memory: entry.memory.as_ref().map_or(64 << 20, |size| size.get_ref().0),
                shadow: entry.shadow,
                name,
            });
        }
        if let Some(first_too_many) = entries.get(MAX_POLICIES) {
            self.refuse(
                first_too_many.name.span(),
                format!(
                    "there are {} [[policy]] entries, and one engine runs at most {MAX_POLICIES}",
                    entries.len()
                ),
                "give several groups of jobs one policy, with what differs in its params",
            );
        }
        if entries.is_empty() {
            policies.push(Policy {
                name: "default".into(),
                module: ModuleRef::Builtin("conservative".into()),
                trust: Trust::default(),
                select: Select::all(),
                rollout: Share::ALL,
                params: "{}".into(),
                deadline: Duration::from_millis(50),
                memory: 64 << 20,
                shadow: false,
            });
        } else if let Some(first) = entries.first()
            && entries.iter().all(|entry| entry.shadow)
        {
            self.refuse(
                first.name.span(),
                "every [[policy]] is a shadow, so none decides",
                "add one with module = \"builtin:conservative\"",
            );
        }
        policies
    }

    fn share(&mut self, share: &Spanned<Percent>) -> Share {
        let Percent(text) = share.get_ref();
        let percent = text
            .strip_suffix('%')
            .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let read = percent.and_then(|number| number.parse().ok()).and_then(Share::percent);
        read.unwrap_or_else(|| {
            self.refuse(
                share.span(),
                format!("policy.rollout `{text}` is not a share of all jobs"),
                "write whole percent from \"0%\" to \"100%\", such as \"20%\"",
            );
            Share::ALL
        })
    }
}

/// Where a number stands that JSON, in which a policy gets its parameters, has no word for: it would be told as null.
fn unwritable(params: &BTreeMap<String, toml::Value>) -> Option<String> {
    fn is_unwritable(value: &toml::Value) -> bool {
        match value {
            toml::Value::Float(number) => !number.is_finite(),
            toml::Value::Array(values) => values.iter().any(is_unwritable),
            toml::Value::Table(table) => table.iter().any(|(_, value)| is_unwritable(value)),
            toml::Value::String(_) | toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => {
                false
            }
        }
    }
    let mut found = params.iter().filter(|(_, value)| is_unwritable(value));
    found.next().map(|(key, _)| key.clone())
}
