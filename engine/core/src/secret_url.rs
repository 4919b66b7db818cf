//! Addresses in which secrets may stand.

use std::fmt;
use std::sync::Arc;

/// An address in whose user info, path or query a secret may stand, as in a webhook's. Only [`SecretUrl::expose`] gives it
/// out; what is shown of it, by `Debug` too, is its scheme, host and port, and not even those where it is no such address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretUrl(Arc<str>);

/// What is shown of an address that has no scheme, host and port.
const HIDDEN: &str = "(not shown)";

impl SecretUrl {
    /// Keeps an address.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The address itself, for whoever asks there.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port; a scheme is left out where there is none.
    fn origin(&self) -> Option<String> {
        let (scheme, rest) = match self.0.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, &*self.0),
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        // A slash in a password: what stands before it is no host.
        if behind.split(['?', '#']).next().is_some_and(|path| path.contains('@')) {
            return None;
        }
        let host = authority.rsplit('@').next().unwrap_or(authority);
        match scheme {
            Some(scheme) => (is_scheme(scheme) && is_host(host)).then(|| format!("{scheme}://{host}")),
            // A bare word may be anything; with a port it is a host.
            None => (behind.is_empty() && host.len() == rest.len() && host.contains(':') && is_host(host))
                .then(|| host.to_owned()),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.len() <= 16
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A name or an address, perhaps with a port. Templates have names in braces.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.chars().all(|c| c.is_ascii_digit()) && port.len() <= 5 || port == "{rest_port}";
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '{' | '}');
    !name.is_empty() && name.chars().all(is_name) && is_port
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin().as_deref().unwrap_or(HIDDEN))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

impl From<String> for SecretUrl {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for SecretUrl {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_and_port_are_shown_and_nothing_else() {
        for (text, shown) in [
            ("https://hooks.example/T0/B0/s3cret", "https://hooks.example"),
            (
                "https://ann:s3cret@hooks.example:8443/x?key=s3cret#s3cret",
                "https://hooks.example:8443",
            ),
            ("http://ann:s3@cret@host/", "http://host"),
            ("http://[fd00::7]:8081/s3cret", "http://[fd00::7]:8081"),
            ("http://{pod_ip}:{rest_port}/s3cret", "http://{pod_ip}:{rest_port}"),
            ("ftp://host?s3cret", "ftp://host"),
            ("history:8082", "history:8082"),
        ] {
            let url = SecretUrl::from(text);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("SecretUrl({shown})"));
            assert_eq!(url.expose(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_not_shown_at_all() {
        for text in [
            "s3cret",
            "ann:s3cret",
            "ann:s3cret@host",
            "http://ann:s3/cret@host/",
            "http://ann:s3cret",
            "https//hooks.example/s3cret",
            "s3cret://x y",
            "s3-cret://host",
            "ann:s3cret/x",
            "s3cret:8082/x",
            "http://s3cret:80801x/",
            "http://s3cret:808011/",
            "0s3cret://host",
            "s3cretthatislong1://host",
            "hooks.example/s3cret",
            "",
        ] {
            assert!(!SecretUrl::from(text).to_string().contains("s3"), "{text}");
        }
    }
}
