//! Removes a record at a request.
//!
//! A discovered job that is still there would be discovered again with the next list, as a new record without its
//! history: so a job that is seen alive is forgotten only by force. What cannot be looked at is not seen alive. A
//! cluster that is gone for good answers nothing for ever, and its records must be removable.

use std::sync::Arc;

use steadfast_core::call::Call;
use steadfast_core::evidence::Observed;
use steadfast_core::id::JobKey;
use steadfast_core::journal::Change;
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::state::Force;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::control::{RequestError, SeenAlive};
use crate::turn::Turn;

impl Reactor {
    /// Deletes the record of a discovered job, or of a session's, once the turn is committed. Its target goes with its last
    /// job, and the next list takes it up again if it is still there.
    ///
    /// Fails with [`RequestError::NoSuchJob`], [`RequestError::Configured`], [`RequestError::TooOften`] and, without force,
    /// [`RequestError::SeenAlive`].
    pub fn forget(
        &mut self,
        key: &JobKey,
        force: Force,
        call: Option<Call>,
        now: Timestamp,
    ) -> Result<Turn, RequestError> {
        let record = self.records.get(key).ok_or(RequestError::NoSuchJob)?;
        if record.origin == Origin::Configured && key.session_job.is_none() {
            return Err(RequestError::Configured);
        }
        if force == Force::No
            && let Some(seen) = self.seen_alive(record)
        {
            return Err(RequestError::SeenAlive(seen));
        }
        let change = Change::forget(Arc::clone(record)).called(call);
        let mut turn = self.asked(key, change, now)?;
        turn.changes = self.deduped(std::mem::take(&mut turn.changes));
        Ok(turn)
    }

    /// By what the job would be taken up again if it was forgotten now, or is known to run: its newest evidence.
    pub fn seen_alive(&self, record: &JobRecord) -> Option<SeenAlive> {
        let target = self.targets.get(&record.key.target)?;
        let listed = |id| {
            let Observed::Present(overview) = &self.board.overview(&record.key.target)?.latest else {
                return None;
            };
            overview.jobs.iter().find(|job| job.id == id)
        };
        if let Some(id) = record.key.flink_job_id() {
            // Flink lists a job for a while after it ended, and what it lists is recorded.
            return listed(id).map(|job| SeenAlive::Listed(job.state));
        }
        let running = record.incarnation.flink_job_id.and_then(listed);
        if let Some(job) = running.filter(|job| !job.state.is_terminal()) {
            return Some(SeenAlive::Listed(job.state));
        }
        let object = target.object.as_ref()?;
        if record.key.session_job.is_some() {
            let board = self.board.kubernetes(&record.key.target.cluster)?;
            let resource = board.resource_of(&record.key, object)?.latest;
            return resource.present().map(|_| SeenAlive::Requested);
        }
        let others = self.targets.of_object(&record.key.target.cluster, object);
        if others.iter().any(|id| *id != record.key.target) {
            // Another target stands for the Deployment: nothing would take this one up again.
            return None;
        }
        self.discovered_mode(&record.key.target.cluster, object)
            .map(|_| SeenAlive::Deployed)
    }
}
