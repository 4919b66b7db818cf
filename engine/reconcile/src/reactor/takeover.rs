//! Other policies take over: which snapshots they are tried on, which records they change, what is judged anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use steadfast_core::id::PolicyName;
use steadfast_core::journal::{Change, Event};
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::policies::Policies;

impl Reactor {
    /// The record under these policies: decided by the one that is for it now. Another policy's memory is not this
    /// one's.
    pub(super) fn handed_over(record: &JobRecord, policies: &Policies) -> JobRecord {
        let policy = policies.chosen(&record.key.target);
        let memory = if policy == record.policy {
            record.memory.clone()
        } else {
            Vec::new()
        };
        JobRecord {
            policy,
            memory,
            ..record.clone()
        }
    }

    /// What is to be committed before these policies take over.
    pub(crate) fn hand_over(&self, policies: &Policies) -> Vec<Change> {
        let records = self.records.values();
        records
            .filter(|record| policies.chosen(&record.key.target) != record.policy)
            .map(|record| Change {
                record: JobRecord {
                    revision: record.revision + 1,
                    ..Self::handed_over(record, policies)
                },
                events: vec![Event::Update],
            })
            .collect()
    }

    /// The policies decide from now on, and judge every job as soon as its turn comes.
    pub(crate) fn take_over(&mut self, mut policies: Policies) {
        policies.continue_shadows(std::mem::take(&mut self.policies));
        self.policies = policies;
        self.dirty.extend(self.records.keys().cloned());
    }

    /// Up to `limit` snapshots as they are now, of every policy's jobs alike, and spread over those.
    pub(crate) fn snapshots(&self, limit: usize, now: Timestamp) -> Vec<Snapshot> {
        let mut by_policy: BTreeMap<&PolicyName, Vec<&Arc<JobRecord>>> = BTreeMap::new();
        for record in self.records.values() {
            by_policy.entry(&record.policy).or_default().push(record);
        }
        let each = limit.checked_div(by_policy.len()).unwrap_or_default().max(1);
        by_policy
            .values()
            .flat_map(|records| {
                let step = records.len().div_ceil(each).max(1);
                records.iter().step_by(step)
            })
            .filter_map(|record| self.snapshot(record, now))
            .collect()
    }
}
