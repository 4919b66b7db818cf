//! What a policy may decide, in the planner.

use std::time::Duration;

use steadfast_core::decision::{DecidedAlert, DecidedCondition, Decision, LookupRequest, LookupSource, Watch};
use steadfast_core::journal::Event;
use steadfast_core::planner::{COUNT_LIMIT, MEMORY_LIMIT, NAME_LIMIT, Next, Plan, TEXT_LIMIT, fitted, plan};
use steadfast_core::record::{AlertScope, JobRecord, Reason};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, ConditionType, Confidence, JobState};
use steadfast_core::testing;
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;

use crate::{Target, hold};

pub(super) const TARGET: Target = Target {
    name: "decision",
    words: &["Ok", "Alert", "\u{1b}", "\u{202e}", "ß", "…"],
    seeds,
    check,
};

fn seeds() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..16)
        .map(|state| vec![state, 1, 2, b'O', b'k', 0, 0, 0, 0, 0, 0, 0])
        .collect();
    all.push((0..=255).collect());
    all.push((0..=255).rev().cycle().take(4096).collect());
    all
}

/// Conditions that a policy or the engine raises.
const CONDITIONS: [ConditionType; 14] = [
    ConditionType::FlinkUnreachable,
    ConditionType::KubernetesUnreachable,
    ConditionType::AccessDenied,
    ConditionType::Unresponsive,
    ConditionType::CrashLoop,
    ConditionType::ImagePull,
    ConditionType::Terminating,
    ConditionType::CheckpointsFailing,
    ConditionType::RestartLoop,
    ConditionType::FleetDisrupted,
    ConditionType::PolicyFailing,
    ConditionType::DecisionTrimmed,
    ConditionType::RateLimited,
    ConditionType::PolicyOutdated,
];

/// Takes values out of an input, and plain ones once it has ended.
struct Values<'a>(&'a [u8]);

impl Values<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }

    fn number(&mut self) -> u64 {
        // Few bits or many.
        let shift = u32::from(self.byte()) % 64;
        let bytes: [u8; 8] = std::array::from_fn(|_| self.byte());
        u64::from_le_bytes(bytes) >> shift
    }

    /// Short, or some bytes again and again.
    fn text(&mut self) -> String {
        let length = usize::from(self.byte());
        let taken = length.min(32).min(self.0.len());
        let (text, rest) = self.0.split_at(taken);
        self.0 = rest;
        let times = if length > 200 { length } else { 1 };
        String::from_utf8_lossy(text).repeat(times)
    }

    fn all<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = usize::from(self.byte() % 48);
        (0..count).map(|_| one(self)).collect()
    }

    fn decision(&mut self) -> Decision {
        Decision {
            state: self.one_of(JobState::ALL),
            confidence: self.one_of(&[Confidence::Inferred, Confidence::Confirmed, Confidence::Stale]),
            reason: Reason::new(self.text(), self.text()),
            rule: self.text(),
            watch: Watch {
                poll_after: Duration::from_millis(self.number()),
                validate_after: Duration::from_millis(self.number()),
                attention: self.one_of(&[Attention::Active, Attention::Sleeping]),
            },
            wanted: self.all(|values| LookupRequest {
                source: values.one_of(&[LookupSource::Events, LookupSource::Archive, LookupSource::LastWords]),
                observed_after: Timestamp::from_millis(values.number().cast_signed()),
            }),
            conditions: self.all(|values| DecidedCondition {
                kind: values.one_of(&CONDITIONS),
                message: values.text(),
            }),
            alerts: self.all(|values| DecidedAlert {
                name: values.text(),
                scope: values.one_of(&[AlertScope::Job, AlertScope::Cluster]),
                message: values.text(),
            }),
            memory: self.text().repeat(usize::from(self.byte() % 16)).into_bytes(),
        }
    }
}

/// Decides a few times in a row, each on the record that the one before left.
fn check(input: &[u8]) {
    let mut values = Values(input);
    let mut record = testing::record(testing::job_key("orders"), testing::at(0));
    for look in 1..=3 {
        let snapshot = testing::snapshot(record.clone(), testing::at(look * 5));
        record = decide(&record, &snapshot, values.decision());
    }
}

fn decide(before: &JobRecord, snapshot: &Snapshot, decision: Decision) -> JobRecord {
    let fits = fitted(decision.clone(), &snapshot.timing);
    if let Ok(fit) = &fits {
        assert_eq!(
            fitted(fit.clone(), &snapshot.timing).as_ref(),
            Ok(fit),
            "what fits is not trimmed again"
        );
    }
    let first = plan(before, snapshot, Ok(decision.clone()));
    let after = first
        .change
        .as_ref()
        .map_or_else(|| before.clone(), |change| JobRecord::clone(&change.record));
    if fits.is_ok() {
        assert_eq!(after.state, decision.state, "no rule about form vetoes a fact");
    } else {
        assert_eq!(
            (after.state, &after.memory),
            (before.state, &before.memory),
            "the last state stays"
        );
    }
    bounded(&first, &after, snapshot);
    again(&after, snapshot, decision);
    after
}

/// The outcome of one decision, whoever made it.
pub(super) fn bounded(plan: &Plan, after: &JobRecord, snapshot: &Snapshot) {
    assert!(after.memory.len() <= MEMORY_LIMIT);
    assert!(after.state != JobState::Unknown || after.confidence != Confidence::Confirmed);
    assert!(after.conditions.len() <= CONDITIONS.len() && after.alerts.len() <= COUNT_LIMIT + 1);
    assert!(after.reason.code.len() <= NAME_LIMIT);
    let alerts = after.alerts.iter().flat_map(|alert| [&alert.name, &alert.message]);
    let messages = after.conditions.iter().map(|condition| &condition.message);
    for text in messages
        .chain(alerts)
        .chain([&after.reason.code, &after.reason.message])
    {
        assert!(text.len() <= TEXT_LIMIT, "{} bytes", text.len());
        hold::harmless(text);
    }
    if let Next::Watch { watch, wanted } = &plan.next {
        assert!(snapshot.timing.poll_paces().contains(&watch.poll_after), "{watch:?}");
        assert!(Timing::PACES.contains(&watch.validate_after), "{watch:?}");
        assert!(wanted.len() <= COUNT_LIMIT);
    }
    let document = steadfast_store::testing::write_record(&JobRecord {
        memory: Vec::new(),
        ..after.clone()
    });
    let read = steadfast_store::testing::read_record(document.expect("a record can be written").as_bytes());
    assert_eq!(read.expect("a record reads back").state, after.state);
}

/// The same decision on the same evidence says nothing new.
fn again(after: &JobRecord, snapshot: &Snapshot, decision: Decision) {
    let snapshot = Snapshot {
        record: after.clone(),
        ..snapshot.clone()
    };
    let second = plan(after, &snapshot, Ok(decision));
    let told = second.change.iter().flat_map(|change| &change.events);
    for event in told {
        assert!(
            !matches!(event, Event::Transition(_)),
            "a transition to where it is: {event:?}"
        );
    }
}
