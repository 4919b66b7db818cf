//! Looks that somebody asks for.

use steadfast_core::board::ObjectRef;
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{Completeness, Object};
use steadfast_core::planner::AT_ONCE;
use steadfast_core::projection::JobView;
use steadfast_core::state::Force;
use steadfast_core::testing;
use tokio::sync::oneshot::{self, Receiver};

use super::*;
use crate::control::RequestError;

type Answer = Receiver<Result<JobView, RequestError>>;

fn orders() -> JobKey {
    JobKey::application(TargetId::standalone("orders"))
}

impl Rig {
    /// Somebody asks for a look.
    fn look(&mut self, key: &JobKey) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.reactor.look(key, reply, self.now);
        self.settle();
        answer
    }

    /// The poll that is due now.
    fn poll(&mut self) -> Fetch {
        let fetches = self.advance(Duration::ZERO);
        let polls = fetches
            .into_iter()
            .filter(|fetch| matches!(fetch, Fetch::Overview { .. }));
        let polls: Vec<Fetch> = polls.collect();
        let [poll] = <[Fetch; 1]>::try_from(polls).unwrap();
        poll
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
    }
}

/// What was answered; `None`: nothing yet.
fn said(answer: &mut Answer) -> Option<JobState> {
    let said = answer.try_recv().ok()?;
    Some(said.unwrap().record.state)
}

#[test]
fn a_look_polls_at_once_and_is_answered_when_what_came_is_judged() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(12), |_| running());
    rig.pass(1_000);
    let mut answer = rig.look(&orders());
    let poll = rig.poll();
    assert_eq!(said(&mut answer), None, "nothing was heard yet");
    rig.pass(200);
    rig.answer(&poll, listed(JobState::Failing));
    assert_eq!(said(&mut answer), Some(JobState::Failing));
    let polls = live(&mut rig, Duration::from_secs(60), |_| running());
    assert!(
        polls[&TargetId::standalone("orders")] <= 13,
        "it goes on at its pace: {polls:?}"
    );
}

#[test]
fn no_answer_is_judged_as_well() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(12), |_| running());
    rig.pass(1_000);
    let mut answer = rig.look(&orders());
    let poll = rig.poll();
    rig.answer(&poll, silent());
    let view = answer.try_recv().unwrap().unwrap();
    assert_eq!(
        (view.record.state, view.record.confidence, view.watch.failures),
        (JobState::Running, Confidence::Stale, 1)
    );
}

#[test]
fn what_was_under_way_before_the_call_does_not_answer_it() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(12), |_| running());
    let before = rig.advance(Duration::from_secs(60)).remove(0);
    let asked_at = rig.now;
    rig.pass(500);
    let mut answer = rig.look(&orders());
    let observation = Observation::new(running(), asked_at, rig.now);
    let Fetch::Overview { endpoint, .. } = &before else {
        panic!()
    };
    rig.reactor
        .fetched(Fetched::overview(endpoint.target.clone(), observation), rig.now);
    rig.settle();
    assert_eq!(said(&mut answer), None);
    let again = rig.poll();
    rig.answer(&again, listed(JobState::Finished));
    assert_eq!(said(&mut answer), Some(JobState::Finished));
}

/// Puts the watch of a job to sleep once it has ended.
struct Sleeper;

impl Decide for Sleeper {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let mut decision = Believer.decide(snapshot)?;
        if decision.state.is_terminal() {
            decision.watch.attention = Attention::Sleeping;
        }
        Ok(decision)
    }
}

