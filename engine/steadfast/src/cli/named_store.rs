//! What is wrong with a store that an option names: it is not `store.url` that is to be corrected then.

use anyhow::anyhow;
use steadfast_core::journal::JournalError;

/// The same error, with the option where a configuration's key would be named.
pub(super) fn in_option(option: &str, error: JournalError) -> anyhow::Error {
    match error {
        JournalError::Unusable(rule) => anyhow!(
            rule.replace(", or with --store sqlite://PATH", "")
                .replace("store.url = ", &format!("{option} "))
                .replace("in store.url", &format!("with {option}"))
                .replace("store.url", option)
        ),
        error @ (JournalError::Failed { .. } | JournalError::Refused { .. }) => error.into(),
    }
}

/// Refuses a URL that lacks its slashes: it would be taken for a path, or for no scheme at all.
pub(super) fn with_slashes(option: &str, url: &str) -> anyhow::Result<()> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.starts_with("//") => Err(anyhow!(
            "{option} `{url}` lacks the slashes of a URL; write sqlite://{}",
            path.trim_start_matches('/')
        )),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_stands_where_the_key_did() {
        for (rule, told) in [
            ("correct store.url", "correct --record"),
            (
                "there is no file x; name the one that is meant in store.url, or with --store sqlite://PATH",
                "there is no file x; name the one that is meant with --record",
            ),
            ("store.url has the scheme `none`", "--record has the scheme `none`"),
            (
                "store.url = \"sqlite://\" names no file",
                "--record \"sqlite://\" names no file",
            ),
        ] {
            let error = in_option("--record", JournalError::Unusable(rule.to_owned()));
            assert_eq!(error.to_string(), told);
        }
    }
}
