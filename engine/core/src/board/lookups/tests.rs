use std::time::Duration;

use super::*;
use crate::evidence::{Evidence, Fault, FaultKind, Observation, Observed};
use crate::facts::{Container, EndSource, FlinkJob, HaData, JobEnd, Readiness};
use crate::id::{ClusterName, Namespace, PolicyName, TargetId, Uid};
use crate::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use crate::record::Origin;
use crate::state::Mode;
use crate::testing::flink_job;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn job() -> FlinkJobId {
    FlinkJobId::parse("00000000000000000000000000000001").unwrap()
}

/// The job as Flink lists it while it runs.
fn run(started: i64) -> FlinkJob {
    flink_job(job(), JobState::Running, at(started))
}

fn object() -> ObjectRef {
    ObjectRef::new(&Namespace::new("default"), "orders")
}

/// A job whose attempt began at second 10, with its run at second 7.
fn record() -> JobRecord {
    let target = TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), "orders");
    let mut record = JobRecord::unseen(
        JobKey::application(target),
        Mode::Application,
        Origin::Configured,
        PolicyName::new("p"),
        at(0),
    );
    record.incarnation.see_job(&run(7), at(10), at(10));
    record
}

fn pod(name: &str, restarts: u32) -> Pod {
    Pod {
        namespace: Namespace::new("default"),
        name: name.into(),
        uid: Uid::new(name),
        app: "orders".into(),
        created_at: None,
        deleting_since: None,
        phase: "Running".into(),
        reason: None,
        ip: None,
        rest_port: None,
        ready: Readiness::Ready,
        unschedulable: None,
        container: Some(Container {
            restarts,
            ..Container::default()
        }),
    }
}

fn end(told_by: EndSource) -> Observed<JobEnd> {
    Observed::Present(JobEnd {
        job: job(),
        state: JobState::Finished,
        cause: None,
        ended_at: None,
        told_by,
    })
}

fn silent<T>() -> Observed<T> {
    Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer"))
}

fn archive(answer: Observed<JobEnd>, asked: i64) -> Finding {
    Finding::Archive(Observation::new(answer, at(asked), at(asked)))
}

fn end_source(board: &Board) -> Option<EndSource> {
    let slot = board.attempt(&record().key)?.archive.as_ref()?;
    slot.latest.present().map(|end| end.told_by)
}

fn want(source: LookupSource, after: i64) -> LookupRequest {
    LookupRequest {
        source,
        observed_after: at(after),
    }
}

fn list_pods(board: &mut Board, pods: Vec<Pod>, asked: i64) {
    let scope = Scope {
        cluster: ClusterName::new("local"),
        kind: ObjectKind::Pod,
        namespace: None,
    };
    board.accept_update(KubeUpdate {
        scope,
        asked_at: at(asked),
        at: at(asked),
        version: None,
        change: KubeChange::Relisted(pods.into_iter().map(Object::Pod).collect(), Completeness::Complete),
    });
}

#[test]
fn what_was_asked_about_the_attempt_before_is_not_this_ones() {
    let mut board = Board::default();
    assert!(!board.accept_finding(&record(), archive(end(EndSource::Archive), 9)));
    assert_eq!(end_source(&board), None);
    assert!(board.accept_finding(&record(), archive(end(EndSource::Archive), 10)));
    assert_eq!(end_source(&board), Some(EndSource::Archive));
    let recovery = HaData {
        config_maps: vec!["orders-cluster-config-map".into()],
    };
    let shared = Finding::HaData(Observation::new(Observed::Present(recovery), at(9), at(9)));
    assert!(
        board.accept_finding(&record(), shared),
        "attempts share what the cluster keeps"
    );
}

#[test]
fn an_end_that_is_known_stays_known_and_is_not_asked_for_again() {
    let mut board = Board::default();
    let again = want(LookupSource::Archive, 30);
    for (answer, is_final) in [
        (silent(), false),
        (Observed::Absent, false),
        (end(EndSource::Archive), true),
    ] {
        board.accept_finding(&record(), archive(answer, 20));
        assert_eq!(board.answers(&record().key, None, &again), is_final);
    }
    board.accept_finding(&record(), archive(Observed::Absent, 40));
    board.accept_finding(&record(), archive(end(EndSource::HistoryServer), 50));
    assert_eq!(end_source(&board), Some(EndSource::Archive));
}

