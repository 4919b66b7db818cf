use serde_json::Value;
use steadfast_core::projection::{JobView, WatchStatus};
use steadfast_core::record::{JobRecord, Silence, StandingAlert};
use steadfast_core::state::JobState;

use super::*;
use crate::sinks::selection::{Events, Selection};
use crate::sinks::testing::{alert, entry};
use crate::testing::{AT, key, record};

const RESEND: Duration = Duration::from_secs(60);

/// An Alertmanager's sink, and the records that it sees.
struct World {
    alerts: Alerts,
    records: Projection,
    selection: Selection,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        Self {
            alerts: Alerts::new(RESEND, BTreeMap::from([("severity".to_owned(), "page".to_owned())])),
            records: Projection::default(),
            selection: Selection::all(Events::Alerts),
            now: AT.after(Duration::from_secs(1)),
        }
    }

    /// The record of a job, with those alerts.
    fn shows(&self, job: &str, alerts: &[(&str, AlertScope)]) {
        let alerts = alerts.iter().map(|(name, scope)| StandingAlert {
            name: (*name).to_owned(),
            scope: *scope,
            since: AT,
            message: "it is so".to_owned(),
            silenced: false,
        });
        self.records.show(JobView {
            record: JobRecord {
                alerts: alerts.collect(),
                revision: 5,
                ..record(job, JobState::Failed)
            }
            .into(),
            watch: WatchStatus::default(),
        });
    }

    fn context(&self) -> Context<'_> {
        Context {
            store_id: "store",
            selection: &self.selection,
            records: &self.records,
            now: self.now,
        }
    }

    fn told(&mut self, entries: &[Entry]) -> Vec<(String, String)> {
        for entry in entries {
            self.alerts.take_in(entry, &self.records, Instant::now());
        }
        let (posted, posts) = self.offered(Due::Open);
        posts.into_iter().for_each(|post| self.alerts.taken(post));
        posted
    }

    /// Told again, and taken.
    fn again(&mut self) -> Vec<(String, String)> {
        let (posted, posts) = self.offered(Due::All);
        posts.into_iter().for_each(|post| self.alerts.taken(post));
        posted
    }

    fn again_in_vain(&mut self) -> Vec<(String, String)> {
        self.offered(Due::All).0
    }

    fn offered(&self, what: Due) -> (Vec<(String, String)>, Vec<Post>) {
        let due = self.alerts.due(self.context(), Instant::now(), what);
        let posts: Vec<Post> = due.iter().map(|part| self.alerts.post(part, self.context())).collect();
        let messages: Vec<Message> = posts.iter().filter_map(|post| post.message.clone()).collect();
        (posted(&messages), posts)
    }

    fn far(&self) -> String {
        self.now.after(RESEND * OUTLASTS).to_string()
    }
}

/// Each alert that is posted: name and what it is about, and its end.
fn posted(messages: &[Message]) -> Vec<(String, String)> {
    let bodies = messages
        .iter()
        .map(|message| serde_json::from_str::<Value>(&message.body).unwrap());
    let alerts = bodies.flat_map(|body| body.as_array().unwrap().clone());
    alerts
        .map(|alert| {
            let labels = &alert["labels"];
            assert_eq!(labels["severity"], "page", "{alert}");
            let about = ["flink_job", "policy", "cluster"]
                .iter()
                .find_map(|label| labels[label].as_str());
            let text = format!("{} {}", labels["alertname"].as_str().unwrap(), about.unwrap());
            (text, alert["endsAt"].as_str().unwrap().to_owned())
        })
        .collect()
}

fn fires(sequence: u64, job: &str) -> Entry {
    entry(sequence, job, alert("JobFailed", AlertScope::Job, AlertStatus::Firing))
}

fn ends(sequence: u64, job: &str) -> Entry {
    entry(
        sequence,
        job,
        alert("JobFailed", AlertScope::Job, AlertStatus::Resolved),
    )
}

