//! Snapshots in every combination of what the policy looks at, and what it decides of each.

use anyhow::anyhow;
use steadfast_core::decision::{Decide, Decision};
use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observed};
use steadfast_core::facts::{Deployment, FlinkJob, Rollout, Tasks};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, PolicyName, TargetId, Uid};
use steadfast_core::record::{JobRecord, Origin, Reason};
use steadfast_core::snapshot::{Fleet, Snapshot, Timing};
use steadfast_core::state::{Confidence, JobState, Mode};
use steadfast_core::time::Timestamp;
use steadfast_host::Policy;

use crate::verdict::Verdict;

/// A snapshot, and what the reference decides of it.
pub(crate) struct Expected {
    snapshot: Snapshot,
    decision: Decision,
}

/// What a policy decides of every snapshot.
pub(crate) fn of(policy: &mut Policy) -> anyhow::Result<Vec<Expected>> {
    snapshots()?
        .into_iter()
        .map(|snapshot| {
            let decision = policy
                .decide(&snapshot)
                .map_err(|failure| anyhow!("the reference fails: {}", failure.message))?;
            Ok(Expected { snapshot, decision })
        })
        .collect()
}

pub(crate) fn compare(policy: &mut Policy, expected: &[Expected]) -> Verdict {
    let mut verdict = Verdict::default();
    for Expected { snapshot, decision } in expected {
        verdict.count(match policy.decide(snapshot) {
            Ok(same) if same == *decision => None,
            Ok(other) => Some(format!(
                "of {}\n  it decides {other:?}\n  instead of {decision:?}",
                what_it_looks_at(snapshot)
            )),
            Err(failure) => Some(format!(
                "of {}\n  it fails: {}",
                what_it_looks_at(snapshot),
                failure.message
            )),
        });
    }
    verdict
}

fn what_it_looks_at(snapshot: &Snapshot) -> String {
    format!(
        "{} with memory {:?}, Flink {:?}, Deployment {:?}",
        snapshot.record.state,
        String::from_utf8_lossy(&snapshot.record.memory),
        snapshot.flink.as_ref().map(|evidence| &evidence.latest),
        snapshot.deployment.as_ref().map(|evidence| evidence.latest.is_known()),
    )
}

const NOW: i64 = 1_700_000_100;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn snapshots() -> anyhow::Result<Vec<Snapshot>> {
    let mut snapshots = Vec::new();
    for state in JobState::ALL {
        for flink in flink_answers()? {
            for deployment in deployment_answers() {
                for memory in memories() {
                    snapshots.push(snapshot(*state, flink.clone(), deployment.clone(), memory));
                }
            }
        }
    }
    Ok(snapshots)
}

fn snapshot(
    state: JobState,
    flink: Option<Evidence<FlinkJob>>,
    deployment: Option<Evidence<Deployment>>,
    memory: Vec<u8>,
) -> Snapshot {
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders");
    let key = JobKey::application(target);
    let mut record = JobRecord::unseen(
        key,
        Mode::Application,
        Origin::Discovered,
        PolicyName::new("starter"),
        at(0),
    );
    record.state = state;
    record.confidence = Confidence::Inferred;
    record.reason = Reason::new("Recorded", "as it was, with \"quotes\" and an ä");
    record.memory = memory;
    Snapshot {
        now: at(NOW),
        engine_since: at(0),
        record,
        flink,
        exceptions: None,
        checkpoints: None,
        deployment,
        deletion: None,
        pods: None,
        events: None,
        ha_data: None,
        last_words: None,
        archive: None,
        flink_resource: None,
        task_managers: None,
        fleet: Fleet { targets: 1, dark: 0 },
        timing: Timing::default(),
    }
}

/// Never asked, every word of Flink's, absent, and unknown for less than, exactly and more than `unreachable_after`.
fn flink_answers() -> anyhow::Result<Vec<Option<Evidence<FlinkJob>>>> {
    let id = FlinkJobId::parse("00000000000000000000000000000001").ok_or_else(|| anyhow!("that is no job id"))?;
    let evidence = |latest, since: i64| Some(Evidence::first(latest, at(since), at(since)));
    let mut answers = vec![None, evidence(Observed::Absent, NOW - 1)];
    for state in JobState::ALL.iter().copied().filter(|state| state.is_flinks()) {
        let job = FlinkJob {
            id,
            state,
            started_at: at(0),
            ended_at: None,
            tasks: Tasks { total: 2, running: 2 },
        };
        answers.push(evidence(Observed::Present(job), NOW - 1));
    }
    for silent in [14, 15, 3600] {
        let fault = Fault::new(FaultKind::Timeout, "no answer within 3 s");
        answers.push(evidence(Observed::Unknown(fault), NOW - silent));
    }
    Ok(answers)
}

fn deployment_answers() -> Vec<Option<Evidence<Deployment>>> {
    let deployment = Deployment {
        namespace: Namespace::new("default"),
        name: "orders".to_owned(),
        uid: Uid::new("5b1c2f0e-0000-4000-8000-000000000001"),
        created_at: Some(at(0)),
        deleting_since: None,
        replicas: 1,
        ready: 1,
        native: Some(Mode::Application),
        owner: None,
        trouble: None,
        labels: Default::default(),
        rollout: Rollout::Settled,
    };
    let evidence = |latest| Some(Evidence::first(latest, at(NOW - 2), at(NOW - 2)));
    vec![
        None,
        evidence(Observed::Present(deployment)),
        evidence(Observed::Absent),
        evidence(Observed::Unknown(Fault::new(FaultKind::Forbidden, "HTTP 403"))),
    ]
}

/// None, the same look counted before, earlier ones, and what another policy left behind.
fn memories() -> Vec<Vec<u8>> {
    let asked_at = (NOW - 1) * 1000;
    [
        String::new(),
        format!("1 {asked_at}"),
        "1 1699999999000".into(),
        "7 1699999999000".into(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([
        vec![0, 159, 146, 150, 32, 1],
        b"12".to_vec(),
        b"1 2 3".to_vec(),
        b"x 1699999999000".to_vec(),
    ])
    .collect()
}
