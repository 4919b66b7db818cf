use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use steadfast_core::alert::AlertStatus;
use steadfast_core::backoff::Backoff;
use steadfast_core::journal::{Change, Event, Journal as _, SinkCursors as _};
use steadfast_core::projection::{JobView, WatchStatus};
use steadfast_core::record::{AlertScope, JobRecord, StandingAlert};
use steadfast_core::state::JobState;
use steadfast_core::time::{Clock, Timestamp};
use steadfast_store::MemoryStore;
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::{Sink, SinkPorts};
use super::*;
use crate::sinks::deliver::Deliver;
use crate::sinks::message::Message;
use crate::sinks::render::Renderer;
use crate::sinks::selection::{Events, Selection};
use crate::sinks::testing::alert;
use crate::sinks::{SinkBoard, SinkMetrics};
use crate::testing::{AT, record};

const RESEND: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);

/// A clock that goes with tokio's.
struct Ticking(Instant);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        AT.after(self.0.elapsed())
    }
}

/// What an Alertmanager answers to a post that names those jobs.
type Answer = Box<dyn Fn(&[String]) -> Result<(), DeliveryError> + Send>;

/// When it came, what it named with which end, and whether it was taken.
type Post = (Duration, BTreeMap<String, Timestamp>, bool);

struct Alertmanager {
    answer: Mutex<Answer>,
    begun: Instant,
    /// Each post: when, which jobs with the end of each, and whether it was taken.
    posts: Mutex<Vec<Post>>,
}

#[async_trait]
impl Deliver for Alertmanager {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let alerts: Vec<Value> = serde_json::from_str(&message.body).unwrap();
        let end = |alert: &Value| Timestamp::parse(alert["endsAt"].as_str().unwrap()).unwrap();
        let name = |alert: &Value| alert["labels"]["name"].as_str().unwrap().to_owned();
        let named: BTreeMap<String, Timestamp> = alerts.iter().map(|alert| (name(alert), end(alert))).collect();
        let names: Vec<String> = named.keys().cloned().collect();
        let answer = (self.answer.lock().unwrap())(&names);
        let post = (self.begun.elapsed(), named, answer.is_ok());
        self.posts.lock().unwrap().push(post);
        answer
    }
}

