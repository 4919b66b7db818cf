//! Alerts on their way out.

use serde::{Deserialize, Serialize};

use crate::record::AlertScope;
use crate::time::Timestamp;

/// An alert that began or ended, as sinks deliver it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// Its name in CamelCase.
    pub alert: String,
    /// What it is about.
    pub scope: AlertScope,
    /// Whether it began or ended.
    pub status: AlertStatus,
    /// When it began to stand.
    pub since: Timestamp,
    /// For people.
    pub message: String,
}

/// Whether an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// It began.
    Firing,
    /// It ended.
    Resolved,
}
