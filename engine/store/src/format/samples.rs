//! The values behind the files in `tests/formats`: between them they hold every word, and every field once filled and
//! once empty.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::call::{Asked, AskedSilence, Call, Through};
use steadfast_core::decision::{LookupSource, PolicyFailure, PolicyFailureKind};
use steadfast_core::evidence::{Evidence, Fault, FaultKind, Observation, Observed};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey, Namespace, PolicyName, SessionJob, TargetId, Uid};
use steadfast_core::incarnation::{Incarnation, UidSeen};
use steadfast_core::journal::{Event, Transition};
use steadfast_core::labels::Labels;
use steadfast_core::record::{
    AlertScope, Condition, JobRecord, Origin, OtherJob, PostedIntent, Reason, Silence, StandingAlert,
};
use steadfast_core::recording::Recorded;
use steadfast_core::shown::{Looks, Shown, ShownAlert};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{Attention, ConditionType, Confidence, Intent, JobState, Mode};
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;

use facts::Facts;

mod facts;

const AT: Timestamp = Timestamp::from_millis(1_795_396_409_838);
const SCOPES: [AlertScope; 2] = [AlertScope::Job, AlertScope::Cluster];
const STATUSES: [AlertStatus; 2] = [AlertStatus::Firing, AlertStatus::Resolved];
const ORIGINS: [Origin; 2] = [Origin::Configured, Origin::Discovered];
const SEEN: [UidSeen; 2] = [UidSeen::InThisAttempt, UidSeen::Before];
const FAULTS: [FaultKind; 15] = [
    FaultKind::Timeout,
    FaultKind::Refused,
    FaultKind::Address,
    FaultKind::Tls,
    FaultKind::Connection,
    FaultKind::Unauthorized,
    FaultKind::Forbidden,
    FaultKind::NotFound,
    FaultKind::Expired,
    FaultKind::TooManyRequests,
    FaultKind::LeaderElection,
    FaultKind::Status,
    FaultKind::Malformed,
    FaultKind::TooLarge,
    FaultKind::Other,
];
const FAILURES: [PolicyFailureKind; 5] = [
    PolicyFailureKind::Error,
    PolicyFailureKind::Trap,
    PolicyFailureKind::Deadline,
    PolicyFailureKind::Memory,
    PolicyFailureKind::Invalid,
];

/// So many seconds after the moment of all samples.
pub(super) fn at(seconds: u64) -> Timestamp {
    AT.after(Duration::from_secs(seconds))
}

/// One of a list, round and round.
pub(super) fn pick<T: Copy>(list: &[T], n: usize) -> T {
    list[n % list.len()]
}

pub(super) fn job(n: usize) -> FlinkJobId {
    FlinkJobId::parse(&format!("ffffffffa021a419{n:016x}")).unwrap()
}

fn target(name: &str) -> TargetId {
    TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), name)
}

pub(super) fn labels() -> Labels {
    BTreeMap::from([
        ("app.kubernetes.io/name".to_owned(), "orders".to_owned()),
        ("team".to_owned(), String::new()),
    ])
    .into()
}

fn reason(n: usize) -> Reason {
    Reason::new(
        "FlinkSays",
        format!("Flink lists it so: \"{n}\"\n\\ \u{1f980}\u{7f}\t/"),
    )
}

/// A record of which nothing is known yet.
pub(super) fn unseen() -> JobRecord {
    let key = JobKey::application(target("unseen"));
    JobRecord::unseen(
        key,
        Mode::Application,
        Origin::Configured,
        PolicyName::new("default"),
        AT,
    )
}

