//! Which records go at a request, and which only by force.

use steadfast_core::alert::AlertStatus;
use steadfast_core::evidence::Fault;
use steadfast_core::facts::Deployment;
use steadfast_core::id::{Namespace, SessionJob};
use steadfast_core::kube_update::{Completeness, KubeChange, Object, ObjectKind};
use steadfast_core::planner::AT_ONCE;
use steadfast_core::record::{AlertScope, PostedIntent, StandingAlert};
use steadfast_core::state::{Force, Intent};
use steadfast_core::testing;

use super::*;
use crate::control::{RequestError, SeenAlive};

/// A cluster in which one Flink cluster of this mode was discovered.
fn discovered(mode: Mode) -> Rig {
    let rules = ClusterRules {
        discover: vec![Discover::Native],
        flink_rest: FlinkRoute::Service,
    };
    let now = Timestamp::from_millis(1_000_000);
    let mut rig = Rig {
        reactor: reactor(BTreeMap::from([(ClusterName::new("local"), rules)]), now),
        now,
        fetches: Vec::new(),
        entries: BTreeMap::new(),
    };
    rig.lists(KubeChange::Relisted(vec![deployment(mode)], Completeness::Complete));
    rig
}

fn deployment(mode: Mode) -> Object {
    Object::Deployment(Deployment {
        native: Some(mode),
        ..testing::deployment("u1")
    })
}

fn gone() -> KubeChange {
    KubeChange::Relisted(vec![], Completeness::Complete)
}

fn target() -> TargetId {
    TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders")
}

fn application() -> JobKey {
    JobKey::application(target())
}

fn session_job() -> JobKey {
    JobKey {
        session_job: SessionJob::parse("00000000000000000000000000000001"),
        ..application()
    }
}

fn timeout() -> Fault {
    Fault::new(FaultKind::Timeout, "no answer")
}

impl Rig {
    fn lists(&mut self, change: KubeChange) {
        self.now = self.now.after(Duration::from_secs(1));
        self.kube(ObjectKind::Deployment, change);
    }

    fn flink_says(&mut self, answer: Observed<FlinkOverview>) {
        self.now = self.now.after(Duration::from_secs(1));
        let observation = Observation::new(answer, self.now, self.now);
        let overview = Fetched::overview(target(), observation);
        self.reactor.fetched(overview, self.now);
        self.settle();
    }

