//! Jobs of a session cluster: by their id, or by the FlinkSessionJob that asks for them.

use steadfast_core::alert::AlertStatus;
use steadfast_core::board::ObjectRef;
use steadfast_core::facts::{FlinkResource, ResourceKind, SnapshotPhase, StateSnapshot};
use steadfast_core::id::{FlinkJobId, Namespace, Uid};
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use steadfast_core::lookup::Query;
use steadfast_core::record::{AlertScope, StandingAlert};
use steadfast_core::state::Force;
use steadfast_core::testing;

use super::*;
use crate::control::SeenAlive;

fn rig() -> Rig {
    Rig::discovering(vec![Discover::FlinkDeployment])
}

fn session() -> TargetId {
    TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "s")
}

/// A FlinkSessionJob of the session, whose status names a job by its number.
fn asks(name: &str, job: Option<u128>) -> FlinkResource {
    FlinkResource {
        deployment: "s".to_owned(),
        mode: Mode::Session,
        flink_job_id: job.map(flink_job_id),
        ..testing::flink_resource(ResourceKind::FlinkSessionJob, name)
    }
}

fn cluster(mode: Mode) -> FlinkResource {
    FlinkResource {
        mode,
        deployment: "s".to_owned(),
        ..testing::flink_resource(ResourceKind::FlinkDeployment, "s")
    }
}

impl Rig {
    fn list_resources(&mut self, kind: ObjectKind, resources: Vec<FlinkResource>) {
        let objects = resources.into_iter().map(Object::FlinkResource).collect();
        self.kube(kind, KubeChange::Relisted(objects, Completeness::Complete));
    }

    fn session_is_there(&mut self) {
        self.list_resources(ObjectKind::FlinkDeployment, vec![cluster(Mode::Session)]);
    }

    fn flink_lists(&mut self, jobs: &[u128]) {
        self.now = self.now.after(Duration::from_secs(1));
        let jobs = jobs
            .iter()
            .map(|n| flink_job(flink_job_id(*n), JobState::Running, at(900)));
        let overview = Observed::Present(FlinkOverview::listing(jobs.collect()));
        let observation = Observation::new(overview, self.now, self.now);
        self.reactor
            .fetched(Fetched::overview(session(), observation), self.now);
        self.settle();
    }

    /// What is on record: behind the session's name, the state, and the attempt.
    fn on_record(&self) -> Vec<(String, JobState, u32)> {
        let records = self.reactor.records().values();
        let shown = records.map(|record| {
            let name = record
                .key
                .session_job
                .as_ref()
                .map_or_else(String::new, |job| match job.submitted() {
                    Some(id) => id.to_string().trim_start_matches('0').to_owned(),
                    None => job.to_string(),
                });
            (name, record.state, record.incarnation.attempt)
        });
        shown.collect()
    }
}

fn running(name: &str, attempt: u32) -> (String, JobState, u32) {
    (name.to_owned(), JobState::Running, attempt)
}

fn unknown(name: &str) -> (String, JobState, u32) {
    (name.to_owned(), JobState::Unknown, 0)
}

#[test]
fn a_session_job_is_on_record_from_its_creation_and_keeps_its_name_when_it_is_upgraded() {
    let mut rig = rig();
    rig.session_is_there();
    rig.list_resources(ObjectKind::FlinkSessionJob, vec![asks("daily", None)]);
    assert_eq!(rig.on_record(), [unknown("daily")]);
    rig.kube(
        ObjectKind::FlinkSessionJob,
        KubeChange::Applied(Object::FlinkResource(asks("daily", Some(1)))),
    );
    rig.flink_lists(&[1, 2]);
    assert_eq!(rig.on_record(), [running("2", 1), running("daily", 1)]);
    rig.kube(
        ObjectKind::FlinkSessionJob,
        KubeChange::Applied(Object::FlinkResource(asks("daily", Some(3)))),
    );
    // Flink says itself that it does not know the old job any more.
    rig.now = rig.now.after(Duration::from_secs(5));
    let jobs = vec![flink_job(flink_job_id(3), JobState::Running, at(950))];
    let overview = FlinkOverview {
        jobs,
        ..FlinkOverview::without([flink_job_id(1)])
    };
    let observation = Observation::new(Observed::Present(overview), rig.now, rig.now);
    rig.reactor.fetched(Fetched::overview(session(), observation), rig.now);
    rig.settle();
    assert!(rig.on_record().contains(&running("daily", 2)), "{:?}", rig.on_record());
    assert_eq!(rig.on_record().len(), 2, "no record by the id of its job");
}

