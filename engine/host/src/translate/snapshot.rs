//! From the core's snapshot to the contract's.

mod facts;
pub(crate) mod record;

use std::time::Duration;

use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observed};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;

use super::{own, types};

/// Writes a snapshot.
pub(crate) fn to_contract(snapshot: &Snapshot) -> types::Snapshot {
    types::Snapshot {
        now: at(snapshot.now),
        engine_since: at(snapshot.engine_since),
        job: own::record(&snapshot.record),
        flink: snapshot.flink.as_ref().map(facts::flink),
        exceptions: snapshot.exceptions.as_ref().map(facts::exceptions),
        checkpoints: snapshot.checkpoints.as_ref().map(facts::checkpoints),
        deployment: snapshot.deployment.as_ref().map(facts::deployment),
        deletion: snapshot.deletion.as_ref().map(|deletion| types::Deletion {
            uid: deletion.uid.as_str().to_owned(),
            seen_at: at(deletion.seen_at),
        }),
        pods: snapshot.pods.as_ref().map(facts::pods),
        events: snapshot.events.as_ref().map(facts::events),
        ha_data: snapshot.ha_data.as_ref().map(facts::ha_data),
        last_words: snapshot.last_words.as_ref().map(facts::job_end),
        archive: snapshot.archive.as_ref().map(facts::job_end),
        flink_resource: snapshot.flink_resource.as_ref().map(facts::flink_resource),
        task_managers: snapshot.task_managers.as_ref().map(facts::pods),
        fleet: fleet(snapshot.fleet),
        timing: timing(&snapshot.timing),
    }
}

fn fleet(fleet: Fleet) -> types::Fleet {
    types::Fleet {
        targets: fleet.targets,
        dark: fleet.dark,
    }
}

fn timing(timing: &Timing) -> types::Timing {
    types::Timing {
        poll: millis(timing.poll),
        timeout: millis(timing.timeout),
        validate: millis(timing.validate),
        retry_initial: millis(timing.retry_initial),
        retry_max: millis(timing.retry_max),
        startup_grace: millis(timing.startup_grace),
        terminal_poll: millis(timing.terminal_poll),
    }
}

/// The moment of an evidence, and the contract's answer made of its three cases.
fn evidence<T, A>(
    evidence: &Evidence<T>,
    present: impl FnOnce(&T) -> A,
    absent: A,
    unknown: impl FnOnce(types::Fault) -> A,
) -> (types::Looks, A) {
    let looks = types::Looks {
        asked_at: at(evidence.asked_at),
        observed_at: at(evidence.observed_at),
        known_at: evidence.known_at.map(at),
        unknown_since: evidence.unknown_since.map(at),
        failures: evidence.failures,
    };
    let answer = match &evidence.latest {
        Observed::Present(value) => present(value),
        Observed::Absent => absent,
        Observed::Unknown(reason) => unknown(fault(reason)),
    };
    (looks, answer)
}

fn fault(fault: &Fault) -> types::Fault {
    types::Fault {
        kind: match fault.kind {
            FaultKind::Timeout => types::FaultKind::Timeout,
            FaultKind::Refused => types::FaultKind::Refused,
            FaultKind::Address => types::FaultKind::Address,
            FaultKind::Tls => types::FaultKind::Tls,
            FaultKind::Connection => types::FaultKind::Connection,
            FaultKind::Unauthorized => types::FaultKind::Unauthorized,
            FaultKind::Forbidden => types::FaultKind::Forbidden,
            FaultKind::NotFound => types::FaultKind::NotFound,
            FaultKind::Expired => types::FaultKind::Expired,
            FaultKind::TooManyRequests => types::FaultKind::TooManyRequests,
            FaultKind::LeaderElection => types::FaultKind::LeaderElection,
            FaultKind::Status => types::FaultKind::Status,
            FaultKind::Malformed => types::FaultKind::Malformed,
            FaultKind::TooLarge => types::FaultKind::TooLarge,
            FaultKind::Other => own::OTHER_FAULT,
        },
        message: fault.message.clone().into(),
    }
}

/// The contract counts milliseconds.
pub(crate) fn at(moment: Timestamp) -> types::Timestamp {
    moment.as_millis()
}

fn millis(span: Duration) -> types::Millis {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
