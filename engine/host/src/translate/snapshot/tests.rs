//! Every field arrives where it belongs: all values of the snapshot differ, so that two that are mixed up show.

use std::collections::BTreeMap;
use std::time::Duration;

use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observed};
use steadfast_core::facts::{
    Checkpoints, Container, Deletion, Deployment, Desired, EndSource, FlinkJob, FlinkResource, HaData, JobEnd,
    KubeEvent, Pod, Readiness, ResourceKind, Rollout, RootException, Tasks, Termination, Waiting,
};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, PolicyName, TargetId, Uid};
use steadfast_core::labels::Labels;
use steadfast_core::record::{AlertScope, Condition, JobRecord, Origin, PostedIntent, Reason, StandingAlert};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{ConditionType, Confidence, Intent, JobState, Mode};
use steadfast_core::testing::flink_job;
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;

use super::to_contract;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn job_id(last: u8) -> FlinkJobId {
    FlinkJobId::parse(&format!("{last:032x}")).unwrap()
}

/// Looks whose five numbers begin with `n`.
fn looks<T>(n: i64, latest: Observed<T>) -> Option<Evidence<T>> {
    let failures = u32::try_from(n * 10 + 5).unwrap();
    Some(Evidence {
        latest,
        asked_at: at(n * 10 + 1),
        observed_at: at(n * 10 + 2),
        known_at: Some(at(n * 10 + 3)),
        unknown_since: Some(at(n * 10 + 4)),
        failures,
    })
}

fn record() -> JobRecord {
    let target = TargetId::new(&ClusterName::new("cluster"), &Namespace::new("namespace"), "name");
    let key = JobKey::application(target);
    let mut record = JobRecord::unseen(
        key,
        Mode::Application,
        Origin::Discovered,
        PolicyName::new("default"),
        at(100),
    );
    record.state = JobState::Restarting;
    record.confidence = Confidence::Inferred;
    record.reason = Reason::new("ReasonCode", "reason message");
    record.confirmed_at = Some(at(101));
    record
        .incarnation
        .see_deployment(&Uid::new("tracked uid"), None, at(102), at(103));
    let run = flink_job(job_id(1), JobState::Running, at(104));
    record.incarnation.see_job(&run, at(105), at(105));
    record.conditions.push(Condition {
        kind: ConditionType::CrashLoop,
        since: at(106),
        message: "condition message".to_owned(),
    });
    record.alerts.push(StandingAlert {
        name: "AlertName".to_owned(),
        scope: AlertScope::Cluster,
        since: at(107),
        message: "alert message".to_owned(),
        silenced: false,
    });
    record.intent = Some(PostedIntent::new(Intent::Savepoint, None, at(108)));
    record.labels = BTreeMap::from([("label name".to_owned(), "label value".to_owned())]).into();
    record.revision = 109;
    record
}

fn deployment() -> Deployment {
    Deployment {
        namespace: Namespace::new("namespace"),
        name: "name".to_owned(),
        uid: Uid::new("deployment uid"),
        created_at: Some(at(201)),
        deleting_since: Some(at(202)),
        replicas: 203,
        ready: 204,
        native: Some(Mode::Application),
        owner: Some("owner".into()),
        trouble: Some("deployment trouble".into()),
        rollout: Rollout::InProgress,
        labels: Labels::default(),
    }
}

fn resource() -> FlinkResource {
    FlinkResource {
        kind: ResourceKind::FlinkSessionJob,
        namespace: Namespace::new("namespace"),
        name: "resource name".to_owned(),
        uid: Uid::new("resource uid"),
        blue_green: None,
        deployment: "name".to_owned(),
        mode: Mode::Session,
        created_at: Some(at(211)),
        deleting_since: Some(at(212)),
        desired: Desired::Suspended,
        rollout: Rollout::InProgress,
        flink_job_id: Some(job_id(4)),
        reported_state: Some(JobState::Reconciling),
        lifecycle: Some("lifecycle".into()),
        job_manager_status: Some("job manager status".into()),
        error: Some("error".into()),
    }
}

fn pod() -> Pod {
    let waiting = Waiting {
        reason: "waiting reason".into(),
        message: "waiting message".into(),
    };
    let terminated = Termination {
        reason: "termination reason".into(),
        exit_code: -301,
        at: Some(at(302)),
    };
    Pod {
        namespace: Namespace::new("namespace"),
        name: "pod name".to_owned(),
        uid: Uid::new("pod uid"),
        app: "name".to_owned(),
        created_at: Some(at(303)),
        deleting_since: Some(at(304)),
        phase: "pod phase".into(),
        reason: Some("pod reason".into()),
        ip: Some("10.0.0.1".to_owned()),
        rest_port: Some(8081),
        ready: Readiness::NotReady,
        unschedulable: Some("pod unschedulable".into()),
        container: Some(Container {
            name: "container name".into(),
            restarts: 305,
            waiting: Some(waiting),
            terminated: Some(terminated),
        }),
    }
}