    fn refusal(&mut self, key: &JobKey) -> Option<SeenAlive> {
        match self.reactor.forget(key, Force::No, None, self.now) {
            Ok(_) => None,
            Err(RequestError::SeenAlive(seen)) => Some(seen),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn an_application_whose_deployment_is_there_goes_by_force_alone() {
    let mut rig = discovered(Mode::Application);
    assert_eq!(rig.refusal(&application()), Some(SeenAlive::Deployed));
    rig.flink_says(Observed::Unknown(timeout()));
    assert_eq!(rig.refusal(&application()), Some(SeenAlive::Deployed));
    rig.flink_says(running());
    assert_eq!(rig.refusal(&application()), Some(SeenAlive::Listed(JobState::Running)));
    let turn = rig.reactor.forget(&application(), Force::Yes, None, rig.now).unwrap();
    assert_eq!(rig.commit(turn)[0].events, [Event::Forgotten]);
    assert!(rig.reactor.records().is_empty());
}

#[test]
fn an_application_goes_once_its_deployment_is_gone_and_flink_is_silent_or_has_seen_it_end() {
    let mut rig = discovered(Mode::Application);
    rig.flink_says(running());
    rig.lists(gone());
    assert_eq!(rig.refusal(&application()), Some(SeenAlive::Listed(JobState::Running)));
    rig.flink_says(listed(JobState::Finished));
    assert_eq!(rig.refusal(&application()), None);
    rig.flink_says(running());
    rig.flink_says(Observed::Unknown(timeout()));
    assert_eq!(rig.refusal(&application()), None);
}

#[test]
fn what_cannot_be_looked_at_is_not_seen_alive() {
    let mut rig = discovered(Mode::Application);
    rig.flink_says(running());
    rig.flink_says(Observed::Unknown(timeout()));
    rig.lists(KubeChange::Failed(timeout()));
    assert_eq!(rig.refusal(&application()), None);
}

#[test]
fn a_job_of_a_session_goes_once_its_cluster_does_not_list_it() {
    let mut rig = discovered(Mode::Session);
    rig.flink_says(running());
    assert_eq!(rig.refusal(&session_job()), Some(SeenAlive::Listed(JobState::Running)));
    // Flink lists it for a while after its end, and what it lists begins a record.
    rig.flink_says(listed(JobState::Finished));
    assert_eq!(rig.refusal(&session_job()), Some(SeenAlive::Listed(JobState::Finished)));
    rig.flink_says(Observed::Present(FlinkOverview::default()));
    assert_eq!(rig.refusal(&session_job()), None);
}

/// The record with two alerts, one of which is about its cluster.
fn alerting(record: &JobRecord) -> JobRecord {
    let alert = |(name, scope): (&str, AlertScope)| StandingAlert {
        name: name.to_owned(),
        scope,
        since: record.since,
        message: "it is so".to_owned(),
        silenced: false,
    };
    let alerts = [
        ("FlinkUnreachable", AlertScope::Cluster),
        ("JobFailed", AlertScope::Job),
    ];
    JobRecord {
        alerts: alerts.map(alert).into(),
        ..record.clone()
    }
}

/// The alerts that end with a change, which forgets its record.
fn ends(change: &Change) -> Vec<&str> {
    let Some((Event::Forgotten, before)) = change.events.split_last() else {
        panic!("{change:?}")
    };
    let ended = before.iter().map(|event| match event {
        Event::Alert(alert) if alert.status == AlertStatus::Resolved => alert.alert.as_str(),
        Event::Alert(_) | Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => {
            panic!("{change:?}")
        }
    });
    ended.collect()
}

#[test]
fn what_stood_of_a_job_is_over_before_it_is_forgotten() {
    let mut rig = discovered(Mode::Application);
    rig.flink_says(running());
    let standing = alerting(&rig.reactor.records()[&application()]);
    rig.repair(vec![standing]);
    let turn = rig.reactor.forget(&application(), Force::Yes, None, rig.now).unwrap();
    assert_eq!(ends(&rig.commit(turn)[0]), ["FlinkUnreachable", "JobFailed"]);
}

#[test]
fn a_start_ends_what_stood_of_jobs_that_it_forgets_and_not_what_stands_of_others() {
    let mut rig = Rig::new(&["gone", "left", "orders"]);
    let stored: Vec<JobRecord> = rig.reactor.records().values().map(|record| alerting(record)).collect();
    let mut again = reactor(BTreeMap::new(), rig.now);
    let mut turn = again.start(stored.clone(), vec![super::target("orders")], rig.now);
    let forgotten: Vec<Change> = turn.commit().changes.into_iter().filter(Change::forgets).collect();
    assert_eq!(
        forgotten.iter().map(ends).collect::<Vec<_>>(),
        [["JobFailed"], ["JobFailed"]]
    );
    drop(again.advance(turn, rig.now));
    // No job at all is left of those.
    rig.reactor = reactor(BTreeMap::new(), rig.now);
    let turn = rig.reactor.start(stored[..2].to_vec(), vec![], rig.now);
    let forgotten = rig.commit(turn);
    let ended: Vec<_> = forgotten.iter().map(ends).collect();
    assert_eq!(ended, [vec!["JobFailed"], vec!["FlinkUnreachable", "JobFailed"]]);
}

#[test]
fn force_removes_no_configured_job_and_none_that_is_not_there() {
    let mut rig = Rig::new(&["orders"]);
    let configured = JobKey::application(TargetId::standalone("orders"));
    let refused = rig.reactor.forget(&configured, Force::Yes, None, rig.now);
    assert!(matches!(refused, Err(RequestError::Configured)));
    let nobody = JobKey::application(TargetId::standalone("nobody"));
    let refused = rig.reactor.forget(&nobody, Force::Yes, None, rig.now);
    assert!(matches!(refused, Err(RequestError::NoSuchJob)));
}

#[test]
fn whoever_calls_again_and_again_is_refused_and_nobody_else_is_held_up() {
    let mut rig = discovered(Mode::Application);
    rig.flink_says(running());
    let key = application();
    let intend = |rig: &mut Rig, author: usize| {
        let author = Some(author.to_string().into());
        rig.reactor
            .intend(&key, PostedIntent::new(Intent::Cancel, author, rig.now), None)
    };
    let most = usize::try_from(AT_ONCE).unwrap();
    for author in 0..most {
        let turn = intend(&mut rig, author).unwrap();
        assert!(matches!(rig.commit(turn)[0].events[..], [Event::Update(Some(_))]));
    }
    let Err(RequestError::TooOften { wait }) = intend(&mut rig, most) else {
        panic!("there is no limit");
    };
    assert!(
        intend(&mut rig, most - 1).is_ok(),
        "who says the same again makes no entry"
    );
    // To forget the job and begin anew makes entries as well.
    let refused = rig.reactor.forget(&key, Force::Yes, None, rig.now);
    assert!(matches!(refused, Err(RequestError::TooOften { .. })));
    rig.now = rig.now.after(wait);
    let turn = rig.reactor.forget(&key, Force::Yes, None, rig.now).unwrap();
    rig.commit(turn);
    rig.lists(KubeChange::Relisted(
        vec![deployment(Mode::Application)],
        Completeness::Complete,
    ));
    assert!(rig.reactor.records().contains_key(&key));
    let made = (0..most).take_while(|author| intend(&mut rig, *author).is_ok()).count();
    assert!(made < 3, "only what time gave back: {made}");
}