#[test]
fn what_fires_is_sent_again_and_once_more_when_it_has_ended() {
    let mut world = World::new();
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    let text = "JobFailed a/n/x".to_owned();
    assert_eq!(world.told(&[fires(1, "a/n/x")]), [(text.clone(), world.far())]);
    world.now = world.now.after(RESEND);
    assert_eq!(world.again(), [(text.clone(), world.far())], "the end moves on");
    world.shows("a/n/x", &[]);
    assert_eq!(
        world.told(&[ends(2, "a/n/x")]),
        [(text, AT.to_string())],
        "when it ended, not when it was told"
    );
    assert_eq!(world.again(), []);
}

#[test]
fn after_a_restart_the_records_say_what_fires_and_the_journal_what_ended() {
    let mut world = World::new();
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    world.shows("a/n/y", &[]);
    assert_eq!(world.again(), [("JobFailed a/n/x".to_owned(), world.far())]);
    let ended = world.told(&[fires(1, "a/n/y"), ends(2, "a/n/y")]);
    assert_eq!(ended, [("JobFailed a/n/y".to_owned(), AT.to_string())]);
}

#[test]
fn an_entry_that_the_present_has_overtaken_ends_nothing() {
    let mut world = World::new();
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    let told = world.told(&[fires(1, "a/n/x"), ends(2, "a/n/x"), fires(3, "a/n/x")]);
    assert_eq!(told, [("JobFailed a/n/x".to_owned(), world.far())], "one, and it fires");
}

#[test]
fn an_entry_that_is_ahead_of_the_records_is_told_at_once() {
    let mut world = World::new();
    world.shows("a/n/x", &[]);
    let ahead = |entry: Entry| Entry { revision: 6, ..entry };
    assert_eq!(
        world.told(&[ahead(fires(1, "a/n/x"))]),
        [("JobFailed a/n/x".to_owned(), world.far())]
    );
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    assert_eq!(
        world.told(&[ahead(ends(2, "a/n/x"))]),
        [("JobFailed a/n/x".to_owned(), AT.to_string())]
    );
}

#[test]
fn what_was_sent_of_a_job_that_was_forgotten_ends() {
    let mut world = World::new();
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    world.again();
    world.records.remove(&key("a/n/x"));
    assert_eq!(
        world.again_in_vain().len(),
        1,
        "nobody took it, so it is told once more"
    );
    assert_eq!(world.again(), [("JobFailed a/n/x".to_owned(), world.now.to_string())]);
    assert_eq!(world.again(), []);
}

#[test]
fn an_alert_of_a_job_that_was_forgotten_meanwhile_does_not_begin() {
    let mut world = World::new();
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    world.alerts.take_in(&fires(1, "a/n/x"), &world.records, Instant::now());
    world.records.remove(&key("a/n/x"));
    assert_eq!(world.offered(Due::Open).0, []);
    // Nor does it go on with the entry that ends it, while its record is still shown.
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    let ended = Entry {
        revision: 5,
        ..ends(2, "a/n/x")
    };
    assert_eq!(world.told(&[ended]), [("JobFailed a/n/x".to_owned(), AT.to_string())]);
}

#[test]
fn an_api_server_that_gives_no_answer_is_told_again_though_one_job_shows_it() {
    let mut world = World::new();
    world.shows("a/n/x", &[("KubernetesUnreachable", AlertScope::Cluster)]);
    assert_eq!(world.again(), [("KubernetesUnreachable a".to_owned(), world.far())]);
}

#[test]
fn an_alert_about_a_cluster_is_one_and_one_silent_flink_is_none() {
    let mut world = World::new();
    let silent = [("FlinkUnreachable", AlertScope::Cluster)];
    world.shows("a/n/x", &silent);
    assert_eq!(world.again(), [], "nobody was told of it");
    world.shows("a/n/y", &silent);
    let text = "FlinkUnreachable a".to_owned();
    assert_eq!(world.again(), [(text.clone(), world.far())]);
    // What the journal has of it counts, though it rests on one by now.
    world.alerts.note(&entry(
        1,
        "a/n/y",
        alert("FlinkUnreachable", AlertScope::Cluster, AlertStatus::Firing),
    ));
    world.shows("a/n/x", &[]);
    assert_eq!(world.again(), [(text.clone(), world.far())]);
    world.shows("a/n/y", &[]);
    let ended = entry(
        2,
        "a/n/y",
        alert("FlinkUnreachable", AlertScope::Cluster, AlertStatus::Resolved),
    );
    assert_eq!(world.told(&[ended]), [(text, AT.to_string())]);
}

