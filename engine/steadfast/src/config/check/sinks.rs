//! `[[sink]]`: who is told of transitions and alerts.

mod cluster;
mod keys;
mod mail;
mod web;

use std::collections::BTreeSet;
use std::time::Duration;

use steadfast_core::secret_url::SecretUrl;
use steadfast_core::state::JobState;
use steadfast_server::sinks::{Events, Receiver, Selection, Template, cursor_name, try_template};
use toml::Spanned;

use super::quote::is_word;
use super::{Checker, file};
use crate::config::Sink;

use keys::{KINDS, Kind};
pub(super) use web::{Ways, names_user};

/// How long an event is offered where the file does not say.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// The same for Events of Kubernetes, which an API server keeps for an hour.
const MAX_AGE_OF_EVENTS: Duration = Duration::from_secs(60 * 60);
/// How long the first event waits for others, where people read and the file does not say.
const BATCH_WAIT: Duration = Duration::from_secs(5);
/// The longest name, in bytes.
const NAME: usize = 63;

const fn max_age(kind: Kind) -> Duration {
    match kind {
        Kind::Webhook | Kind::Alertmanager | Kind::Chat(_) | Kind::Email => MAX_AGE,
        Kind::KubernetesEvent => MAX_AGE_OF_EVENTS,
    }
}

