//! What one job needs to know of Kubernetes is asked for by name, and not with a list of its cluster.

use steadfast_core::board::ObjectRef;
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, ResourceVersion, Scope};
use steadfast_core::lookup::ObjectQuestion;
use steadfast_core::testing;

use super::*;

/// Wants to look at Kubernetes again and again.
struct Doubter;

impl Decide for Doubter {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let decision = Believer.decide(snapshot)?;
        let asked_at = snapshot.deployment.as_ref().map(|deployment| deployment.asked_at);
        let again = asked_at.map(|asked_at| LookupRequest {
            source: LookupSource::Kubernetes,
            observed_after: asked_at,
        });
        Ok(Decision {
            wanted: again.into_iter().collect(),
            ..decision
        })
    }
}

fn object() -> ObjectRef {
    ObjectRef::new(&Namespace::new("default"), "orders")
}

fn update(now: Timestamp, change: KubeChange) -> KubeUpdate {
    KubeUpdate {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind: ObjectKind::Deployment,
            namespace: None,
        },
        asked_at: now,
        at: now,
        version: None,
        change,
    }
}

fn of_pods(now: Timestamp, change: KubeChange) -> KubeUpdate {
    let mut update = update(now, change);
    update.scope.kind = ObjectKind::Pod;
    update
}

/// A job whose Deployment a list shows.
fn rig() -> Rig {
    let now = Timestamp::from_millis(1_000_000);
    let policy = PolicySetup::deciding("doubt", Box::new(Doubter));
    let policies = Policies::new(vec![policy]);
    let mut rig = Rig {
        reactor: Reactor::new(Timing::default(), 7, now, BTreeMap::new(), policies, None),
        now,
        fetches: Vec::new(),
        entries: BTreeMap::new(),
    };
    let object = object();
    let setup = TargetSetup {
        id: TargetId::new(&ClusterName::new("local"), &object.namespace, &object.name),
        mode: Mode::Application,
        object: Some(object),
        flink_rest: Some(FlinkRoute::Service),
        pinned: None,
    };
    let first = rig.reactor.start(vec![], vec![setup], now);
    rig.commit(first);
    rig.list(vec![Object::Deployment(testing::deployment("u1"))]);
    rig
}

impl Rig {
    fn list(&mut self, objects: Vec<Object>) {
        let list = KubeChange::Relisted(objects, Completeness::Complete);
        self.reactor.kube_update(update(self.now, list), self.now);
        self.settle();
    }

    /// The next request that is no poll.
    fn asks(&mut self) -> Fetch {
        for _ in 0..100 {
            for fetch in self.advance(Duration::from_secs(60)) {
                match &fetch {
                    Fetch::Overview { .. } => self.answer(&fetch, silent()),
                    Fetch::Objects { .. } | Fetch::Relist { .. } | Fetch::Lookup { .. } => return fetch,
                }
            }
        }
        panic!("nothing is asked")
    }

    fn says(&mut self, fetch: Fetch, change: Result<KubeChange, Fault>) {
        let Fetch::Objects {
            target,
            after,
            questions,
        } = fetch
        else {
            panic!("not asked for by name: {fetch:?}")
        };
        assert_eq!(questions.len(), 1, "{questions:?}");
        self.answered_with(target, after, vec![change.map(|change| update(self.now, change))]);
    }

    fn answered_with(&mut self, target: TargetId, after: Timestamp, answers: Vec<Result<KubeUpdate, Fault>>) {
        self.reactor
            .fetched(Fetched::Objects { target, after, answers }, self.now);
        self.settle();
    }

    /// When the Deployment was last asked for, if it was not there.
    fn missing_at(&self) -> Option<Timestamp> {
        let board = self.reactor.board.kubernetes(&ClusterName::new("local")).unwrap();
        let evidence = board.deployment(&object()).unwrap();
        (evidence.latest == Observed::Absent).then_some(evidence.asked_at)
    }
}

