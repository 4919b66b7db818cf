//! Alerts, as records have them and as they are told.
//!
//! What they may be about is told in words of which none may be new (see [`super::condition`]): an earlier build reads that one
//! about a policy is about the cluster, and tells it once for all jobs as well.

use serde::{Deserialize, Serialize};
use steadfast_core::{alert, record};

use super::event::AlertStatus;
use super::record::AlertScope;
use super::scalar::Moment;
use crate::format::shape::Shape;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StandingAlert {
    name: String,
    scope: AlertScope,
    since: Moment,
    message: String,
    /// Missing where the scope says it all, and in records from before there were others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precisely: Option<Later>,
    /// Missing where it is not, and from before alerts could be silenced.
    #[serde(default, skip_serializing_if = "is_false")]
    silenced: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AlertEvent {
    alert: String,
    scope: AlertScope,
    status: AlertStatus,
    since: Moment,
    message: String,
    /// As above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precisely: Option<Later>,
    /// Missing where it is not, and from before alerts could be silenced.
    #[serde(default, skip_serializing_if = "is_false")]
    silenced: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(silenced: &bool) -> bool {
    !silenced
}

/// The scopes that came later.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Later {
    Policy,
}

impl Later {
    fn of(scope: record::AlertScope) -> Option<Self> {
        match scope {
            record::AlertScope::Policy => Some(Self::Policy),
            record::AlertScope::Job | record::AlertScope::Cluster => None,
        }
    }

    fn or(later: Option<Self>, scope: AlertScope) -> record::AlertScope {
        match later {
            Some(Self::Policy) => record::AlertScope::Policy,
            None => scope.into_core(),
        }
    }
}

impl Shape for StandingAlert {
    type Core = record::StandingAlert;

    fn of(core: &record::StandingAlert) -> Self {
        let record::StandingAlert {
            name,
            scope,
            since,
            message,
            silenced,
        } = core;
        Self {
            name: name.clone(),
            scope: AlertScope::of(scope),
            since: Moment::of(since),
            message: message.clone(),
            precisely: Later::of(*scope),
            silenced: *silenced,
        }
    }

    fn into_core(self) -> record::StandingAlert {
        record::StandingAlert {
            name: self.name,
            scope: Later::or(self.precisely, self.scope),
            since: self.since.into_core(),
            message: self.message,
            silenced: self.silenced,
        }
    }
}

impl Shape for AlertEvent {
    type Core = alert::AlertEvent;

    fn of(core: &alert::AlertEvent) -> Self {
        let alert::AlertEvent {
            alert,
            scope,
            status,
            since,
            message,
            silenced,
        } = core;
        Self {
            alert: alert.clone(),
            scope: AlertScope::of(scope),
            status: AlertStatus::of(status),
            since: Moment::of(since),
            message: message.clone(),
            precisely: Later::of(*scope),
            silenced: *silenced,
        }
    }

    fn into_core(self) -> alert::AlertEvent {
        alert::AlertEvent {
            alert: self.alert,
            scope: Later::or(self.precisely, self.scope),
            status: self.status.into_core(),
            since: self.since.into_core(),
            message: self.message,
            silenced: self.silenced,
        }
    }
}
