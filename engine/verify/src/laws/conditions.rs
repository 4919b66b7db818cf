//! Conditions follow their evidence.

use steadfast_core::evidence::{Evidence, FaultKind, Observed};
use steadfast_core::facts::Readiness;
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{ConditionType, JobState};

use super::support;
use super::{Beside, Break, Law, Shows};
use crate::lines::{Along, Course};
use crate::look::Look;

/// A condition is about something that the evidence shows, and what the evidence shows for long is said.
pub(super) struct ConditionsFollow;

impl Law for ConditionsFollow {
    fn name(&self) -> &str {
        "conditions-follow"
    }

    fn says(&self) -> &str {
        "no condition says what an answer of now denies: that a source is unreachable which answers, a crash loop of ready pods, a \
         deletion of what is not being deleted, a fleet that is dark"
    }

    fn judge(&self, look: &Look, _: &mut u64) -> Result<(), Break> {
        if look.failure.is_some() {
            return Ok(());
        }
        let denied = look.record().conditions.iter().find_map(|condition| {
            let why = denied_by(condition.kind, &look.snapshot)?;
            let why = format!("{} stands, and {why}", condition.kind.as_str());
            Some(Break::new(
                why,
                Shows::Beside(Beside::NoCondition(vec![condition.kind])),
            ))
        });
        denied.map_or(Ok(()), Err)
    }
}

/// What is said by nobody although it is so for long.
pub(super) struct TroubleIsTold;

impl Law for TroubleIsTold {
    fn name(&self) -> &str {
        super::TROUBLE_IS_TOLD
    }

    fn says(&self) -> &str {
        "a Flink or a Kubernetes that has not answered for days is a condition of a job that was seen to run and has not ended"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        let (true, Course::Still, Some(last)) = (line.is_end, line.course, line.looks.last()) else {
            return Ok(());
        };
        let (record, snapshot) = (last.record(), &last.snapshot);
        let is_under_way = matches!(
            record.state,
            JobState::Running
                | JobState::Restarting
                | JobState::Failing
                | JobState::Cancelling
                | JobState::Savepointing
        );
        if last.failure.is_some() || !is_under_way || snapshot.record.incarnation.started_at.is_none() {
            return Ok(());
        }
        match untold(record, snapshot) {
            Some(kind) => Err(Break::new(
                format!(
                    "there has been no usable answer for days, and {} does not stand",
                    kind.as_str()
                ),
                Shows::Beside(Beside::Condition(vec![kind])),
            )),
            None => Ok(()),
        }
    }
}

/// The condition that is missing.
fn untold(record: &JobRecord, snapshot: &Snapshot) -> Option<ConditionType> {
    // Where Flink answers with a fault of this kind it leaves open what became of the job.
    let flink = fault_of(snapshot.flink.as_ref()).filter(|kind| *kind != FaultKind::Other);
    let deployment = snapshot.deployment.as_ref();
    let is_there = deployment.is_some_and(|evidence| evidence.latest.present().is_some_and(|one| one.ready > 0));
    let wanted = [
        (flink.filter(|_| is_there), ConditionType::FlinkUnreachable),
        (fault_of(deployment), ConditionType::KubernetesUnreachable),
    ];
    let is_untold = |(fault, usual): &(Option<FaultKind>, ConditionType)| {
        fault.is_some_and(|fault| {
            let mut told = record.conditions.iter();
            !told.any(|condition| tells(condition.kind, *usual, fault))
        })
    };
    wanted.into_iter().find(is_untold).map(|(_, usual)| usual)
}

fn fault_of<T>(evidence: Option<&Evidence<T>>) -> Option<FaultKind> {
    match &evidence?.latest {
        Observed::Unknown(fault) => Some(fault.kind),
        Observed::Present(_) | Observed::Absent => None,
    }
}

/// Whether a condition tells of a fault as well as the usual one for its source does.
fn tells(kind: ConditionType, usual: ConditionType, fault: FaultKind) -> bool {
    kind == usual
        || match kind {
            ConditionType::AccessDenied => matches!(fault, FaultKind::Unauthorized | FaultKind::Forbidden),
            // Of a Flink whose pod is ready.
            ConditionType::Unresponsive => usual == ConditionType::FlinkUnreachable,
            ConditionType::FlinkUnreachable
            | ConditionType::KubernetesUnreachable
            | ConditionType::CrashLoop
            | ConditionType::ImagePull
            | ConditionType::Terminating
            | ConditionType::CheckpointsFailing
            | ConditionType::RestartLoop
            | ConditionType::FleetDisrupted
            | ConditionType::PolicyFailing
            | ConditionType::PolicyOutdated
            | ConditionType::DecisionTrimmed
            | ConditionType::RateLimited => false,
        }
}

/// What denies a condition.
fn denied_by(kind: ConditionType, snapshot: &Snapshot) -> Option<&'static str> {
    let flink_answers = !support::is_unanswered(snapshot.flink.as_ref());
    let kubernetes_answers = !support::is_unanswered(snapshot.deployment.as_ref());
    let deployment = snapshot
        .deployment
        .as_ref()
        .and_then(|evidence| evidence.latest.present());
    let pods = snapshot.pods.as_ref().and_then(|evidence| evidence.latest.present());
    let all_ready = pods.is_some_and(|pods| !pods.is_empty() && pods.iter().all(|pod| pod.ready == Readiness::Ready));
    let is_going = deployment.is_some_and(|deployment| deployment.deleting_since.is_some());
    match kind {
        ConditionType::FlinkUnreachable | ConditionType::Unresponsive => flink_answers.then_some("Flink answers"),
        ConditionType::KubernetesUnreachable => kubernetes_answers.then_some("Kubernetes answers"),
        ConditionType::CrashLoop => all_ready.then_some("all pods are ready"),
        ConditionType::ImagePull => all_ready.then_some("all pods are ready"),
        ConditionType::Terminating => (kubernetes_answers && !is_going).then_some("nothing is being deleted"),
        ConditionType::FleetDisrupted => (snapshot.fleet.dark == 0).then_some("no job of the cluster is dark"),
        ConditionType::AccessDenied
        | ConditionType::CheckpointsFailing
        | ConditionType::RestartLoop
        | ConditionType::PolicyFailing
        | ConditionType::DecisionTrimmed
        | ConditionType::RateLimited
        | ConditionType::PolicyOutdated => None,
    }
}
