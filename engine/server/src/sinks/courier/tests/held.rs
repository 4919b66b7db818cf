//! What is refused for where it goes.

use std::collections::VecDeque;

use steadfast_core::id::{ClusterName, Namespace};

use super::*;
use crate::sinks::courier::held::MOST_IN_ALL;

/// Takes what goes to some namespaces, of which `*` is any, and says what was offered where.
#[derive(Default)]
struct Cluster {
    refuses: Mutex<Option<(&'static str, Refusal)>>,
    /// What it does not take first, each once.
    first: Mutex<VecDeque<(&'static str, Refusal)>>,
    /// Where it never answers.
    hangs: Option<&'static str>,
    /// How long it takes otherwise.
    pause: Duration,
    offered: Mutex<Vec<(String, Sequence, bool)>>,
}

#[async_trait]
impl Deliver for Cluster {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let place = message.place.clone().unwrap();
        let is_there = |(namespace, _): &(&str, Refusal)| *namespace == "*" || place == *namespace;
        let refused = {
            let mut first = self.first.lock().unwrap();
            match first.front().filter(|first| is_there(first)) {
                Some(_) => first.pop_front(),
                None => self.refuses.lock().unwrap().filter(is_there),
            }
        };
        let is_taken = refused.is_none() && self.hangs.is_none_or(|namespace| place != namespace);
        let offered = (place.clone(), message.tells_of[0].sequence, is_taken);
        self.offered.lock().unwrap().push(offered);
        if self.hangs.is_some_and(|namespace| place == namespace) {
            std::future::pending::<()>().await;
        }
        sleep(self.pause).await;
        refused.map_or(Ok(()), |(_, refusal)| {
            Err(DeliveryError {
                refusal,
                ..DeliveryError::for_now("exceeded quota")
            })
        })
    }
}

impl Cluster {
    fn taken(&self, namespace: &str) -> Vec<u64> {
        let offered = self.offered.lock().unwrap();
        let taken = offered
            .iter()
            .filter(|(place, _, is_taken)| place == namespace && *is_taken);
        taken.map(|(_, sequence, _)| sequence.0).collect()
    }

    /// What was offered, in order: where, and what.
    fn offered(&self) -> Vec<(String, u64)> {
        let offered = self.offered.lock().unwrap();
        let offered = offered.iter().map(|(place, sequence, _)| (place.clone(), sequence.0));
        offered.collect()
    }
}

async fn begin(setup: &Setup, cluster: &Arc<Cluster>) -> Courier {
    let mut courier = setup.begin("hook", None, cluster.clone()).await;
    courier.sink.renderer = Renderer::KubernetesEvents(ClusterName::new("local"), Namespace::new("default"));
    courier
}

async fn start(setup: &Setup, cluster: &Arc<Cluster>) -> JoinHandle<()> {
    let courier = begin(setup, cluster).await;
    tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), StdRng::seed_from_u64(7)))
}

async fn happens(setup: &Setup, namespace: &str, revision: u64) {
    let record = JobRecord {
        revision,
        ..record(&format!("local/{namespace}/orders"), JobState::Running)
    };
    let change = Change {
        record: record.into(),
        events: vec![moved(JobState::Unknown, JobState::Running)],
    };
    let entries = setup.store.commit(AT, vec![change].into()).await.unwrap();
    setup.entries.send_replace(entries.last().unwrap().sequence);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_takes_nothing_holds_up_no_other_and_keeps_its_order() {
    let (setup, cluster) = (Setup::new(), Arc::<Cluster>::default());
    *cluster.refuses.lock().unwrap() = Some(("full", Refusal::OfThePlace));
    let task = start(&setup, &cluster).await;
    for revision in 1..=3 {
        happens(&setup, "full", revision).await;
        happens(&setup, "free", revision).await;
    }
    sleep(Duration::from_secs(5)).await;
    assert_eq!(cluster.taken("free"), [2, 4, 6]);
    sleep(Duration::from_secs(3600)).await;
    let [sink] = &*setup.board.read() else {
        panic!("one sink")
    };
    assert_eq!((sink.dead_letters, &sink.waiting_since), (0, &Some(AT.to_string())));
    assert!(sink.failing_since.is_some());
    assert!(
        cluster.offered.lock().unwrap().len() < 3600,
        "it is not asked without a pause"
    );
    assert_eq!(setup.cursor().await, Some(Sequence(0)), "what waits would come again");
    *cluster.refuses.lock().unwrap() = None;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(cluster.taken("full"), [1, 3, 5]);
    let [sink] = &*setup.board.read() else {
        panic!("one sink")
    };
    assert_eq!((&sink.waiting_since, &sink.failing_since), (&None, &None));
    setup.cancel.cancel();
    task.await.unwrap();
    assert_eq!(setup.cursor().await, Some(Sequence(6)));
}

#[tokio::test(start_paused = true)]
async fn what_a_namespace_refuses_for_good_or_cannot_hold_is_given_up_and_counted() {
    let (setup, cluster) = (Setup::new(), Arc::<Cluster>::default());
    *cluster.refuses.lock().unwrap() = Some(("full", Refusal::OfTheEvent));
    let task = start(&setup, &cluster).await;
    happens(&setup, "full", 1).await;
    happens(&setup, "free", 1).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(cluster.taken("free"), [2], "before the other is given up");
    sleep(Duration::from_secs(120)).await;
    assert_eq!(setup.board.read()[0].dead_letters, 1);
    *cluster.refuses.lock().unwrap() = Some(("full", Refusal::OfThePlace));
    assert_eq!(setup.cursor().await, Some(Sequence(2)), "nothing comes again");
    for revision in 2..=301 {
        happens(&setup, "full", revision).await;
    }
    happens(&setup, "free", 2).await;
    sleep(Duration::from_secs(55)).await;
    assert_eq!(setup.board.read()[0].dead_letters, 1, "it may yet take them");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(cluster.taken("free"), [2, 303]);
    let [sink] = &*setup.board.read() else {
        panic!("one sink")
    };
    assert_eq!(sink.dead_letters, 1 + 300 - 256);
    assert!(sink.last_dead_letter.as_ref().unwrap().why.contains("too many"));
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_all_is_bounded_and_the_journal_has_the_rest() {
    let (setup, cluster) = (Setup::new(), Arc::<Cluster>::default());
    let mut courier = begin(&setup, &cluster).await;
    let namespaces: Vec<String> = (0..40).map(|number| format!("full-{number}")).collect();
    for revision in 1..=256 {
        for namespace in &namespaces {
            happens(&setup, namespace, revision).await;
        }
    }
    *cluster.refuses.lock().unwrap() = Some(("*", Refusal::OfThePlace));
    let mut rng = StdRng::seed_from_u64(7);
    let caught_up = courier.catch_up(&Projection::default(), &setup.cancel, &mut rng).await;
    assert!(caught_up.is_ok());
    assert!(courier.held.count() <= MOST_IN_ALL, "{} wait", courier.held.count());
    *cluster.refuses.lock().unwrap() = None;
    let task = tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng));
    sleep(Duration::from_secs(600)).await;
    for (number, namespace) in (1..).zip(&namespaces) {
        let expected: Vec<u64> = (0..256).map(|revision| number + revision * 40).collect();
        assert_eq!(cluster.taken(namespace), expected, "{namespace}");
    }
    assert_eq!(setup.board.read()[0].dead_letters, 0);
    setup.cancel.cancel();
    task.await.unwrap();
    assert_eq!(setup.cursor().await, Some(Sequence(40 * 256)));
}

