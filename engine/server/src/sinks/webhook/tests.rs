use std::sync::Mutex;

use async_trait::async_trait;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::journal::{Change, Event, Journal as _, SinkCursors as _};
use steadfast_core::record::{AlertScope, JobRecord};
use steadfast_core::state::JobState;
use steadfast_store::MemoryStore;
use tokio::task::JoinHandle;

use super::*;
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
}

#[derive(Clone, Copy)]
enum Mood {
    Refuses,
    /// Takes it, but the answer is lost.
    TakesAndHangs,
}

#[async_trait]
impl Deliver for Receiver {
    async fn deliver(&self, event: &str) -> Result<(), DeliveryError> {
        let mood = self.mood.lock().unwrap().pop();
        match mood {
            Some(Mood::Refuses) => Err(DeliveryError {
                message: "the receiver answered 503".to_owned(),
                retry_after: Some(Duration::from_secs(2)),
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
}

impl Setup {
    fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new("store")),
            receiver: Arc::default(),
            entries: watch::channel(Sequence(0)).0,
            cancel: CancellationToken::new(),
        }
    }

    async fn start(&self) -> JoinHandle<()> {
        let to = self.receiver.clone();
        let webhook = Webhook::begin("hook", self.store.clone(), to, RETRY, SinkMetrics::default());
        let webhook = webhook.await.unwrap();
        let rng = StdRng::seed_from_u64(7);
        tokio::spawn(webhook.run(self.entries.subscribe(), self.cancel.clone(), rng))
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
        })
    };
    setup.transition(1).await;
    setup
        .commit(
            2,
            vec![Event::Update, alert(AlertStatus::Firing), alert(AlertStatus::Resolved)],
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
async fn a_new_sink_begins_at_the_end_and_a_known_one_where_it_was() {
    let setup = Setup::new();
    setup.transition(1).await;
    let task = setup.start().await;
    setup.transition(2).await;
    setup.until(1).await;
    setup.cancel.cancel();
    task.await.unwrap();
    let mut setup = setup;
    setup.cancel = CancellationToken::new();
    setup.transition(3).await; // while no sink runs
    let task = setup.start().await;
    setup.until(2).await;
    assert_eq!(setup.ids(), ["store-2", "store-3"]);
    setup.cancel.cancel();
    task.await.unwrap();
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

/// Over a real connection, as a receiver sees it.
#[tokio::test]
async fn a_receiver_on_loopback_gets_posts() {
    use axum::Router;
    use axum::routing::post;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (sender, mut got) = tokio::sync::mpsc::channel::<(String, Value)>(16);
    let mut answers = 0;
    let answers = Arc::new(Mutex::new(move || {
        answers += 1;
        match answers {
            1 => http::StatusCode::INTERNAL_SERVER_ERROR,
            2 => http::StatusCode::FOUND,
            _ => http::StatusCode::ACCEPTED,
        }
    }));
    let receive = move |headers: http::HeaderMap, body: String| async move {
        let format = headers["content-type"].to_str().unwrap().to_owned();
        sender
            .send((format, serde_json::from_str(&body).unwrap()))
            .await
            .unwrap();
        let status = answers.lock().unwrap()();
        (status, [("location", "/elsewhere")])
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, Router::new().route("/hook", post(receive))).into_future());
    let url = format!("http://{address}/hook?token=secret");
    let setup = Setup::new();
    let quick = Backoff {
        initial: Duration::from_millis(1),
        max: Duration::from_millis(1),
    };
    let to = Arc::new(super::super::HttpPost::new(url.parse().unwrap()).unwrap());
    let webhook = Webhook::begin(
        cursor_name(&url),
        setup.store.clone(),
        to.clone(),
        quick,
        SinkMetrics::default(),
    );
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(
        webhook
            .await
            .unwrap()
            .run(setup.entries.subscribe(), setup.cancel.clone(), rng),
    );
    setup.transition(1).await;
    for _ in 0..3 {
        let (format, event) = got.recv().await.unwrap();
        assert_eq!(format, "application/cloudevents+json; charset=utf-8");
        assert_eq!(event["id"], "store-1");
    }
    setup.cancel.cancel();
    task.await.unwrap();
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    let refused = to.deliver("{}").await.unwrap_err();
    assert!(!refused.message.contains("secret"), "{}", refused.message);
    assert!(!cursor_name(&url).contains("secret"));
}
