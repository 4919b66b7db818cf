//! An engine made of paper: a real store in memory, and a loop that answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use serde_json::Value;
use steadfast_core::decision::{Decision, PolicyFailure, PolicyFailureKind, WantedSource, Watch};
use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observed};
use steadfast_core::explanation::{Awaited, AwaitedLook, Due, Explanation, Rule};
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{Change, Entry, Event, Journal as _, Sequence, Transition};
use steadfast_core::projection::{JobView, Projection, WatchStatus};
use steadfast_core::record::{JobRecord, PostedIntent, Reason};
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, Confidence, Intent, JobState};
use steadfast_core::testing;
use steadfast_core::time::Timestamp;
use steadfast_store::MemoryStore;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::{
    Access, Api, ClusterHealth, Control, ControlError, Health, Liveness, Policies, PolicyList, Reach, Readiness,
    ReloadError, Reloaded, ReloadedPolicy, router,
};

pub(crate) const AT: Timestamp = Timestamp::from_millis(1_795_396_409_838);
pub(crate) const SESSION_JOB: &str = "local/default/s/ffffffffa021a4190000000000000000";

pub(crate) fn key(text: &str) -> JobKey {
    JobKey::parse(text).unwrap()
}

pub(crate) fn record(id: &str, state: JobState) -> JobRecord {
    JobRecord {
        state,
        confidence: Confidence::Confirmed,
        reason: Reason::new("FlinkSays", "Flink lists the job"),
        revision: 1,
        ..testing::record(key(id), AT)
    }
}

pub(crate) fn moved(from: JobState, to: JobState) -> Event {
    Event::Transition(Transition {
        from,
        to,
        confidence: Confidence::Confirmed,
        reason: Reason::new("FlinkSays", "Flink lists the job"),
        attempt: 1,
        policy: PolicyName::new("default"),
    })
}

/// The engine behind an API under test.
pub(crate) struct Paper {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) jobs: Arc<Projection>,
    pub(crate) entries: watch::Sender<Sequence>,
    pub(crate) health: Arc<PaperHealth>,
    pub(crate) shadows: ShadowBoard,
    pub(crate) policies: Arc<PaperPolicies>,
    pub(crate) router: Router,
}

impl Paper {
    pub(crate) fn new() -> Self {
        Self::guarded(Access::Loopback)
    }

    pub(crate) fn guarded(access: Access) -> Self {
        let (store, jobs) = (Arc::new(MemoryStore::default()), Arc::new(Projection::default()));
        let (entries, receiver) = watch::channel(Sequence(0));
        let mut registry = Registry::default();
        registry.register("steadfast_things", "Things", Counter::<u64>::default());
        let health = Arc::new(PaperHealth::default());
        let (shadows, policies) = (ShadowBoard::default(), Arc::new(PaperPolicies::default()));
        let router = router(Api {
            jobs: Arc::clone(&jobs),
            journal: store.clone(),
            entries: receiver,
            shadows: shadows.clone(),
            policies: policies.clone(),
            control: Arc::new(PaperControl(Arc::clone(&jobs))),
            health: health.clone(),
            metrics: Arc::new(registry),
            access,
        });
        Self {
            store,
            jobs,
            entries,
            health,
            shadows,
            policies,
            router,
        }
    }

    /// Commits and shows, as the loop does.
    pub(crate) async fn commit(&self, record: JobRecord, events: Vec<Event>) -> Vec<Entry> {
        let entries = self.commit_unseen(record.clone(), events).await;
        self.jobs.show(JobView {
            record: Arc::new(record),
            watch: WatchStatus::default(),
        });
        if let Some(last) = entries.last() {
            self.entries.send_replace(last.sequence);
        }
        entries
    }

    /// Commits without showing it yet.
    pub(crate) async fn commit_unseen(&self, record: JobRecord, events: Vec<Event>) -> Vec<Entry> {
        self.store
            .commit(AT, vec![Change { record, events }].into())
            .await
            .unwrap()
    }

    pub(crate) async fn add(&self, id: &str, state: JobState) {
        self.commit(record(id, state), vec![moved(JobState::Unknown, state)])
            .await;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, "").await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = request(method, path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        read(self.send(request).await).await
    }
}

pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8080")
}

pub(crate) async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let value =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (status, value)
}

#[derive(Debug)]
pub(crate) struct PaperControl(Arc<Projection>);

