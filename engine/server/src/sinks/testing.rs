//! Entries of the journal for tests.

use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::journal::{Entry, Event, Sequence};
use steadfast_core::record::AlertScope;
use steadfast_core::state::JobState;

use crate::testing::{AT, key, moved};

pub(super) fn entry(sequence: u64, job: &str, event: Event) -> Entry {
    Entry {
        sequence: Sequence(sequence),
        at: AT,
        key: key(job),
        event,
        revision: 1,
    }
}

pub(super) fn alert(name: &str, scope: AlertScope, status: AlertStatus) -> Event {
    Event::Alert(AlertEvent {
        alert: name.to_owned(),
        scope,
        status,
        since: AT,
        message: "it is so".to_owned(),
        silenced: false,
    })
}

pub(super) fn started() -> Event {
    moved(JobState::Unknown, JobState::Running)
}
