//! What of a snapshot is new to a policy.

use crate::evidence::{Evidence, Fault, Observed};
use crate::lookup::LookupSource;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;

/// One look at a source: a request with its answer, or what a watch brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The source, as policies call it.
    pub source: &'static str,
    /// Whom it asks.
    pub way: Way,
    /// When the request began.
    pub asked_at: Timestamp,
    /// When the answer arrived. What a watch brings is asked for and answered at one moment.
    pub observed_at: Timestamp,
    /// What was seen.
    pub seen: Seen,
    /// How many answers in a row were unknown.
    pub failures: u32,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The thing is there.
    Present,
    /// It is not.
    Absent,
    /// Nobody knows.
    Unknown(Fault),
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The job's Flink.
    Flink,
    /// The API server of its cluster.
    Kubernetes,
    /// Where Flink leaves what its jobs came to.
    Archive,
}

/// What a snapshot shows that has arrived after a moment, in the order in which it was asked for; all that it shows if there is
/// no such moment.
pub fn looks(snapshot: &Snapshot, after: Option<Timestamp>) -> Vec<Look> {
    // Taken apart, so that evidence that is added one day cannot be forgotten here.
    let Snapshot {
        now: _,
        engine_since: _,
        record: _,
        flink,
        exceptions,
        checkpoints,
        deployment,
        deletion: _,
        pods,
        events,
        ha_data,
        last_words,
        archive,
        flink_resource,
        task_managers,
        fleet: _,
        timing: _,
    } = snapshot;
    let on_request = |source: LookupSource| (source.as_str(), way(source));
    let all = [
        look(("flink", Way::Flink), flink.as_ref()),
        look(("deployment", Way::Kubernetes), deployment.as_ref()),
        look(("pods", Way::Kubernetes), pods.as_ref()),
        look(("flink-resource", Way::Kubernetes), flink_resource.as_ref()),
        look(on_request(LookupSource::Exceptions), exceptions.as_ref()),
        look(on_request(LookupSource::Checkpoints), checkpoints.as_ref()),
        look(on_request(LookupSource::Events), events.as_ref()),
        look(on_request(LookupSource::HaData), ha_data.as_ref()),
        look(on_request(LookupSource::LastWords), last_words.as_ref()),
        look(on_request(LookupSource::Archive), archive.as_ref()),
        look(on_request(LookupSource::TaskManagers), task_managers.as_ref()),
    ];
    let is_new = |look: &Look| after.is_none_or(|after| look.observed_at > after);
    let mut looks: Vec<Look> = all.into_iter().flatten().filter(is_new).collect();
    looks.sort_by_key(|look| look.asked_at);
    looks
}

/// Whom a look-up asks.
const fn way(source: LookupSource) -> Way {
    match source {
        LookupSource::Exceptions | LookupSource::Checkpoints => Way::Flink,
        LookupSource::Archive => Way::Archive,
        LookupSource::LastWords
        | LookupSource::HaData
        | LookupSource::Events
        | LookupSource::TaskManagers
        | LookupSource::Kubernetes => Way::Kubernetes,
    }
}

fn look<T>((source, way): (&'static str, Way), evidence: Option<&Evidence<T>>) -> Option<Look> {
    let evidence = evidence?;
    Some(Look {
        source,
        way,
        asked_at: evidence.asked_at,
        observed_at: evidence.observed_at,
        seen: match &evidence.latest {
            Observed::Present(_) => Seen::Present,
            Observed::Absent => Seen::Absent,
            Observed::Unknown(fault) => Seen::Unknown(fault.clone()),
        },
        failures: evidence.failures,
    })
}

#[cfg(test)]
mod tests {
    use crate::evidence::{FaultKind, Observation};
    use crate::state::JobState;
    use crate::testing::{at, flink_job, flink_job_id, job_key, record, snapshot};

    use super::*;

    fn answered<T>(answer: Observed<T>, asked: i64, observed: i64) -> Option<Evidence<T>> {
        Some(Evidence::first(Observation::new(answer, at(asked), at(observed))))
    }

    fn shown() -> Snapshot {
        let job = flink_job(flink_job_id(1), JobState::Running, at(0));
        Snapshot {
            flink: answered(Observed::Present(job), 900, 950),
            deployment: answered(Observed::Absent, 100, 100),
            exceptions: answered(
                Observed::Unknown(Fault::new(FaultKind::Timeout, "no answer within 3s")),
                500,
                800,
            ),
            ..snapshot(record(job_key("orders"), at(0)), at(1000))
        }
    }

    fn sources(looks: &[Look]) -> Vec<&str> {
        looks.iter().map(|look| look.source).collect()
    }

    #[test]
    fn what_has_come_since_is_looked_at_in_order() {
        assert_eq!(
            sources(&looks(&shown(), None)),
            ["deployment", "exceptions", "flink"],
            "the first decision is on all that there is"
        );
        assert_eq!(sources(&looks(&shown(), Some(at(100)))), ["exceptions", "flink"]);
        assert_eq!(looks(&shown(), Some(at(950))), []);
    }

    #[test]
    fn a_fault_stays_one() {
        let looks = looks(&shown(), Some(at(100)));
        assert!(matches!(&looks[0].seen, Seen::Unknown(fault) if fault.kind == FaultKind::Timeout));
        assert_eq!((looks[0].way, looks[0].failures), (Way::Flink, 1));
        assert_eq!((&looks[1].seen, looks[1].failures), (&Seen::Present, 0));
    }
}
