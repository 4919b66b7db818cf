//! The order in which evidence arrives within a poll. The board takes the same pieces in several orders; what it then
//! shows, and what the policy decides on it, must be one and the same.

use proptest::prelude::*;
use steadfast_core::board::{Board, ObjectRef};
use steadfast_core::decision::Decide;
use steadfast_core::evidence::{Fault, FaultKind, Observation, Observed};
use steadfast_core::facts::{
    Checkpoints, Container, Deployment, EndSource, FlinkJob, FlinkOverview, HaData, JobEnd, KubeEvent, Pod, Readiness,
    RootException,
};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, TargetId};
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use steadfast_core::lookup::Finding;
use steadfast_core::observe::{Context, observe};
use steadfast_core::planner::plan;
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{JobState, Mode};
use steadfast_core::testing;
use steadfast_core::time::Timestamp;
use steadfast_host::Policy;

/// Two polls' evidence; that of the second arrives in any order.
#[derive(Clone, Debug)]
pub struct Arrival {
    first: Vec<Piece>,
    second: Vec<Piece>,
    order: Vec<usize>,
    fleet: Fleet,
}

/// One answer, with when it was asked for and when it came, in milliseconds of its poll.
#[derive(Clone, Debug)]
struct Piece {
    asked: i64,
    took: i64,
    answer: Answer,
}

#[derive(Clone, Debug)]
enum Answer {
    Overview(Observed<Vec<FlinkJob>>),
    Deployments(Result<Vec<Object>, Fault>, Completeness),
    Pods(Result<Vec<Object>, Fault>),
    Exceptions(Observed<RootException>),
    Checkpoints(Observed<Checkpoints>),
    LastWords(Observed<JobEnd>),
    Archive(Observed<JobEnd>),
    HaData(Observed<HaData>),
    Events(Observed<Vec<KubeEvent>>),
    TaskManagers(Observed<Vec<Pod>>),
}

const POLL: i64 = 20_000;
const BEGINNING: i64 = 1_767_225_600_000;

pub fn arrivals() -> impl Strategy<Value = Arrival> {
    let round = || {
        (
            prop::option::weighted(0.9, piece(observed(jobs()).prop_map(Answer::Overview))),
            prop::option::weighted(0.9, piece(deployments())),
            prop::option::weighted(0.9, piece(listed(pods()).prop_map(Answer::Pods))),
            prop::option::of(piece(observed(exception()).prop_map(Answer::Exceptions))),
            prop::option::of(piece(observed(checkpoints()).prop_map(Answer::Checkpoints))),
            prop::option::of(piece(observed(end(EndSource::LastWords)).prop_map(Answer::LastWords))),
            prop::option::of(piece(observed(end(EndSource::Archive)).prop_map(Answer::Archive))),
            prop::option::of(piece(observed(ha_data()).prop_map(Answer::HaData))),
            prop::option::of(piece(observed(events()).prop_map(Answer::Events))),
            prop::option::of(piece(observed(pods().prop_map(of_pods)).prop_map(Answer::TaskManagers))),
        )
            .prop_map(|(a, b, c, d, e, f, g, h, i, j)| [a, b, c, d, e, f, g, h, i, j].into_iter().flatten().collect())
    };
    let order = Just((0..10).collect::<Vec<usize>>()).prop_shuffle();
    let fleet = (1_u32..6, 0_u32..6).prop_map(|(targets, dark)| Fleet {
        targets,
        dark: dark.min(targets),
    });
    (round(), round(), order, fleet).prop_map(|(first, second, order, fleet)| Arrival {
        first,
        second,
        order,
        fleet,
    })
}

/// What depends on the order, if anything does.
pub fn objection(arrival: &Arrival, policy: &Policy) -> Option<String> {
    let mut policy = policy.another();
    let before = judge(&mut policy, arrival, &unseen(), &[&arrival.first]).1;
    let shuffled: Vec<Piece> = arrival
        .order
        .iter()
        .filter_map(|object| arrival.second.get(*object).cloned())
        .collect();
    let reversed: Vec<Piece> = arrival.second.iter().rev().cloned().collect();
    let usual = judge(&mut policy, arrival, &before, &[&arrival.first, &arrival.second]);
    for other in [shuffled, reversed] {
        let again = judge(&mut policy, arrival, &before, &[&arrival.first, &other]);
        if again != usual {
            return Some(format!("in one order:\n{usual:#?}\nin another:\n{again:#?}"));
        }
    }
    None
}