/// A record in which every field is filled, without a memory, as the record's column has it.
fn full() -> JobRecord {
    let has_word = |kind: &&ConditionType| {
        !matches!(
            kind,
            ConditionType::PolicyOutdated | ConditionType::DecisionTrimmed | ConditionType::RateLimited
        )
    };
    let conditions = ConditionType::ALL
        .iter()
        .filter(has_word)
        .zip(0..)
        .map(|(kind, n)| Condition {
            kind: *kind,
            since: at(n),
            message: format!("{kind} stands"),
        });
    let alerts = SCOPES.map(|scope| StandingAlert {
        name: "JobFailed".to_owned(),
        scope,
        since: at(9),
        message: "it failed".to_owned(),
        silenced: false,
    });
    let others = JobState::ALL.iter().enumerate().map(|(n, state)| OtherJob {
        flink_job_id: job(100 + n),
        state: *state,
    });
    JobRecord {
        key: JobKey {
            target: target("session \u{fc}"),
            session_job: Some(SessionJob::Submitted(job(1))),
        },
        mode: Mode::Session,
        origin: Origin::Discovered,
        labels: labels(),
        state: JobState::Running,
        confidence: Confidence::Confirmed,
        reason: reason(0),
        since: AT,
        told_since: None,
        confirmed_at: Some(at(60)),
        incarnation: Incarnation {
            attempt: u32::MAX,
            deployment_uid: Some(Uid::new("2cf30bb3-bb42-4ea6-9a5f-1f5a7c1b9d61")),
            uid_seen: UidSeen::InThisAttempt,
            flink_job_id: Some(job(1)),
            started_at: Some(Timestamp::from_millis(0)),
            since: Some(at(1)),
            previous: Some((job(2), Timestamp::from_millis(-1))),
            deployment_name: None,
            deployment_created_at: None,
            deployment_seen_at: None,
            session_job_uid: None,
            run_seen_at: None,
            earlier: Vec::new(),
        },
        conditions: conditions.collect(),
        alerts: alerts.to_vec(),
        silences: Vec::new(),
        intent: Some(PostedIntent::new(Intent::Savepoint, None, at(2))),
        other_jobs: others.collect(),
        attention: Attention::Sleeping,
        policy: PolicyName::new("conservative"),
        memory: Vec::new(),
        revision: u64::MAX,
    }
}

/// The record of a job in that state; what stands beside it differs from one to the next.
fn in_state(n: usize, state: JobState) -> JobRecord {
    let intent = Intent::ALL.get(n % (Intent::ALL.len() + 1));
    JobRecord {
        key: JobKey::application(target(&format!("state-{n}"))),
        mode: pick(Mode::ALL, n),
        origin: pick(&ORIGINS, n),
        state,
        confidence: pick(Confidence::ALL, n),
        reason: reason(n),
        incarnation: Incarnation {
            attempt: 1,
            uid_seen: pick(&SEEN, n),
            ..Incarnation::unseen(Some(job(n)))
        },
        intent: intent.map(|intent| PostedIntent::new(*intent, None, at(3))),
        attention: pick(Attention::ALL, n),
        revision: 1 + n as u64,
        ..unseen()
    }
}

/// Records, as the column `record` of `jobs` has them.
pub(super) fn records() -> Vec<JobRecord> {
    let states = JobState::ALL.iter().enumerate();
    [unseen(), full()]
        .into_iter()
        .chain(states.map(|(n, state)| in_state(n, *state)))
        .collect()
}

fn transition(n: usize) -> Transition {
    Transition {
        from: pick(JobState::ALL, n),
        to: pick(JobState::ALL, n + 1),
        confidence: pick(Confidence::ALL, n),
        reason: reason(n),
        attempt: n as u32,
        policy: PolicyName::new("default"),
        told_since: None,
    }
}

/// Events, as the column `event` of `journal` has them.
pub(super) fn events() -> Vec<Event> {
    let transitions = (0..JobState::ALL.len()).map(|n| Event::Transition(transition(n)));
    let alerts = (0..4).map(|n| {
        Event::Alert(AlertEvent {
            alert: "JobFailed".to_owned(),
            scope: pick(&SCOPES, n),
            status: pick(&STATUSES, n / 2),
            since: at(n as u64),
            message: "it failed: \u{201c}why\u{201d}".to_owned(),
            silenced: false,
        })
    });
    transitions
        .chain(alerts)
        .chain([Event::Update(None), Event::Forgotten])
        .collect()
}

/// Updates that say how sure the state is after them.
pub(super) fn updates() -> Vec<Event> {
    let all = Confidence::ALL.iter();
    all.map(|confidence| Event::Update(Some(*confidence))).collect()
}

