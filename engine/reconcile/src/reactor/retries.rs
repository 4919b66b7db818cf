//! Policies that fail are tried again, after pauses that grow with each failure at the same job.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use steadfast_core::backoff::Backoff;
use steadfast_core::id::JobKey;

#[derive(Debug)]
pub(super) struct PolicyRetries {
    failures: BTreeMap<JobKey, u32>,
    backoff: Backoff,
    rng: StdRng,
}

impl PolicyRetries {
    pub(super) fn new(backoff: Backoff, rng: StdRng) -> Self {
        Self {
            failures: BTreeMap::new(),
            backoff,
            rng,
        }
    }

    /// The policy failed at a job: how long to wait.
    pub(super) fn failed(&mut self, key: &JobKey) -> Duration {
        let failures = self.failures.entry(key.clone()).or_default();
        *failures = failures.saturating_add(1);
        let pause = self.backoff.delay(*failures, None, &mut self.rng);
        // Never at once: a policy that fails always would keep the loop busy.
        pause.max(Duration::from_millis(1))
    }

    /// It decided, or the job is no longer there.
    pub(super) fn forget(&mut self, key: &JobKey) {
        self.failures.remove(key);
    }
}
