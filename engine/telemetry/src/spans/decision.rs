//! The spans of a decision: one over all, one for each look, one for the decision itself, and one for the commit.

use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::journal::Sequence;
use steadfast_core::trace::{CommitTrace, DecisionTrace, Judged, Look, NotCommitted, Seen, Way};

use super::attributes as names;
use super::{Spans, Within, bounded, failed, span};
use crate::ids::Ids;
use crate::otlp::{KeyValue, Kind, Span, Value};

/// How many sequences are named.
const SEQUENCES: usize = 32;
/// In the id of a standalone job this stands for its cluster and its namespace.
const NONE: &str = "-";

impl Spans {
    /// The spans of a decision, the one over all first.
    pub(crate) fn of_decision(&self, decision: &DecisionTrace) -> Vec<Span> {
        let ids = self.ids(decision);
        let looks = (0_u64..).zip(&decision.looks);
        let mut below: Vec<Span> = looks.map(|(number, look)| of_look(&ids, number, look)).collect();
        below.push(judging(&ids, decision));
        below.extend(
            decision
                .commit
                .as_ref()
                .map(|commit| self.commit(&ids, decision, commit)),
        );
        let mut spans = vec![whole(&ids, decision, &below)];
        spans.extend(below);
        spans
    }

    fn ids(&self, decision: &DecisionTrace) -> Ids {
        let store = &self.identity.store;
        match &decision.commit {
            Some(commit) if commit.outcome.is_ok() => Ids::durable(store, &decision.key, commit.revision, commit.at),
            Some(_) | None => Ids::passing(store, &decision.key, decision.number, decision.judged.shown_at),
        }
    }

    fn commit(&self, ids: &Ids, decision: &DecisionTrace, commit: &CommitTrace) -> Span {
        let within = Within::lasting(commit.at.max(decision.judged.shown_at), commit.took);
        let mut span = span("commit", ids, ids.commit, Some(ids.decision), Kind::Client, within);
        span.attributes = vec![
            KeyValue::new(names::DB_SYSTEM, self.identity.database),
            KeyValue::new(names::REVISION, number(commit.revision)),
        ];
        if commit.changes > 1 {
            let changes = i64::try_from(commit.changes).unwrap_or(i64::MAX);
            span.attributes.push(KeyValue::new(names::DB_BATCH, changes));
        }
        if let Some((from, to)) = commit.transition {
            span.attributes.extend([
                KeyValue::new(names::STATE_BEFORE, from.as_str()),
                KeyValue::new(names::STATE, to.as_str()),
            ]);
        }
        match &commit.outcome {
            Ok(sequences) => span.attributes.extend(named(sequences)),
            Err(NotCommitted::Failed(why)) => failed(&mut span, "failed", why),
            Err(NotCommitted::Refused(why)) => failed(&mut span, "refused", why),
        }
        span
    }
}

const LOOK: &str = "look";

/// The span over all others.
fn whole(ids: &Ids, decision: &DecisionTrace, below: &[Span]) -> Span {
    let shown = Within::between(decision.judged.shown_at, decision.judged.at);
    let within = below.iter().fold(shown, |within, span| Within {
        start: within.start.min(span.start_time_unix_nano),
        end: within.end.max(span.end_time_unix_nano),
    });
    let mut span = span("decision", ids, ids.decision, None, Kind::Internal, within);
    span.attributes = about(decision);
    let wrong = below.iter().rev().find(|span| {
        // A look that found nothing out is no failure of the decision.
        span.name != LOOK && span.status.is_some()
    });
    if let Some(wrong) = wrong {
        span.status = wrong.status.clone();
    }
    span
}

fn of_look(ids: &Ids, number: u64, look: &Look) -> Span {
    let within = Within::between(look.asked_at, look.observed_at);
    let id = ids.span(LOOK, number);
    let mut span = span(LOOK, ids, id, Some(ids.decision), Kind::Client, within);
    let seen = match &look.seen {
        Seen::Present => "present",
        Seen::Absent => "absent",
        Seen::Unknown(_) => "unknown",
    };
    span.attributes = vec![
        KeyValue::new(names::SOURCE, look.source),
        KeyValue::new(names::ASKED, asked(look.way)),
        KeyValue::new(names::SEEN, seen),
    ];
    if let Seen::Unknown(fault) = &look.seen {
        span.attributes
            .push(KeyValue::new(names::FAILURES, i64::from(look.failures)));
        let status = status(fault).map(|status| KeyValue::new(names::HTTP_STATUS, status));
        span.attributes.extend(status);
        failed(&mut span, fault.kind.as_str(), &fault.message);
    }
    span
}

