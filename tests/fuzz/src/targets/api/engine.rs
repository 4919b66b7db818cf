//! An engine that stands still: three jobs on record, a journal of three entries, and answers to whatever the API asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use prometheus_client::registry::Registry;
use steadfast_core::call::Call;
use steadfast_core::closeup::{FlinkCloseup, LogCloseup, LogQuestion, PodsCloseup};
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::explanation::Explanation;
use steadfast_core::id::{ClusterName, JobKey, PolicyName};
use steadfast_core::journal::{Change, Event, Journal as _, Sequence, Transition};
use steadfast_core::projection::{JobView, Projection, WatchStatus};
use steadfast_core::record::{JobRecord, PostedIntent, Reason, Silence};
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::silences;
use steadfast_core::state::{Confidence, Force, Intent, JobState};
use steadfast_core::testing;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_server::{
    Access, Api, AskedSilence, Closeup, CloseupError, ClusterReading, Control, ControlError, FlinkCounts, Health,
    Liveness, Looked, Policies, PolicyList, Readiness, RecordFaults, ReloadError, Reloaded,
};
use steadfast_store::MemoryStore;
use tokio::sync::watch;

/// How many entries the journal has.
pub(super) const ENTRIES: u64 = 3;

const JOBS: [(&str, JobState); 3] = [
    ("local/default/orders", JobState::Running),
    ("local/default/s/ffffffffa021a4190000000000000000", JobState::Failed),
    ("-/-/ä ö", JobState::Unknown),
];

/// The API on it.
pub(super) async fn router() -> Router {
    let (store, jobs) = (Arc::new(MemoryStore::default()), Arc::new(Projection::default()));
    for (key, state) in JOBS {
        let record = JobRecord {
            state,
            revision: 1,
            ..testing::record(JobKey::parse(key).unwrap(), testing::at(1))
        };
        let moved = Event::Transition(Transition {
            from: JobState::Unknown,
            to: state,
            confidence: Confidence::Confirmed,
            reason: Reason::new("FlinkSays", "Flink lists the job"),
            attempt: 1,
            policy: PolicyName::new("default"),
            told_since: None,
        });
        let change = Change {
            record: record.clone().into(),
            events: vec![moved],
        };
        store.commit(testing::at(1), vec![change].into()).await.unwrap();
        jobs.show(JobView {
            record: Arc::new(record),
            watch: WatchStatus::default(),
        });
    }
    // The sender is dropped, so that streams end with what there is.
    let (_, entries) = watch::channel(Sequence(ENTRIES));
    steadfast_server::router(Api {
        jobs: Arc::clone(&jobs),
        journal: store,
        entries,
        shadows: ShadowBoard::default(),
        policies: Arc::new(Still),
        control: Arc::new(StillLoop(jobs)),
        closeup: Arc::new(Still),
        health: Arc::new(Still),
        metrics: Arc::new(Registry::default()),
        clock: Arc::new(Still),
        links: Arc::default(),
        access: Access::loopback(),
    })
}

struct StillLoop(Arc<Projection>);

#[async_trait]
impl Control for StillLoop {
    async fn intend(
        &self,
        job: &JobKey,
        intent: Intent,
        author: Option<Arc<str>>,
        _: Call,
    ) -> Result<JobView, ControlError> {
        let JobView { record, watch } = self.0.get(job).ok_or(ControlError::NoSuchJob)?;
        let record = JobRecord {
            intent: Some(PostedIntent::new(intent, author, testing::at(2))),
            ..JobRecord::clone(&record)
        };
        Ok(JobView {
            record: Arc::new(record),
            watch,
        })
    }

    async fn explain(&self, job: &JobKey) -> Result<Explanation, ControlError> {
        let record = JobRecord::clone(&self.0.get(job).ok_or(ControlError::NoSuchJob)?.record);
        let decision = testing::decision(record.state);
        let mut snapshot = testing::snapshot(record, testing::at(2));
        let fault = Fault::new(FaultKind::Timeout, "no answer");
        snapshot.flink = testing::observed(Observed::Unknown(fault), testing::at(2));
        Ok(Explanation {
            policy: PolicyName::new("default"),
            snapshot,
            outcome: Ok(decision),
            rule: None,
            waits_for: Vec::new(),
        })
    }

    async fn silence(&self, job: &JobKey, asked: AskedSilence, _: Call) -> Result<JobView, ControlError> {
        let JobView { record, watch } = self.0.get(job).ok_or(ControlError::NoSuchJob)?;
        let AskedSilence {
            alert,
            until,
            by,
            comment,
        } = asked;
        let silence = Silence {
            alert,
            since: testing::at(2),
            until,
            by,
            comment,
        };
        let change = silences::silence(&record, silence, None, None).map_err(ControlError::Silence)?;
        Ok(JobView {
            record: change.record,
            watch,
        })
    }

    async fn unsilence(&self, job: &JobKey, _: &str, _: Call) -> Result<JobView, ControlError> {
        self.0.get(job).ok_or(ControlError::NoSuchJob)
    }

    async fn look(&self, job: &JobKey) -> Result<Looked, ControlError> {
        self.0.get(job).map(Looked::Judged).ok_or(ControlError::NoSuchJob)
    }

    async fn forget(&self, job: &JobKey, force: Force, _: Call) -> Result<(), ControlError> {
        let view = self.0.get(job).ok_or(ControlError::NoSuchJob)?;
        match force {
            Force::Yes => Ok(()),
            Force::No => Err(ControlError::SeenAlive(format!("{} is there", view.record.key))),
        }
    }
}

struct Still;

/// Whatever the question is, nobody can be asked.
#[async_trait]
impl Closeup for Still {
    async fn flink(&self, _: &JobKey) -> Result<FlinkCloseup, CloseupError> {
        Err(nobody())
    }

    async fn pods(&self, _: &JobKey) -> Result<PodsCloseup, CloseupError> {
        Err(nobody())
    }

    async fn log(&self, _: &JobKey, _: &LogQuestion) -> Result<LogCloseup, CloseupError> {
        Err(nobody())
    }
}

fn nobody() -> CloseupError {
    CloseupError::Unavailable("nobody is there".to_owned())
}

impl Health for Still {
    fn live(&self) -> Liveness {
        Liveness {
            live: true,
            turned_seconds_ago: 0.0,
        }
    }

    fn ready(&self) -> Readiness {
        Readiness {
            ready: true,
            store: None,
            policies: Vec::new(),
            clusters: Vec::new(),
            sinks: Vec::new(),
            quarantined_records: 0,
            unwritten_jobs: 0,
        }
    }

    fn records(&self) -> RecordFaults {
        RecordFaults::default()
    }

    fn clusters(&self) -> Vec<ClusterReading> {
        Vec::new()
    }

    fn flinks(&self) -> BTreeMap<ClusterName, FlinkCounts> {
        BTreeMap::new()
    }
}

#[async_trait]
impl Policies for Still {
    fn running(&self) -> PolicyList {
        PolicyList {
            items: Vec::new(),
            last_reload: None,
        }
    }

    async fn reload(&self) -> Result<Reloaded, ReloadError> {
        Err(ReloadError::NoFile)
    }
}

impl Clock for Still {
    fn now(&self) -> Timestamp {
        testing::at(0)
    }
}
