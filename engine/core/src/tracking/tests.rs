mod choice;
mod deployments;

use super::*;
use crate::evidence::{Observation, Observed};
use crate::facts::ResourceKind;
use crate::id::{JobKey, SessionJob, TargetId};
use crate::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use crate::state::JobState;
use crate::testing::{self, at, flink_job};

const RULES: TrackingRules<'_> = TrackingRules {
    pinned: None,
    claimed: &[],
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
        Observation::new(Observed::Present(FlinkOverview::listing(jobs)), at(asked), at(asked)),
    );
    board
}

fn see(record: &JobRecord, jobs: Vec<FlinkJob>, asked: i64) -> JobRecord {
    track(record, &listing(jobs, asked), None, RULES, at(asked))
}

/// What a record is about: the job and the attempt.
fn about(record: &JobRecord) -> (Option<FlinkJobId>, u32) {
    (record.incarnation.flink_job_id, record.incarnation.attempt)
}

fn in_state(record: &JobRecord, state: JobState) -> JobRecord {
    JobRecord {
        state,
        ..record.clone()
    }
}

fn saying(record: &JobRecord, overview: FlinkOverview, asked: i64) -> JobRecord {
    let mut board = Board::default();
    board.accept_overview(
        &record.key.target,
        Observation::new(Observed::Present(overview), at(asked), at(asked)),
    );
    track(record, &board, None, RULES, at(asked))
}

fn gone(jobs: Vec<FlinkJob>, id: FlinkJobId) -> FlinkOverview {
    FlinkOverview {
        jobs,
        ..FlinkOverview::without([id])
    }
}

#[test]
fn the_record_stays_with_its_job_until_flink_says_that_it_is_gone() {
    let first = see(&record(), vec![job(1, 5)], 10);
    let both = see(&first, vec![job(2, 50), job(1, 5)], 60);
    assert_eq!(about(&both), (Some(id(1)), 1));
    let others = both.other_jobs.iter().map(|other| other.flink_job_id);
    assert_eq!(others.collect::<Vec<_>>(), [id(2)]);
    // A list that leaves it out says nothing of it.
    assert_eq!(about(&see(&both, vec![job(2, 50)], 65)), (Some(id(1)), 1));
    let left = saying(&both, gone(vec![job(2, 50)], id(1)), 65);
    assert_eq!(about(&left), (Some(id(2)), 2));
    // And if it was only out of sight, it comes back as what it was.
    let back = saying(&left, gone(vec![job(1, 5)], id(2)), 70);
    assert_eq!((about(&back), back.other_jobs.len()), ((Some(id(1)), 2), 0));
}

#[test]
fn an_end_is_recorded_before_the_record_goes_on_with_a_job_that_lives() {
    let canceled = flink_job(id(1), JobState::Canceled, at(5));
    let first = in_state(&see(&record(), vec![job(1, 5)], 10), JobState::Running);
    let listed = vec![canceled.clone(), job(2, 74)];
    let ended = see(&first, listed.clone(), 75);
    assert_eq!(about(&ended), (Some(id(1)), 1));
    let next = see(&in_state(&ended, JobState::Canceled), listed, 80);
    assert_eq!(about(&next), (Some(id(2)), 2));
    assert!(next.other_jobs.is_empty(), "the ended one was its own");
}

#[test]
fn the_job_that_started_after_the_end_comes_before_those_that_ran_beside() {
    let mut canceled = flink_job(id(1), JobState::Canceled, at(5));
    canceled.ended_at = Some(at(70));
    let own = in_state(&see(&record(), vec![job(1, 5)], 10), JobState::Canceled);
    let next = see(&own, vec![canceled, job(2, 8), job(3, 74), job(4, 90)], 95);
    assert_eq!(about(&next), (Some(id(3)), 2));
}

#[test]
fn what_another_record_is_about_is_not_taken() {
    let own = in_state(&see(&record(), vec![job(1, 5)], 10), JobState::Canceled);
    let claimed = [id(2)];
    let rules = TrackingRules {
        claimed: &claimed,
        ..RULES
    };
    let left = track(&own, &listing(vec![job(2, 74)], 80), None, rules, at(80));
    assert_eq!(about(&left), (Some(id(1)), 1));
}