fn judging(ids: &Ids, decision: &DecisionTrace) -> Span {
    let Judged {
        shown_at,
        at,
        took,
        outcome,
        wanted,
    } = &decision.judged;
    let (id, within) = (ids.span("decide", 0), Within::between(*shown_at, *at));
    let mut span = span("decide", ids, id, Some(ids.decision), Kind::Internal, within);
    let by = if took.is_some() { "policy" } else { "engine" };
    span.attributes = vec![
        KeyValue::new(names::POLICY, bounded(decision.policy.as_str())),
        KeyValue::new(names::DECIDED_BY, by),
    ];
    let took = took.map(|took| KeyValue::new(names::POLICY_DURATION, took.as_secs_f64()));
    span.attributes.extend(took);
    match outcome {
        Ok(judgement) => span.attributes.extend([
            KeyValue::new(names::RULE, bounded(&judgement.rule)),
            KeyValue::new(names::STATE, judgement.state.as_str()),
            KeyValue::new(names::CONFIDENCE, judgement.confidence.as_str()),
            KeyValue::new(names::REASON_CODE, bounded(&judgement.reason.code)),
            KeyValue::new(names::REASON_MESSAGE, bounded(&judgement.reason.message)),
        ]),
        Err(failure) => failed(&mut span, failure.kind.as_str(), &failure.message),
    }
    if !wanted.is_empty() {
        let wanted: Value = wanted.iter().map(|source| source.as_str()).collect();
        span.attributes.push(KeyValue::new(names::WANTED, wanted));
    }
    span
}

/// What a decision is about.
fn about(decision: &DecisionTrace) -> Vec<KeyValue> {
    let target = &decision.key.target;
    let (cluster, namespace) = (target.cluster.as_str(), target.namespace.as_str());
    let mut about = vec![
        KeyValue::new(names::JOB, bounded(&decision.key.to_string())),
        KeyValue::new(names::JOB_MODE, decision.mode.as_str()),
        KeyValue::new(names::ATTEMPT, i64::from(decision.attempt)),
        KeyValue::new(names::POLICY, bounded(decision.policy.as_str())),
    ];
    let in_kubernetes = [(names::K8S_CLUSTER, cluster), (names::K8S_NAMESPACE, namespace)];
    let in_kubernetes = in_kubernetes.into_iter().filter(|(_, name)| *name != NONE);
    about.extend(in_kubernetes.map(|(key, name)| KeyValue::new(key, bounded(name))));
    let flink_job = decision
        .flink_job
        .map(|id| KeyValue::new(names::FLINK_JOB, id.to_string()));
    about.extend(flink_job);
    about
}

/// The entries of the journal; none where the record is saved and nobody is told.
pub(super) fn named(sequences: &[Sequence]) -> Option<KeyValue> {
    let numbers = sequences.iter().take(SEQUENCES).map(|sequence| number(sequence.0));
    (!sequences.is_empty()).then(|| KeyValue::new(names::SEQUENCES, numbers.collect::<Value>()))
}

const fn asked(way: Way) -> &'static str {
    match way {
        Way::Flink => "flink",
        Way::Kubernetes => "kubernetes",
        Way::Archive => "archive",
    }
}

/// The status of the answer, where the kind of the fault says which it was.
const fn status(fault: &Fault) -> Option<i64> {
    match fault.kind {
        FaultKind::Unauthorized => Some(401),
        FaultKind::Forbidden => Some(403),
        FaultKind::NotFound => Some(404),
        FaultKind::Expired => Some(410),
        FaultKind::TooManyRequests => Some(429),
        FaultKind::Timeout
        | FaultKind::Refused
        | FaultKind::Address
        | FaultKind::Tls
        | FaultKind::Connection
        | FaultKind::LeaderElection
        | FaultKind::Status
        | FaultKind::Malformed
        | FaultKind::TooLarge
        | FaultKind::Other => None,
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
