//! Random updates of one cluster: what [`woken_by`] says of it, the snapshots before and after must say too.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::board::Board;
use crate::evidence::{Fault, FaultKind};
use crate::facts::{Readiness, ResourceKind, Rollout};
use crate::id::{ClusterName, JobKey, Namespace, PolicyName, TargetId, Uid};
use crate::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use crate::labels::Labels;
use crate::observe::{Context, observe};
use crate::record::{JobRecord, Origin};
use crate::state::{Intent, Mode};
use crate::testing;
use crate::time::Timestamp;

fn deployment(rng: &mut StdRng) -> Deployment {
    Deployment {
        namespace: Namespace::new("default"),
        name: "orders".into(),
        uid: Uid::new(format!("u{}", rng.random_range(0..2))),
        created_at: None,
        deleting_since: None,
        replicas: 1,
        ready: rng.random_range(0..2),
        native: None,
        owner: None,
        trouble: None,
        rollout: Rollout::Settled,
        labels: Labels::default(),
    }
}

fn pod(rng: &mut StdRng) -> Pod {
    let name = format!("jm-{}", rng.random_range(0..2));
    Pod {
        namespace: Namespace::new("default"),
        uid: Uid::new(&name),
        name,
        app: "orders".into(),
        created_at: None,
        deleting_since: None,
        phase: "Running".into(),
        reason: None,
        ip: None,
        rest_port: None,
        ready: Readiness::Ready,
        unschedulable: None,
        container: None,
    }
}

fn update(rng: &mut StdRng, now: Timestamp) -> KubeUpdate {
    let kind = if rng.random_bool(0.5) {
        ObjectKind::Deployment
    } else {
        ObjectKind::Pod
    };
    let object = |rng: &mut StdRng| match kind {
        ObjectKind::Pod => Object::Pod(pod(rng)),
        ObjectKind::Deployment
        | ObjectKind::FlinkDeployment
        | ObjectKind::FlinkSessionJob
        | ObjectKind::FlinkStateSnapshot => Object::Deployment(deployment(rng)),
    };
    let change = match rng.random_range(0..7) {
        0 => KubeChange::Failed(Fault::new(FaultKind::Timeout, "no answer")),
        1 => KubeChange::Relisted(Vec::new(), Completeness::Complete),
        2 => KubeChange::Relisted(vec![object(rng)], Completeness::Complete),
        3 => KubeChange::Applied(object(rng)),
        4 => KubeChange::NotFound(ObjectRef::new(&Namespace::new("default"), "orders")),
        5 => KubeChange::PodsOf(ObjectRef::new(&Namespace::new("default"), "orders"), vec![object(rng)]),
        _ => KubeChange::Deleted(object(rng)),
    };
    KubeUpdate {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind,
            namespace: None,
        },
        asked_at: now,
        at: now,
        version: None,
        change,
    }
}

/// A board whose lists were read, and nothing was there.
fn empty(now: Timestamp) -> Board {
    let mut board = Board::default();
    for kind in [ObjectKind::Deployment, ObjectKind::Pod] {
        board.accept_update(KubeUpdate {
            scope: Scope {
                cluster: ClusterName::new("local"),
                kind,
                namespace: None,
            },
            asked_at: now,
            at: now,
            version: None,
            change: KubeChange::Relisted(Vec::new(), Completeness::Complete),
        });
    }
    board
}

#[test]
fn what_wakes_by_the_snapshot_wakes_by_the_update_and_silence_wakes_nobody() {
    let mut rng = StdRng::seed_from_u64(41);
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders");
    let object = ObjectRef::new(&target.namespace, &target.name);
    let begin = Timestamp::from_millis(1_000);
    let key = JobKey::application(target);
    let record = JobRecord::unseen(key, Mode::Session, Origin::Configured, PolicyName::new("p"), begin);
    let context = Context {
        object: Some(&object),
        ..Context::default()
    };
    let (mut woken, mut asleep_still) = (0, 0);
    for _ in 0..2_000 {
        let mut now = begin;
        let mut board = empty(now);
        let mut asleep = Fingerprint::of(&observe(&record, &board, context, now));
        for _ in 0..6 {
            now = now.after(Duration::from_secs(1));
            let update = update(&mut rng, now);
            let is_silence = matches!(update.change, KubeChange::Failed(_));
            let accepted = board.accept_update(update);
            let snapshot = observe(&record, &board, context, now);
            let by_news = woken_by(&accepted).any(|woken| *woken == object);
            let by_snapshot = asleep.is_woken_by(&snapshot);
            assert!(!(is_silence && (by_news || by_snapshot)), "{snapshot:?}");
            // A list that is read again after a silence shows what is there as new, though nothing may have changed.
            if asleep.is_known() && !is_silence {
                assert!(by_news || !by_snapshot, "{snapshot:?}");
                *(if by_snapshot { &mut woken } else { &mut asleep_still }) += 1;
            }
            asleep = Fingerprint::of(&snapshot);
        }
    }
    assert!(woken > 1_000 && asleep_still > 500, "{woken} woken, {asleep_still} not");
}

impl Fingerprint {
    fn is_known(&self) -> bool {
        let deployment = self.deployment.as_ref().is_some_and(Observed::is_known);
        deployment && self.pods.as_ref().is_some_and(Observed::is_known)
    }
}

#[test]
fn each_thing_that_is_new_wakes_by_itself() {
    let snapshot = || {
        let now = testing::at(10);
        let mut snapshot = testing::snapshot(testing::record(testing::job_key("orders"), now), now);
        snapshot.deployment = testing::observed(Observed::Present(testing::deployment("u1")), now);
        snapshot.pods = testing::observed(Observed::Present(vec![testing::pod("jm-1")]), now);
        let resource = testing::flink_resource(ResourceKind::FlinkDeployment, "orders");
        snapshot.flink_resource = testing::observed(Observed::Present(resource), now);
        snapshot
    };
    let asleep = Fingerprint::of(&snapshot());
    assert!(!asleep.is_woken_by(&snapshot()));
    let news: [fn(&mut Snapshot); 5] = [
        |s| s.record.incarnation.attempt += 1,
        |s| {
            s.record.intent = Some(PostedIntent {
                intent: Intent::Start,
                since: s.now,
                author: None,
                savepoint: None,
            });
        },
        |s| s.deployment = testing::observed(Observed::Absent, s.now),
        |s| s.pods = testing::observed(Observed::Present(vec![]), s.now),
        |s| s.flink_resource = testing::observed(Observed::Absent, s.now),
    ];
    for (place, happens) in news.into_iter().enumerate() {
        let mut later = snapshot();
        happens(&mut later);
        assert!(asleep.is_woken_by(&later), "{place}");
    }
}
