//! Jobs that ended long ago leave the record, if that is configured and nothing would bring them back.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A session with jobs 1 and 2; the first has failed.
fn session() -> Rig {
    let mut rig = Rig::new(&[]);
    let session = TargetSetup {
        mode: Mode::Session,
        ..target("session")
    };
    let first = rig.reactor.start(vec![], vec![session], rig.now);
    rig.commit(first);
    lists(&mut rig, &[(1, JobState::Failed), (2, JobState::Running)]);
    rig
}

fn lists(rig: &mut Rig, jobs: &[(u128, JobState)]) {
    let jobs = jobs
        .iter()
        .map(|(n, state)| flink_job(flink_job_id(*n), *state, at(900)));
    let overview = Observed::Present(FlinkOverview::listing(jobs.collect()));
    hears(rig, overview);
}

fn hears(rig: &mut Rig, answer: Observed<FlinkOverview>) {
    let observation = Observation::new(answer, rig.now, rig.now);
    rig.reactor
        .fetched(Fetched::overview(TargetId::standalone("session"), observation), rig.now);
    rig.settle();
}

/// How many jobs go.
fn retired(rig: &mut Rig, ended_for: Duration) -> usize {
    let turn = rig.reactor.retire(ended_for, 64, rig.now);
    let changes = rig.commit(turn);
    assert!(changes.iter().all(Change::forgets));
    changes.len()
}

#[test]
fn a_job_that_ended_long_ago_and_is_no_longer_listed_goes() {
    let mut rig = session();
    rig.now = rig.now.after(DAY * 2);
    lists(&mut rig, &[(2, JobState::Running)]);
    assert_eq!(retired(&mut rig, DAY * 3), 0, "not long ago");
    assert_eq!(retired(&mut rig, DAY), 1);
    let states: Vec<JobState> = rig.reactor.records().values().map(|record| record.state).collect();
    assert_eq!(states, [JobState::Running]);
    lists(&mut rig, &[(2, JobState::Running)]);
    assert_eq!(rig.reactor.records().len(), 1, "and it does not come back");
}

#[test]
fn a_job_that_would_come_back_stays() {
    let mut rig = session();
    rig.now = rig.now.after(DAY * 2);
    lists(&mut rig, &[(1, JobState::Failed), (2, JobState::Running)]);
    assert_eq!(retired(&mut rig, DAY), 0, "Flink lists it yet");
    hears(&mut rig, silent());
    assert_eq!(retired(&mut rig, DAY), 0, "nobody can say that it is gone");
}

#[test]
fn a_configured_job_stays_whatever_became_of_it() {
    let mut rig = Rig::new(&["orders"]);
    live(&mut rig, Duration::from_secs(10), |_| listed(JobState::Failed));
    rig.now = rig.now.after(DAY * 2);
    assert_eq!(rig.record("orders").state, JobState::Failed);
    assert_eq!(retired(&mut rig, DAY), 0);
}

#[test]
fn many_go_a_few_at_a_time() {
    let mut rig = session();
    let ended: Vec<(u128, JobState)> = (1..=10).map(|n| (n, JobState::Finished)).collect();
    lists(&mut rig, &ended);
    rig.now = rig.now.after(DAY * 2);
    lists(&mut rig, &[]);
    let turn = rig.reactor.retire(DAY, 4, rig.now);
    assert_eq!(turn.changes.len(), 4);
}
