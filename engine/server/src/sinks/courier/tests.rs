mod held;
mod mail;

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
use steadfast_core::trace::{DecisionTrace, DeliveryTrace};
use steadfast_store::MemoryStore;
use tokio::task::JoinHandle;

use steadfast_core::secret_url::SecretUrl;

use super::*;
use crate::sinks::cursor_name;
use crate::sinks::deliver::Refusal;
use crate::sinks::selection::Events;
use crate::sinks::{Chat, HttpPost, HttpReceiver, MediaType, Protocol, Shape};
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

/// What who traces is told.
#[derive(Default)]
struct Tries(Mutex<Vec<DeliveryTrace>>);

impl Tracer for Tries {
    fn decided(&self, _: DecisionTrace) {
        unreachable!("a sink decides nothing")
    }

    fn delivered(&self, delivery: DeliveryTrace) {
        self.0.lock().unwrap().push(delivery);
    }
}

#[tokio::test(start_paused = true)]
async fn who_traces_is_told_of_each_try_and_what_it_tells_of() {
    let tries = Arc::new(Tries::default());
    let setup = Setup {
        tracer: Some(tries.clone()),
        ..Setup::new()
    };
    setup.receiver.mood.lock().unwrap().push(Mood::Refuses);
    let task = setup.start().await;
    setup.transition(1).await;
    setup.until(1).await;
    setup.cancel.cancel();
    task.await.unwrap();
    let tries = tries.0.lock().unwrap();
    let [refused, taken] = tries.as_slice() else {
        panic!("{tries:?}")
    };
    let undelivered = refused.outcome.clone().unwrap_err();
    assert_eq!(
        (undelivered.kind, undelivered.message.as_str()),
        ("not-now", "the receiver answered 503")
    );
    assert_eq!((refused.failures, taken.failures), (0, 1));
    assert_eq!(taken.outcome, Ok(()));
    let told = &taken.told[0];
    assert_eq!((told.sequence, told.revision, told.at), (Sequence(1), 1, AT));
    assert_eq!((taken.sink.as_str(), taken.told.len()), ("hook", 1));
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

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_given_up_and_the_rest_goes_on() {
    let setup = Setup::new();
    *setup.receiver.refuses.lock().unwrap() = Some("store-2");
    let task = setup.start().await;
    for revision in 1..=65 {
        setup.transition(revision).await;
    }
    setup.until(64).await;
    let expected: Vec<String> = (1..=65).filter(|n| *n != 2).map(|n| format!("store-{n}")).collect();
    assert_eq!(setup.ids(), expected);
    let [sink] = &*setup.board.read() else {
        panic!("one sink")
    };
    let last = sink.last_dead_letter.clone().unwrap();
    assert_eq!((sink.dead_letters, last.sequence, &sink.failing_since), (1, 2, &None));
    assert!(last.why.contains("413"), "{last:?}");
    setup.cancel.cancel();
    task.await.unwrap();
    assert_eq!(setup.cursor().await, Some(Sequence(65)));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_within_max_age_is_given_up_and_the_rest_goes_on() {
    let setup = Setup {
        max_age: Duration::from_secs(600),
        ..Setup::new()
    };
    *setup.receiver.mood.lock().unwrap() = vec![Mood::Refuses; 100_000];
    let task = setup.start().await;
    setup.transition(1).await;
    let given_up = || setup.board.read().first().is_some_and(|sink| sink.dead_letters == 1);
    while !given_up() {
        sleep(Duration::from_secs(1)).await;
    }
    assert!(setup.board.read()[0].failing_since.is_some());
    setup.receiver.mood.lock().unwrap().clear();
    setup.transition(2).await;
    setup.until(1).await;
    assert_eq!(setup.ids(), ["store-2"]);
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_given_a_name_goes_on_and_keeps_its_place_when_its_url_changes() {
    let setup = Setup::new();
    setup.transition(1).await;
    setup.store.advance_sink("webhook-old", Sequence(0)).await.unwrap();
    let named = setup.begin("orders", Some("webhook-old"), setup.receiver.clone()).await;
    assert_eq!(named.position, Sequence(0), "where it was without a name");
    setup.transition(2).await;
    // Another URL: another digest, of which nothing was ever kept.
    let rotated = setup.begin("orders", Some("webhook-new"), setup.receiver.clone()).await;
    assert_eq!(rotated.position, Sequence(0));
    let stranger = setup.begin("other", Some("webhook-none"), setup.receiver.clone()).await;
    assert_eq!(stranger.position, Sequence(2), "a new sink begins at the end");
}

#[tokio::test(start_paused = true)]
async fn each_sink_counts_for_itself() {
    let setup = Setup::new();
    setup.transition(1).await;
    let metrics = SinkMetrics::default();
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    for (name, position) in [("good", 1), ("stuck", 0)] {
        setup.store.advance_sink(name, Sequence(position)).await.unwrap();
        let webhook = setup.begin(name, None, setup.receiver.clone()).await;
        metrics.of(name).reached(webhook.position);
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "steadfast_sink_sequence{sink=\"good\"} 1",
        "steadfast_sink_sequence{sink=\"stuck\"} 0",
    ] {
        assert!(text.contains(line), "{text}");
    }
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
    let to = {
        let http = HttpReceiver::plain(SecretUrl::from(url.as_str()));
        let protocol = Protocol::Webhook(MediaType::CloudEvent);
        Arc::new(HttpPost::new(http, protocol, Arc::new(Ticking(Instant::now()))).unwrap())
    };
    let name = cursor_name(&SecretUrl::from(url.as_str()));
    let mut webhook = setup.begin(&name, None, to.clone()).await;
    webhook.sink.retry = Backoff {
        initial: Duration::from_millis(1),
        max: Duration::from_millis(1),
    };
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(webhook.run(setup.following(), setup.cancel.clone(), rng));
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
    let refused = to
        .deliver(&Message {
            id: String::new(),
            title: String::new(),
            body: "{}".to_owned(),
            place: None,
            tells_of: Vec::new(),
        })
        .await
        .unwrap_err();
    assert!(!refused.message.contains("secret"), "{}", refused.message);
    assert!(!name.contains("secret") && !format!("{to:?}").contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn what_comes_within_the_wait_is_one_message_and_what_is_not_selected_is_passed_over() {
    let setup = Setup::new();
    let mut courier = setup.begin("hook", None, setup.receiver.clone()).await;
    courier.sink.renderer = Renderer::ByCause(None, Shape::Chat(Chat::Slack));
    courier.sink.batch_wait = Duration::from_secs(5);
    courier.sink.selection.states = vec![JobState::Running];
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng));
    for revision in 1..=3 {
        setup.transition(revision).await;
        sleep(Duration::from_secs(1)).await;
    }
    setup.commit(4, vec![moved(JobState::Running, JobState::Failed)]).await;
    while setup.receiver.got.lock().unwrap().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(setup.board.read()[0].waiting_since.is_none() || setup.cursor().await.is_some());
    sleep(Duration::from_secs(60)).await;
    let got = setup.receiver.got.lock().unwrap().clone();
    assert_eq!(got.len(), 1, "{got:?}");
    assert!(
        got[0]["text"]
            .as_str()
            .unwrap()
            .starts_with("[RUNNING] local/default/orders, 3 times\n"),
        "{got:?}"
    );
    assert_eq!(setup.cursor().await, Some(Sequence(4)));
    setup.cancel.cancel();
    task.await.unwrap();
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