impl Checker<'_> {
    pub(super) fn sinks(&mut self, entries: &[file::Sink], clusters: &[file::Kubernetes]) -> Vec<Sink> {
        let mut names = BTreeSet::new();
        let mut sinks = Vec::new();
        for entry in entries {
            let Some(sink) = self.sink(entry, clusters) else {
                continue;
            };
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
            sinks.push(sink);
        }
        sinks
    }

    fn sink(&mut self, entry: &file::Sink, clusters: &[file::Kubernetes]) -> Option<Sink> {
        let Some(kind) = Kind::parse(entry.kind.get_ref()) else {
            let known: Vec<String> = KINDS.iter().map(|kind| format!("\"{}\"", kind.as_str())).collect();
            self.refuse(
                entry.kind.span(),
                if is_word(entry.kind.get_ref()) {
                    format!("sink.kind knows no `{}`", entry.kind.get_ref())
                } else {
                    "sink.kind is none that is known".to_owned()
                },
                format!("use one of {}", known.join(", ")),
            );
            if !entry.url.get_ref().is_empty() && !entry.url.get_ref().starts_with("smtp") {
                self.http_url(&entry.url, "sink.url");
            }
            return None;
        };
        self.foreign_keys(entry, kind);
        let receiver = self.receiver(entry, kind, clusters);
        let name = self.checked_name(entry, kind);
        let reads = matches!(kind, Kind::Chat(_) | Kind::Email);
        Some(Sink {
            name,
            max_age: self.span("sink.max_age", entry.max_age.as_ref(), max_age(kind)),
            selection: self.selection(entry.select.as_ref(), kind),
            batch_wait: entry.batch_wait.as_ref().map_or(
                if reads { BATCH_WAIT } else { Duration::ZERO },
                // 0s is no mistake: each event is told at once.
                |wait| wait.get_ref().0,
            ),
            receiver: receiver?,
        })
    }

    /// The name under which its place is kept. That of a file's URL would change with what the file holds.
    fn checked_name(&mut self, entry: &file::Sink, kind: Kind) -> String {
        if let Some(name) = &entry.name {
            return self.sink_name(name);
        }
        let rule = match (kind, &entry.url_file) {
            (Kind::Webhook, None) => return cursor_name(&SecretUrl::from(entry.url.get_ref().as_str())),
            (Kind::Webhook, Some(_)) => "a sink with a url_file has no name".to_owned(),
            (Kind::Alertmanager | Kind::Chat(_) | Kind::Email | Kind::KubernetesEvent, _) => {
                format!("a sink of kind `{}` has no name", kind.as_str())
            }
        };
        let fix = "add name = \"...\": its place in the journal is kept under it";
        self.refuse(entry.kind.span(), rule, fix);
        // Two that lack a name are no two of one name.
        format!("without-a-name-{}", entry.kind.span().start)
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

    /// Keys that say nothing to that kind.
    fn foreign_keys(&mut self, entry: &file::Sink, kind: Kind) {
        for (key, place) in entry.given() {
            if !kind.keys().contains(&key) {
                let rule = format!("sink.{key} says nothing to a sink of kind `{}`", kind.as_str());
                let fix = format!("remove the key; known here: {}", kind.keys().join(", "));
                self.refuse(place, rule, fix);
            }
        }
    }

    fn receiver(&mut self, entry: &file::Sink, kind: Kind, clusters: &[file::Kubernetes]) -> Option<Receiver> {
        self.says_where(entry, kind)?;
        let template = entry.template.as_ref().and_then(|template| self.template(template));
        Some(match kind {
            Kind::Webhook => Receiver::Webhook {
                http: self.http_receiver(entry),
                template,
            },
            Kind::Alertmanager => Receiver::Alertmanager {
                http: self.http_receiver(entry),
                resend: self.resend(entry.resend.as_ref()),
                labels: self.alert_labels(entry.labels.as_ref()),
            },
            Kind::Chat(chat) => Receiver::Chat {
                chat,
                http: self.http_receiver(entry),
                template,
            },
            Kind::Email => Receiver::Email {
                mail: self.mail_receiver(entry)?,
                template,
            },
            Kind::KubernetesEvent => self.event_receiver(entry, clusters)?,
        })
    }

    /// Whether an entry has one address, and not two, where its kind has any.
    fn says_where(&mut self, entry: &file::Sink, kind: Kind) -> Option<()> {
        if kind == Kind::KubernetesEvent {
            return Some(());
        }
        let may_be_in_a_file = kind.keys().contains(&"url_file");
        match (entry.url.get_ref().is_empty(), &entry.url_file) {
            (false, Some(file)) if may_be_in_a_file => {
                self.refuse(
                    file.span(),
                    "a sink has both url and url_file",
                    "remove one of them; what a file holds stands in no configuration",
                );
                None
            }
            // Of one that is not for its kind it is told already.
            (false, _) => Some(()),
            (true, Some(_)) => may_be_in_a_file.then_some(()),
            (true, None) => {
                let or = if may_be_in_a_file {
                    "; or url_file = \"...\": a file that holds it"
                } else {
                    ""
                };
                self.refuse(
                    entry.kind.span(),
                    format!("a sink of kind `{}` has no url", kind.as_str()),
                    format!("add url = \"...\": where it is told{or}"),
                );
                None
            }
        }
    }

    fn template(&mut self, source: &Spanned<String>) -> Option<Template> {
        let tried = Template::new(source.get_ref()).and_then(|template| try_template(&template).map(|()| template));
        match tried {
            Ok(template) => Some(template),
            Err(error) => {
                let rule = match error.line {
                    // What it says of the text may quote it.
                    Some(line) => format!("sink.template cannot be used: {} in its line {line}", error.kind),
                    None => format!("sink.template cannot be used: {}", error.kind),
                };
                self.refuse(
                    source.span(),
                    rule,
                    "docs/sinks.md says what a template may name, and has examples",
                );
                None
            }
        }
    }

    fn selection(&mut self, select: Option<&Spanned<file::SinkSelect>>, kind: Kind) -> Selection {
        // People are told of what somebody has to do; programs of everything.
        let usual = match kind {
            Kind::Webhook | Kind::KubernetesEvent => Events::All,
            Kind::Alertmanager | Kind::Chat(_) | Kind::Email => Events::Alerts,
        };
        let Some(select) = select else {
            return Selection::all(usual);
        };
        let file::SinkSelect {
            cluster,
            namespace,
            name,
            labels,
            states,
            alerts_only,
        } = select.get_ref();
        let events = match alerts_only {
            Some(true) => Events::Alerts,
            Some(false) => Events::All,
            // Who names states wants to hear of them.
            None if states.is_some() => Events::All,
            None => usual,
        };
        if let Some(states) = states
            && (events == Events::Alerts || kind == Kind::Alertmanager)
        {
            self.refuse(
                states.span(),
                "sink.select.states is about transitions, and this sink is told of alerts alone",
                "remove it, or set alerts_only = false for a sink that is not an Alertmanager",
            );
        }
        let all = Selection::all(events);
        let globs = |given: &Option<Vec<String>>, all: Vec<String>| given.clone().unwrap_or(all);
        Selection {
            cluster: globs(cluster, all.cluster),
            namespace: globs(namespace, all.namespace),
            name: globs(name, all.name),
            labels: labels.clone(),
            states: states.iter().flat_map(|states| self.states(states.get_ref())).collect(),
            events,
        }
    }

    fn states(&mut self, states: &[Spanned<String>]) -> Vec<JobState> {
        let mut known = Vec::new();
        for state in states {
            match JobState::parse(state.get_ref()) {
                Some(state) => known.push(state),
                None => {
                    let words: Vec<&str> = JobState::ALL.iter().map(|state| state.as_str()).collect();
                    self.refuse(
                        state.span(),
                        "sink.select.states has a word that is no state",
                        format!("use {}", words.join(", ")),
                    );
                }
            }
        }
        known
    }
}
