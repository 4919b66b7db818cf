//! `[[sink]]`: who is told of transitions and alerts.

use std::collections::BTreeSet;
use std::time::Duration;

use steadfast_core::secret_url::SecretUrl;
use steadfast_server::sinks::cursor_name;
use toml::Spanned;

use super::quote::is_word;
use super::{Checker, file};
use crate::config::Sink;

/// How long an event is offered where the file does not say.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest name, in bytes.
const NAME: usize = 63;

impl Checker<'_> {
    pub(super) fn sinks(&mut self, entries: &[file::Sink]) -> Vec<Sink> {
        let mut names = BTreeSet::new();
        entries
            .iter()
            .map(|entry| {
                let sink = self.sink(entry);
                if !names.insert(sink.name.clone()) {
                    let place = entry.name.as_ref().unwrap_or(&entry.url).span();
                    let rule = match &entry.name {
                        Some(_) => format!("two [[sink]] entries are named `{}`", sink.name),
                        None => "two [[sink]] entries have the same url and no name".to_owned(),
                    };
                    self.refuse(
                        place,
                        rule,
                        "give each its own name: its place in the journal is kept under it",
                    );
                }
                sink
            })
            .collect()
    }

    fn sink(&mut self, entry: &file::Sink) -> Sink {
        if entry.kind.get_ref() != "webhook" {
            self.refuse(
                entry.kind.span(),
                if is_word(entry.kind.get_ref()) {
                    format!("sink.kind knows no `{}`", entry.kind.get_ref())
                } else {
                    "sink.kind is none that is known".to_owned()
                },
                "use \"webhook\"",
            );
        }
        let url = SecretUrl::from(entry.url.get_ref().as_str());
        let is_http = |url: reqwest::Url| ["http", "https"].contains(&url.scheme());
        // A URL parser leaves out line feeds; whoever wrote one meant something else.
        let has_control = url.expose().contains(char::is_control);
        if has_control || !url.expose().parse::<reqwest::Url>().is_ok_and(is_http) {
            self.refuse(
                entry.url.span(),
                format!("sink.url `{url}` is not an HTTP address"),
                "write a URL that begins with http:// or https://",
            );
        }
        Sink {
            name: match &entry.name {
                Some(name) => self.sink_name(name),
                None => cursor_name(&url),
            },
            max_age: self.span("sink.max_age", entry.max_age.as_ref(), MAX_AGE),
            url,
        }
    }

    fn sink_name(&mut self, name: &Spanned<String>) -> String {
        let text = name.get_ref();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > NAME || !text.bytes().all(is_name) {
            self.refuse(
                name.span(),
                "sink.name cannot be the name of a sink",
                "use 1 to 63 letters, digits, `-`, `_` and `.`; metrics and the log show it",
            );
        }
        text.clone()
    }
}
