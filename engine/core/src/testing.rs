//! Values to test with: valid, and blank but for what a test names.
//!
//! A test that spells out every field of a snapshot breaks with each field that comes, and hides the one it is about among
//! twenty that it is not. Take a value from here and set what matters: `Deployment { ready: 0, ..deployment("u1") }`.
//!
//! Built for tests and with the feature `testing`, which only tests and benchmarks ask for.

mod flink;
mod kubernetes;

use std::collections::BTreeSet;
use std::time::Duration;

pub use flink::{flink_job, flink_job_id};
pub use kubernetes::{deployment, flink_resource, pod};

use crate::board::Board;
use crate::decision::{Decision, Watch};
use crate::evidence::{Evidence, Observation, Observed};
use crate::id::{ClusterName, JobKey, Namespace, PolicyName, TargetId};
use crate::observe::{Context, observe};
use crate::record::{JobRecord, Origin, Reason};
use crate::shadow::{ShadowState, ShadowVerdict};
use crate::shown::Shown;
use crate::snapshot::Snapshot;
use crate::state::{Attention, Confidence, JobState, Mode};
use crate::time::Timestamp;

/// So many seconds after the Unix epoch.
pub const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// The application `local/default/<name>`.
pub fn job_key(name: &str) -> JobKey {
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), name);
    JobKey::application(target)
}

/// A job of which nothing has been observed, under the policy `default`. Its key says its mode: in a session, outside of
/// Kubernetes (and then configured, as nothing could have discovered it), or else an application that was discovered.
pub fn record(key: JobKey, now: Timestamp) -> JobRecord {
    let (mode, origin) = if key.session_job.is_some() {
        (Mode::Session, Origin::Discovered)
    } else if key.target.cluster.as_str() == "-" {
        (Mode::Standalone, Origin::Configured)
    } else {
        (Mode::Application, Origin::Discovered)
    };
    JobRecord::unseen(key, mode, origin, PolicyName::new("default"), now)
}

/// Of a job about which no source was asked, in a cluster of no targets, by an engine that started at time zero.
pub fn snapshot(record: JobRecord, now: Timestamp) -> Snapshot {
    observe(&record, &Board::default(), Context::default(), now)
}

/// A source's first answer, asked for and received at `now`.
pub fn observed<T>(answer: Observed<T>, now: Timestamp) -> Option<Evidence<T>> {
    Some(Evidence::first(Observation::new(answer, now, now)))
}

/// Calls the job `state`, asks for no evidence, remembers nothing, and polls again after 5 s.
pub fn decision(state: JobState) -> Decision {
    Decision {
        state,
        confidence: Confidence::Inferred,
        reason: Reason::new("Decided", "so it was decided"),
        rule: "decided".to_owned(),
        watch: Watch {
            poll_after: Duration::from_secs(5),
            validate_after: Duration::from_secs(60),
            attention: Attention::Active,
        },
        wanted: Vec::new(),
        conditions: Vec::new(),
        alerts: Vec::new(),
        memory: Vec::new(),
    }
}

/// What a decision shows of a job in that attempt, with a snapshot that holds no evidence.
pub fn shown(decision: &Decision, attempt: u32) -> Shown {
    let mut record = record(job_key("orders"), at(0));
    record.incarnation.attempt = attempt;
    Shown::decided(decision, &BTreeSet::new(), &snapshot(record, at(10)))
}

/// A shadow's decision that this is the job's state, by the rule `says`, beside a record.
pub fn shadow_verdict(beside: &JobRecord, state: JobState) -> ShadowVerdict {
    let beside = Shown::kept(beside);
    let reason = Reason::new("Says", "so it says");
    ShadowVerdict {
        shown: ShadowState {
            shows: Shown {
                state,
                ..beside.clone()
            },
            reason,
            conditions: Vec::new(),
            alerts: Vec::new(),
            rule: Some("says".to_owned()),
        },
        beside,
        failure: None,
    }
}