/// The snapshot after some rounds of evidence, and the record that the policy makes of it.
fn judge(policy: &mut Policy, arrival: &Arrival, before: &JobRecord, rounds: &[&Vec<Piece>]) -> (Snapshot, JobRecord) {
    let mut board = Board::default();
    for (poll, round) in (0..).zip(rounds) {
        for piece in *round {
            take(&mut board, piece.clone(), poll * POLL);
        }
    }
    let now = moment(i64::try_from(rounds.len()).expect("two rounds") * POLL);
    let object = object();
    let context = Context {
        object: Some(&object),
        fleet: arrival.fleet,
        engine_since: moment(0),
        ..Context::default()
    };
    let snapshot = observe(before, &board, context, now);
    let outcome = policy.decide(&snapshot);
    policy.end_batch();
    let after = plan(before, &snapshot, outcome)
        .change
        .map_or_else(|| before.clone(), |change| JobRecord::clone(&change.record));
    (snapshot, after)
}

fn take(board: &mut Board, piece: Piece, poll: i64) {
    let (asked, at) = (moment(poll + piece.asked), moment(poll + piece.asked + piece.took));
    let target = target();
    let mut update = |kind, change| {
        board.accept_update(KubeUpdate {
            scope: Scope {
                cluster: target.cluster.clone(),
                kind,
                namespace: None,
            },
            asked_at: asked,
            at,
            version: None,
            change,
        });
    };
    match piece.answer {
        Answer::Deployments(Ok(objects), completeness) => {
            update(ObjectKind::Deployment, KubeChange::Relisted(objects, completeness));
        }
        Answer::Deployments(Err(fault), _) => update(ObjectKind::Deployment, KubeChange::Failed(fault)),
        Answer::Pods(Ok(objects)) => update(ObjectKind::Pod, KubeChange::Relisted(objects, Completeness::Complete)),
        Answer::Pods(Err(fault)) => update(ObjectKind::Pod, KubeChange::Failed(fault)),
        Answer::Overview(jobs) => {
            let overview = jobs.map(FlinkOverview::listing);
            board.accept_overview(&target, Observation::new(overview, asked, at));
        }
        Answer::Exceptions(answer) => find(board, Finding::Exceptions(Observation::new(answer, asked, at))),
        Answer::Checkpoints(answer) => find(board, Finding::Checkpoints(Observation::new(answer, asked, at))),
        Answer::LastWords(answer) => find(board, Finding::LastWords(Observation::new(answer, asked, at))),
        Answer::Archive(answer) => find(board, Finding::Archive(Observation::new(answer, asked, at))),
        Answer::HaData(answer) => find(board, Finding::HaData(Observation::new(answer, asked, at))),
        Answer::Events(answer) => find(board, Finding::Events(Observation::new(answer, asked, at))),
        Answer::TaskManagers(answer) => find(board, Finding::TaskManagers(Observation::new(answer, asked, at))),
    }
}

/// Of a job whose attempt has not begun, so that no finding is about the one before.
fn find(board: &mut Board, finding: Finding) {
    board.accept_finding(&unseen(), finding);
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(BEGINNING + millis)
}

fn namespace() -> Namespace {
    Namespace::new("default")
}

fn target() -> TargetId {
    TargetId::new(&ClusterName::new("local"), &namespace(), "orders")
}

fn key() -> JobKey {
    JobKey::application(target())
}

fn object() -> ObjectRef {
    ObjectRef::new(&namespace(), "orders")
}

fn unseen() -> JobRecord {
    testing::record(key(), moment(0))
}

fn piece(answer: impl Strategy<Value = Answer>) -> impl Strategy<Value = Piece> {
    (0_i64..10_000, 0_i64..9_000, answer).prop_map(|(asked, took, answer)| Piece { asked, took, answer })
}

fn fault() -> impl Strategy<Value = Fault> {
    let kinds = [
        FaultKind::Timeout,
        FaultKind::Refused,
        FaultKind::Forbidden,
        FaultKind::Malformed,
    ];
    prop::sample::select(kinds.to_vec()).prop_map(|kind| Fault::new(kind, "no answer"))
}

fn observed<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Observed<T>> {
    prop_oneof![
        3 => value.prop_map(Observed::Present),
        1 => Just(Observed::Absent),
        2 => fault().prop_map(Observed::Unknown),
    ]
}