/// Updates that somebody called for.
pub(super) fn calls() -> Vec<Event> {
    const ASKED: [Asked; 6] = [
        Asked::Start,
        Asked::Cancel,
        Asked::Savepoint,
        Asked::TakeBack,
        Asked::Forget,
        Asked::ForgetByForce,
    ];
    const THROUGH: [Through; 5] = [
        Through::Nothing,
        Through::SharedToken,
        Through::Token,
        Through::Certificate,
        Through::Kubernetes,
    ];
    let addresses = ["10.0.0.7".parse().ok(), "2001:db8::1".parse().ok(), None];
    let calls = ASKED.into_iter().enumerate().map(|(n, asked)| {
        Event::Called(Call {
            asked,
            alert: None,
            silence: None,
            by: (n % 2 == 0).then(|| "system:serviceaccount:flink:bot".into()),
            through: pick(&THROUGH, n),
            says: (n % 3 == 0).then(|| "j\u{f6}rg".into()),
            from: pick(&addresses, n),
        })
    });
    calls.collect()
}

/// Until when nobody is told, and why, which is kept since later.
pub(super) fn asked_silences() -> Vec<Event> {
    let reasons = [None, Some("a move".into())];
    let calls = reasons.map(|comment| {
        Event::Called(Call {
            asked: Asked::Silence,
            alert: Some("JobFailed".into()),
            silence: Some(AskedSilence {
                until: at(3600),
                comment,
            }),
            by: None,
            through: Through::Nothing,
            says: None,
            from: None,
        })
    });
    calls.into()
}

/// A snapshot in which nothing was ever asked.
fn blank(record: JobRecord) -> Snapshot {
    Snapshot {
        now: at(100),
        engine_since: AT,
        record,
        flink: None,
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
        fleet: Fleet::default(),
        timing: Timing::default(),
    }
}

/// A snapshot in which everything was asked, and what each request yielded is `answer`'s to say.
fn answered(n: usize, answer: &impl Answer) -> Snapshot {
    let facts = Facts { n };
    let mut record = full();
    record.memory = vec![0, 255, 7];
    Snapshot {
        flink: Some(answer.with(0, facts.flink())),
        exceptions: Some(answer.with(1, facts.exception())),
        checkpoints: Some(answer.with(2, facts.checkpoints())),
        deployment: Some(answer.with(3, facts.deployment())),
        deletion: Some(facts.deletion()),
        pods: Some(answer.with(4, facts.pods())),
        events: Some(answer.with(5, facts.events())),
        ha_data: Some(answer.with(6, facts.ha_data())),
        last_words: Some(answer.with(7, facts.end())),
        archive: Some(answer.with(8, facts.end())),
        flink_resource: Some(answer.with(9, facts.resource())),
        task_managers: Some(answer.with(10, vec![])),
        fleet: Fleet { targets: 1000, dark: 3 },
        timing: Timing {
            poll: Duration::new(1, 5_000_001),
            ..Timing::default()
        },
        ..blank(record)
    }
}

/// What a request yields.
trait Answer {
    fn with<T>(&self, slot: usize, value: T) -> Evidence<T>;
}

struct AllPresent;
struct AllAbsent;
/// With the faults from that one on.
struct AllUnknown(usize);

impl Answer for AllPresent {
    fn with<T>(&self, _slot: usize, value: T) -> Evidence<T> {
        Evidence::first(Observation::new(Observed::Present(value), at(90), at(91)))
    }
}

impl Answer for AllAbsent {
    fn with<T>(&self, _slot: usize, _value: T) -> Evidence<T> {
        Evidence::first(Observation::new(Observed::Absent, at(90), at(91)))
    }
}

impl Answer for AllUnknown {
    fn with<T>(&self, slot: usize, value: T) -> Evidence<T> {
        let n = self.0 + slot;
        let mut fault = Fault::new(pick(&FAULTS, n), "no answer within 3 s");
        fault.retry_after = n.is_multiple_of(2).then_some(Duration::from_millis(1500));
        let unknown = Observed::Unknown(fault);
        if n.is_multiple_of(3) {
            return Evidence::first(Observation::new(unknown, at(92), at(95)));
        }
        let mut evidence = Evidence::first(Observation::new(Observed::Present(value), at(90), at(91)));
        evidence.accept(Observation::new(unknown, at(92), at(95)));
        evidence
    }
}

fn shown(snapshot: Snapshot) -> Recorded {
    Recorded {
        before: Arc::new(snapshot.record.clone()),
        snapshot,
        rule: None,
        failure: None,
        transition: None,
        shown: None,
        decided_by: None,
    }
}

