//! What people ask of the loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use steadfast_core::call::Call;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::Change;
use steadfast_core::planner;
use steadfast_core::record::{JobRecord, PostedIntent, Silence};
use steadfast_core::silences;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Timestamp;

use super::Reactor;
use crate::closeup::Whereabouts;
use crate::control::RequestError;
use crate::turn::Turn;

impl Reactor {
    /// Notes an intent, by that call. Fails with [`RequestError::NoSuchJob`] and [`RequestError::TooOften`].
    pub fn intend(&mut self, key: &JobKey, posted: PostedIntent, call: Option<Call>) -> Result<Turn, RequestError> {
        let record = self.records.get(key).ok_or(RequestError::NoSuchJob)?;
        let now = posted.since;
        let change = planner::record_intent(record, posted, call);
        self.asked(key, change, now)
    }

    /// Where a job can be asked for. Fails with [`RequestError::NoSuchJob`].
    pub fn whereabouts(&self, key: &JobKey) -> Result<Whereabouts, RequestError> {
        let record = self.records.get(key).ok_or(RequestError::NoSuchJob)?;
        let target = self.targets.get(&key.target);
        let pinned = target.and_then(|target| target.pinned);
        Ok(Whereabouts {
            cluster: key.target.cluster.clone(),
            endpoint: self.endpoint(&key.target),
            object: target.and_then(|target| target.object.clone()),
            job: pinned.or(record.incarnation.flink_job_id),
        })
    }

    /// Notes until when nobody is told of an alert, by that call. Fails with [`RequestError::NoSuchJob`], [`RequestError::TooOften`]
    /// and [`RequestError::Silence`].
    pub fn silence(&mut self, key: &JobKey, silence: Silence, call: Option<Call>) -> Result<Turn, RequestError> {
        let record = self.records.get(key).ok_or(RequestError::NoSuchJob)?;
        let now = silence.since;
        let untold = self.alerts.untold_since(record, &silence.alert);
        let change = silences::silence(record, silence, untold, call).map_err(RequestError::Silence)?;
        self.asked(key, change, now)
    }

    /// Takes such a silence back, by that call. Fails with [`RequestError::NoSuchJob`] and [`RequestError::TooOften`].
    pub fn unsilence(
        &mut self,
        key: &JobKey,
        alert: &str,
        call: Option<Call>,
        now: Timestamp,
    ) -> Result<Turn, RequestError> {
        let record = self.records.get(key).ok_or(RequestError::NoSuchJob)?;
        let change = silences::take_back(record, alert, call);
        if change.events.is_empty() {
            // There is none, which is what is asked for.
            return Ok(Turn::default());
        }
        let mut turn = self.asked(key, change, now)?;
        turn.changes = self.deduped(std::mem::take(&mut turn.changes));
        Ok(turn)
    }

    /// The turn of a change that a caller asks for. There is no other way to one, so that each counts towards what may be asked
    /// for of a job. Fails with [`RequestError::TooOften`].
    pub(super) fn asked(&mut self, key: &JobKey, change: Change, now: Timestamp) -> Result<Turn, RequestError> {
        let charged = self.call_limits.charge(key, change.events.len(), now);
        charged.map_err(|wait| RequestError::TooOften { wait })?;
        Ok(Turn::of(change))
    }

    /// Judges the job with the next turn, whether or not anything new is known of it.
    pub fn enqueue(&mut self, key: &JobKey) {
        if self.records.contains_key(key) {
            self.queue.enqueue(key.clone());
        }
    }

    /// Up to `limit` snapshots as they are now, of every policy's jobs alike, and spread over those.
    pub fn snapshots(&self, limit: usize, now: Timestamp) -> Vec<Snapshot> {
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