#[test]
fn a_job_under_a_new_id_is_the_next_attempt() {
    let first = see(&record(), vec![job(1, 5)], 10);
    let next = saying(&first, gone(vec![job(2, 74)], id(1)), 75);
    assert_eq!(about(&next), (Some(id(2)), 2));
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

#[test]
fn a_job_that_is_pinned_later_is_what_the_record_is_about() {
    let followed = in_state(&see(&record(), vec![job(1, 5)], 10), JobState::Running);
    let rules = TrackingRules {
        pinned: Some(id(7)),
        ..RULES
    };
    let both = vec![job(1, 5), job(7, 6)];
    let pinned = track(&followed, &listing(both, 15), None, rules, at(15));
    assert_eq!(about(&pinned).0, Some(id(7)));
    let gone = track(&followed, &listing(vec![job(1, 5)], 15), None, rules, at(15));
    assert_eq!(about(&gone).0, None, "no other job takes its place");
}

#[test]
fn a_late_answer_is_late_for_a_pinned_job_too_and_after_two_replacements() {
    let rules = TrackingRules {
        pinned: Some(id(1)),
        ..RULES
    };
    let mut replaced = track(&record(), &listing(vec![job(1, 5)], 10), None, rules, at(10));
    for (n, seen) in [(1, 11), (2, 60), (3, 61)] {
        let uid = crate::id::Uid::new(format!("u{n}"));
        replaced.incarnation.see_deployment(&uid, None, at(seen), at(seen));
    }
    let answer = |jobs, asked| track(&replaced, &listing(jobs, asked), None, rules, at(asked));
    assert_eq!(about(&answer(vec![job(1, 5)], 62)), (None, 3));
    assert_eq!(about(&answer(vec![job(1, 64)], 66)), (Some(id(1)), 3));
    assert_eq!(
        about(&answer(vec![job(1, 5)], 122)),
        (Some(id(1)), 3),
        "by then it is what runs"
    );
}

/// What a FlinkSessionJob's record is about once Flink lists the jobs; its resource names one of them, if any.
fn requested(record: &JobRecord, names: Option<FlinkJobId>, jobs: Vec<FlinkJob>, asked: i64) -> JobRecord {
    let resource = FlinkResource {
        flink_job_id: names,
        deployment: "s".to_owned(),
        ..testing::flink_resource(ResourceKind::FlinkSessionJob, "daily")
    };
    let scope = Scope {
        cluster: record.key.target.cluster.clone(),
        kind: ObjectKind::FlinkSessionJob,
        namespace: None,
    };
    let mut board = Board::default();
    board.accept_update(KubeUpdate {
        scope,
        asked_at: at(asked),
        at: at(asked),
        version: None,
        change: KubeChange::Relisted(vec![Object::FlinkResource(resource)], Completeness::Complete),
    });
    let overview = FlinkOverview::listing(jobs);
    board.accept_overview(
        &record.key.target,
        Observation::new(Observed::Present(overview), at(asked), at(asked)),
    );
    track(record, &board, None, RULES, at(asked))
}

fn daily() -> JobRecord {
    let session = testing::job_key("s").target;
    testing::record(
        JobKey::of_session(session, SessionJob::requested("daily").unwrap()),
        at(0),
    )
}

#[test]
fn the_record_of_a_session_job_is_only_about_what_its_resource_asks_for() {
    let nothing = requested(&daily(), None, vec![job(1, 5), job(2, 6)], 10);
    assert_eq!(about(&nothing), (None, 0), "both are somebody else's");
    let own = requested(&daily(), Some(id(2)), vec![job(1, 5), job(2, 6)], 10);
    assert_eq!((about(&own), own.other_jobs.len()), ((Some(id(2)), 1), 0));
    // What it was about stays its own, whatever the status says meanwhile.
    let kept = requested(&own, None, vec![job(1, 5), job(2, 6)], 15);
    assert_eq!(about(&kept), (Some(id(2)), 1));
}

#[test]
fn an_upgrade_of_a_session_job_is_an_attempt_more_while_the_old_run_is_still_listed() {
    let own = requested(&daily(), Some(id(1)), vec![job(1, 5)], 10);
    let canceled = || flink_job(id(1), JobState::Canceled, at(5));
    // The end is on record as the way to an upgrade, not as an end.
    for state in [JobState::Reconciling, JobState::Suspended, JobState::Canceled] {
        let under_way = JobRecord {
            since: at(15),
            ..in_state(&own, state)
        };
        let next = requested(&under_way, Some(id(2)), vec![canceled(), job(2, 20)], 21);
        assert_eq!(about(&next), (Some(id(2)), 2), "{state:?}");
    }
    let not_yet = requested(&own, Some(id(2)), vec![canceled(), job(2, 20)], 21);
    assert_eq!(about(&not_yet), (Some(id(1)), 1), "its end is recorded first");
}