fn listed(objects: impl Strategy<Value = Vec<Object>>) -> impl Strategy<Value = Result<Vec<Object>, Fault>> {
    prop_oneof![3 => objects.prop_map(Ok), 1 => fault().prop_map(Err)]
}

fn job_id() -> impl Strategy<Value = FlinkJobId> {
    let parse = |text: &str| FlinkJobId::parse(text).expect("32 hex digits");
    let ids = [
        parse("000000000000000000000000000000a1"),
        parse("000000000000000000000000000000b2"),
    ];
    prop::sample::select(ids.to_vec())
}

fn jobs() -> impl Strategy<Value = Vec<FlinkJob>> {
    let states: Vec<JobState> = JobState::ALL
        .iter()
        .copied()
        .filter(|state| state.is_flinks())
        .collect();
    let job = (job_id(), prop::sample::select(states), 0_i64..3)
        .prop_map(|(id, state, start)| testing::flink_job(id, state, moment(-1000 * start)));
    prop::collection::vec(job, 0..=2).prop_map(|mut jobs| {
        jobs.sort_by_key(|job| job.id);
        jobs.dedup_by_key(|job| job.id);
        jobs
    })
}

fn deployments() -> impl Strategy<Value = Answer> {
    let deployment = (1..3, prop::option::of(0_i64..1), 0_u32..2).prop_map(|(uid, deleting, ready)| {
        vec![Object::Deployment(Deployment {
            created_at: Some(moment(0)),
            deleting_since: deleting.map(moment),
            ready,
            native: Some(Mode::Application),
            ..testing::deployment(&format!("u{uid}"))
        })]
    });
    let undecodable = vec![Object::Undecodable {
        namespace: namespace(),
        name: "orders".into(),
        error: "no spec".into(),
    }];
    let objects = prop_oneof![4 => deployment, 2 => Just(Vec::new()), 1 => Just(undecodable)];
    let completeness = prop_oneof![Just(Completeness::Complete), Just(Completeness::Incomplete)];
    (listed(objects), completeness).prop_map(|(objects, completeness)| Answer::Deployments(objects, completeness))
}

fn pods() -> impl Strategy<Value = Vec<Object>> {
    let pod =
        (1..3, prop::option::of(0_i64..1), 0_u32..3, any::<bool>()).prop_map(|(number, deleting, restarts, ready)| {
            Object::Pod(Pod {
                created_at: Some(moment(i64::from(number))),
                deleting_since: deleting.map(moment),
                ready: if ready { Readiness::Ready } else { Readiness::NotReady },
                container: Some(Container {
                    name: "flink-main-container".into(),
                    restarts,
                    ..Container::default()
                }),
                ..testing::pod(&format!("orders-{number}"))
            })
        });
    prop::collection::vec(pod, 0..=2)
}

fn of_pods(objects: Vec<Object>) -> Vec<Pod> {
    let pod = |object| match object {
        Object::Pod(pod) => Some(pod),
        Object::Deployment(_)
        | Object::FlinkResource(_)
        | Object::StateSnapshot(_)
        | Object::Undecodable { .. }
        | Object::Unanswered { .. } => None,
    };
    objects.into_iter().filter_map(pod).collect()
}

fn exception() -> impl Strategy<Value = RootException> {
    Just(RootException {
        headline: "java.io.IOException: no space left on device".into(),
        at: None,
    })
}

fn checkpoints() -> impl Strategy<Value = Checkpoints> {
    (0_u64..3, 0_u64..30).prop_map(|(completed, failed)| Checkpoints {
        completed,
        failed,
        ..Checkpoints::default()
    })
}

fn end(told_by: EndSource) -> impl Strategy<Value = JobEnd> {
    let states = [JobState::Finished, JobState::Failed, JobState::Canceled];
    (job_id(), prop::sample::select(states.to_vec())).prop_map(move |(job, state)| JobEnd {
        job,
        state,
        cause: None,
        ended_at: None,
        told_by,
    })
}

fn ha_data() -> impl Strategy<Value = HaData> {
    Just(HaData {
        config_maps: vec!["orders-cluster-config-map".into()],
    })
}

fn events() -> impl Strategy<Value = Vec<KubeEvent>> {
    Just(vec![KubeEvent {
        object: "ReplicaSet/orders-1".into(),
        reason: "FailedCreate".into(),
        message: "exceeded quota".into(),
        at: None,
    }])
}
