//! From entries of the journal to messages, purely.

use steadfast_core::id::{ClusterName, Namespace};
use steadfast_core::journal::Entry;
use steadfast_core::projection::Projection;
use steadfast_core::time::Timestamp;

use super::alertmanager::Alerts;
use super::cause::by_cause;
use super::chat::Chat;
use super::cloud_event;
use super::kubernetes_event;
use super::message::{Message, Told, id, json};
use super::selection::Selection;
use super::telling::Telling;
use super::template::Template;

/// What turns entries into messages.
#[derive(Debug)]
pub enum Renderer {
    /// Each entry as a CloudEvent.
    CloudEvents,
    /// Each entry about a job of that cluster as an Event there; a test in that namespace.
    KubernetesEvents(ClusterName, Namespace),
    /// Each entry as a template has it.
    Each(Template),
    /// The entries of one cause together, as a template has them or as they usually are.
    ByCause(Option<Template>, Shape),
    /// What fires.
    Alerts(Alerts),
}

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// For a group chat.
    Chat(Chat),
    /// The text of a mail; its title is the subject.
    Mail,
}

/// What messages are made of, beside the entries.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The identity of the store.
    pub(super) store_id: &'a str,
    pub(super) selection: &'a Selection,
    /// The committed records, at the entries or ahead of them.
    pub(super) records: &'a Projection,
    pub(super) now: Timestamp,
}

impl Renderer {
    /// How many entries are looked at together. Those that are told one by one are in small batches: the cursor is written
    /// behind each, and after a crash as many come again, under the same ids.
    pub(super) const fn batch(&self) -> u32 {
        match self {
            Self::CloudEvents | Self::KubernetesEvents(..) | Self::Each(_) => 32,
            Self::ByCause(..) | Self::Alerts(_) => 500,
        }
    }

    /// The messages that tell of those entries, which the selection has let pass.
    pub(super) fn messages(&self, entries: &[&Entry], context: Context<'_>) -> Vec<Message> {
        match self {
            Self::CloudEvents => {
                let events = entries.iter().filter_map(|entry| cloud_event(context.store_id, entry));
                events.collect()
            }
            Self::KubernetesEvents(cluster, _) => {
                let write = |entry: &&Entry| kubernetes_event::write(context.store_id, entry, cluster, context.records);
                entries.iter().filter_map(write).collect()
            }
            Self::Each(template) => entries
                .iter()
                .flat_map(|entry| by_cause(&[*entry]))
                .filter_map(|(cause, entries)| {
                    let telling = Telling::new(context.store_id, &cause, &entries);
                    let text = telling.text(Some(template));
                    says_something(&text).then(|| message(context.store_id, &entries, telling.title, text))
                })
                .collect(),
            Self::ByCause(template, shape) => by_cause(entries)
                .into_iter()
                .filter_map(|(cause, entries)| {
                    let telling = shape.telling(Telling::new(context.store_id, &cause, &entries));
                    let text = telling.text(template.as_ref());
                    says_something(&text).then(|| message(context.store_id, &entries, telling.title, shape.body(&text)))
                })
                .collect(),
            // Nothing that waits: what is told of those is made at each try, by `courier::standing`.
            Self::Alerts(_) => Vec::new(),
        }
    }

    /// A message that tells of nothing but that it came.
    pub fn test(&self, sink: &str, now: Timestamp) -> Message {
        let title = format!("a test of the sink {sink} of Steadfast: nothing has happened");
        let id = format!("test-{}", now.as_millis());
        let body = match self {
            Self::CloudEvents => cloud_event::test(&id, sink, now),
            Self::KubernetesEvents(_, namespace) => kubernetes_event::test(&id, &title, namespace.as_str(), now),
            Self::Each(_) => json(&serde_json::json!({"test": title})),
            Self::ByCause(_, shape) => shape.body(&title),
            Self::Alerts(alerts) => alerts.test(&title, now),
        };
        Message {
            id,
            title,
            body,
            place: None,
            tells_of: Vec::new(),
        }
    }
}

impl Shape {
    /// What is told, as it is safe to be told there.
    fn telling(self, telling: Telling) -> Telling {
        match self {
            Self::Chat(_) => telling.tamed(),
            Self::Mail => telling,
        }
    }

    fn body(self, text: &str) -> String {
        match self {
            Self::Chat(chat) => chat.body(text),
            Self::Mail => text.to_owned(),
        }
    }
}

/// What a template makes nothing of is not told: it is how a template leaves events out.
fn says_something(text: &str) -> bool {
    !text.is_empty()
}

fn message(store_id: &str, entries: &[&Entry], title: String, body: String) -> Message {
    Message {
        id: entries
            .first()
            .map(|first| id(store_id, first.sequence))
            .unwrap_or_default(),
        title,
        body,
        place: None,
        tells_of: entries.iter().map(|entry| Told::from(*entry)).collect(),
    }
}

fn cloud_event(store_id: &str, entry: &Entry) -> Option<Message> {
    match cloud_event::write(store_id, entry) {
        Ok(event) => Some(message(store_id, &[entry], String::new(), event?)),
        Err(error) => {
            tracing::error!(sequence = entry.sequence.0, %error, "an event cannot be written");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use steadfast_core::alert::AlertStatus;
    use steadfast_core::record::AlertScope;

    use super::*;
    use crate::sinks::selection::Events;
    use crate::sinks::testing::{alert, entry};
    use crate::testing::AT;

    #[test]
    fn what_a_template_makes_nothing_of_is_left_out() {
        let template = Template::new("{% if status == \"firing\" %}{{ title }}{% endif %}\n").unwrap();
        let of = |status| alert("JobLost", AlertScope::Job, status);
        let entries = [
            entry(1, "a/n/x", of(AlertStatus::Firing)),
            entry(2, "a/n/x", of(AlertStatus::Resolved)),
        ];
        let entries: Vec<&Entry> = entries.iter().collect();
        let (selection, records) = (Selection::all(Events::All), Projection::default());
        let context = Context {
            store_id: "store",
            selection: &selection,
            records: &records,
            now: AT,
        };
        for renderer in [
            Renderer::Each(template.clone()),
            Renderer::ByCause(Some(template.clone()), Shape::Chat(Chat::Slack)),
            Renderer::ByCause(Some(template), Shape::Mail),
        ] {
            let messages = renderer.messages(&entries, context);
            let told: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
            assert_eq!(told, ["store-1"], "{renderer:?}");
        }
    }
}
