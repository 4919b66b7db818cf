use super::*;
use crate::evidence::Observation;
use crate::id::{Namespace, SessionJob};
use crate::kube_update::{Completeness, KubeChange, Object, ObjectKind, Scope};
use crate::lookup::Finding;
use crate::state::JobState;
use crate::testing::{self, at, flink_job, flink_job_id, job_key};

fn object() -> ObjectRef {
    ObjectRef::new(&Namespace::new("default"), "orders")
}

fn orders() -> JobRecord {
    JobRecord {
        state: JobState::Running,
        ..testing::record(job_key("orders"), at(0))
    }
}

fn timeout() -> Fault {
    Fault::new(FaultKind::Timeout, "no answer")
}

/// Of the Flink of `orders`, asked for and received at that second.
fn answers(board: &mut Board, asked: i64, answer: Observed<FlinkOverview>) {
    board.accept_overview(&orders().key.target, Observation::new(answer, at(asked), at(asked)));
}

fn lists(board: &mut Board, asked: i64, change: KubeChange) {
    board.accept_update(KubeUpdate {
        scope: Scope {
            cluster: ClusterName::new("local"),
            kind: ObjectKind::Deployment,
            namespace: None,
        },
        asked_at: at(asked),
        at: at(asked),
        version: None,
        change,
    });
}

/// What a board says of a job after Flink gave that list, at second 9.
fn told_of(before: &JobRecord, id: Option<FlinkJobId>, overview: FlinkOverview) -> Evidence<FlinkJob> {
    let mut board = Board::default();
    answers(&mut board, 5, Observed::Present(FlinkOverview::default()));
    answers(&mut board, 9, Observed::Present(overview));
    board.flink_job(before, id).unwrap()
}

fn beside() -> FlinkOverview {
    FlinkOverview::listing(vec![flink_job(flink_job_id(2), JobState::Running, at(1))])
}

#[test]
fn a_list_that_leaves_a_live_job_out_is_one_failure_about_that_job() {
    let evidence = told_of(&orders(), Some(flink_job_id(1)), beside());
    assert!(!evidence.latest.is_known());
    assert_eq!(
        (evidence.unknown_since, evidence.failures, evidence.known_at),
        (Some(at(9)), 1, Some(at(9)))
    );
    let known = told_of(&orders(), Some(flink_job_id(2)), beside());
    assert_eq!((known.unknown_since, known.failures), (None, 0));
}

#[test]
fn an_ended_job_that_drops_out_of_the_list_is_absent() {
    let ended = JobRecord {
        state: JobState::Finished,
        ..orders()
    };
    let evidence = told_of(&ended, Some(flink_job_id(1)), beside());
    assert_eq!(evidence.latest, Observed::Absent);
}

#[test]
fn a_row_that_cannot_be_read_may_be_the_job_that_is_not_known_yet() {
    let unreadable = |overview: FlinkOverview| FlinkOverview {
        unreadable: vec!["state: what is this".into()],
        ..overview
    };
    let is_known = |record: &JobRecord, overview| told_of(record, None, overview).latest.is_known();
    let session = SessionJob::requested("daily").unwrap();
    let requested = testing::record(JobKey::of_session(orders().key.target, session), at(0));
    assert!(is_known(&orders(), FlinkOverview::default()), "no job is listed");
    assert!(!is_known(&orders(), unreadable(FlinkOverview::default())));
    assert!(
        is_known(&orders(), unreadable(beside())),
        "an application's job is what is listed"
    );
    assert!(
        !is_known(&requested, unreadable(beside())),
        "that one is somebody else's"
    );
}

#[test]
fn nothing_is_kept_of_what_is_no_longer_watched() {
    let mut board = Board::default();
    let [orders, other] = ["orders", "other"].map(|name| testing::record(job_key(name), at(0)));
    for record in [&orders, &other] {
        let list = Observation::new(Observed::Present(beside()), at(5), at(5));
        board.accept_overview(&record.key.target, list);
        board.accept_finding(
            record,
            Finding::Exceptions(Observation::new(Observed::Absent, at(5), at(5))),
        );
    }
    board.forget_job(&orders.key);
    assert!(board.attempt(&orders.key).is_none() && board.attempt(&other.key).is_some());
    assert!(
        board.overview(&orders.key.target).is_some(),
        "its Flink may have other jobs"
    );
    board.forget(&other.key.target);
    assert!(board.attempt(&other.key).is_none() && board.overview(&other.key.target).is_none());
    assert!(board.overview(&orders.key.target).is_some());
}

#[test]
fn a_target_is_dark_while_neither_its_flink_nor_its_deployments_list_answers() {
    let target = orders().key.target;
    let mut board = Board::default();
    let is_dark = |board: &Board| board.is_dark(&target, Some(&object()));
    assert!(is_dark(&board), "nothing was asked yet");
    answers(&mut board, 1, Observed::Present(beside()));
    assert!(!is_dark(&board) && !board.is_dark(&target, None));
    answers(&mut board, 2, Observed::Unknown(timeout()));
    assert!(is_dark(&board));
    let deployment = Object::Deployment(testing::deployment("u1"));
    lists(
        &mut board,
        3,
        KubeChange::Relisted(vec![deployment], Completeness::Complete),
    );
    assert!(!is_dark(&board), "Kubernetes answers");
    assert!(board.is_dark(&target, None), "a standalone Flink has no Deployment");
    answers(&mut board, 4, Observed::Present(beside()));
    assert!(!is_dark(&board));
    lists(&mut board, 5, KubeChange::Failed(timeout()));
    assert!(!is_dark(&board), "its Flink answers");
    answers(&mut board, 6, Observed::Unknown(timeout()));
    assert!(is_dark(&board));
}

#[test]
fn a_followed_job_about_which_nothing_usable_is_said_has_a_history_of_its_own() {
    let (id, silent) = (flink_job_id(1), |asked: i64| {
        let untold = [(flink_job_id(1), crate::facts::Untold::Unknown(timeout()))];
        let overview = FlinkOverview {
            untold: untold.into(),
            ..beside()
        };
        (asked, Observed::Present(overview))
    });
    let mut board = Board::default();
    let own = FlinkOverview::listing(vec![flink_job(id, JobState::Running, at(1))]);
    answers(&mut board, 5, Observed::Present(own.clone()));
    for asked in [9, 13] {
        let (asked, answer) = silent(asked);
        answers(&mut board, asked, answer);
    }
    let history = |board: &Board| {
        let evidence = board.flink_job(&orders(), Some(id)).unwrap();
        (
            evidence.latest.is_known(),
            evidence.known_at,
            evidence.unknown_since,
            evidence.failures,
        )
    };
    assert_eq!(history(&board), (false, Some(at(5)), Some(at(9)), 2));
    assert!(
        board.overview(&orders().key.target).unwrap().latest.is_known(),
        "Flink answers for others"
    );
    // An answer that was asked for before says nothing new.
    answers(&mut board, 7, Observed::Present(own.clone()));
    assert_eq!(history(&board), (false, Some(at(5)), Some(at(9)), 2));
    answers(&mut board, 17, Observed::Present(own));
    assert_eq!(history(&board), (true, Some(at(17)), None, 0));
}