impl PaperControl {
    fn find(&self, job: &JobKey) -> Result<JobView, ControlError> {
        if job.target.name.as_ref() == "busy" {
            return Err(ControlError::Unavailable("the store is full".to_owned()));
        }
        self.0.get(job).ok_or(ControlError::NoSuchJob)
    }
}

#[async_trait]
impl Control for PaperControl {
    async fn intend(&self, job: &JobKey, intent: Intent) -> Result<JobView, ControlError> {
        let view = self.find(job)?;
        let intent = Some(PostedIntent { intent, since: AT });
        let record = JobRecord {
            intent,
            ..(*view.record).clone()
        };
        Ok(JobView {
            record: Arc::new(record),
            watch: view.watch,
        })
    }

    async fn explain(&self, job: &JobKey) -> Result<Explanation, ControlError> {
        let view = self.find(job)?;
        let seconds = |n: i64| Timestamp::from_millis(AT.as_millis() + n * 1000);
        let mut evidence = Evidence::first(Observed::Absent, AT, AT);
        let fault = Fault::new(FaultKind::Timeout, "no answer");
        evidence.accept(Observed::Unknown(fault), seconds(5), seconds(8));
        let mut job = (*view.record).clone();
        job.memory = vec![0, 171];
        let snapshot = Snapshot {
            engine_since: AT,
            flink: Some(evidence),
            ..testing::snapshot(job, seconds(10))
        };
        let decision = if view.record.state == JobState::Failed {
            Err(PolicyFailure {
                kind: PolicyFailureKind::Trap,
                message: "unreachable".to_owned(),
            })
        } else {
            Ok(Decision {
                state: view.record.state,
                confidence: Confidence::Stale,
                reason: Reason::new("LastKnown", "both are silent"),
                rule: "keep-last".to_owned(),
                watch: Watch {
                    poll_after: Duration::from_millis(1500),
                    validate_after: Duration::from_secs(60),
                    attention: Attention::Active,
                },
                wanted: vec![],
                conditions: vec![],
                alerts: vec![],
                memory: vec![1],
            })
        };
        Ok(Explanation {
            snapshot,
            outcome: decision,
            policy: PolicyName::new("default"),
            rule: Some(Rule {
                name: "keep-last".to_owned(),
                says: "both are silent: the state stays".to_owned(),
                because: "an error is never absence".to_owned(),
                changed_by: "any answer".to_owned(),
            }),
            waits_for: vec![
                Awaited {
                    look: AwaitedLook::Wanted(WantedSource::Kubernetes),
                    due: Due::UnderWay,
                },
                Awaited {
                    look: AwaitedLook::Flink,
                    due: Due::At(seconds(12)),
                },
            ],
        })
    }

    async fn forget(&self, job: &JobKey) -> Result<(), ControlError> {
        self.find(job)?;
        self.0.remove(job);
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct PaperHealth(pub(crate) Mutex<(Liveness, Readiness)>);

impl Default for PaperHealth {
    fn default() -> Self {
        let live = Liveness {
            live: true,
            turned_seconds_ago: 0.25,
        };
        let ready = Readiness {
            ready: true,
            store: None,
            policies: vec!["default".to_owned()],
            clusters: vec![ClusterHealth {
                name: "local".to_owned(),
                state: Reach::Retrying,
                fault: Some("timeout: no answer within 3s".to_owned()),
            }],
        };
        Self(Mutex::new((live, ready)))
    }
}

impl Health for PaperHealth {
    fn live(&self) -> Liveness {
        self.0.lock().unwrap().0.clone()
    }

    fn ready(&self) -> Readiness {
        self.0.lock().unwrap().1.clone()
    }
}

/// Reloads as it is told to.
#[derive(Debug)]
pub(crate) struct PaperPolicies(pub(crate) Mutex<Result<Reloaded, ReloadError>>);

impl Default for PaperPolicies {
    fn default() -> Self {
        Self(Mutex::new(Ok(Reloaded {
            reloaded: true,
            policies: vec![ReloadedPolicy {
                name: "default".to_owned(),
                sha256: "00ff".to_owned(),
                changed: true,
            }],
            restart_needed: vec!["server.listen".to_owned()],
        })))
    }
}

#[async_trait]
impl Policies for PaperPolicies {
    fn running(&self) -> PolicyList {
        PolicyList {
            items: vec![],
            last_reload: None,
        }
    }

    async fn reload(&self) -> Result<Reloaded, ReloadError> {
        self.0.lock().unwrap().clone()
    }
}
