//! Alerts on their way out.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::record::AlertScope;
use crate::state::word;
use crate::time::Timestamp;

/// An alert that began or ended, as sinks deliver it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertEvent {
    /// Its name in CamelCase.
    pub alert: String,
    /// What it is about.
    pub scope: AlertScope,
    /// Whether it began or ended.
    pub status: AlertStatus,
    /// When it began to stand.
    pub since: Timestamp,
    /// A sentence for people; rules and filters go by the name.
    pub message: String,
    /// Sinks are not told: it began under a [silence](crate::silences), or ends without that its beginning was told.
    pub silenced: bool,
}

/// Whether an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum AlertStatus {
    /// It began to stand with this entry.
    Firing,
    /// It no longer stands.
    Resolved,
}

word!(AlertStatus);
