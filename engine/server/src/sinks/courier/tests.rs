mod giving_up;
mod held;
mod loopback;
mod mail;
mod places;
mod traces;
mod waiting;

use std::sync::Mutex;

use async_trait::async_trait;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::journal::{Change, Event, Journal as _, SinkCursors as _};
use steadfast_core::record::{AlertScope, JobRecord};
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;
use steadfast_store::MemoryStore;
use tokio::task::JoinHandle;

use super::*;
use crate::sinks::deliver::{DeliveryError, Refusal};
use crate::sinks::selection::Events;
use crate::testing::{AT, moved, record};

const RETRY: Backoff = Backoff {
    initial: Duration::from_millis(800),
    max: Duration::from_secs(30),
};

/// Takes what it is told to take.
#[derive(Default)]
struct Receiver {
    got: Mutex<Vec<Value>>,
    /// How the next deliveries go; when it is empty they are taken.
    mood: Mutex<Vec<Mood>>,
    /// The id of an event that it never takes.
    refuses: Mutex<Option<&'static str>>,
}

#[derive(Clone, Copy)]
enum Mood {
    Refuses,
    /// Takes it, but the answer is lost.
    TakesAndHangs,
}

#[async_trait]
impl Deliver for Receiver {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let event = message.body.as_str();
        let id = serde_json::from_str::<Value>(event).unwrap()["id"].clone();
        if self.refuses.lock().unwrap().is_some_and(|refused| id == refused) {
            return Err(DeliveryError {
                refusal: Refusal::OfTheEvent,
                ..DeliveryError::for_now("the receiver answered 413")
            });
        }
        let mood = self.mood.lock().unwrap().pop();
        match mood {
            Some(Mood::Refuses) => Err(DeliveryError {
                retry_after: Some(Duration::from_secs(2)),
                ..DeliveryError::for_now("the receiver answered 503")
            }),
            Some(Mood::TakesAndHangs) => {
                self.got.lock().unwrap().push(serde_json::from_str(event).unwrap());
                std::future::pending().await
            }
            None => {
                self.got.lock().unwrap().push(serde_json::from_str(event).unwrap());
                Ok(())
            }
        }
    }
}

struct Setup {
    store: Arc<MemoryStore>,
    receiver: Arc<Receiver>,
    entries: watch::Sender<Sequence>,
    cancel: CancellationToken,
    board: SinkBoard,
    max_age: Duration,
    tracer: Option<Arc<dyn Tracer>>,
}

/// A clock that goes with tokio's.
struct Ticking(tokio::time::Instant);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        AT.after(self.0.elapsed())
    }
}

