//! Names: of what becomes part of a job's id, and of what Kubernetes has.

use toml::Spanned;

use super::Checker;

/// The longest name of a namespace, in bytes.
const LABEL: usize = 63;
/// The longest name of a Deployment, in bytes.
const SUBDOMAIN: usize = 253;

impl Checker<'_> {
    pub(super) fn name(&mut self, name: &Spanned<String>, key: &str) -> String {
        let text = name.get_ref();
        let rule = format!("{key} `{text}` cannot be a part of a job's id");
        if text.is_empty() || text.contains('/') || text.chars().any(char::is_control) {
            self.refuse(name.span(), rule, "use a name without slashes that is not empty");
        } else if matches!(text.as_str(), "." | "..") {
            let rule = format!("{rule}: in the job's URL it would stand for another place");
            self.refuse(name.span(), rule, "use a name that is more than one or two dots");
        }
        text.clone()
    }

    pub(super) fn namespaces(&mut self, names: &[Spanned<String>]) -> Vec<String> {
        let key = "kubernetes.namespaces";
        names.iter().map(|name| self.namespace(name, key)).collect()
    }

    /// What Kubernetes can have for a namespace: to look in another one is to look at nothing, for ever.
    pub(super) fn namespace(&mut self, name: &Spanned<String>, key: &str) -> String {
        let text = name.get_ref();
        if text == "*" {
            let rule = format!("{key} `*` is no namespace");
            self.refuse(name.span(), rule, "leave namespaces out: that is all of them");
        } else if !is_label(text) || text.len() > LABEL {
            self.refuse(
                name.span(),
                format!("{key} `{text}` cannot be the name of a Kubernetes namespace"),
                "write one of `kubectl get namespaces`: at most 63 lower-case letters, digits and `-`",
            );
        }
        text.clone()
    }

    /// What Kubernetes can have for a Deployment.
    pub(super) fn deployment(&mut self, name: &Spanned<String>, key: &str) -> String {
        let text = name.get_ref();
        if text.len() > SUBDOMAIN || !text.split('.').all(is_label) {
            self.refuse(
                name.span(),
                format!("{key} `{text}` cannot be the name of a Deployment"),
                "write one of `kubectl get deployments`: lower-case letters, digits, `-` and `.`; where the job is to have another \
                 name, add deployment = \"NAME\"",
            );
        }
        text.clone()
    }
}

/// A label as of RFC 1123, but for its length.
fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| is_inner(*byte))
        && bytes.last().is_some_and(|byte| is_inner(*byte))
        && bytes.iter().all(|byte| is_inner(*byte) || *byte == b'-')
}
