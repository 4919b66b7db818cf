//! Which records go at a request, and which only by force.

use steadfast_core::evidence::Fault;
use steadfast_core::facts::{Deployment, Rollout};
use steadfast_core::id::{Namespace, Uid};
use steadfast_core::labels::Labels;
use steadfast_core::news::{Completeness, KubeNews, Object, ObjectKind, Scope, What};

use super::*;
use crate::control::{Force, RequestError, SeenAlive};

/// A cluster in which one Flink cluster of this mode was discovered.
fn discovered(mode: Mode) -> Rig {
    let rules = ClusterRules {
        discover: vec![Discover::Native],
        flink_rest: FlinkRoute::Service,
    };
    let now = Timestamp::from_millis(1_000_000);
    let reactor = Reactor::new(
        Timing::default(),
        7,
        now,
        BTreeMap::from([(ClusterName::new("local"), rules)]),
        Policies::new(vec![PolicySetup::deciding("believe", Box::new(Believer))]),
        None,
    );
    let mut rig = Rig { reactor, now };
    rig.lists(What::Listed(vec![deployment(mode)], Completeness::Complete));
    rig
}

fn deployment(mode: Mode) -> Object {
    Object::Deployment(Deployment {
        namespace: Namespace::new("default"),
        name: "orders".into(),
        uid: Uid::new("u1"),
        created_at: None,
        deleting_since: None,
        replicas: 1,
        ready: 1,
        native: Some(mode),
        owner: None,
        trouble: None,
        rollout: Rollout::Settled,
        labels: Labels::default(),
    })
}

fn gone() -> What {
    What::Listed(vec![], Completeness::Complete)
}

fn target() -> TargetId {
    TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders")
}

fn application() -> JobKey {
    JobKey::application(target())
}

fn session_job() -> JobKey {
    JobKey {
        session_job: FlinkJobId::parse("00000000000000000000000000000001"),
        ..application()
    }
}

fn timeout() -> Fault {
    Fault::new(FaultKind::Timeout, "no answer")
}

impl Rig {
    fn lists(&mut self, what: What) {
        self.now = self.now.after(Duration::from_secs(1));
        let scope = Scope {
            cluster: ClusterName::new("local"),
            kind: ObjectKind::Deployment,
            namespace: None,
        };
        let news = KubeNews {
            scope,
            asked_at: self.now,
            at: self.now,
            what,
        };
        let begun = self.reactor.news(news, self.now);
        self.take_up(&begun);
    }

    fn flink_says(&mut self, answer: Observed<FlinkOverview>) {
        self.now = self.now.after(Duration::from_secs(1));
        let answer = Answer::Overview {
            target: target(),
            asked: self.now,
            at: self.now,
            answer,
        };
        let begun = self.reactor.answered(answer, self.now);
        self.take_up(&begun);
    }

    fn take_up(&mut self, begun: &[Change]) {
        begun.iter().for_each(|change| drop(self.reactor.committed(change)));
        let keys: Vec<JobKey> = begun.iter().map(|change| change.record.key.clone()).collect();
        self.reactor.put_back(keys, self.now);
        drop(self.reactor.due(self.now));
        self.settle();
    }

    fn refusal(&self, key: &JobKey) -> Option<SeenAlive> {
        match self.reactor.forget(key, Force::No) {
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
    let change = rig.reactor.forget(&application(), Force::Yes).unwrap();
    assert_eq!(change.events, [Event::Forgotten]);
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
    rig.lists(What::Failed(timeout()));
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
    rig.flink_says(Observed::Present(FlinkOverview { jobs: vec![] }));
    assert_eq!(rig.refusal(&session_job()), None);
}

#[test]
fn force_removes_no_configured_job_and_none_that_is_not_there() {
    let rig = Rig::new(&["orders"]);
    let configured = JobKey::application(TargetId::standalone("orders"));
    let refused = rig.reactor.forget(&configured, Force::Yes);
    assert!(matches!(refused, Err(RequestError::Configured)), "{refused:?}");
    let nobody = JobKey::application(TargetId::standalone("nobody"));
    let refused = rig.reactor.forget(&nobody, Force::Yes);
    assert!(matches!(refused, Err(RequestError::NoSuchJob)), "{refused:?}");
}