#[tokio::test(start_paused = true)]
async fn one_refusal_costs_nothing_however_much_waits_behind_it() {
    let setup = Setup::new();
    let cluster = Arc::new(Cluster {
        first: Mutex::new([("full", Refusal::OfThePlace)].into()),
        pause: Duration::from_millis(10),
        ..Cluster::default()
    });
    let courier = begin(&setup, &cluster).await;
    for revision in 1..=600 {
        happens(&setup, "full", revision).await;
    }
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(cluster.taken("full"), (1..=600).collect::<Vec<u64>>());
    let [sink] = &*setup.board.read() else {
        panic!("one sink")
    };
    assert_eq!(
        (sink.dead_letters, &sink.waiting_since, &sink.failing_since),
        (0, &None, &None)
    );
    assert_eq!(setup.cursor().await, Some(Sequence(600)));
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_offered_between_the_batches_of_what_goes_on() {
    let setup = Setup::new();
    let cluster = Arc::new(Cluster {
        first: Mutex::new([("full", Refusal::OfThePlace)].into()),
        pause: Duration::from_secs(1),
        ..Cluster::default()
    });
    let courier = begin(&setup, &cluster).await;
    happens(&setup, "full", 1).await;
    for revision in 1..=200 {
        happens(&setup, "free", revision).await;
    }
    let rng = StdRng::seed_from_u64(7);
    let task = tokio::spawn(courier.run(setup.following(), setup.cancel.clone(), rng));
    sleep(Duration::from_secs(100)).await;
    assert_eq!(cluster.taken("full"), [1]);
    assert!(cluster.taken("free").len() > 32 && cluster.taken("free").len() < 110);
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_place_is_asked_again_soon_however_long_the_receiver_was_away() {
    let (setup, cluster) = (Setup::new(), Arc::<Cluster>::default());
    let away = std::iter::repeat_n(("full", Refusal::ForNow), 12);
    *cluster.first.lock().unwrap() = away.chain([("full", Refusal::OfThePlace)]).collect();
    let task = start(&setup, &cluster).await;
    happens(&setup, "full", 1).await;
    while cluster.offered().len() < 13 {
        sleep(Duration::from_millis(10)).await;
    }
    sleep(RETRY.initial + Duration::from_millis(20)).await;
    assert_eq!(cluster.taken("full"), [1]);
    setup.cancel.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_does_not_answer_holds_up_no_other() {
    let setup = Setup::new();
    let cluster = Arc::new(Cluster {
        hangs: Some("slow"),
        ..Cluster::default()
    });
    let task = start(&setup, &cluster).await;
    happens(&setup, "slow", 1).await;
    happens(&setup, "slow", 2).await;
    happens(&setup, "free", 1).await;
    sleep(Duration::from_secs(25)).await;
    let [first, second, third, ..] = &cluster.offered()[..] else {
        panic!("{:?}", cluster.offered())
    };
    assert_eq!((first, second), (second, &("slow".to_owned(), 1)), "once says nothing");
    assert_eq!(third, &("free".to_owned(), 3));
    let (mut revision, until) = (2, Instant::now() + Duration::from_secs(600));
    while Instant::now() < until {
        happens(&setup, "free", revision).await;
        revision += 1;
        let told = cluster.taken("free").len();
        sleep(Duration::from_secs(12)).await;
        assert!(
            cluster.taken("free").len() > told,
            "it is told while the other is silent"
        );
    }
    let asked = cluster.offered().iter().filter(|(place, _)| place == "slow").count();
    assert!((10..=40).contains(&asked), "{asked}");
    assert_eq!(setup.board.read()[0].dead_letters, 0);
    setup.cancel.cancel();
    task.await.unwrap();
}
