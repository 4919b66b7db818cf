//! Which of several jobs a record goes on with.

use super::*;
use crate::id::Uid;

fn ended(n: u8, state: JobState, started: i64, ended: i64) -> FlinkJob {
    FlinkJob {
        ended_at: Some(at(ended)),
        ..flink_job(id(n), state, at(started))
    }
}

#[test]
fn an_end_is_not_left_on_the_answer_on_which_it_was_recorded() {
    let listed = || vec![ended(1, JobState::Canceled, 5, 70), job(2, 74)];
    let canceled = JobRecord {
        since: at(75),
        ..in_state(&see(&record(), vec![job(1, 5)], 10), JobState::Canceled)
    };
    assert_eq!(about(&see(&canceled, listed(), 75)), (Some(id(1)), 1));
    assert_eq!(about(&see(&canceled, listed(), 76)), (Some(id(2)), 2));
}

#[test]
fn a_job_that_started_when_its_own_ended_did_not_run_beside_it() {
    let own = in_state(&see(&record(), vec![job(1, 5)], 10), JobState::Canceled);
    let next = see(
        &own,
        vec![ended(1, JobState::Canceled, 5, 70), job(2, 70), job(3, 74)],
        95,
    );
    assert_eq!(about(&next), (Some(id(2)), 2));
}

#[test]
fn a_run_that_the_record_was_about_comes_before_one_that_it_never_was() {
    let first = see(&record(), vec![job(1, 5)], 10);
    let second = saying(&first, gone(vec![job(2, 50)], id(1)), 60);
    let back = saying(&second, gone(vec![job(1, 5), job(3, 1)], id(2)), 70);
    assert_eq!(about(&back), (Some(id(1)), 2));
}

#[test]
fn the_first_job_may_have_come_and_gone_before_anybody_looked() {
    let seen = see(&record(), vec![ended(1, JobState::Finished, 5, 8)], 10);
    assert_eq!((about(&seen), seen.other_jobs.len()), ((Some(id(1)), 1), 0));
}

#[test]
fn an_end_beside_the_own_run_is_not_its_next_attempt() {
    let both = see(&record(), vec![job(1, 5), job(2, 6)], 10);
    let beside = || ended(2, JobState::Finished, 6, 50);
    let left = saying(&both, gone(vec![beside()], id(1)), 60);
    assert_eq!(about(&left), (Some(id(1)), 1));
    let next = saying(
        &both,
        gone(vec![beside(), ended(3, JobState::Failed, 55, 58)], id(1)),
        60,
    );
    assert_eq!(about(&next), (Some(id(3)), 2), "it came and went between two looks");
}

#[test]
fn a_session_jobs_next_run_may_have_come_and_gone_between_two_looks() {
    let own = requested(&daily(), Some(id(1)), vec![job(1, 5)], 10);
    let canceled = in_state(&own, JobState::Canceled);
    let listed = vec![
        ended(1, JobState::Canceled, 5, 70),
        ended(2, JobState::Finished, 72, 74),
    ];
    let next = requested(&canceled, Some(id(2)), listed, 80);
    assert_eq!(about(&next), (Some(id(2)), 2));
}

#[test]
fn a_session_job_goes_back_to_a_run_that_its_resource_names_no_more() {
    let own = requested(&daily(), Some(id(1)), vec![job(1, 5)], 10);
    let next = requested(&in_state(&own, JobState::Canceled), Some(id(2)), vec![job(2, 20)], 25);
    assert_eq!(about(&next), (Some(id(2)), 2));
    let back = requested(&in_state(&next, JobState::Lost), Some(id(2)), vec![job(1, 5)], 40);
    assert_eq!(about(&back), (Some(id(1)), 2));
}

#[test]
fn a_session_job_that_is_made_anew_asks_for_another_run_than_the_ended_one() {
    let canceled = ended(1, JobState::Canceled, 5, 70);
    let own = requested(&daily(), Some(id(1)), vec![job(1, 5)], 10);
    let mut made_anew = in_state(&own, JobState::Canceled);
    // As if the resource before had had another UID.
    made_anew.incarnation.session_job_uid = Some(Uid::new("before"));
    let anew = requested(&made_anew, None, vec![canceled.clone()], 80);
    assert_eq!(about(&anew), (None, 2));
    let waits = requested(&anew, None, vec![canceled], 200);
    assert_eq!(about(&waits), (None, 2));
}

#[test]
fn where_nothing_lives_the_record_goes_back_to_an_ended_run_that_it_was_about() {
    let first = see(&record(), vec![job(1, 5)], 10);
    let second = saying(&first, gone(vec![job(2, 50)], id(1)), 60);
    let listed = vec![ended(3, JobState::Failed, 2, 4), ended(1, JobState::Canceled, 5, 55)];
    let back = saying(&second, gone(listed, id(2)), 70);
    assert_eq!(about(&back), (Some(id(1)), 2));
}
