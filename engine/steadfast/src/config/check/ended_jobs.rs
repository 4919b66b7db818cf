//! The keys of a cluster that say where a job's end is read when its Flink is gone.

use steadfast_core::secret_url::SecretUrl;
use steadfast_sources::job_results::Location;
use steadfast_sources::last_words::{Pattern, PatternError};
use toml::Spanned;

use super::quote::without_user;
use super::{Checker, file};
use crate::config::EndedJobs;

impl Checker<'_> {
    pub(super) fn ended_jobs(&mut self, entry: &file::Kubernetes) -> EndedJobs {
        let archive = entry.archive.iter();
        EndedJobs {
            archive: archive.filter_map(|url| self.location("archive", url)).collect(),
            history_server: entry.history_server.as_ref().and_then(|url| self.history_server(url)),
            job_result_store: entry
                .job_result_store
                .as_ref()
                .and_then(|url| self.location("job_result_store", url)),
            last_words: entry.last_words.as_ref().and_then(|text| self.last_words(text)),
        }
    }

    fn location(&mut self, key: &str, url: &Spanned<String>) -> Option<Location> {
        Location::parse(url.get_ref())
            .map_err(|error| {
                self.refuse(
                    url.span(),
                    format!("{key} `{}` {error}", without_user(url.get_ref())),
                    error.fix(),
                );
            })
            .ok()
    }

    /// Without a slash at its end, since paths are appended.
    fn history_server(&mut self, url: &Spanned<String>) -> Option<SecretUrl> {
        let text = url.get_ref();
        let is_web = text.parse::<reqwest::Url>().is_ok_and(|url| {
            ["http", "https"].contains(&url.scheme()) && url.query().is_none() && url.fragment().is_none()
        });
        if !is_web {
            self.refuse(
                url.span(),
                format!(
                    "history_server `{}` is not an HTTP address",
                    SecretUrl::from(text.as_str())
                ),
                "write the URL under which its web page opens, such as \"http://history:8082\"",
            );
        }
        is_web.then(|| SecretUrl::from(text.trim_end_matches('/')))
    }

    fn last_words(&mut self, text: &Spanned<String>) -> Option<Pattern> {
        Pattern::parse(text.get_ref())
            .map_err(|error| {
                let (why, fix) = match &error {
                    // The last line of the syntax error says what; those above draw the pattern once more.
                    PatternError::Syntax(cause) => (
                        cause
                            .to_string()
                            .lines()
                            .last()
                            .map(|line| format!(": {}", line.trim())),
                        "correct the pattern; within '...' no backslash needs another one",
                    ),
                    PatternError::Group(_) => (
                        None,
                        "name where the 32 hex digits and the word stand: '(?P<job>[0-9a-f]{32}) .* (?P<state>[A-Z]+)'",
                    ),
                };
                self.refuse(
                    text.span(),
                    format!("last_words {error}{}", why.unwrap_or_default()),
                    fix,
                );
            })
            .ok()
    }
}