#[test]
fn a_session_job_waits_on_record_for_its_cluster() {
    let mut rig = rig();
    rig.list_resources(ObjectKind::FlinkSessionJob, vec![asks("daily", None)]);
    assert_eq!(rig.on_record(), [], "it is not known what it names");
    rig.list_resources(ObjectKind::FlinkDeployment, vec![]);
    assert_eq!(rig.on_record(), []);
    rig.kube(
        ObjectKind::Deployment,
        KubeChange::Relisted(vec![], Completeness::Complete),
    );
    assert_eq!(rig.on_record(), [unknown("daily")]);
    rig.session_is_there();
    assert_eq!(rig.reactor.targets.get(&session()).unwrap().mode, Mode::Session);
}

#[test]
fn what_a_session_job_names_may_turn_out_to_be_an_application() {
    let mut rig = rig();
    rig.kube(
        ObjectKind::Deployment,
        KubeChange::Relisted(vec![], Completeness::Complete),
    );
    rig.list_resources(ObjectKind::FlinkDeployment, vec![]);
    rig.list_resources(ObjectKind::FlinkSessionJob, vec![asks("daily", None)]);
    rig.list_resources(ObjectKind::FlinkDeployment, vec![cluster(Mode::Application)]);
    assert_eq!(rig.on_record(), [unknown(""), unknown("daily")]);
}

#[test]
fn jobs_that_flink_lists_wait_for_the_list_of_those_who_ask_for_them() {
    let mut rig = rig();
    rig.session_is_there();
    rig.flink_lists(&[1, 2]);
    assert_eq!(rig.on_record(), []);
    rig.list_resources(ObjectKind::FlinkSessionJob, vec![asks("daily", Some(1))]);
    assert_eq!(rig.on_record(), [running("2", 1), running("daily", 1)]);
}

#[test]
fn where_that_list_cannot_be_read_jobs_go_by_their_id_and_later_on_under_the_name() {
    let mut rig = rig();
    rig.session_is_there();
    let forbidden = Fault::new(FaultKind::Forbidden, "no");
    rig.kube(ObjectKind::FlinkSessionJob, KubeChange::Failed(forbidden));
    rig.flink_lists(&[1, 2]);
    assert_eq!(rig.on_record(), [running("1", 1), running("2", 1)]);
    let since = rig.reactor.records().values().next().unwrap().since;
    rig.now = rig.now.after(Duration::from_secs(60));
    rig.list_resources(ObjectKind::FlinkSessionJob, vec![asks("daily", Some(1))]);
    assert_eq!(rig.on_record(), [running("2", 1), running("daily", 1)]);
    let daily = rig.reactor.records().values().last().unwrap();
    assert_eq!(daily.since, since, "it is the same record under another name");
}

#[test]
fn a_list_that_never_comes_holds_no_job_back_for_long() {
    let mut rig = rig();
    rig.session_is_there();
    rig.flink_lists(&[1]);
    rig.now = rig.now.after(Duration::from_secs(10));
    rig.flink_lists(&[1]);
    assert_eq!(rig.on_record(), [running("1", 1)]);
}

