//! Snapshots in every combination of what the policy looks at, and what it decides of each.
//!
//! What a policy remembers is its own affair, and so is how: each comes to a snapshot with the memory of what it was shown
//! before, and its bytes are not compared.

use anyhow::anyhow;
use steadfast_core::decision::{Decide, Decision};
use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observed};
use steadfast_core::facts::{Deployment, FlinkJob, Tasks};
use steadfast_core::id::PolicyName;
use steadfast_core::record::{PostedIntent, Reason};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{Confidence, Intent, JobState, Mode};
use steadfast_core::testing::{self, at, flink_job, flink_job_id, job_key, observed};
use steadfast_host::Policy;

use crate::verdict::Verdict;

/// A snapshot, and what a policy makes of it.
pub(crate) struct Outcome {
    snapshot: Snapshot,
    decided: Result<Decision, String>,
}

/// What a policy makes of every snapshot.
pub(crate) fn of(policy: &mut Policy) -> anyhow::Result<Vec<Outcome>> {
    let memories = memories(policy)?;
    Ok(snapshots(&memories)
        .into_iter()
        .map(|snapshot| {
            let decided = policy.decide(&snapshot).map_err(|failure| failure.message.into());
            let decided = decided.map(|decision| Decision {
                memory: Vec::new(),
                ..decision
            });
            Outcome { snapshot, decided }
        })
        .collect())
}

/// Where a policy parts from the reference.
pub(crate) fn compare(policy: &mut Policy, reference: &[Outcome]) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    for (mine, theirs) in of(policy)?.iter().zip(reference) {
        verdict.count((mine.decided != theirs.decided).then(|| {
            format!(
                "of {}\n  it decides {:?}\n  instead of {:?}",
                what_it_looks_at(&mine.snapshot),
                mine.decided,
                theirs.decided
            )
        }));
    }
    Ok(verdict)
}

fn what_it_looks_at(snapshot: &Snapshot) -> String {
    format!(
        "{} in attempt {} started {:?} with memory {:?}, Flink {:?}, Deployment {:?}",
        snapshot.record.state,
        snapshot.record.incarnation.attempt,
        snapshot.record.incarnation.started_at,
        String::from_utf8_lossy(&snapshot.record.memory),
        snapshot.flink.as_ref().map(|evidence| &evidence.latest),
        snapshot.deployment.as_ref().map(|evidence| evidence.latest.is_known()),
    )
}

const NOW: i64 = 1_700_000_100;

fn snapshots(memories: &[Vec<u8>]) -> Vec<Snapshot> {
    let mut snapshots = Vec::new();
    for state in JobState::ALL {
        for flink in flink_answers() {
            for deployment in deployment_answers() {
                for memory in memories {
                    snapshots.push(snapshot(*state, flink.clone(), deployment.clone(), memory.clone()));
                }
                for run in [Run::Unseen, Run::UnseenAgain, Run::ToBeCanceled] {
                    let seen = snapshot(*state, flink.clone(), deployment.clone(), Vec::new());
                    snapshots.push(run.of(seen));
                }
            }
        }
    }
    snapshots
}

/// What else is on record of the job, which ran in its first attempt unless one of these is said.
#[derive(Clone, Copy)]
enum Run {
    /// It was never listed.
    Unseen,
    /// It is redeployed, and was not listed since.
    UnseenAgain,
    /// Somebody wants it to end.
    ToBeCanceled,
}

impl Run {
    fn of(self, mut snapshot: Snapshot) -> Snapshot {
        let record = &mut snapshot.record;
        match self {
            Self::Unseen => record.incarnation.started_at = None,
            Self::UnseenAgain => {
                record.incarnation.started_at = None;
                record.incarnation.attempt = 2;
            }
            Self::ToBeCanceled => {
                record.intent = Some(PostedIntent {
                    intent: Intent::Cancel,
                    since: at(NOW - 60),
                    author: None,
                    savepoint: None,
                });
            }
        }
        snapshot
    }
}

fn snapshot(
    state: JobState,
    flink: Option<Evidence<FlinkJob>>,
    deployment: Option<Evidence<Deployment>>,
    memory: Vec<u8>,
) -> Snapshot {
    let mut record = testing::record(job_key("orders"), at(0));
    record.policy = PolicyName::new("starter");
    record.state = state;
    record.confidence = Confidence::Inferred;
    record.reason = Reason::new("Recorded", "as it was, with \"quotes\" and an ä");
    record.memory = memory;
    record.incarnation.attempt = 1;
    record.incarnation.started_at = Some(at(NOW - 3600));
    record.incarnation.since = Some(at(NOW - 3600));
    Snapshot {
        flink,
        deployment,
        fleet: Fleet { targets: 1, dark: 0 },
        ..testing::snapshot(record, at(NOW))
    }
}

/// Never asked, every word of Flink's, absent, and unknown for less than, exactly and more than `unreachable_after`.
fn flink_answers() -> Vec<Option<Evidence<FlinkJob>>> {
    let evidence = |latest, since: i64| observed(latest, at(since));
    let mut answers = vec![None, evidence(Observed::Absent, NOW - 1)];
    for state in JobState::ALL.iter().copied().filter(|state| state.is_flinks()) {
        let job = FlinkJob {
            tasks: Tasks { total: 2, running: 2 },
            ..flink_job(flink_job_id(1), state, at(0))
        };
        answers.push(evidence(Observed::Present(job), NOW - 1));
    }
    for silent in [14, 15, 3600] {
        let fault = Fault::new(FaultKind::Timeout, "no answer within 3 s");
        answers.push(evidence(Observed::Unknown(fault), NOW - silent));
    }
    answers
}

fn deployment_answers() -> Vec<Option<Evidence<Deployment>>> {
    let deployment = Deployment {
        created_at: Some(at(0)),
        native: Some(Mode::Application),
        ..testing::deployment("5b1c2f0e-0000-4000-8000-000000000001")
    };
    let evidence = |latest| observed(latest, at(NOW - 2));
    vec![
        None,
        evidence(Observed::Present(Deployment {
            ready: 0,
            ..deployment.clone()
        })),
        evidence(Observed::Present(deployment)),
        evidence(Observed::Absent),
        evidence(Observed::Unknown(Fault::new(FaultKind::Forbidden, "HTTP 403"))),
    ]
}

/// What a policy remembers of nothing, of the look that it is about to judge again, of earlier ones, and what another
/// policy left behind.
fn memories(policy: &mut Policy) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut memories = vec![Vec::new(), vec![159, 146, 150, 32, 1], b"x 1699999999000".to_vec()];
    for looks in [&[1][..], &[60], &[60, 60], &[90, 80, 70, 60, 50]] {
        let mut memory = Vec::new();
        for ago in looks {
            let asked = at(NOW - ago);
            let absent = observed(Observed::Absent, asked);
            let shown = snapshot(JobState::Running, absent, None, memory);
            memory = policy
                .decide(&shown)
                .map_err(|failure| anyhow!("an absence is not judged: {}", failure.message))?
                .memory;
        }
        memories.push(memory);
    }
    Ok(memories)
}
