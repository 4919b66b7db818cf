//! Snapshots to judge.

use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observed};
use steadfast_core::facts::{FlinkJob, Tasks};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, PolicyName, TargetId};
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::snapshot::{Fleet, Snapshot, Timing};
use steadfast_core::state::{JobState, Mode};
use steadfast_core::time::Timestamp;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// A job that runs, as Flink said a second ago.
pub(crate) fn running() -> Snapshot {
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders");
    let key = JobKey::application(target);
    let mut record = JobRecord::unseen(
        key,
        Mode::Application,
        Origin::Discovered,
        PolicyName::new("default"),
        at(0),
    );
    let id = FlinkJobId::parse("00000000000000000000000000000001").unwrap();
    record.state = JobState::Running;
    record.incarnation.see_job(id, at(0), at(1));
    let job = FlinkJob {
        id,
        state: JobState::Running,
        started_at: at(0),
        ended_at: None,
        tasks: Tasks { total: 2, running: 2 },
    };
    Snapshot {
        now: at(100),
        engine_since: at(0),
        record,
        flink: Some(Evidence::first(Observed::Present(job), at(99), at(99))),
        exceptions: None,
        checkpoints: None,
        deployment: None,
        deletion: None,
        pods: None,
        events: None,
        ha_data: None,
        last_words: None,
        archive: None,
        fleet: Fleet { targets: 1, dark: 0 },
        timing: Timing::default(),
    }
}

/// The same job when a look has just failed.
pub(crate) fn silent() -> Snapshot {
    let mut snapshot = running();
    let fault = Fault::new(FaultKind::Timeout, "no answer within 3 s");
    if let Some(flink) = &mut snapshot.flink {
        flink.accept(Observed::Unknown(fault), at(100), at(100));
    }
    snapshot
}
