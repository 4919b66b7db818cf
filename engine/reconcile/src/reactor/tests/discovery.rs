//! What is taken up without a `[[job]]`, by its Deployment or by the operator's resource.

use steadfast_core::board::ObjectRef;
use steadfast_core::facts::{Deployment, FlinkResource, Pod, ResourceKind};
use steadfast_core::id::{Namespace, PolicyName};
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use steadfast_core::lookup::Query;
use steadfast_core::state::Force;
use steadfast_core::testing;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_millis(1_000_000)
}

fn listed(kind: ObjectKind, object: Object) -> KubeUpdate {
    KubeUpdate {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind,
            namespace: None,
        },
        asked_at: now(),
        at: now(),
        version: None,
        change: KubeChange::Relisted(vec![object], Completeness::Complete),
    }
}

fn deployment(native: Option<Mode>, owner: Option<&str>) -> KubeUpdate {
    let deployment = Deployment {
        native,
        owner: owner.map(Into::into),
        ..testing::deployment("u1")
    };
    listed(ObjectKind::Deployment, Object::Deployment(deployment))
}

fn resource(mode: Mode) -> KubeUpdate {
    let resource = FlinkResource {
        mode,
        ..testing::flink_resource(ResourceKind::FlinkDeployment, "orders")
    };
    listed(ObjectKind::FlinkDeployment, Object::FlinkResource(resource))
}

/// The modes of the records that begin with each update.
fn begun(discover: Vec<Discover>, update: impl IntoIterator<Item = KubeUpdate>) -> Vec<Vec<Mode>> {
    let mut rig = Rig::discovering(discover);
    update
        .into_iter()
        .map(|update| {
            rig.reactor.kube_update(update, rig.now);
            let turn = rig.reactor.turn(rig.now);
            let changes = rig.commit(turn);
            let first = changes.iter().filter(|change| change.record.revision == 1);
            first.map(|change| change.record.mode).collect()
        })
        .collect()
}

#[test]
fn a_flink_deployment_is_taken_up_before_its_deployment_and_only_once() {
    let owned = deployment(Some(Mode::Application), Some("FlinkDeployment"));
    let update = [resource(Mode::Application), owned];
    assert_eq!(
        begun(vec![Discover::Native, Discover::FlinkDeployment], update),
        [vec![Mode::Application], vec![]]
    );
}

#[test]
fn a_deployment_of_the_operators_standalone_mode_is_taken_up_with_its_resources_mode() {
    let update = [deployment(None, Some("FlinkDeployment")), resource(Mode::Application)];
    assert_eq!(
        begun(vec![Discover::FlinkDeployment], update),
        [vec![], vec![Mode::Application]]
    );
}

#[test]
fn a_session_cluster_has_no_record_of_its_own() {
    let mut rig = Rig::discovering(vec![Discover::FlinkDeployment]);
    rig.reactor.kube_update(resource(Mode::Session), now());
    assert_eq!(rig.settle(), vec![]);
    assert_eq!(rig.reactor.targets.get(&orders().target).unwrap().mode, Mode::Session);
}

#[test]
fn without_the_operators_kind_only_deployments_that_show_their_mode_are_taken_up() {
    let owned = || deployment(Some(Mode::Application), Some("FlinkDeployment"));
    assert_eq!(
        begun(vec![Discover::FlinkDeployment], [owned()]),
        [vec![Mode::Application]]
    );
    assert_eq!(begun(vec![Discover::Native], [owned()]), [Vec::<Mode>::new()]);
    let own = deployment(Some(Mode::Application), None);
    assert_eq!(begun(vec![Discover::Native], [own]), [vec![Mode::Application]]);
}

fn orders() -> JobKey {
    JobKey::parse("local/default/orders").unwrap()
}

fn own() -> KubeUpdate {
    deployment(Some(Mode::Application), None)
}

#[test]
fn a_job_that_was_forgotten_is_taken_up_again_by_the_next_list() {
    let mut rig = Rig::discovering(vec![Discover::Native]);
    rig.reactor.kube_update(own(), now());
    rig.settle();
    let turn = rig.reactor.forget(&orders(), Force::Yes, None, rig.now).unwrap();
    rig.commit(turn);
    assert!(rig.reactor.records().is_empty() && rig.reactor.targets.get(&orders().target).is_none());
    rig.now = rig.now.after(Duration::from_secs(60));
    // The list shows what was there before: nothing about it is new.
    rig.reactor.kube_update(own(), rig.now);
    rig.settle();
    assert!(rig.reactor.records().contains_key(&orders()));
}

