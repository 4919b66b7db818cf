//! `steadfast:policy@0.2.0`.

// wasmtime's derives implement unsafe traits; their code is checked by wasmtime's own tests, not here.
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/wit",
        world: "policy",
    });
}

// The same source for each version: only the types it meets here are others.
#[allow(clippy::duplicate_mod)]
#[path = "../translate/calls.rs"]
mod calls;

use generated::steadfast::policy::types;

pub(super) use calls::prepare;

/// What this version says in its own way.
mod own {
    use steadfast_core::record::JobRecord;

    use super::calls::snapshot::at;
    use super::calls::snapshot::record::{alert, condition, confidence, incarnation, intent, mode, reason, state};
    use super::types;

    /// The record as it stands.
    pub(super) fn record(record: &JobRecord) -> types::JobRecord {
        let target = &record.key.target;
        types::JobRecord {
            cluster: target.cluster.as_str().to_owned(),
            namespace: target.namespace.as_str().to_owned(),
            name: target.name.as_ref().to_owned(),
            mode: mode(record.mode),
            labels: record
                .labels
                .iter()
                .map(|(name, value)| types::Label {
                    name: name.to_owned(),
                    value: value.to_owned(),
                })
                .collect(),
            state: state(record.state),
            confidence: confidence(record.confidence),
            reason: reason(&record.reason),
            since: at(record.since),
            confirmed_at: record.confirmed_at.map(at),
            incarnation: incarnation(&record.incarnation),
            conditions: record.conditions.iter().filter_map(condition).collect(),
            alerts: record.alerts.iter().filter_map(alert).collect(),
            intent: record.intent.as_ref().map(intent),
            revision: record.revision,
        }
    }

    /// A fault this contract has no word for.
    pub(super) const OTHER_FAULT: types::FaultKind = types::FaultKind::Other;
}
