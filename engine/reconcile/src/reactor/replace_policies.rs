//! Other policies decide from now on: which records change hands, which comparisons go on, what is judged anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use steadfast_core::id::PolicyName;
use steadfast_core::journal::{Change, Event};

use super::Reactor;
use crate::policies::Policies;
use crate::turn::{NewShadows, Show, Turn};

impl Reactor {
    /// Lets other policies decide once the turn is committed. It commits the records that change hands: another policy's
    /// memory is not the new one's.
    pub fn replace_policies(&mut self, policies: Policies) -> Turn {
        let handed = self.records.values().filter_map(|record| {
            let policy = policies.select_policy(&record.key.target);
            (policy != record.policy)
                .then(|| Change::update(record, record.handed_to(&policy), vec![Event::updated(record)]))
        });
        Turn {
            changes: self.deduped(handed.collect()),
            policies: Some(policies),
            ..Turn::default()
        }
    }

    /// The policies decide from now on, and judge every job as soon as its turn comes.
    pub(super) fn apply_policies(&mut self, mut policies: Policies) -> Show {
        let names: Vec<PolicyName> = policies.shadows().map(|seat| seat.name.clone()).collect();
        let continued = names.iter().map(|name| {
            let jobs = self.records.keys();
            let jobs = jobs.filter(|key| policies.continues(&self.policies, name, key));
            (name.clone(), jobs.cloned().collect())
        });
        let continued: BTreeMap<_, _> = continued.collect();
        policies.continue_shadows(std::mem::take(&mut self.policies));
        self.policies = policies;
        // What those of before still decide is not heard: every job is judged anew.
        self.came.clear();
        self.awaited.clear();
        self.came_late.clear();
        self.queue.mix();
        for change in self.begun.values_mut() {
            let policy = self.policies.select_policy(&change.record.key.target);
            Arc::make_mut(&mut change.record).policy = policy;
        }
        for key in self.records.keys() {
            self.queue.enqueue(key.clone());
        }
        Show::Policies(NewShadows { names, continued })
    }
}
