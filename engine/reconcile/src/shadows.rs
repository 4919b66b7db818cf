//! What shadow policies would have recorded. They decide on the same evidence, keep records of their own in
//! memory, and change nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use steadfast_core::alternative::Alternative;
use steadfast_core::decision::Decide;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::JobState;

/// The states shadow policies hold, for readers.
#[derive(Clone, Debug, Default)]
pub struct ShadowBoard(Arc<Mutex<BTreeMap<JobKey, BTreeMap<PolicyName, JobState>>>>);

impl ShadowBoard {
    /// What each shadow policy would show for a job.
    pub fn of(&self, key: &JobKey) -> BTreeMap<PolicyName, JobState> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
            .unwrap_or_default()
    }

    fn note(&self, key: &JobKey, policy: &PolicyName, state: JobState) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.entry(key.clone()).or_default().insert(policy.clone(), state);
    }
}

/// The records of one shadow policy.
#[derive(Debug, Default)]
pub(crate) struct ShadowRecords {
    records: BTreeMap<JobKey, Alternative>,
}

impl ShadowRecords {
    /// Lets the policy judge the evidence as if its own record were the real one, which `real` is as committed.
    /// Returns the state it would show.
    pub(crate) fn judge(
        &mut self,
        policy: &PolicyName,
        decide: &mut dyn Decide,
        real: &JobRecord,
        snapshot: &Snapshot,
        board: &ShadowBoard,
    ) -> JobState {
        let own = self
            .records
            .entry(real.key.clone())
            .or_insert_with(|| Alternative::take_over(real, policy));
        own.judge(decide, real, snapshot);
        board.note(&real.key, policy, own.record().state);
        own.record().state
    }

    pub(crate) fn forget(&mut self, key: &JobKey) {
        self.records.remove(key);
    }
}
