//! What is offered no more.

use super::*;

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