#[test]
fn a_watch_that_sleeps_is_polled_once_and_sleeps_on_unless_what_came_says_otherwise() {
    let policy = PolicySetup::deciding("sleep", Box::new(Sleeper));
    let mut rig = Rig::under(vec![policy], &["orders"]);
    live(&mut rig, Duration::from_secs(12), |_| listed(JobState::Finished));
    let day = Duration::from_secs(86_400);
    assert!(live(&mut rig, day, |_| running()).is_empty(), "it sleeps");
    for heard in [silent(), listed(JobState::Finished)] {
        let mut answer = rig.look(&orders());
        let poll = rig.poll();
        rig.answer(&poll, heard);
        assert_eq!(said(&mut answer), Some(JobState::Finished));
        assert_eq!(rig.record("orders").attention, Attention::Sleeping);
        assert!(live(&mut rig, day, |_| running()).is_empty(), "it sleeps on");
    }
    let mut answer = rig.look(&orders());
    let poll = rig.poll();
    rig.answer(&poll, running());
    assert_eq!(said(&mut answer), Some(JobState::Running));
    assert!(
        !live(&mut rig, Duration::from_secs(60), |_| running()).is_empty(),
        "it is awake"
    );
}

#[test]
fn one_job_may_be_looked_at_as_often_as_it_may_be_written_to() {
    let mut rig = Rig::new(&["orders", "other"]);
    for _ in 0..AT_ONCE {
        drop(rig.look(&orders()));
    }
    let refused = rig.look(&orders()).try_recv().unwrap();
    assert!(matches!(refused, Err(RequestError::TooOften { .. })), "{refused:?}");
    let other = JobKey::application(TargetId::standalone("other"));
    assert!(rig.look(&other).try_recv().is_err(), "no other job pays for it");
    let nobody = JobKey::application(TargetId::standalone("nobody"));
    assert!(matches!(
        rig.look(&nobody).try_recv().unwrap(),
        Err(RequestError::NoSuchJob)
    ));
}

#[test]
fn in_kubernetes_a_list_that_was_asked_for_after_the_call_is_waited_for_too() {
    let mut rig = Rig::discovering(vec![Discover::Native]);
    let deployment = || {
        Object::Deployment(steadfast_core::facts::Deployment {
            native: Some(Mode::Application),
            ..testing::deployment("u1")
        })
    };
    let list = |rig: &mut Rig| {
        rig.kube(
            ObjectKind::Deployment,
            KubeChange::Relisted(vec![deployment()], Completeness::Complete),
        );
    };
    list(&mut rig);
    let key = rig.reactor.records().keys().next().unwrap().clone();
    rig.fetches.clear();
    rig.pass(10_000);
    let mut answer = rig.look(&key);
    let asked = std::mem::take(&mut rig.fetches);
    let relist = |fetch: &Fetch| matches!(fetch, Fetch::Relist { after, .. } if *after == rig.now);
    assert!(asked.iter().any(relist), "{asked:?}");
    let target = key.target.clone();
    let heard = |rig: &mut Rig| {
        let observation = Observation::new(running(), rig.now, rig.now);
        rig.reactor
            .fetched(Fetched::overview(target.clone(), observation), rig.now);
        rig.settle();
    };
    heard(&mut rig);
    assert_eq!(said(&mut answer), None, "Kubernetes has not answered");
    list(&mut rig);
    assert_eq!(said(&mut answer), Some(JobState::Running));
    let object = ObjectRef::new(&Namespace::new("default"), "orders");
    assert!(
        rig.reactor
            .board
            .kubernetes(&key.target.cluster)
            .unwrap()
            .deployment(&object)
            .is_some()
    );
}

/// Jobs of these names in Kubernetes, of which Deployments and pods are listed.
fn in_kubernetes(names: &[String]) -> Rig {
    let mut rig = Rig::discovering(vec![Discover::Native]);
    let listed = |objects| KubeChange::Relisted(objects, Completeness::Complete);
    rig.kube(ObjectKind::Pod, listed(vec![]));
    let deployments = names.iter().map(|name| Object::Deployment(deployment(name)));
    rig.kube(ObjectKind::Deployment, listed(deployments.collect()));
    rig.fetches.clear();
    rig.pass(10_000);
    rig
}

fn deployment(name: &str) -> steadfast_core::facts::Deployment {
    steadfast_core::facts::Deployment {
        name: name.to_owned(),
        native: Some(Mode::Application),
        ..testing::deployment(name)
    }
}