/// Recordings, as the column `recorded` of `snapshots` has them, before they are deflated.
pub(super) fn recordings() -> Vec<Recorded> {
    let present = (0..4).map(|n| Recorded {
        before: Arc::new(unseen()),
        rule: Some("flink-running".to_owned()),
        transition: Some(transition(n)),
        ..shown(answered(n, &AllPresent))
    });
    let failed = FAILURES.map(|kind| Recorded {
        failure: Some(PolicyFailure {
            kind,
            message: "wasm trap: unreachable".into(),
        }),
        ..shown(blank(unseen()))
    });
    [shown(blank(unseen())), shown(answered(0, &AllAbsent))]
        .into_iter()
        .chain([0, 8].map(|first| shown(answered(1, &AllUnknown(first)))))
        .chain(present)
        .chain(failed)
        .collect()
}

/// Recordings with what their decisions showed: with all there is, with as little as there can be, and of a policy that failed.
pub(super) fn shown_recordings() -> Vec<Recorded> {
    let alerts = [AlertScope::Cluster, AlertScope::Job, AlertScope::Policy]
        .iter()
        .zip(["A", "B", "C"]);
    let full = Shown {
        state: JobState::Running,
        attempt: 3,
        confidence: Confidence::Inferred,
        reason: "FlinkSays".to_owned(),
        conditions: vec![ConditionType::FlinkUnreachable, ConditionType::CrashLoop],
        alerts: alerts
            .map(|(scope, name)| ShownAlert {
                name: name.to_owned(),
                scope: *scope,
            })
            .collect(),
        attention: Attention::Sleeping,
        looks: Some(Looks {
            poll_after: Duration::from_millis(1500),
            validate_after: None,
            wanted: LookupSource::ALL.to_vec(),
            asked: None,
        }),
    };
    let bare = Shown {
        conditions: Vec::new(),
        alerts: Vec::new(),
        looks: Some(Looks {
            poll_after: Duration::from_secs(5),
            validate_after: None,
            wanted: Vec::new(),
            asked: None,
        }),
        ..full.clone()
    };
    let failed = Shown {
        conditions: vec![ConditionType::PolicyFailing],
        looks: None,
        ..full.clone()
    };
    let all = [full, bare, failed].map(|one| Recorded {
        shown: Some(one),
        ..shown(blank(unseen()))
    });
    all.to_vec()
}

/// Recordings that say which module decided, and of what was decided the rest: that it was trimmed, how often all is looked at anew,
/// and which evidence was asked for.
pub(super) fn whole_recordings() -> Vec<Recorded> {
    let asked = [Vec::new(), vec![LookupSource::Events, LookupSource::Kubernetes]];
    let whole = shown_recordings().into_iter().zip(asked).map(|(mut recorded, asked)| {
        recorded.decided_by = Some("00112233445566778899aabbccddeeff".to_owned());
        if let Some(shown) = &mut recorded.shown {
            shown.conditions.push(ConditionType::DecisionTrimmed);
            if let Some(looks) = &mut shown.looks {
                looks.validate_after = Some(Duration::from_secs(60));
                looks.asked = Some(asked);
            }
        }
        recorded
    });
    whole.collect()
}

/// Records of which somebody silenced something.
pub(super) fn silenced_records() -> Vec<JobRecord> {
    let silence = |alert: &str, by: Option<&str>| Silence {
        alert: alert.to_owned(),
        since: at(1),
        until: at(90),
        by: by.map(Into::into),
        comment: by.map(|_| "we move \u{201c}all\u{201d} of it".into()),
    };
    let standing = StandingAlert {
        name: "JobFailed".to_owned(),
        scope: AlertScope::Job,
        since: at(9),
        message: "it failed".to_owned(),
        silenced: true,
    };
    vec![JobRecord {
        alerts: vec![standing],
        silences: vec![silence("JobFailed", Some("ann")), silence("RestartLoop", None)],
        ..unseen()
    }]
}

/// What was told to nobody, and who asked for that.
pub(super) fn silenced_events() -> Vec<Event> {
    let alerts = STATUSES.map(|status| {
        Event::Alert(AlertEvent {
            alert: "JobFailed".to_owned(),
            scope: AlertScope::Job,
            status,
            since: at(9),
            message: "it failed".to_owned(),
            silenced: true,
        })
    });
    let calls = [Asked::Silence, Asked::Unsilence].map(|asked| {
        Event::Called(Call {
            asked,
            alert: Some("JobFailed".into()),
            silence: None,
            by: Some("deploy-bot".into()),
            through: Through::Token,
            says: None,
            from: None,
        })
    });
    alerts.into_iter().chain(calls).collect()
}