#[test]
fn a_session_job_that_is_there_is_forgotten_only_by_force_and_comes_back_with_the_next_list() {
    let mut rig = rig();
    rig.session_is_there();
    let list = || vec![asks("daily", None), asks("hourly", None)];
    rig.list_resources(ObjectKind::FlinkSessionJob, list());
    let daily = rig.reactor.records().keys().next().unwrap().clone();
    let refused = rig.reactor.forget(&daily, Force::No, None, rig.now).err();
    assert!(matches!(
        refused,
        Some(crate::RequestError::SeenAlive(SeenAlive::Requested))
    ));
    let turn = rig.reactor.forget(&daily, Force::Yes, None, rig.now).unwrap();
    rig.commit(turn);
    rig.settle();
    assert_eq!(rig.on_record(), [unknown("hourly")]);
    rig.now = rig.now.after(Duration::from_secs(60));
    rig.list_resources(ObjectKind::FlinkSessionJob, list());
    assert_eq!(rig.on_record(), [unknown("daily"), unknown("hourly")]);
}

#[test]
fn a_store_that_refuses_renames_nothing() {
    let mut rig = rig();
    rig.session_is_there();
    let forbidden = Fault::new(FaultKind::Forbidden, "no");
    rig.kube(ObjectKind::FlinkSessionJob, KubeChange::Failed(forbidden));
    rig.flink_lists(&[1]);
    let scope = Scope {
        cluster: ClusterName::new("local"),
        kind: ObjectKind::FlinkSessionJob,
        namespace: None,
    };
    let listed = KubeChange::Relisted(
        vec![Object::FlinkResource(asks("daily", Some(1)))],
        Completeness::Complete,
    );
    let update = KubeUpdate {
        scope,
        asked_at: rig.now,
        at: rig.now,
        version: None,
        change: listed,
    };
    rig.reactor.kube_update(update, rig.now);
    let turn = rig.reactor.turn(rig.now);
    assert_eq!(turn.changes.len(), 2, "both or neither");
    let retry_at = rig.now.after(Duration::from_secs(1));
    rig.refuse(turn, retry_at);
    assert_eq!(rig.on_record(), [running("1", 1)]);
    assert!(rig.reactor.turn(rig.now).changes.is_empty(), "not before its time");
    rig.now = retry_at;
    rig.settle();
    assert_eq!(rig.on_record(), [running("daily", 1)]);
}

