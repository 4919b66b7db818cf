//! The records that shadow policies would keep. They decide on the same evidence, and change nothing else.

use std::collections::BTreeMap;

use steadfast_core::counterfactual::Counterfactual;
use steadfast_core::decision::Decide;
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::record::JobRecord;
use steadfast_core::shadow::{ShadowState, ShadowVerdict};
use steadfast_core::snapshot::Snapshot;

/// The records of one shadow policy.
#[derive(Debug, Default)]
pub(crate) struct ShadowRecords {
    records: BTreeMap<JobKey, Kept>,
}

/// A job as a shadow would keep it.
#[derive(Debug)]
struct Kept {
    record: Counterfactual,
    /// The rule of its last decision.
    rule: Option<String>,
}

impl ShadowRecords {
    /// Lets the policy judge the evidence as if its own record were the real one. `before` is the real one as it was
    /// committed before that evidence.
    pub(crate) fn judge(
        &mut self,
        policy: &PolicyName,
        decide: &mut dyn Decide,
        before: &JobRecord,
        snapshot: &Snapshot,
    ) -> ShadowVerdict {
        let kept = self.records.entry(before.key.clone()).or_insert_with(|| Kept {
            record: Counterfactual::take_over(before, policy),
            rule: None,
        });
        let outcome = kept.record.judge(decide, before, snapshot).map(|judged| judged.outcome);
        let failure = match outcome {
            Some(Ok(decision)) => {
                kept.rule = Some(decision.rule);
                None
            }
            Some(Err(failure)) => Some(failure),
            None => None,
        };
        let record = kept.record.record();
        ShadowVerdict {
            shown: ShadowState {
                state: record.state,
                attempt: record.incarnation.attempt,
                confidence: record.confidence,
                reason: record.reason.clone(),
                rule: kept.rule.clone(),
            },
            failure,
        }
    }

    pub(crate) fn forget(&mut self, key: &JobKey) {
        self.records.remove(key);
    }

    /// Keeps the records of those jobs alone.
    pub(crate) fn retain(&mut self, keeps: impl Fn(&JobKey) -> bool) {
        self.records.retain(|key, _| keeps(key));
    }
}