#[test]
fn what_is_not_selected_is_not_sent_and_many_are_sent_in_parts() {
    let mut world = World::new();
    world.selection.namespace = vec!["prod".to_owned()];
    world.shows("a/test/x", &[("JobFailed", AlertScope::Job)]);
    assert_eq!(world.again(), []);
    for number in 0..450 {
        world.shows(&format!("a/prod/job-{number}"), &[("JobFailed", AlertScope::Job)]);
    }
    let (_, posts) = world.offered(Due::All);
    assert_eq!(posts.len(), 3);
}

#[test]
fn what_waited_is_told_as_it_is_when_it_is_told() {
    let mut world = World::new();
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    world.alerts.take_in(&fires(1, "a/n/x"), &world.records, Instant::now());
    assert_eq!(
        world.offered(Due::Open).0,
        [("JobFailed a/n/x".to_owned(), world.far())]
    );
    // Nobody took it, for an hour: its end moves on.
    world.now = world.now.after(RESEND * 60);
    assert_eq!(
        world.offered(Due::Open).0,
        [("JobFailed a/n/x".to_owned(), world.far())]
    );
    world.shows("a/n/x", &[]);
    world.alerts.take_in(&ends(2, "a/n/x"), &world.records, Instant::now());
    assert_eq!(
        world.offered(Due::Open).0,
        [("JobFailed a/n/x".to_owned(), AT.to_string())]
    );
    assert_eq!(
        world.alerts.done_up_to(Sequence(2)),
        Sequence(0),
        "both are still to be told"
    );
    world.told(&[]);
    assert_eq!(world.alerts.done_up_to(Sequence(2)), Sequence(2));
}

#[test]
fn what_fires_outlasts_the_tries_to_send_it_again() {
    let mut world = World::new();
    world.alerts.resend = Duration::from_millis(10);
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    let until = world.now.after(Duration::from_secs(60)).to_string();
    assert_eq!(world.again(), [("JobFailed a/n/x".to_owned(), until)]);
}

/// The record of a job that fires and is silenced.
fn silenced(world: &World, job: &str, alert: &str, scope: AlertScope) {
    world.shows(job, &[(alert, scope)]);
    let view = world.records.get(&key(job)).unwrap();
    let silence = Silence {
        alert: alert.to_owned(),
        since: AT,
        until: AT.after(RESEND * 100),
        by: None,
        comment: None,
    };
    world.records.show(JobView {
        record: JobRecord {
            silences: vec![silence],
            ..(*view.record).clone()
        }
        .into(),
        ..view
    });
}

#[test]
fn what_somebody_silences_ends_and_fires_again_when_that_is_over() {
    let mut world = World::new();
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    world.again();
    silenced(&world, "a/n/x", "JobFailed", AlertScope::Job);
    let text = "JobFailed a/n/x".to_owned();
    assert_eq!(world.again(), [(text.clone(), world.now.to_string())], "it ends now");
    assert_eq!(world.again(), []);
    world.shows("a/n/x", &[("JobFailed", AlertScope::Job)]);
    assert_eq!(world.again(), [(text, world.far())]);
}

#[test]
fn a_clusters_alert_is_silenced_by_any_of_its_jobs() {
    let mut world = World::new();
    for job in ["a/n/x", "a/n/y", "b/n/x", "b/n/y"] {
        world.shows(job, &[("FlinkUnreachable", AlertScope::Cluster)]);
    }
    silenced(&world, "a/n/z", "FlinkUnreachable", AlertScope::Cluster);
    assert_eq!(world.again(), [("FlinkUnreachable b".to_owned(), world.far())]);
}