#[test]
fn a_savepoint_that_somebody_asks_the_operator_for_is_looked_for_at_once() {
    let mut rig = rig();
    rig.session_is_there();
    rig.list_resources(
        ObjectKind::FlinkSessionJob,
        vec![asks("daily", Some(1)), asks("hourly", Some(2))],
    );
    rig.flink_lists(&[1, 2]);
    rig.fetches.clear();
    for phase in [SnapshotPhase::Other, SnapshotPhase::SavepointUnderWay] {
        let snapshot = StateSnapshot {
            namespace: Namespace::new("default"),
            name: "before-upgrade".to_owned(),
            uid: Uid::new("u9"),
            of: (ResourceKind::FlinkSessionJob, "daily".to_owned()),
            phase,
        };
        rig.kube(
            ObjectKind::FlinkStateSnapshot,
            KubeChange::Applied(Object::StateSnapshot(snapshot)),
        );
        let looks = rig.fetches.iter().filter_map(|fetch| match fetch {
            Fetch::Lookup {
                key,
                query: Query::Checkpoints { job },
                ..
            } => Some((key.flink_session_job()?.to_owned(), *job)),
            Fetch::Lookup { .. } | Fetch::Overview { .. } | Fetch::Objects { .. } | Fetch::Relist { .. } => None,
        });
        let wanted = match phase {
            SnapshotPhase::SavepointUnderWay => vec![("daily".to_owned(), flink_job_id(1))],
            SnapshotPhase::Other => vec![],
        };
        assert_eq!(looks.collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn a_configured_job_of_the_session_is_not_the_session() {
    let mut rig = rig();
    let pinned = TargetSetup {
        id: TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "own"),
        mode: Mode::Session,
        object: Some(ObjectRef::new(&Namespace::new("default"), "s")),
        flink_rest: None,
        pinned: Some(flink_job_id(1)),
    };
    let application = TargetSetup {
        id: TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "other"),
        mode: Mode::Application,
        pinned: Some(flink_job_id(2)),
        ..pinned.clone()
    };
    let first = rig.reactor.start(vec![], vec![pinned, application], rig.now);
    rig.commit(first);
    rig.session_is_there();
    rig.list_resources(
        ObjectKind::FlinkSessionJob,
        vec![asks("daily", Some(1)), asks("hourly", Some(2))],
    );
    assert_eq!(rig.on_record(), [unknown("")], "the application's own");
}

#[test]
fn a_session_job_that_another_session_has_now_is_gone_from_the_first() {
    let mut rig = rig();
    rig.session_is_there();
    rig.list_resources(ObjectKind::FlinkSessionJob, vec![asks("daily", Some(1))]);
    rig.flink_lists(&[1]);
    let moved = FlinkResource {
        deployment: "s2".to_owned(),
        ..asks("daily", Some(7))
    };
    rig.kube(
        ObjectKind::FlinkSessionJob,
        KubeChange::Applied(Object::FlinkResource(moved)),
    );
    let daily = rig
        .reactor
        .records()
        .values()
        .find(|record| record.key.target == session())
        .unwrap();
    let snapshot = rig.reactor.snapshot(daily, rig.now).unwrap();
    assert_eq!(snapshot.flink_resource.unwrap().latest, Observed::Absent);
    assert_eq!(
        rig.reactor.seen_alive(daily),
        Some(SeenAlive::Listed(JobState::Running))
    );
}

#[test]
fn what_a_session_job_left_running_beside_its_next_run_is_told() {
    let mut rig = rig();
    rig.session_is_there();
    rig.list_resources(ObjectKind::FlinkSessionJob, vec![asks("daily", Some(1))]);
    rig.flink_lists(&[1]);
    rig.kube(
        ObjectKind::FlinkSessionJob,
        KubeChange::Applied(Object::FlinkResource(asks("daily", Some(2)))),
    );
    rig.flink_lists(&[1, 2]);
    let daily = rig.reactor.records().values().next().unwrap();
    let others: Vec<FlinkJobId> = daily.other_jobs.iter().map(|other| other.flink_job_id).collect();
    assert_eq!(
        (rig.on_record(), others),
        (vec![running("daily", 1)], vec![flink_job_id(2)])
    );
}

#[test]
fn an_alert_is_over_under_the_old_name_when_its_record_goes_on_under_another() {
    let mut rig = rig();
    rig.session_is_there();
    rig.kube(
        ObjectKind::FlinkSessionJob,
        KubeChange::Failed(Fault::new(FaultKind::Forbidden, "no")),
    );
    rig.flink_lists(&[1]);
    let mut standing = JobRecord::clone(rig.reactor.records().values().next().unwrap());
    let alerts = [
        ("FlinkUnreachable", AlertScope::Cluster),
        ("JobFailed", AlertScope::Job),
    ];
    standing.alerts.extend(alerts.map(|(name, scope)| StandingAlert {
        name: name.to_owned(),
        scope,
        since: rig.now,
        message: "it is so".to_owned(),
        silenced: false,
    }));
    rig.repair(vec![standing]);
    let listed = KubeChange::Relisted(
        vec![Object::FlinkResource(asks("daily", Some(1)))],
        Completeness::Complete,
    );
    let changes = rig.kube(ObjectKind::FlinkSessionJob, listed);
    assert_eq!(rig.on_record(), [running("daily", 1)]);
    let resolved = changes
        .iter()
        .flat_map(|change| &change.events)
        .filter_map(|event| match event {
            Event::Alert(alert) => Some((alert.alert.as_str(), alert.status)),
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        });
    let expected = [
        ("FlinkUnreachable", AlertStatus::Resolved),
        ("JobFailed", AlertStatus::Resolved),
    ];
    assert_eq!(resolved.collect::<Vec<_>>(), expected);
}