#[test]
fn a_list_that_failed_does_not_put_a_forgotten_job_out_of_mind() {
    let mut rig = Rig::discovering(vec![Discover::Native]);
    rig.reactor.kube_update(own(), now());
    rig.settle();
    let turn = rig.reactor.forget(&orders(), Force::Yes, None, rig.now).unwrap();
    rig.commit(turn);
    for (second, kind) in [(10, ObjectKind::Deployment), (20, ObjectKind::Pod)] {
        rig.now = now().after(Duration::from_secs(second));
        let fault = Fault::new(FaultKind::Timeout, "no answer");
        let failed = KubeUpdate {
            scope: Scope {
                cluster: ClusterName::new("local"),
                kind,
                namespace: None,
            },
            asked_at: rig.now,
            at: rig.now,
            version: None,
            change: KubeChange::Failed(fault),
        };
        rig.reactor.kube_update(failed, rig.now);
        rig.settle();
    }
    assert!(rig.reactor.records().is_empty());
    rig.now = now().after(Duration::from_secs(30));
    let mut healed = own();
    (healed.asked_at, healed.at) = (rig.now, rig.now);
    rig.reactor.kube_update(healed, rig.now);
    rig.settle();
    assert!(rig.reactor.records().contains_key(&orders()));
}

#[test]
fn a_404_of_the_operators_kind_does_not_put_a_forgotten_job_out_of_mind() {
    let mut rig = Rig::discovering(vec![Discover::FlinkDeployment]);
    rig.reactor.kube_update(resource(Mode::Application), now());
    rig.settle();
    let turn = rig.reactor.forget(&orders(), Force::Yes, None, rig.now).unwrap();
    rig.commit(turn);
    let later = |second, mut update: KubeUpdate| {
        update.asked_at = now().after(Duration::from_secs(second));
        update.at = update.asked_at;
        update
    };
    let scope = resource(Mode::Application).scope;
    let refused = KubeChange::Failed(Fault::new(FaultKind::NotFound, "404 page not found"));
    let nothing = KubeChange::Relisted(vec![], Completeness::Complete);
    for update in [
        later(
            10,
            KubeUpdate {
                change: refused,
                ..resource(Mode::Application)
            },
        ),
        later(
            20,
            KubeUpdate {
                change: nothing,
                ..own()
            },
        ),
    ] {
        rig.now = update.at;
        rig.reactor.kube_update(update, rig.now);
        rig.settle();
    }
    assert!(rig.reactor.records().is_empty());
    let healed = later(
        30,
        KubeUpdate {
            scope,
            ..resource(Mode::Application)
        },
    );
    rig.now = healed.at;
    rig.reactor.kube_update(healed, rig.now);
    rig.settle();
    assert!(rig.reactor.records().contains_key(&orders()));
}

#[test]
fn a_forgotten_job_leaves_a_configured_one_on_the_same_deployment_its_events_and_last_words() {
    let mut rig = Rig::discovering(vec![Discover::Native]);
    let configured = TargetSetup {
        id: TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "billing"),
        mode: Mode::Application,
        object: Some(ObjectRef::new(&Namespace::new("default"), "orders")),
        flink_rest: None,
        pinned: None,
    };
    let billing = JobKey::application(configured.id.clone());
    let found = JobRecord::unseen(
        orders(),
        Mode::Application,
        Origin::Discovered,
        PolicyName::new("believe"),
        now(),
    );
    let first = rig.reactor.start(vec![found], vec![configured], now());
    rig.commit(first);
    rig.reactor.kube_update(own(), now());
    let observation = Observation::new(running(), now(), now());
    let overview = Fetched::overview(billing.target.clone(), observation);
    rig.reactor.fetched(overview, now());
    rig.settle();
    let turn = rig.reactor.forget(&orders(), Force::Yes, None, rig.now).unwrap();
    rig.commit(turn);
    rig.settle();
    rig.fetches.clear();
    rig.now = rig.now.after(Duration::from_secs(60));
    let going = Pod {
        deleting_since: Some(rig.now),
        ..testing::pod("orders-jm")
    };
    let mut update = listed(ObjectKind::Pod, Object::Pod(going));
    update.asked_at = rig.now;
    rig.reactor.kube_update(update, rig.now);
    rig.settle();
    let read: Vec<&JobKey> = rig
        .fetches
        .iter()
        .filter_map(|fetch| match fetch {
            Fetch::Lookup { key, query, .. } => matches!(query, Query::LastWords { .. }).then_some(key),
            Fetch::Overview { .. } | Fetch::Objects { .. } | Fetch::Relist { .. } => None,
        })
        .collect();
    assert_eq!(read, [&billing]);
    let polled = rig
        .fetches
        .iter()
        .any(|fetch| matches!(fetch, Fetch::Overview { endpoint, .. } if endpoint.target == billing.target));
    assert!(polled, "and Flink is asked at once");
}

#[test]
fn what_shows_no_mode_and_has_no_entry_is_watched_by_nothing() {
    let is_unwatched = |discover, native| {
        let mut rig = Rig::discovering(discover);
        rig.reactor.kube_update(deployment(native, None), now());
        rig.settle();
        let object = ObjectRef::new(&Namespace::new("default"), "orders");
        rig.reactor.is_unwatched(&ClusterName::new("local"), &object)
    };
    assert!(is_unwatched(vec![Discover::Native], None));
    for mode in [Mode::Application, Mode::Session] {
        assert!(
            !is_unwatched(vec![Discover::Native], Some(mode)),
            "{mode:?} is discovered"
        );
    }
    assert!(!is_unwatched(vec![], None), "nothing is to be discovered");
}
