use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use steadfast_core::id::JobKey;
use steadfast_core::projection::{JobView, WatchStatus};
use steadfast_core::record::JobRecord;
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::testing::{at, job_key, record};
use steadfast_core::time::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::bucket::{BURST, WRITES_A_SECOND};
use crate::testing::{Answer, Memory};

const SETTLE: Duration = Duration::from_secs(15);

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        at(1_000_000)
    }
}

/// Records, and a cluster in which a keeper keeps their resources.
struct Stage {
    cluster: Arc<Memory>,
    records: Arc<Projection>,
    entries: watch::Sender<Sequence>,
    standing: Standing,
    store: &'static str,
    keeper: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Stage {
    fn new() -> Self {
        let mut stage = Self {
            cluster: Arc::default(),
            records: Arc::default(),
            entries: watch::Sender::new(Sequence(0)),
            standing: Standing::default(),
            store: "this",
            keeper: None,
        };
        stage.start();
        stage
    }

    fn start(&mut self) {
        let settings = Settings {
            cluster: ClusterName::new("local"),
            namespaces: Vec::new(),
            retry: Backoff {
                initial: Duration::from_millis(800),
                max: Duration::from_secs(30),
            },
            store: self.store.to_owned(),
            settle: SETTLE,
        };
        let to = Arc::clone(&self.cluster) as Arc<dyn Cluster>;
        let keeper = Keeper::new(
            settings,
            (to, Arc::new(Fixed)),
            &Metrics::default(),
            self.standing.clone(),
        );
        let following = Following {
            entries: self.entries.subscribe(),
            records: Arc::clone(&self.records),
        };
        let cancel = CancellationToken::new();
        let run = keeper.run(following, cancel.clone(), StdRng::seed_from_u64(1));
        self.keeper = Some((cancel, tokio::spawn(run)));
    }

    async fn stop(&mut self) {
        if let Some((cancel, task)) = self.keeper.take() {
            cancel.cancel();
            task.await.unwrap();
        }
    }

    fn commit(&self, name: &str, state: JobState, confidence: Confidence) {
        let key = job_key(name);
        let revision = self.records.get(&key).map_or(0, |view| view.record.revision) + 1;
        let record = JobRecord {
            state,
            confidence,
            revision,
            ..record(key, at(100))
        };
        self.records.show(JobView {
            record: Arc::new(record),
            watch: WatchStatus::default(),
        });
        self.entries.send_modify(|sequence| sequence.0 += 1);
    }

    fn runs(&self, name: &str) {
        self.commit(name, JobState::Running, Confidence::Confirmed);
    }

    fn forget(&self, key: &JobKey) {
        self.records.remove(key);
        self.entries.send_modify(|sequence| sequence.0 += 1);
    }

    fn shows(&self, expected: &[(&str, &str)]) {
        let expected: BTreeMap<String, String> = expected
            .iter()
            .map(|(name, state)| ((*name).to_owned(), (*state).to_owned()))
            .collect();
        assert_eq!(self.cluster.states(), expected);
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_record_becomes_a_resource_at_once_and_goes_with_it() {
    let stage = Stage::new();
    sleep(seconds(2)).await;
    stage.runs("orders");
    sleep(Duration::from_millis(10)).await;
    stage.shows(&[("orders", "RUNNING")]);
    assert_eq!(stage.cluster.asked(), [Verb::List, Verb::Apply, Verb::ApplyStatus]);
    stage.commit("orders", JobState::Failed, Confidence::Confirmed);
    sleep(seconds(2)).await;
    stage.shows(&[("orders", "FAILED")]);
    assert_eq!(stage.cluster.asked(), [Verb::ApplyStatus]);
    stage.forget(&job_key("orders"));
    sleep(seconds(2)).await;
    stage.shows(&[]);
    assert_eq!(stage.cluster.asked(), [Verb::Delete]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_change_is_not_written() {
    let stage = Stage::new();
    for number in 0..5 {
        stage.runs(&format!("job-{number}"));
    }
    sleep(seconds(5)).await;
    stage.cluster.asked();
    for _ in 0..3_600 {
        // Saved again, as for a later confirmation.
        stage.runs("job-1");
        sleep(seconds(1)).await;
    }
    let asked = stage.cluster.asked();
    assert!(asked.iter().all(|verb| *verb == Verb::List), "{asked:?}");
    assert_eq!(asked.len(), 6, "a list every ten minutes");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_that_flap_are_written_no_faster_than_the_bucket_pays_for() {
    const JOBS: usize = 1_000;
    const FLAPS: u64 = 60;
    let stage = Stage::new();
    let names: Vec<String> = (0..JOBS).map(|number| format!("job-{number}")).collect();
    let began = Instant::now();
    for flap in 0..FLAPS {
        let state = if flap % 2 == 0 {
            JobState::Running
        } else {
            JobState::Restarting
        };
        for name in &names {
            stage.commit(name, state, Confidence::Confirmed);
        }
        sleep(seconds(1)).await;
    }
    let writes = stage.cluster.writes();
    let elapsed = u32::try_from(began.elapsed().as_secs()).unwrap();
    let most = BURST + WRITES_A_SECOND * elapsed;
    assert!(
        writes.len() <= usize::try_from(most).unwrap(),
        "{} in {elapsed} s",
        writes.len()
    );
    assert!(writes.len() > JOBS, "and it does not stand still: {}", writes.len());
    for second in 0..u64::from(elapsed) {
        let window = began + seconds(second)..began + seconds(second + 1);
        let within = writes.iter().filter(|at| window.contains(*at)).count();
        assert!(
            within <= usize::try_from(BURST + WRITES_A_SECOND).unwrap(),
            "{within} in second {second}"
        );
    }
    // Once it is quiet, each is as its record, after one write more at most.
    for name in &names {
        stage.commit(name, JobState::Finished, Confidence::Confirmed);
    }
    let before = stage.cluster.writes().len();
    sleep(seconds(150)).await;
    let states = stage.cluster.states();
    assert_eq!(states.len(), JOBS);
    assert!(states.values().all(|state| state == "FINISHED"));
    assert!(stage.cluster.writes().len() - before <= 2 * JOBS);
}

#[tokio::test(start_paused = true)]
async fn one_job_that_flaps_is_written_once_a_second() {
    let stage = Stage::new();
    stage.runs("orders");
    sleep(seconds(5)).await;
    stage.cluster.asked();
    for flap in 0..1_000 {
        let state = if flap % 2 == 0 {
            JobState::Restarting
        } else {
            JobState::Running
        };
        stage.commit("orders", state, Confidence::Confirmed);
        sleep(Duration::from_millis(10)).await;
    }
    let writes = stage.cluster.asked().len();
    assert!((1..=11).contains(&writes), "{writes} writes of 1000 changes in 10 s");
    sleep(seconds(3)).await;
    stage.shows(&[("orders", "RUNNING")]);
}

#[tokio::test(start_paused = true)]
async fn no_job_waits_for_ever_behind_others_that_flap() {
    let stage = Stage::new();
    let flapping: Vec<String> = (0..100).map(|number| format!("flaps-{number}")).collect();
    let rounds = 200;
    for round in 0..rounds {
        let state = if round % 2 == 0 {
            JobState::Running
        } else {
            JobState::Restarting
        };
        for name in &flapping {
            stage.commit(name, state, Confidence::Confirmed);
        }
        if round == rounds / 2 {
            stage.runs("zz-quiet");
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        stage.cluster.states().get("zz-quiet").map(String::as_str),
        Some("RUNNING")
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_engine_writes_only_what_differs_and_deletes_what_was_forgotten() {
    let mut stage = Stage::new();
    for name in ["kept", "failed", "forgotten"] {
        stage.runs(name);
    }
    sleep(seconds(5)).await;
    stage.stop().await;
    stage.cluster.asked();
    // Nothing of a record that is taken up is believed before it was confirmed.
    stage.records.remove(&job_key("forgotten"));
    stage.commit("kept", JobState::Running, Confidence::Stale);
    stage.commit("failed", JobState::Running, Confidence::Stale);
    stage.start();
    sleep(seconds(5)).await;
    stage.shows(&[("kept", "RUNNING"), ("failed", "RUNNING")]);
    assert_eq!(stage.cluster.asked(), [Verb::List, Verb::Delete]);
    // Nor is what sources have not all answered for: it is only no longer confirmed.
    stage.commit("kept", JobState::Running, Confidence::Inferred);
    sleep(seconds(5)).await;
    assert_eq!(stage.cluster.asked(), []);
    stage.runs("kept");
    stage.commit("failed", JobState::Failed, Confidence::Confirmed);
    sleep(SETTLE).await;
    assert_eq!(stage.cluster.asked(), [Verb::ApplyStatus]);
    stage.shows(&[("kept", "RUNNING"), ("failed", "FAILED")]);
}

#[tokio::test(start_paused = true)]
async fn a_new_store_deletes_nothing_that_another_one_has_made() {
    let mut stage = Stage::new();
    stage.runs("orders");
    stage.runs("gone");
    sleep(seconds(5)).await;
    stage.stop().await;
    stage.cluster.asked();
    // The store is lost, and the cluster tells of no job yet.
    for name in ["orders", "gone"] {
        stage.records.remove(&job_key(name));
    }
    stage.store = "new";
    stage.start();
    sleep(seconds(700)).await;
    stage.shows(&[("orders", "RUNNING"), ("gone", "RUNNING")]);
    assert_eq!(stage.cluster.asked(), [Verb::List, Verb::List]);
    // With its record the resource is this store's, and goes with it.
    stage.runs("orders");
    sleep(seconds(5)).await;
    assert_eq!(stage.cluster.asked(), [Verb::Apply, Verb::ApplyStatus]);
    stage.stop().await;
    stage.records.remove(&job_key("orders"));
    stage.start();
    sleep(seconds(5)).await;
    stage.shows(&[("gone", "RUNNING")]);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_has_no_place_is_tried_ever_more_seldom() {
    let stage = Stage::new();
    let is_missing = |verb, _: Option<&crate::Place>| (verb == Verb::ApplyStatus).then(|| Answer::status(404));
    stage.cluster.answers(is_missing);
    stage.runs("orders");
    sleep(seconds(600)).await;
    let asked = stage.cluster.asked().len();
    assert!(asked < 50, "{asked} requests in ten minutes");
    stage.cluster.answers(|_, _| None);
    sleep(seconds(400)).await;
    stage.shows(&[("orders", "RUNNING")]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_confirmed_in_time_is_shown_as_stale() {
    let mut stage = Stage::new();
    stage.runs("orders");
    sleep(seconds(5)).await;
    stage.stop().await;
    stage.commit("orders", JobState::Running, Confidence::Stale);
    stage.cluster.asked();
    stage.start();
    sleep(SETTLE - seconds(1)).await;
    assert_eq!(stage.cluster.asked(), [Verb::List]);
    sleep(seconds(2)).await;
    assert_eq!(stage.cluster.asked(), [Verb::ApplyStatus]);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_another_after_a_restart_is_shown_though_it_is_not_confirmed() {
    let mut stage = Stage::new();
    stage.runs("orders");
    sleep(seconds(5)).await;
    stage.stop().await;
    stage.cluster.asked();
    stage.commit("orders", JobState::Reconciling, Confidence::Inferred);
    stage.start();
    sleep(seconds(5)).await;
    stage.shows(&[("orders", "RECONCILING")]);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_there_is_looked_for_once_a_minute() {
    let stage = Stage::new();
    stage.cluster.answers(|_, _| Some(Answer::status(404)));
    for number in 0..100 {
        stage.runs(&format!("job-{number}"));
    }
    sleep(seconds(600)).await;
    let asked = stage.cluster.asked();
    assert!(
        asked.iter().all(|verb| *verb == Verb::List) && asked.len() <= 11,
        "{asked:?}"
    );
    let (_, why) = stage.standing.failing().unwrap();
    assert!(why.contains("not installed"), "{why}");
    stage.cluster.answers(|_, _| None);
    sleep(seconds(90)).await;
    assert_eq!(stage.cluster.states().len(), 100);
    assert_eq!(stage.standing.failing(), None);
    // And when it is taken away, the next write finds it out.
    stage.cluster.asked();
    stage.cluster.answers(|_, _| Some(Answer::status(404)));
    stage.commit("job-1", JobState::Failed, Confidence::Confirmed);
    stage.cluster.change(BTreeMap::clear);
    sleep(seconds(2)).await;
    assert!(stage.standing.failing().is_some());
    stage.cluster.answers(|_, _| None);
    sleep(seconds(90)).await;
    assert_eq!(stage.cluster.states().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_missing_is_named_and_costs_a_few_requests_a_minute() {
    let stage = Stage::new();
    stage
        .cluster
        .answers(|verb, _| (verb == Verb::ApplyStatus).then(|| Answer::status(403)));
    for number in 0..100 {
        stage.runs(&format!("job-{number}"));
    }
    sleep(seconds(30)).await;
    let (_, why) = stage.standing.failing().unwrap();
    assert!(why.starts_with("patch jobstatuses/status.steadfast.dev: "), "{why}");
    stage.cluster.asked();
    sleep(seconds(600)).await;
    let refused = stage
        .cluster
        .asked()
        .iter()
        .filter(|verb| **verb == Verb::ApplyStatus)
        .count();
    assert!(refused <= 11 * AT_ONCE, "{refused} in ten minutes");
    stage.cluster.answers(|_, _| None);
    sleep(seconds(90)).await;
    assert!(stage.cluster.states().values().all(|state| state == "RUNNING"));
    assert_eq!(stage.standing.failing(), None);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_shut_holds_up_no_other() {
    let stage = Stage::new();
    stage.cluster.answers(|_, place| {
        let is_shut = place.is_some_and(|place| place.name.starts_with("shut"));
        is_shut.then(|| Answer {
            about: "jobstatuses",
            ..Answer::status(422)
        })
    });
    stage.runs("shut");
    stage.runs("open");
    sleep(seconds(2)).await;
    stage.shows(&[("open", "RUNNING")]);
    stage.cluster.asked();
    sleep(seconds(3_600)).await;
    let tries = stage
        .cluster
        .asked()
        .iter()
        .filter(|verb| **verb == Verb::Apply)
        .count();
    assert!((10..120).contains(&tries), "{tries} in an hour");
    assert_eq!(stage.standing.failing(), None, "it is one resource's trouble");
}

#[tokio::test(start_paused = true)]
async fn a_server_at_its_limits_is_left_alone_for_as_long_as_it_asks() {
    let stage = Stage::new();
    sleep(seconds(1)).await;
    stage.cluster.answers(|_, _| {
        Some(Answer {
            retry_after: Some(seconds(20)),
            ..Answer::status(429)
        })
    });
    for number in 0..100 {
        stage.runs(&format!("job-{number}"));
    }
    sleep(seconds(1)).await;
    let first = stage.cluster.asked().len();
    assert!(first <= AT_ONCE + 1, "{first}");
    sleep(seconds(15)).await;
    assert_eq!(stage.cluster.asked(), []);
    stage.cluster.answers(|_, _| None);
    sleep(seconds(30)).await;
    assert_eq!(stage.cluster.states().len(), 100);
    assert_eq!(stage.standing.failing(), None);
}

#[tokio::test(start_paused = true)]
async fn what_others_delete_or_change_is_mended_with_the_next_list() {
    let stage = Stage::new();
    for name in ["deleted", "changed", "told"] {
        stage.runs(name);
    }
    sleep(seconds(5)).await;
    stage.cluster.change(|there| {
        there.retain(|place, _| place.name != "deleted");
        for found in there.values_mut().filter(|found| found.place.name == "changed") {
            found.spec.job = "another".to_owned();
            found.generation += 1;
        }
    });
    // Of one that is to be written anyway it shows at once that it is gone.
    stage
        .cluster
        .change(|there| there.retain(|place, _| place.name != "told"));
    stage.commit("told", JobState::Failed, Confidence::Confirmed);
    sleep(seconds(5)).await;
    stage.shows(&[("changed", "RUNNING"), ("told", "FAILED")]);
    sleep(STOCK).await;
    stage.shows(&[("changed", "RUNNING"), ("deleted", "RUNNING"), ("told", "FAILED")]);
    stage.cluster.change(|there| {
        for found in there.values().filter(|found| found.place.name == "changed") {
            assert_eq!(found.spec.job, "local/default/changed");
            assert_eq!((found.generation, found.status.observed_generation), (3, 3));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_forgotten_and_back_keeps_its_resource() {
    let stage = Stage::new();
    stage.runs("orders");
    sleep(seconds(5)).await;
    stage
        .cluster
        .answers(|verb, _| (verb == Verb::Delete).then(|| Answer::status(500)));
    stage.forget(&job_key("orders"));
    sleep(seconds(2)).await;
    stage.runs("orders");
    stage.cluster.answers(|_, _| None);
    sleep(seconds(60)).await;
    stage.shows(&[("orders", "RUNNING")]);
}

#[tokio::test(start_paused = true)]
async fn other_clusters_and_standalone_jobs_are_nothing_to_it() {
    let stage = Stage::new();
    for id in ["east/default/orders", "-/-/orders"] {
        let key = JobKey::parse(id).unwrap();
        stage.records.show(JobView {
            record: Arc::new(record(key, at(100))),
            watch: WatchStatus::default(),
        });
    }
    stage.entries.send_modify(|sequence| sequence.0 += 1);
    sleep(seconds(30)).await;
    stage.shows(&[]);
}
