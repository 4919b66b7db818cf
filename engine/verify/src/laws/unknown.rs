//! Unknown is not absent.

use steadfast_core::state::JobState;

use super::support;
use super::{Break, Law, Shows};
use crate::look::Look;

/// An end needs something that supports it: silence supports nothing.
pub(super) struct UnknownIsNotAbsent;

const SUPPORTED: u64 = 1;

impl Law for UnknownIsNotAbsent {
    fn name(&self) -> &str {
        "unknown-is-not-absent"
    }

    fn says(&self) -> &str {
        "no terminal state unless, since the job was last seen alive, a complete answer lacked it or somebody told its end"
    }

    fn judge(&self, look: &Look, tracker: &mut u64) -> Result<(), Break> {
        let snapshot = &look.snapshot;
        let flink = support::flink(snapshot);
        let is_new = snapshot.record.incarnation.attempt != look.before.incarnation.attempt;
        if is_new || flink.is_some_and(|state| !state.is_terminal()) {
            *tracker = 0;
        }
        let supports = flink.is_some_and(JobState::is_terminal)
            || support::something_is_absent(snapshot)
            || support::reported_ends(snapshot).next().is_some()
            || support::start_is_in_trouble(snapshot);
        if supports {
            *tracker = SUPPORTED;
        }
        let (before, after) = (look.before.state, look.record().state);
        if after.is_terminal() && after != before && *tracker == 0 {
            return Err(Break::new(
                format!("{before} became {after}, and nothing but silence was seen since the job was last alive"),
                Shows::State(after),
            ));
        }
        Ok(())
    }
}
