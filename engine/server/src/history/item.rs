//! What happened, as the API shows it.

use serde::Serialize;
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::journal::{Entry, Event, Unreadable};
use utoipa::ToSchema;

use crate::audit::AuditLine;
use crate::view::{AlertChange, Transition};
use crate::words::schema;

/// Something that happened to a job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HistoryItem {
    /// Its position in the journal.
    #[schema(example = 42)]
    sequence: u64,
    /// When it was decided, by Steadfast's clock.
    #[schema(format = DateTime)]
    at: String,
    /// The id of the job.
    #[schema(example = "prod/default/orders")]
    job: String,
    #[schema(value_type = schema::EventKind, example = "transition")]
    kind: &'static str,
    /// The record's revision after it.
    revision: u64,
    /// Of a transition.
    #[serde(skip_serializing_if = "Option::is_none")]
    transition: Option<Transition>,
    /// Of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<AlertChange>,
    /// Of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<AuditLine>,
    /// Of an update: how sure the state is after it. Absent in entries from before it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Confidence>)]
    confidence: Option<&'static str>,
}

/// An entry that does not read, as after damage.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UnreadableItem {
    /// Its position in the journal.
    sequence: u64,
    /// The job, as the row names it.
    job: String,
    /// Why it does not read.
    why: String,
}

impl HistoryItem {
    pub(super) fn new(entry: &Entry) -> Self {
        let bare = Self {
            sequence: entry.sequence.0,
            at: entry.at.to_string(),
            job: entry.key.to_string(),
            kind: entry.event.kind().as_str(),
            revision: entry.revision,
            transition: None,
            alert: None,
            call: None,
            confidence: None,
        };
        match &entry.event {
            Event::Transition(transition) => Self {
                transition: Some(Transition::new(entry, transition)),
                ..bare
            },
            Event::Alert(alert) => Self {
                alert: Some(AlertChange::new(entry, alert)),
                ..bare
            },
            Event::Called(call) => Self {
                call: Some(AuditLine::new(entry, call)),
                ..bare
            },
            Event::Update(confidence) => Self {
                confidence: confidence.map(|confidence| confidence.as_str()),
                ..bare
            },
            Event::Forgotten => bare,
        }
    }
}

impl UnreadableItem {
    pub(super) fn new(unreadable: &Unreadable) -> Self {
        Self {
            sequence: unreadable.sequence.0,
            // A damaged row may hold anything.
            job: ForeignText::new(&unreadable.job).into(),
            why: unreadable.why.clone(),
        }
    }
}
