//! What waits for others that are told with it.

use super::*;
use crate::sinks::{Chat, Shape};

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
