use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_over_when_the_last_task_is() {
    let tasks = Tasks::default();
    for (name, needs) in [("quick", 1), ("slow", 7)] {
        let token = tasks.token().clone();
        tasks.spawn(name, async move {
            token.cancelled().await;
            tokio::time::sleep(Duration::from_secs(needs)).await;
        });
    }
    assert_eq!(tasks.running(), ["quick", "slow"]);
    let began = Instant::now();
    assert_eq!(tasks.stop(in_seconds(20)).await, Ok(()));
    assert_eq!(began.elapsed(), Duration::from_secs(7));
    assert_eq!(tasks.running(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_those_that_are_left_are_named_and_cut_off() {
    let tasks = Tasks::default();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = SetOnDrop(Arc::clone(&dropped));
    tasks.spawn("deaf", async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    let token = tasks.token().clone();
    tasks.spawn("obedient", async move { token.cancelled().await });
    tasks.spawn("deaf too", std::future::pending());
    let began = Instant::now();
    let late = tasks.stop(in_seconds(20)).await.unwrap_err();
    assert_eq!(late.tasks, ["deaf", "deaf too"]);
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    assert_eq!(
        late.to_string(),
        "still running at the deadline of the stop, and cut off: deaf, deaf too"
    );
    tasks.tracker.wait().await;
    assert!(dropped.load(Ordering::SeqCst), "a task that was cut off lives on");
    assert_eq!(tasks.running(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_waits_for_nobody() {
    let tasks = Tasks::default();
    tasks.spawn("deaf", std::future::pending());
    let began = Instant::now();
    assert!(tasks.stop(Instant::now()).await.is_err());
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_no_longer_waited_for() {
    let tasks = Tasks::default();
    tasks.spawn("broken", async { panic!("on purpose") });
    assert_eq!(tasks.stop(in_seconds(20)).await, Ok(()));
    assert_eq!(tasks.running(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn only_a_stop_that_takes_long_says_whom_it_waits_for() {
    for (needs, said) in [(0, None), (3, Some("the stop waits for: slow"))] {
        let log = Log::default();
        let _logged = tracing::subscriber::set_default(log.clone());
        let tasks = Tasks::default();
        tasks.spawn(
            "slow",
            async move { tokio::time::sleep(Duration::from_secs(needs)).await },
        );
        tasks.stop(in_seconds(20)).await.unwrap();
        assert_eq!(log.lines(), Vec::from_iter(said), "{needs}");
    }
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The messages of all events.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("steadfast_tasks")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Message(self));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Message<'a>(&'a Log);

impl tracing::field::Visit for Message<'_> {
    fn record_debug(&mut self, _: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.0.lock().unwrap().push(format!("{value:?}"));
    }
}
