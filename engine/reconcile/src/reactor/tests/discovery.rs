//! What is taken up without a `[[job]]`, by its Deployment or by the operator's resource.

use steadfast_core::facts::{Deployment, FlinkResource, ResourceKind};
use steadfast_core::id::Namespace;
use steadfast_core::news::{Completeness, KubeNews, Object, ObjectKind, Scope, What};
use steadfast_core::testing;

use super::*;

fn reactor(discover: Vec<Discover>) -> Reactor {
    let policy = PolicySetup::deciding("believe", Box::new(Believer));
    let rules = ClusterRules {
        discover,
        flink_rest: FlinkRoute::Service,
    };
    Reactor::new(
        Timing::default(),
        7,
        now(),
        BTreeMap::from([(ClusterName::new("local"), rules)]),
        Policies::new(vec![policy]),
        None,
    )
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_000_000)
}

fn listed(kind: ObjectKind, object: Object) -> KubeNews {
    KubeNews {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind,
            namespace: None,
        },
        asked_at: now(),
        at: now(),
        what: What::Listed(vec![object], Completeness::Complete),
    }
}

fn deployment(native: Option<Mode>, owner: Option<&str>) -> KubeNews {
    let deployment = Deployment {
        native,
        owner: owner.map(str::to_owned),
        ..testing::deployment("u1")
    };
    listed(ObjectKind::Deployment, Object::Deployment(deployment))
}

fn resource(mode: Mode) -> KubeNews {
    let resource = FlinkResource {
        mode,
        ..testing::flink_resource(ResourceKind::FlinkDeployment, "orders")
    };
    listed(ObjectKind::FlinkDeployment, Object::FlinkResource(resource))
}

/// The modes of the records that begin with each piece of news.
fn begun(discover: Vec<Discover>, news: impl IntoIterator<Item = KubeNews>) -> Vec<Vec<Mode>> {
    let mut reactor = reactor(discover);
    news.into_iter()
        .map(|news| {
            let changes = reactor.news(news, now());
            changes.iter().for_each(|change| drop(reactor.committed(change)));
            changes.iter().map(|change| change.record.mode).collect()
        })
        .collect()
}

#[test]
fn a_flink_deployment_is_taken_up_before_its_deployment_and_only_once() {
    let owned = deployment(Some(Mode::Application), Some("FlinkDeployment"));
    let news = [resource(Mode::Application), owned];
    assert_eq!(
        begun(vec![Discover::Native, Discover::FlinkDeployment], news),
        [vec![Mode::Application], vec![]]
    );
}

#[test]
fn a_deployment_of_the_operators_standalone_mode_is_taken_up_with_its_resources_mode() {
    let news = [deployment(None, Some("FlinkDeployment")), resource(Mode::Application)];
    assert_eq!(
        begun(vec![Discover::FlinkDeployment], news),
        [vec![], vec![Mode::Application]]
    );
}

#[test]
fn a_session_cluster_has_no_record_of_its_own() {
    let mut reactor = reactor(vec![Discover::FlinkDeployment]);
    assert_eq!(reactor.news(resource(Mode::Session), now()), vec![]);
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders");
    assert_eq!(reactor.targets[&target].mode, Mode::Session);
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