#[test]
fn a_request_is_answered_by_a_later_answer_ahead_of_time_or_open() {
    let mut board = Board::default();
    let record = record();
    let standing = |board: &Board, after| board.standing(&record, None, &want(LookupSource::Archive, after), at(60));
    let open = Standing::Open(Query::Archive(ResultQuery {
        cluster_id: "orders".into(),
        job: job(),
        started_at: Some(at(7)),
    }));
    assert_eq!(standing(&board, 20), open);
    assert_eq!(standing(&board, 60), Standing::Ahead(at(60)));
    board.accept_finding(&record, archive(Observed::Absent, 30));
    assert_eq!(standing(&board, 29), Standing::Answered);
    assert_eq!(standing(&board, 30), open, "only an answer to a later question will do");
}

/// The objects that are asked for: kind, name and UID; of pods those that are known.
fn asks_for(standing: Standing) -> Vec<(ObjectKind, String, Option<String>)> {
    let Standing::OpenObjects { questions, after } = standing else {
        panic!("not asked for by name: {standing:?}")
    };
    assert_eq!(after, at(20));
    let shown = |asked: ObjectQuestion| match asked {
        ObjectQuestion::Named { kind, object, uid } => (kind, object.name, uid.map(|uid| uid.to_string())),
        ObjectQuestion::PodsOf { object, known } => {
            let known: Vec<String> = known.into_iter().map(|(name, uid)| format!("{name}/{uid}")).collect();
            (ObjectKind::Pod, object.name, Some(known.join(" ")))
        }
    };
    questions.into_iter().map(shown).collect()
}

fn told(board: &mut Board, kind: ObjectKind, asked: i64, change: KubeChange) {
    board.accept_update(KubeUpdate {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind,
            namespace: None,
        },
        asked_at: at(asked),
        at: at(asked),
        version: None,
        change,
    });
}

fn list(board: &mut Board, kind: ObjectKind, objects: Vec<Object>) {
    told(board, kind, 20, KubeChange::Relisted(objects, Completeness::Complete));
}

/// How it stands with a look at Kubernetes after all that was listed.
fn standing(board: &Board, record: &JobRecord) -> Standing {
    board.standing(record, Some(&object()), &want(LookupSource::Kubernetes, 20), at(60))
}

#[test]
fn what_one_job_needs_is_asked_for_alone_and_all_else_is_left_to_a_list() {
    let mut record = record();
    record.incarnation.deployment_uid = Some(Uid::new("u1"));
    let lists = Standing::OpenLists { after: at(20) };
    let deployment = || (ObjectKind::Deployment, "orders".to_owned(), Some("u1".to_owned()));
    let mut board = Board::default();
    assert_eq!(standing(&board, &record), lists, "nothing is known of it");
    list(
        &mut board,
        ObjectKind::Deployment,
        vec![Object::Deployment(crate::testing::deployment("u1"))],
    );
    assert_eq!(standing(&board, &record), lists, "nothing is known of its pods");
    list_pods(&mut board, vec![pod("jm-1", 0)], 20);
    let pods = (ObjectKind::Pod, "orders".to_owned(), Some("jm-1/jm-1".to_owned()));
    assert_eq!(asks_for(standing(&board, &record)), [pods, deployment()]);
    list(&mut board, ObjectKind::Deployment, vec![]);
    assert_eq!(asks_for(standing(&board, &record)), [deployment()]);
    // The operator's resource, whether it is there or not, once that is known.
    let kind = ObjectKind::FlinkDeployment;
    list(&mut board, kind, vec![]);
    let resource = |uid: Option<&str>| (kind, "orders".to_owned(), uid.map(str::to_owned));
    assert_eq!(asks_for(standing(&board, &record)), [resource(None), deployment()]);
    let seen = crate::testing::flink_resource(crate::facts::ResourceKind::FlinkDeployment, "orders");
    list(&mut board, kind, vec![Object::FlinkResource(seen.clone())]);
    assert_eq!(
        asks_for(standing(&board, &record)),
        [resource(Some(seen.uid.as_str())), deployment()]
    );
    // A FlinkSessionJob is found by the job that it names.
    let kind = ObjectKind::FlinkSessionJob;
    record.key.session_job = Some(crate::id::SessionJob::Submitted(job()));
    assert_eq!(asks_for(standing(&board, &record)), [deployment()]);
    list(&mut board, kind, vec![]);
    assert_eq!(
        standing(&board, &record),
        lists,
        "only a list says which resource names the job"
    );
    let mut daily = crate::testing::flink_resource(crate::facts::ResourceKind::FlinkSessionJob, "daily");
    daily.flink_job_id = Some(job());
    list(&mut board, kind, vec![Object::FlinkResource(daily.clone())]);
    let daily = (kind, "daily".to_owned(), Some(daily.uid.to_string()));
    assert_eq!(asks_for(standing(&board, &record)), [daily, deployment()]);
    told(&mut board, ObjectKind::Deployment, 40, KubeChange::NotFound(object()));
    assert_eq!(standing(&board, &record), Standing::Answered);
}

