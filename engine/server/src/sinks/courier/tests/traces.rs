//! What who traces is told of deliveries.

use steadfast_core::trace::{DecisionTrace, DeliveryTrace};

use super::*;
use crate::sinks::{Chat, Shape};

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
async fn of_a_message_that_tells_of_hundreds_the_oldest_are_named() {
    let tries = Arc::new(Tries::default());
    let setup = Setup {
        tracer: Some(tries.clone()),
        ..Setup::new()
    };
    let mut courier = setup.begin("hook", None, setup.receiver.clone()).await;
    courier.sink.renderer = Renderer::ByCause(None, Shape::Chat(Chat::Slack));
    for revision in 1..=300 {
        setup.transition(revision).await;
    }
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng));
    sleep(Duration::from_secs(1)).await;
    setup.cancel.cancel();
    task.await.unwrap();
    let tries = tries.0.lock().unwrap();
    let [taken] = tries.as_slice() else { panic!("{tries:?}") };
    assert_eq!((taken.events, taken.told.len()), (300, DeliveryTrace::MOST_TOLD));
    assert_eq!(taken.told[0].sequence, Sequence(1));
}
