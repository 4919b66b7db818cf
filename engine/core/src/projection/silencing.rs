//! The records that silence something, and what they silence together: asked for with each job that is shown, and changed seldom.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::id::JobKey;
use crate::record::JobRecord;
use crate::silences::Silenced;

/// Kept beside all records, so that nobody has to look through them.
#[derive(Debug, Default)]
pub(super) struct Silencing(RwLock<Of>);

#[derive(Debug, Default)]
struct Of {
    records: BTreeMap<JobKey, Arc<JobRecord>>,
    /// What they silence of many; `None` since that changed.
    all: Option<Arc<Silenced>>,
}

impl Silencing {
    /// Takes in a record as it is now.
    pub(super) fn note(&self, record: &Arc<JobRecord>) {
        let silences_as_before = {
            let of = self.0.read().unwrap_or_else(PoisonError::into_inner);
            match of.records.get(&record.key) {
                Some(known) => known.silences == record.silences && known.policy == record.policy,
                None => record.silences.is_empty(),
            }
        };
        if silences_as_before {
            return;
        }
        let mut of = self.0.write().unwrap_or_else(PoisonError::into_inner);
        of.all = None;
        if record.silences.is_empty() {
            of.records.remove(&record.key);
        } else {
            of.records.insert(record.key.clone(), Arc::clone(record));
        }
    }

    /// A record is shown no more.
    pub(super) fn remove(&self, key: &JobKey) {
        let mut of = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if of.records.remove(key).is_some() {
            of.all = None;
        }
    }

    /// What all of them silence of clusters and policies.
    pub(super) fn all(&self) -> Arc<Silenced> {
        if let Some(all) = &self.0.read().unwrap_or_else(PoisonError::into_inner).all {
            return Arc::clone(all);
        }
        let mut of = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = Silenced::default();
        of.records.values().for_each(|record| all.add(record));
        Arc::clone(of.all.insert(Arc::new(all)))
    }
}
