//! How much a job needs somebody to look at it: one word of all that a record says, to sort and to count by.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::record::{AlertScope, JobRecord, StandingAlert};
use crate::state::{Confidence, JobState, word};

/// How much a job needs somebody to look at it, the worst first. The first that holds is a job's; `docs/integrate.md` has
/// them as a table.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// An alert about the job stands, and nobody has silenced it.
    Alerting,
    /// It ended as nobody wants it to: FAILED, LOST, TERMINATED.
    Failed,
    /// A condition stands beside the state.
    Degraded,
    /// The state is inferred, or as last known, or was never known.
    Unconfirmed,
    /// It is between two states that last.
    Changing,
    /// RUNNING.
    Running,
    /// It is over, and as somebody wants it: FINISHED, CANCELED, SUSPENDED.
    Ended,
}

word!(Severity);

impl Severity {
    /// Of a record that is shown with that confidence. Alerts about a cluster or a policy are no job's own, and count for none.
    pub fn of(record: &JobRecord, shown: Confidence, is_silenced: impl Fn(&StandingAlert) -> bool) -> Self {
        let own = |alert: &&StandingAlert| alert.scope == AlertScope::Job;
        if record.alerts.iter().filter(own).any(|alert| !is_silenced(alert)) {
            return Self::Alerting;
        }
        let of_state = Self::of_state(record.state);
        if of_state == Self::Failed {
            Self::Failed
        } else if !record.conditions.is_empty() {
            Self::Degraded
        } else if shown == Confidence::Confirmed {
            of_state
        } else {
            Self::Unconfirmed
        }
    }

    /// Of a state alone.
    pub const fn of_state(state: JobState) -> Self {
        match state {
            JobState::Failed | JobState::Lost | JobState::Terminated => Self::Failed,
            JobState::Unknown => Self::Unconfirmed,
            JobState::Created
            | JobState::Initializing
            | JobState::Failing
            | JobState::Cancelling
            | JobState::Restarting
            | JobState::Reconciling
            | JobState::Starting
            | JobState::Savepointing => Self::Changing,
            JobState::Running => Self::Running,
            JobState::Canceled | JobState::Finished | JobState::Suspended => Self::Ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Condition;
    use crate::state::ConditionType;
    use crate::testing::{at, job_key, record};

    fn job(state: JobState) -> JobRecord {
        JobRecord {
            state,
            confidence: Confidence::Confirmed,
            ..record(job_key("orders"), at(0))
        }
    }

    fn alert(scope: AlertScope) -> StandingAlert {
        StandingAlert {
            name: "JobFailed".to_owned(),
            scope,
            since: at(0),
            message: String::new(),
            silenced: false,
        }
    }

    fn degraded(state: JobState) -> JobRecord {
        let condition = Condition {
            kind: ConditionType::CrashLoop,
            since: at(0),
            message: String::new(),
        };
        JobRecord {
            conditions: vec![condition],
            ..job(state)
        }
    }

    fn severity(record: &JobRecord) -> Severity {
        Severity::of(record, record.confidence, |_| false)
    }

    #[test]
    fn every_state_has_its_word() {
        let of = |word: Severity| {
            let states = JobState::ALL.iter().filter(|state| severity(&job(**state)) == word);
            states.map(|state| state.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Severity::Failed), "FAILED LOST TERMINATED");
        assert_eq!(of(Severity::Unconfirmed), "UNKNOWN");
        assert_eq!(
            of(Severity::Changing),
            "CREATED INITIALIZING FAILING CANCELLING RESTARTING RECONCILING STARTING SAVEPOINTING"
        );
        assert_eq!(of(Severity::Running), "RUNNING");
        assert_eq!(of(Severity::Ended), "CANCELED FINISHED SUSPENDED");
    }

    #[test]
    fn the_worst_that_holds_counts() {
        let stale = |record: &JobRecord| Severity::of(record, Confidence::Stale, |_| false);
        assert_eq!(stale(&job(JobState::Running)), Severity::Unconfirmed);
        assert_eq!(stale(&job(JobState::Finished)), Severity::Unconfirmed);
        assert_eq!(stale(&degraded(JobState::Running)), Severity::Degraded);
        assert_eq!(severity(&degraded(JobState::Finished)), Severity::Degraded);
        assert_eq!(stale(&degraded(JobState::Lost)), Severity::Failed);
        let mut alerting = degraded(JobState::Failed);
        alerting.alerts = vec![alert(AlertScope::Job)];
        assert_eq!(severity(&alerting), Severity::Alerting);
        assert_eq!(
            Severity::of(&alerting, Confidence::Confirmed, |_| true),
            Severity::Failed,
            "a silenced alert leaves what is behind it"
        );
    }

    #[test]
    fn what_many_share_is_no_alert_of_the_job() {
        for scope in [AlertScope::Cluster, AlertScope::Policy] {
            let mut shared = job(JobState::Running);
            shared.alerts = vec![alert(scope)];
            assert_eq!(severity(&shared), Severity::Running);
        }
    }

    #[test]
    fn the_worst_is_the_first() {
        assert!(Severity::ALL.is_sorted());
        assert_eq!(Severity::ALL.first(), Some(&Severity::Alerting));
        assert_eq!(Severity::parse("unconfirmed"), Some(Severity::Unconfirmed));
    }
}