impl Alertmanager {
    fn answers(&self, answer: impl Fn(&[String]) -> Result<(), DeliveryError> + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    /// When it took that this job's alert fires, since it was begun.
    fn took(&self, job: &str) -> Vec<Duration> {
        let posts = self.posts.lock().unwrap();
        let fires = |(at, named, is_taken): &(Duration, BTreeMap<String, Timestamp>, bool)| {
            (*is_taken && named.get(job).is_some_and(|end| *end > AT.after(*at))).then_some(*at)
        };
        posts.iter().filter_map(fires).collect()
    }

    /// How often it was told of that job, whether it took it or not.
    fn offered(&self, job: &str) -> usize {
        let posts = self.posts.lock().unwrap();
        posts.iter().filter(|(_, named, _)| named.contains_key(job)).count()
    }

    fn posts(&self) -> usize {
        self.posts.lock().unwrap().len()
    }
}

struct World {
    store: Arc<MemoryStore>,
    records: Arc<Projection>,
    entries: watch::Sender<Sequence>,
    receiver: Arc<Alertmanager>,
    board: SinkBoard,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl World {
    async fn new(max_age: Duration) -> Self {
        let store = Arc::new(MemoryStore::new("store"));
        let board = SinkBoard::default();
        let receiver = Arc::new(Alertmanager {
            answer: Mutex::new(Box::new(|_| Ok(()))),
            begun: Instant::now(),
            posts: Mutex::default(),
        });
        let sink = Sink {
            name: "am".to_owned(),
            formerly: None,
            retry: Backoff {
                initial: Duration::from_millis(800),
                max: Duration::from_secs(30),
            },
            max_age,
            selection: Selection::all(Events::Alerts),
            renderer: Renderer::Alerts(Alerts::new(RESEND, BTreeMap::new())),
            batch_wait: Duration::ZERO,
        };
        let ports = SinkPorts {
            store: store.clone(),
            to: receiver.clone(),
            clock: Arc::new(Ticking(Instant::now())),
            metrics: SinkMetrics::default(),
            board: board.clone(),
            tracer: None,
        };
        let (entries, records) = (watch::channel(Sequence(0)).0, Arc::<Projection>::default());
        let cancel = CancellationToken::new();
        let following = Following {
            entries: entries.subscribe(),
            records: Arc::clone(&records),
        };
        let courier = Courier::begin(sink, ports).await.unwrap();
        let task = tokio::spawn(courier.run(following, cancel.clone(), StdRng::seed_from_u64(7)));
        Self {
            store,
            records,
            entries,
            receiver,
            board,
            cancel,
            task,
        }
    }

    /// The alert of a job begins or ends: in the journal, and in its record.
    async fn job(&self, name: &str, revision: u64, status: AlertStatus) {
        let standing = match status {
            AlertStatus::Resolved => vec![],
            AlertStatus::Firing => vec![StandingAlert {
                name: "JobFailed".to_owned(),
                scope: AlertScope::Job,
                since: AT,
                message: "it is so".to_owned(),
                silenced: false,
            }],
        };
        let record: Arc<JobRecord> = JobRecord {
            revision,
            alerts: standing,
            ..record(&format!("local/default/{name}"), JobState::Failed)
        }
        .into();
        let change = Change {
            record: Arc::clone(&record),
            events: vec![alert("JobFailed", AlertScope::Job, status)],
        };
        let entries = self.store.commit(AT, vec![change].into()).await.unwrap();
        self.records.show(JobView {
            record,
            watch: WatchStatus::default(),
        });
        self.entries.send_replace(entries.last().unwrap().sequence);
    }

    /// Something of a job changes that nobody is told of.
    async fn update(&self, name: &str, revision: u64) {
        let record = JobRecord {
            revision,
            ..record(&format!("local/default/{name}"), JobState::Running)
        };
        let change = Change {
            record: record.into(),
            events: vec![Event::Update(None)],
        };
        let entries = self.store.commit(AT, vec![change].into()).await.unwrap();
        self.entries.send_replace(entries.last().unwrap().sequence);
    }

    async fn end(self) -> Option<Sequence> {
        self.cancel.cancel();
        self.task.await.unwrap();
        self.store.sink_cursor("am").await.unwrap()
    }
}

fn refused(refusal: Refusal) -> DeliveryError {
    DeliveryError {
        refusal,
        ..DeliveryError::for_now("the receiver answered so")
    }
}

/// It has trouble of its own, and asks to be left alone.
fn busy(wait: Duration) -> DeliveryError {
    DeliveryError {
        retry_after: Some(wait),
        ..refused(Refusal::ForNow)
    }
}

/// The longest time in which the job was not said to fire, from then on.
fn longest_silence(took: &[Duration], from: Duration, until: Duration) -> Duration {
    let after = took.iter().filter(|at| **at >= from).copied();
    let marks: Vec<Duration> = std::iter::once(from).chain(after).chain([until]).collect();
    marks.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_is_not_taken_ends_no_other() {
    for refusal in [Refusal::OfTheEvent, Refusal::ForNow] {
        let world = World::new(MINUTE * 30).await;
        for number in 0..40 {
            world.job(&format!("a{number}"), 1, AlertStatus::Firing).await;
        }
        sleep(MINUTE).await;
        world.receiver.answers(move |names| {
            if names.iter().any(|name| name == "b") {
                Err(refused(refusal))
            } else {
                Ok(())
            }
        });
        let from = world.receiver.begun.elapsed();
        world.job("b", 1, AlertStatus::Firing).await;
        sleep(MINUTE * 20).await;
        let until = world.receiver.begun.elapsed();
        for number in 0..40 {
            let silence = longest_silence(&world.receiver.took(&format!("a{number}")), from, until);
            assert!(silence <= RESEND + MINUTE / 2, "{refusal:?} a{number}: {silence:?}");
        }
        assert!(world.board.read()[0].failing_since.is_some(), "one is still refused");
        let dead = world.board.read()[0].dead_letters;
        assert_eq!(dead, u64::from(refusal == Refusal::OfTheEvent), "{refusal:?}");
        // What comes meanwhile is told, and what was refused as soon as it is taken.
        world.job("c", 1, AlertStatus::Firing).await;
        sleep(MINUTE / 2).await;
        assert!(!world.receiver.took("c").is_empty());
        world.receiver.answers(|_| Ok(()));
        sleep(MINUTE * 2).await;
        assert!(!world.receiver.took("b").is_empty());
        assert!(world.board.read()[0].failing_since.is_none());
        assert_eq!(world.end().await, Some(Sequence(42)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_that_is_told_after_an_outage_is_the_present() {
    let world = World::new(MINUTE * 60 * 24).await;
    world.receiver.answers(|_| Err(refused(Refusal::ForNow)));
    world.job("stands", 1, AlertStatus::Firing).await;
    world.job("ended", 1, AlertStatus::Firing).await;
    sleep(MINUTE * 60).await;
    world.job("ended", 2, AlertStatus::Resolved).await;
    world.receiver.answers(|_| Ok(()));
    sleep(MINUTE * 2).await;
    let posts = world.receiver.posts.lock().unwrap().clone();
    let mut told = std::collections::BTreeSet::new();
    for (at, named, _) in posts.iter().filter(|(.., is_taken)| *is_taken) {
        for (job, end) in named {
            // What fires does so for four times the time to the next sending, from when it is told.
            let expected = if job == "stands" {
                AT.after(*at + RESEND * 4)
            } else {
                AT
            };
            assert_eq!(*end, expected, "{job} at {at:?}");
            told.insert(job.clone());
        }
    }
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(world.end().await, Some(Sequence(3)));
}

#[tokio::test(start_paused = true)]
async fn who_is_away_is_not_asked_for_each_alert() {
    let world = World::new(MINUTE * 60 * 24).await;
    world.receiver.answers(|_| Err(refused(Refusal::ForNow)));
    for number in 0..210 {
        world.job(&format!("a{number}"), 1, AlertStatus::Firing).await;
    }
    sleep(MINUTE * 10).await;
    let before = world.receiver.posts();
    sleep(MINUTE * 10).await;
    let asked = world.receiver.posts() - before;
    assert!(asked <= 10 * 60, "{asked}");
    let waiting = world.board.read()[0].waiting_since.clone();
    assert_eq!(waiting, Some(AT.to_string()));
    assert_eq!(world.end().await, Some(Sequence(0)), "nothing was told");
}

#[tokio::test(start_paused = true)]
async fn who_is_away_is_asked_no_sooner_for_what_happens_elsewhere_and_is_not_well_by_that() {
    let world = World::new(MINUTE * 60 * 24).await;
    for number in 0..40 {
        world.job(&format!("a{number}"), 1, AlertStatus::Firing).await;
    }
    sleep(MINUTE).await;
    world.receiver.answers(|_| Err(refused(Refusal::ForNow)));
    sleep(MINUTE * 2).await;
    let before = world.receiver.posts();
    for revision in 1..=600 {
        world.update("other", revision).await;
        sleep(Duration::from_millis(100)).await;
        assert!(world.board.read()[0].failing_since.is_some(), "update {revision}");
    }
    let asked = world.receiver.posts() - before;
    assert!(asked < 60, "{asked} times in a minute");
    world.receiver.answers(|_| Ok(()));
    sleep(MINUTE).await;
    assert!(world.board.read()[0].failing_since.is_none());
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_begins_while_the_receiver_asks_to_wait_waits_too() {
    let world = World::new(MINUTE * 60 * 24).await;
    world.receiver.answers(|_| Err(busy(MINUTE / 2)));
    world.job("a", 1, AlertStatus::Firing).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.receiver.posts(), 1);
    for number in 0..20 {
        world.job(&format!("b{number}"), 1, AlertStatus::Firing).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(world.receiver.posts(), 1, "it was asked again before");
    world.receiver.answers(|_| Ok(()));
    sleep(MINUTE).await;
    for number in 0..20 {
        assert!(!world.receiver.took(&format!("b{number}")).is_empty());
    }
    assert_eq!(world.end().await, Some(Sequence(21)));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_offered_three_times_is_not_given_up() {
    let world = World::new(MINUTE * 60 * 24).await;
    // After a long stop all of it is too old.
    sleep(MINUTE * 60 * 25).await;
    world.receiver.answers(|_| Err(busy(MINUTE / 2)));
    for number in 0..450 {
        world.job(&format!("a{number}"), 1, AlertStatus::Firing).await;
    }
    while world.receiver.posts() < 3 {
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(world.board.read()[0].dead_letters, 0, "none was offered three times");
    while world.board.read()[0].dead_letters < 450 {
        sleep(Duration::from_secs(1)).await;
    }
    for number in 0..450 {
        let offered = world.receiver.offered(&format!("a{number}"));
        assert!(offered >= 3, "a{number} was given up after {offered}");
    }
    assert!(world.receiver.posts() < 20, "nor does one wait for all others");
    assert_eq!(world.end().await, Some(Sequence(450)));
}
