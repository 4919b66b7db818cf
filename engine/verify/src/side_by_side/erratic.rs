//! A policy without sense: it depends on all that it is shown, and reaches every state, sleep and wish within a few looks.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use steadfast_core::decision::{Decide, Decision, LookupRequest, LookupSource, PolicyFailure, Watch};
use steadfast_core::record::Reason;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, Confidence, JobState};
use steadfast_core::time::Timestamp;

pub(super) struct Erratic;

impl Decide for Erratic {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let mut hasher = DefaultHasher::new();
        super::without_revision(snapshot.clone()).hash(&mut hasher);
        let mut rng = StdRng::seed_from_u64(hasher.finish());
        let state = JobState::ALL[rng.random_range(0..JobState::ALL.len())];
        let is_sure = state != JobState::Unknown && rng.random_bool(0.5);
        let mut wanted = Vec::new();
        for source in LookupSource::ALL {
            if rng.random_bool(0.3) {
                let after = [Timestamp::default(), snapshot.record.since, snapshot.now];
                wanted.push(LookupRequest {
                    source: *source,
                    observed_after: after[rng.random_range(0..after.len())],
                });
            }
        }
        Ok(Decision {
            state,
            confidence: if is_sure {
                Confidence::Confirmed
            } else {
                Confidence::Inferred
            },
            reason: Reason::new("Erratic", "for no reason"),
            rule: "erratic".into(),
            watch: Watch {
                poll_after: Duration::from_secs(rng.random_range(5..60)),
                validate_after: Duration::from_secs(60),
                attention: if rng.random_bool(0.4) {
                    Attention::Sleeping
                } else {
                    Attention::Active
                },
            },
            wanted,
            conditions: vec![],
            alerts: vec![],
            memory: vec![rng.random_range(0..3)],
        })
    }
}
