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
