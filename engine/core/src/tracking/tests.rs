use super::*;
use crate::evidence::{Observation, Observed};
use crate::id::{JobKey, TargetId};
use crate::state::JobState;
use crate::testing::{self, at, flink_job};

const RULES: TrackingRules = TrackingRules {
    pinned: None,
    late_answers: Duration::from_secs(60),
};

fn id(n: u8) -> FlinkJobId {
    testing::flink_job_id(n.into())
}

fn job(n: u8, started: i64) -> FlinkJob {
    flink_job(id(n), JobState::Running, at(started))
}

fn record() -> JobRecord {
    testing::record(JobKey::application(TargetId::standalone("orders")), at(0))
}

fn listing(jobs: Vec<FlinkJob>, asked: i64) -> Board {
    let mut board = Board::default();
    board.accept_overview(
        &record().key.target,
        Observation::new(Observed::Present(FlinkOverview { jobs }), at(asked), at(asked)),
    );
    board
}

fn see(record: &JobRecord, jobs: Vec<FlinkJob>, asked: i64) -> JobRecord {
    track(record, &listing(jobs, asked), None, RULES, at(asked))
}

#[test]
fn the_record_stays_with_the_job_first_seen() {
    let first = see(&record(), vec![job(1, 5)], 10);
    let both = see(&first, vec![job(2, 50), job(1, 5)], 60);
    assert_eq!(
        (both.incarnation.flink_job_id, both.incarnation.attempt),
        (Some(id(1)), 1)
    );
    assert_eq!(
        both.other_jobs.iter().map(|o| o.flink_job_id).collect::<Vec<_>>(),
        [id(2)]
    );
    // The tracked one vanishes; the other was known as another all along.
    let left = see(&both, vec![job(2, 50)], 65);
    assert_eq!(
        (left.incarnation.flink_job_id, left.incarnation.attempt),
        (Some(id(1)), 1)
    );
}

#[test]
fn a_job_under_a_new_id_is_the_next_attempt() {
    let first = see(&record(), vec![job(1, 5)], 10);
    let next = see(&first, vec![job(2, 74)], 75);
    assert_eq!(
        (next.incarnation.flink_job_id, next.incarnation.attempt),
        (Some(id(2)), 2)
    );
}

#[test]
fn a_pinned_job_is_never_exchanged() {
    let rules = TrackingRules {
        pinned: Some(id(7)),
        ..RULES
    };
    let tracked = track(&record(), &listing(vec![job(2, 1)], 10), None, rules, at(10));
    assert_eq!(tracked.incarnation.flink_job_id, None);
}

#[test]
fn an_answer_of_the_old_job_manager_is_not_the_new_attempt() {
    let mut replaced = see(&record(), vec![job(1, 5)], 10);
    replaced
        .incarnation
        .see_deployment(&crate::id::Uid::new("u1"), None, at(11), at(11));
    replaced
        .incarnation
        .see_deployment(&crate::id::Uid::new("u2"), None, at(60), at(60));
    let late = see(&replaced, vec![job(1, 5)], 61);
    assert_eq!((late.incarnation.flink_job_id, late.incarnation.attempt), (None, 2));
    let lasting = see(&late, vec![job(1, 5)], 130);
    assert_eq!(
        (lasting.incarnation.flink_job_id, lasting.incarnation.attempt),
        (Some(id(1)), 2)
    );
    // Recovered under its old id: the late answer did not make it another job.
    let recovered = see(&late, vec![job(1, 64)], 66);
    assert_eq!(
        (recovered.incarnation.flink_job_id, recovered.incarnation.attempt),
        (Some(id(1)), 2)
    );
}