impl Setup {
    fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new("store")),
            receiver: Arc::default(),
            entries: watch::channel(Sequence(0)).0,
            cancel: CancellationToken::new(),
            board: SinkBoard::default(),
            max_age: Duration::from_secs(86_400),
            tracer: None,
        }
    }

    async fn start(&self) -> JoinHandle<()> {
        let webhook = self.begin("hook", None, self.receiver.clone()).await;
        let rng = StdRng::seed_from_u64(7);
        tokio::spawn(webhook.run(self.following(), self.cancel.clone(), rng))
    }

    async fn begin(&self, name: &str, formerly: Option<&str>, to: Arc<dyn Deliver>) -> Courier {
        let sink = Sink {
            name: name.to_owned(),
            formerly: formerly.map(str::to_owned),
            retry: RETRY,
            max_age: self.max_age,
            selection: Selection::all(Events::All),
            renderer: Renderer::CloudEvents,
            batch_wait: Duration::ZERO,
        };
        let ports = SinkPorts {
            store: self.store.clone(),
            to,
            clock: Arc::new(Ticking(tokio::time::Instant::now())),
            metrics: SinkMetrics::default(),
            board: self.board.clone(),
            tracer: self.tracer.clone(),
        };
        Courier::begin(sink, ports).await.unwrap()
    }

    fn following(&self) -> Following {
        Following {
            entries: self.entries.subscribe(),
            records: Arc::default(),
        }
    }

    async fn commit(&self, revision: u64, events: Vec<Event>) {
        let record = JobRecord {
            revision,
            ..record("local/default/orders", JobState::Running)
        };
        let entries = self
            .store
            .commit(
                AT,
                vec![Change {
                    record: record.into(),
                    events,
                }]
                .into(),
            )
            .await
            .unwrap();
        self.entries.send_replace(entries.last().unwrap().sequence);
    }

    async fn transition(&self, revision: u64) {
        self.commit(revision, vec![moved(JobState::Unknown, JobState::Running)])
            .await;
    }

    fn ids(&self) -> Vec<String> {
        let got = self.receiver.got.lock().unwrap();
        got.iter()
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn until(&self, count: usize) {
        while self.ids().len() < count {
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn cursor(&self) -> Option<Sequence> {
        self.store.sink_cursor("hook").await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn transitions_and_alerts_are_cloud_events_in_order() {
    let setup = Setup::new();
    let task = setup.start().await;
    let alert = |status| {
        Event::Alert(AlertEvent {
            alert: "JobFailed".to_owned(),
            scope: AlertScope::Job,
            status,
            since: AT,
            message: "it failed".to_owned(),
            silenced: false,
        })
    };
    setup.transition(1).await;
    setup
        .commit(
            2,
            vec![
                Event::Update(None),
                alert(AlertStatus::Firing),
                alert(AlertStatus::Resolved),
            ],
        )
        .await;
    setup.until(3).await;
    assert_eq!(setup.ids(), ["store-1", "store-3", "store-4"]);
    let got = setup.receiver.got.lock().unwrap().clone();
    assert_eq!(
        got[0],
        serde_json::json!({
            "specversion": "1.0", "id": "store-1", "source": "/steadfast/store", "type": "dev.steadfast.transition",
            "subject": "local/default/orders", "time": "2026-11-23T01:13:29.838Z", "datacontenttype": "application/json",
            "data": {"sequence": 1, "at": "2026-11-23T01:13:29.838Z", "from": "UNKNOWN", "to": "RUNNING",
                "confidence": "confirmed", "reason": {"code": "FlinkSays", "message": "Flink lists the job"},
                "attempt": 1, "policy": "default"}
        })
    );
    assert_eq!(
        got[2]["data"],
        serde_json::json!({"alert": "JobFailed", "job": "local/default/orders", "scope": "job", "status": "resolved",
            "since": "2026-11-23T01:13:29.838Z", "message": "it failed"})
    );
    assert_eq!(
        (&got[1]["type"], &got[1]["status"], &got[2]["status"]),
        (&"dev.steadfast.alert".into(), &"firing".into(), &"resolved".into())
    );
    setup.cancel.cancel();
    task.await.unwrap();
    assert_eq!(setup.cursor().await, Some(Sequence(4)));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_fails_for_hours_gets_everything_in_order() {
    let setup = Setup::new();
    *setup.receiver.mood.lock().unwrap() = vec![Mood::Refuses; 400];
    let task = setup.start().await;
    for revision in 1..=3 {
        setup.transition(revision).await;
    }
    let begun = tokio::time::Instant::now();
    setup.until(3).await;
    assert!(begun.elapsed() > Duration::from_secs(3600), "{:?}", begun.elapsed());
    assert_eq!(setup.ids(), ["store-1", "store-2", "store-3"]);
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_brings_the_same_id_again() {
    let setup = Setup::new();
    setup.receiver.mood.lock().unwrap().push(Mood::TakesAndHangs);
    let task = setup.start().await;
    setup.transition(1).await;
    setup.until(2).await;
    assert_eq!(setup.ids(), ["store-1", "store-1"]);
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_killed_engine_delivers_again_what_it_had_not_noted() {
    let setup = Setup::new();
    let task = setup.start().await;
    *setup.receiver.mood.lock().unwrap() = vec![Mood::TakesAndHangs];
    setup.transition(1).await;
    setup.until(1).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(setup.cursor().await, Some(Sequence(0)));
    let task = setup.start().await;
    setup.until(2).await;
    assert_eq!(setup.ids(), ["store-1", "store-1"]);
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_a_delivery_under_way_and_keeps_what_was_delivered() {
    let setup = Setup::new();
    for revision in 1..=2 {
        setup.transition(revision).await;
    }
    setup.store.advance_sink("hook", Sequence(0)).await.unwrap();
    *setup.receiver.mood.lock().unwrap() = vec![];
    let task = setup.start().await;
    setup.until(2).await;
    *setup.receiver.mood.lock().unwrap() = vec![Mood::Refuses; 1000];
    setup.transition(3).await;
    sleep(Duration::from_secs(100)).await;
    setup.cancel.cancel();
    task.await.unwrap();
    assert_eq!(setup.cursor().await, Some(Sequence(2)));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_shown_until_it_is_delivered() {
    let setup = Setup::new();
    *setup.receiver.mood.lock().unwrap() = vec![Mood::Refuses; 20];
    let task = setup.start().await;
    setup.transition(1).await;
    while setup.board.read().iter().all(|sink| sink.failing_since.is_none()) {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(setup.board.read()[0].waiting_since, Some(AT.to_string()));
    setup.until(1).await;
    while setup.board.read()[0].waiting_since.is_some() {
        sleep(Duration::from_millis(10)).await;
    }
    setup.cancel.cancel();
    task.await.unwrap();
}