fn key(name: &str) -> JobKey {
    testing::job_key(name)
}

impl Rig {
    /// What Kubernetes is asked for now: of which targets the objects, and after when a list.
    fn asked(&mut self) -> (Vec<(TargetId, Timestamp)>, Vec<Timestamp>) {
        let (mut objects, mut lists) = (Vec::new(), Vec::new());
        for fetch in std::mem::take(&mut self.fetches) {
            match fetch {
                Fetch::Objects { target, after, .. } => objects.push((target, after)),
                Fetch::Relist { after, .. } => lists.push(after),
                Fetch::Overview { .. } | Fetch::Lookup { .. } => {}
            }
        }
        (objects, lists)
    }

    /// A target's Deployment is there, asked for at that time.
    fn found(&mut self, asked: &(TargetId, Timestamp), asked_at: Timestamp) {
        let (target, after) = asked;
        let update = KubeUpdate {
            scope: Scope {
                cluster: target.cluster.clone(),
                kind: ObjectKind::Deployment,
                namespace: None,
            },
            asked_at,
            at: self.now,
            version: None,
            change: KubeChange::Applied(Object::Deployment(deployment(&target.name))),
        };
        self.answered(target, *after, Ok(update));
    }

    fn answered(&mut self, target: &TargetId, after: Timestamp, answer: Result<KubeUpdate, Fault>) {
        let fetched = Fetched::Objects {
            target: target.clone(),
            after,
            answers: vec![answer],
        };
        self.reactor.fetched(fetched, self.now);
        self.settle();
    }

    fn hear_flink(&mut self, key: &JobKey) {
        let observation = Observation::new(running(), self.now, self.now);
        self.reactor
            .fetched(Fetched::overview(key.target.clone(), observation), self.now);
        self.settle();
    }
}

#[test]
fn in_kubernetes_the_jobs_objects_are_asked_for_by_name_and_no_list_is_waited_for() {
    let mut rig = in_kubernetes(&["orders".to_owned()]);
    let orders = key("orders");
    let mut answer = rig.look(&orders);
    let (objects, lists) = rig.asked();
    assert_eq!(
        (objects.as_slice(), lists.as_slice()),
        (&[(orders.target.clone(), rig.now)][..], &[][..])
    );
    let asked_at = rig.now;
    rig.pass(20);
    rig.hear_flink(&orders);
    assert_eq!(said(&mut answer), None, "Kubernetes has not answered");
    rig.found(&objects[0], asked_at);
    assert_eq!(said(&mut answer), Some(JobState::Running));
    assert_eq!(rig.asked(), (vec![], vec![]), "and that is all");
}

#[test]
fn objects_that_were_asked_for_before_the_call_are_asked_for_once_more() {
    let mut rig = in_kubernetes(&["orders".to_owned()]);
    let orders = key("orders");
    let mut first = rig.look(&orders);
    let (objects, _) = rig.asked();
    let first_at = rig.now;
    rig.pass(20);
    let mut second = rig.look(&orders);
    assert_eq!(rig.asked().0, [], "they are asked for already");
    rig.hear_flink(&orders);
    rig.found(&objects[0], first_at);
    assert_eq!(said(&mut first), Some(JobState::Running));
    assert_eq!(said(&mut second), None, "it shows what was so before the call");
    let (again, lists) = rig.asked();
    assert_eq!((again.len(), lists.len()), (1, 0));
    let asked_at = rig.now;
    rig.pass(20);
    rig.found(&again[0], asked_at);
    assert_eq!(said(&mut second), Some(JobState::Running));
}

#[test]
fn objects_that_may_not_be_read_are_left_to_a_list_and_not_asked_for_again_and_again() {
    let mut rig = in_kubernetes(&["orders".to_owned()]);
    let orders = key("orders");
    let _answer = rig.look(&orders);
    let (objects, _) = rig.asked();
    let fault = Fault::new(FaultKind::Forbidden, "get deployments.apps");
    rig.answered(&orders.target, objects[0].1, Err(fault));
    let (objects, lists) = rig.asked();
    assert_eq!(objects, []);
    assert!(!lists.is_empty());
}