#[expect(clippy::too_many_lines, reason = "a literal: a value for each field")]
fn full() -> Snapshot {
    let tasks = Tasks {
        total: 401,
        running: 402,
    };
    let (state, started_at, ended_at) = (JobState::Failing, at(403), Some(at(404)));
    let flink = FlinkJob {
        id: job_id(2),
        state,
        started_at,
        ended_at,
        tasks,
    };
    let event = KubeEvent {
        object: "event object".into(),
        reason: "event reason".into(),
        message: "event message".into(),
        at: Some(at(406)),
    };
    let exception = RootException {
        headline: "exception headline".into(),
        at: Some(at(405)),
    };
    let end = JobEnd {
        job: job_id(3),
        state: JobState::Finished,
        cause: Some("cause".into()),
        ended_at: Some(at(410)),
        told_by: EndSource::JobResultStore,
    };
    let fault = Fault::new(FaultKind::LeaderElection, "fault message");
    let millis = Duration::from_millis;
    Snapshot {
        now: at(10),
        engine_since: at(11),
        record: record(),
        flink: looks(51, Observed::Present(flink)),
        exceptions: looks(52, Observed::Present(exception)),
        checkpoints: looks(
            53,
            Observed::Present(Checkpoints {
                completed: 407,
                failed: 408,
                ..Checkpoints::default()
            }),
        ),
        deployment: looks(54, Observed::Present(deployment())),
        deletion: Some(Deletion {
            uid: Uid::new("deleted uid"),
            seen_at: at(409),
        }),
        pods: looks(55, Observed::Present(vec![pod()])),
        events: looks(56, Observed::Present(vec![event])),
        ha_data: looks(
            57,
            Observed::Present(HaData {
                config_maps: vec!["config map".into()],
            }),
        ),
        last_words: looks(58, Observed::Present(end)),
        archive: looks(59, Observed::Unknown(fault)),
        flink_resource: looks(60, Observed::Present(resource())),
        task_managers: looks(63, Observed::Present(vec![pod()])),
        fleet: Fleet { targets: 61, dark: 62 },
        timing: Timing {
            poll: millis(71),
            timeout: millis(72),
            validate: millis(73),
            retry_initial: millis(74),
            retry_max: millis(75),
            startup_grace: millis(76),
            terminal_poll: millis(77),
            // No policy is told: an intent that is over is not shown.
            intent_timeout: Timing::default().intent_timeout,
        },
    }
}

#[test]
fn every_field_arrives_where_it_belongs() {
    insta::assert_debug_snapshot!(to_contract(&full()));
}

#[test]
fn an_absence_arrives_as_one_for_every_source() {
    let mut snapshot = full();
    snapshot.flink = looks(51, Observed::Absent);
    snapshot.exceptions = looks(52, Observed::Absent);
    snapshot.checkpoints = looks(53, Observed::Absent);
    snapshot.deployment = looks(54, Observed::Absent);
    snapshot.pods = looks(55, Observed::Absent);
    snapshot.events = looks(56, Observed::Absent);
    snapshot.ha_data = looks(57, Observed::Absent);
    snapshot.last_words = looks(58, Observed::Absent);
    snapshot.archive = None;
    snapshot.flink_resource = looks(60, Observed::Absent);
    snapshot.task_managers = looks(63, Observed::Absent);
    let text = format!("{:?}", to_contract(&snapshot));
    assert_eq!(text.matches("Absent").count(), 10, "{text}");
    assert!(!text.contains("Present") && !text.contains("Unknown"), "{text}");
}

#[test]
fn an_error_arrives_as_unknown_for_every_source() {
    fn unknown<T>() -> Option<Evidence<T>> {
        looks(50, Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer")))
    }
    let mut snapshot = full();
    snapshot.flink = unknown();
    snapshot.exceptions = unknown();
    snapshot.checkpoints = unknown();
    snapshot.deployment = unknown();
    snapshot.pods = unknown();
    snapshot.events = unknown();
    snapshot.ha_data = unknown();
    snapshot.last_words = unknown();
    snapshot.archive = unknown();
    snapshot.flink_resource = unknown();
    snapshot.task_managers = unknown();
    let text = format!("{:?}", to_contract(&snapshot));
    assert_eq!(text.matches("Unknown(Fault").count(), 11, "{text}");
    assert!(!text.contains("Absent") && !text.contains("Present"), "{text}");
}