#[test]
fn where_pods_may_not_be_listed_they_are_not_asked_for_and_no_list_is_that_would_be_refused_too() {
    let mut board = Board::default();
    let deployment = Object::Deployment(crate::testing::deployment("u1"));
    list(&mut board, ObjectKind::Deployment, vec![deployment]);
    let kinds = |board: &Board| {
        let asked = asks_for(standing(board, &record())).into_iter();
        asked.map(|(kind, ..)| kind).collect::<Vec<_>>()
    };
    let forbidden = || KubeChange::Failed(Fault::new(FaultKind::Forbidden, "pods is forbidden"));
    told(&mut board, ObjectKind::Pod, 20, forbidden());
    assert_eq!(kinds(&board), [ObjectKind::Deployment]);
    list_pods(&mut board, vec![pod("jm-1", 0)], 20);
    assert_eq!(kinds(&board), [ObjectKind::Pod, ObjectKind::Deployment]);
    told(&mut board, ObjectKind::Pod, 20, forbidden());
    assert_eq!(kinds(&board), [ObjectKind::Deployment]);
}

#[test]
fn what_has_a_name_is_in_question_though_a_list_is_needed_for_the_rest() {
    let mut board = Board::default();
    let mut record = record();
    record.key.session_job = Some(crate::id::SessionJob::Submitted(job()));
    list(&mut board, ObjectKind::Deployment, vec![]);
    list(&mut board, ObjectKind::FlinkSessionJob, vec![]);
    assert_eq!(standing(&board, &record), Standing::OpenLists { after: at(20) });
    let in_question = board.in_question(&record, &object()).unwrap();
    assert_eq!(in_question.unnamed, Some(ObjectKind::FlinkSessionJob));
    let kinds: Vec<ObjectKind> = in_question.objects.iter().map(ObjectQuestion::kind).collect();
    assert_eq!(kinds, [ObjectKind::Deployment]);
}

#[test]
fn nobody_is_asked_about_a_job_that_is_not_known_or_a_pod_that_is_not_there() {
    let mut board = Board::default();
    let known = record();
    let unknown = JobRecord {
        incarnation: crate::incarnation::Incarnation::unseen(None),
        ..known.clone()
    };
    let stands = |board: &Board, record: &JobRecord, source| {
        let standing = board.standing(record, Some(&object()), &want(source, 0), at(60));
        matches!(standing, Standing::Open(_))
    };
    assert!(!stands(&board, &unknown, LookupSource::Archive));
    assert!(stands(&board, &unknown, LookupSource::HaData));
    assert!(!stands(&board, &known, LookupSource::LastWords));
    list_pods(&mut board, vec![pod("jm-1", 0)], 50);
    assert!(stands(&board, &known, LookupSource::LastWords));
}

#[test]
fn a_restarted_containers_log_before_is_read_behind_its_own() {
    let since = Some(at(7));
    let log = |pod: &str, container| PodLog {
        pod: pod.to_owned(),
        container,
    };
    assert_eq!(
        logs_of(&[pod("jm-1", 0), pod("jm-2", 1)], since),
        [
            log("jm-1", ContainerRun::Current),
            log("jm-2", ContainerRun::Current),
            log("jm-2", ContainerRun::Previous { since }),
        ]
    );
}

#[test]
fn parting_words_are_read_of_a_job_whose_end_is_not_known() {
    let of = |state| {
        let record = JobRecord { state, ..record() };
        parting_words(&record, &object(), &pod("jm-1", 0)).is_some()
    };
    assert!(of(JobState::Running) && of(JobState::Terminated));
    assert!(!of(JobState::Finished) && !of(JobState::Failed));
}

#[test]
fn a_new_attempt_begins_without_what_was_looked_up_and_with_what_attempts_share() {
    let mut board = Board::default();
    let before = record();
    board.accept_finding(&before, archive(end(EndSource::Archive), 20));
    let events = Observation::new(Observed::Present(Vec::new()), at(20), at(20));
    board.accept_finding(&before, Finding::Events(events));
    let mut after = before.clone();
    after.incarnation.see_job(&run(90), at(91), at(91));
    board.committed(&before, &after);
    assert_eq!(end_source(&board), None);
    let kept = board
        .target(&after.key.target)
        .and_then(|target| target.events.as_ref());
    assert_eq!(kept.map(|events: &Evidence<_>| events.observed_at), Some(at(20)));
    // Time passes: nothing else takes them away.
    board.committed(&after, &after);
    assert!(at(20).after(Duration::from_secs(1)) > at(20) && board.target(&after.key.target).is_some());
}
