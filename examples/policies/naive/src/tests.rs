//! What the watcher gets wrong, and that it gets it wrong in the way meant.

use steadfast_policy::*;

use crate::Naive;

fn snapshot(state: JobState, answer: FlinkAnswer) -> Snapshot {
    let failures = u32::from(matches!(answer, FlinkAnswer::Unknown(_)));
    let reason = Reason {
        code: "Before".into(),
        message: "as before".into(),
    };
    let incarnation = Incarnation {
        attempt: 1,
        deployment_uid: None,
        flink_job_id: None,
        started_at: None,
        since: None,
    };
    let looks = Looks {
        asked_at: 0,
        observed_at: 1,
        known_at: None,
        unknown_since: None,
        failures,
    };
    Snapshot {
        now: 10,
        engine_since: 0,
        job: JobRecord {
            cluster: "local".into(),
            namespace: "default".into(),
            name: "orders".into(),
            mode: Mode::Application,
            labels: vec![],
            state,
            confidence: Confidence::Confirmed,
            reason,
            since: 0,
            confirmed_at: Some(0),
            incarnation,
            conditions: vec![],
            alerts: vec![],
            intent: None,
            revision: 1,
        },
        flink: Some(FlinkEvidence { looks, answer }),
        exceptions: None,
        checkpoints: None,
        deployment: None,
        deletion: None,
        pods: None,
        events: None,
        ha_data: None,
        last_words: None,
        archive: None,
        flink_resource: None,
        task_managers: None,
        fleet: Fleet { targets: 1, dark: 0 },
        timing: Timing {
            poll: 5000,
            timeout: 3000,
            validate: 60_000,
            retry_initial: 800,
            retry_max: 30_000,
            startup_grace: 0,
            terminal_poll: 60_000,
        },
    }
}

fn timeout() -> FlinkAnswer {
    FlinkAnswer::Unknown(Fault {
        kind: FaultKind::Timeout,
        message: "no answer".into(),
    })
}

fn lists(state: JobState) -> FlinkAnswer {
    let tasks = Tasks { total: 1, running: 1 };
    FlinkAnswer::Present(FlinkJob {
        id: "1".into(),
        state,
        started_at: 0,
        ended_at: None,
        tasks,
    })
}

fn decide(params: &str, state: JobState, answer: FlinkAnswer) -> (JobState, Attention) {
    let decision = Naive::configure(params)
        .unwrap()
        .decide(&snapshot(state, answer), &[])
        .unwrap();
    (decision.state, decision.watch.attention)
}

#[test]
fn an_error_is_the_end_of_a_running_job_and_of_its_watch() {
    assert_eq!(
        decide("{}", JobState::Running, timeout()),
        (JobState::Failed, Attention::Sleeping)
    );
    assert_eq!(
        decide("{}", JobState::Running, FlinkAnswer::Absent),
        (JobState::Failed, Attention::Sleeping)
    );
}

#[test]
fn what_has_ended_is_never_looked_at_again() {
    assert_eq!(
        decide("{}", JobState::Failed, lists(JobState::Running)),
        (JobState::Failed, Attention::Sleeping)
    );
}

#[test]
fn flinks_word_is_taken_and_a_start_is_waited_for() {
    assert_eq!(
        decide("{}", JobState::Running, lists(JobState::Restarting)),
        (JobState::Restarting, Attention::Active)
    );
    assert_eq!(
        decide("{}", JobState::Unknown, timeout()),
        (JobState::Starting, Attention::Active)
    );
}

#[test]
fn more_attempts_only_put_the_mistake_off() {
    assert_eq!(
        decide(r#"{"attempts": 2}"#, JobState::Running, timeout()),
        (JobState::Running, Attention::Active)
    );
    let refused = Naive::configure(r#"{"retries": 2}"#).unwrap_err();
    assert!(
        refused.contains("`retries`") && refused.contains("`attempts`"),
        "{refused}"
    );
}
