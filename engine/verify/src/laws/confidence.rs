//! What is stale is not called confirmed.

use steadfast_core::state::Confidence;

use super::{Break, Law, Shows};
use crate::look::{Look, fresh_for};

/// A living state is confirmed by an answer of now.
pub(super) struct StaleIsNotConfirmed;

impl Law for StaleIsNotConfirmed {
    fn name(&self) -> &str {
        "stale-is-not-confirmed"
    }

    fn says(&self) -> &str {
        "a state that is no end is called confirmed only while some source's last known answer is no older than two polls and \
         a timeout"
    }

    fn judge(&self, look: &Look, _tracker: &mut u64) -> Result<(), Break> {
        let record = look.record();
        if look.failure.is_some() || record.state.is_terminal() || record.confidence != Confidence::Confirmed {
            return Ok(());
        }
        let snapshot = &look.snapshot;
        let flink = snapshot.flink.as_ref().and_then(|evidence| evidence.known_at);
        let deployment = snapshot.deployment.as_ref().and_then(|evidence| evidence.known_at);
        let fresh = fresh_for(&snapshot.timing);
        match flink.max(deployment) {
            Some(known) if snapshot.now.since(known) <= fresh => Ok(()),
            Some(_) | None => Err(Break::new(
                format!(
                    "{} is called confirmed, and no source has answered for longer than {fresh:?}",
                    record.state
                ),
                Shows::Confirmed,
            )),
        }
    }
}