#[test]
fn a_list_that_was_under_way_before_the_call_is_followed_by_another() {
    let mut rig = in_kubernetes(&["orders".to_owned()]);
    let fault = Fault::new(FaultKind::Timeout, "no answer");
    rig.kube(ObjectKind::Deployment, KubeChange::Failed(fault));
    rig.fetches.clear();
    let list_asked_at = rig.now;
    rig.pass(1_000);
    let orders = key("orders");
    let mut answer = rig.look(&orders);
    assert_eq!(
        rig.asked(),
        (vec![], vec![rig.now]),
        "it is not known whether it is there"
    );
    rig.hear_flink(&orders);
    let list = KubeChange::Relisted(vec![Object::Deployment(deployment("orders"))], Completeness::Complete);
    let late = KubeUpdate {
        scope: Scope {
            cluster: orders.target.cluster.clone(),
            kind: ObjectKind::Deployment,
            namespace: None,
        },
        asked_at: list_asked_at,
        at: rig.now,
        version: None,
        change: list,
    };
    rig.reactor.kube_update(late, rig.now);
    rig.settle();
    assert_eq!(said(&mut answer), None, "it shows what was so before the call");
    let (objects, _) = rig.asked();
    let asked_at = rig.now;
    rig.pass(20);
    rig.found(&objects[0], asked_at);
    assert_eq!(said(&mut answer), Some(JobState::Running));
}

#[test]
fn who_finds_no_place_has_the_next_that_is_free_and_needs_no_list() {
    let names: Vec<String> = (0..100).map(|n| format!("job-{n:03}")).collect();
    let mut rig = in_kubernetes(&names);
    let mut answers: Vec<Answer> = names.iter().map(|name| rig.look(&key(name))).collect();
    let (mut open, lists) = rig.asked();
    assert_eq!(open.len(), 16, "at once");
    assert!(!lists.is_empty(), "so many have something in common");
    for name in &names {
        rig.hear_flink(&key(name));
    }
    let mut found = 0;
    while let Some(asked) = open.pop() {
        rig.found(&asked, rig.now);
        found += 1;
        open.extend(rig.asked().0);
        assert!(open.len() <= 16);
    }
    assert_eq!(found, 64, "the others wait for the list");
    let answered = answers.iter_mut().filter_map(said).count();
    assert_eq!(answered, 64);
    let deployments = names.iter().map(|name| Object::Deployment(deployment(name)));
    let list = KubeChange::Relisted(deployments.collect(), Completeness::Complete);
    rig.kube(ObjectKind::Deployment, list);
    assert_eq!(answers.iter_mut().filter_map(said).count(), 36);
}

#[test]
fn who_waits_for_a_job_that_is_forgotten_is_told_so() {
    let mut rig = Rig::discovering(vec![Discover::Native]);
    let deployment = steadfast_core::facts::Deployment {
        native: Some(Mode::Application),
        ..testing::deployment("u1")
    };
    let list = KubeChange::Relisted(vec![Object::Deployment(deployment)], Completeness::Complete);
    rig.kube(ObjectKind::Deployment, list);
    let key = rig.reactor.records().keys().next().unwrap().clone();
    let mut answer = rig.look(&key);
    let turn = rig.reactor.forget(&key, Force::Yes, None, rig.now).unwrap();
    rig.commit(turn);
    assert!(matches!(answer.try_recv().unwrap(), Err(RequestError::NoSuchJob)));
}

#[test]
fn those_who_are_gone_are_not_kept() {
    let mut rig = Rig::new(&["orders", "other"]);
    for _ in 0..10 {
        drop(rig.look(&orders()));
    }
    let other = JobKey::application(TargetId::standalone("other"));
    let _waits = rig.look(&other);
    assert_eq!(rig.reactor.looks.waiting(), 1);
}