#[test]
fn a_deployment_that_is_there_is_looked_at_with_its_pods_and_costs_no_list() {
    let mut rig = rig();
    assert!(
        matches!(rig.asks(), Fetch::Relist { .. }),
        "nothing is known of its pods, which were never listed"
    );
    let listed = KubeChange::Relisted(vec![Object::Pod(testing::pod("jm-1"))], Completeness::Complete);
    rig.reactor.kube_update(of_pods(rig.now, listed), rig.now);
    rig.list(vec![Object::Deployment(testing::deployment("u1"))]);
    rig.fetches.clear();
    let Fetch::Objects {
        target,
        after,
        questions,
    } = rig.asks()
    else {
        panic!("a list is asked for")
    };
    let kinds: Vec<ObjectKind> = questions.iter().map(ObjectQuestion::kind).collect();
    assert_eq!(kinds, [ObjectKind::Pod, ObjectKind::Deployment]);
    let now = rig.now;
    let pods = KubeChange::PodsOf(object(), vec![Object::Pod(testing::pod("jm-2"))]);
    let there = KubeChange::Applied(Object::Deployment(testing::deployment("u1")));
    rig.answered_with(target, after, vec![Ok(of_pods(now, pods)), Ok(update(now, there))]);
    let board = rig.reactor.board.kubernetes(&ClusterName::new("local")).unwrap();
    let pods = board.pods(&object()).unwrap();
    assert_eq!(pods.asked_at, now);
    assert_eq!(pods.latest, Observed::Present(vec![testing::pod("jm-2")]));
    assert_eq!(board.deployment(&object()).unwrap().asked_at, now);
}

#[test]
fn a_list_that_was_read_before_a_deployment_was_replaced_begins_no_attempt() {
    let mut rig = rig();
    let is_in_kubernetes = |rig: &Rig| {
        let records = rig.reactor.records();
        let record = records.values().next().unwrap();
        (
            record.incarnation.attempt,
            record.incarnation.deployment_uid.as_ref().map(ToString::to_string),
        )
    };
    let (first, uid) = is_in_kubernetes(&rig);
    assert_eq!(uid.as_deref(), Some("u1"));
    // The watch is broken, and a list of many pages is under way.
    let list_asked_at = rig.now;
    let hear = |rig: &mut Rig, asked_at, version: &str, change| {
        rig.now = rig.now.after(Duration::from_secs(1));
        let update = KubeUpdate {
            asked_at,
            version: ResourceVersion::read(version),
            ..update(rig.now, change)
        };
        rig.reactor.kube_update(update, rig.now);
        rig.settle();
    };
    let deployment = |uid| Object::Deployment(testing::deployment(uid));
    let asked_at = rig.now.after(Duration::from_millis(500));
    hear(&mut rig, asked_at, "105", KubeChange::Applied(deployment("u2")));
    let next = (first + 1, Some("u2".to_owned()));
    assert_eq!(is_in_kubernetes(&rig), next);
    let list = KubeChange::Relisted(vec![deployment("u1")], Completeness::Complete);
    hear(&mut rig, list_asked_at, "90", list);
    assert_eq!(is_in_kubernetes(&rig), next);
    // The watch goes on from that list.
    let now = rig.now.after(Duration::from_secs(1));
    hear(&mut rig, now, "100", KubeChange::Deleted(deployment("u1")));
    assert_eq!(is_in_kubernetes(&rig), next);
    let now = rig.now.after(Duration::from_secs(1));
    hear(&mut rig, now, "105", KubeChange::Applied(deployment("u2")));
    assert_eq!(is_in_kubernetes(&rig), next);
}

#[test]
fn one_that_is_missing_is_asked_for_with_pauses_and_costs_no_list() {
    let mut rig = rig();
    rig.fetches.clear();
    rig.list(vec![]);
    rig.fetches.retain(|fetch| !matches!(fetch, Fetch::Relist { .. }));
    let mut times = Vec::new();
    for _ in 0..5 {
        let fetch = rig.asks();
        times.push(rig.now);
        rig.says(fetch, Ok(KubeChange::NotFound(object())));
        assert_eq!(rig.missing_at(), times.last().copied());
    }
    let pause = Timing::default().poll / 2;
    assert!(
        times.windows(2).all(|pair| pair[1].since(pair[0]) >= pause),
        "{times:?}"
    );
}

#[test]
fn what_is_not_answered_is_left_to_a_list_and_proves_nothing() {
    let mut rig = rig();
    rig.list(vec![]);
    rig.fetches.clear();
    let listed_at = rig.missing_at();
    let fetch = rig.asks();
    let &Fetch::Objects { after: asked, .. } = &fetch else {
        panic!("not asked for by name: {fetch:?}")
    };
    rig.says(fetch, Err(Fault::new(FaultKind::Forbidden, "get deployments.apps")));
    assert_eq!(rig.missing_at(), listed_at, "a fault moves nothing");
    let Fetch::Relist { after, .. } = rig.asks() else {
        panic!("a list is to say it")
    };
    assert_eq!(after, asked);
}
