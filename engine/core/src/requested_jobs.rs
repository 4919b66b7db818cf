//! Which FlinkSessionJob asks for a job of a session cluster.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::FlinkResource;
use crate::id::{FlinkJobId, SessionJob};

/// The FlinkSessionJobs of one session cluster, by the jobs they ask for ([`FlinkResource::asks_for`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedJobs {
    all: BTreeSet<SessionJob>,
    /// By the job that the status names.
    named: BTreeMap<FlinkJobId, SessionJob>,
    /// By the lower part of the ids that the operator makes.
    made: BTreeMap<i64, SessionJob>,
}

impl RequestedJobs {
    /// Those that a record can go by.
    pub fn of<'a>(resources: impl Iterator<Item = &'a FlinkResource>) -> Self {
        let mut requested = Self::default();
        for resource in resources {
            let Some(job) = SessionJob::requested(&resource.name) else {
                continue;
            };
            if let Some(id) = resource.flink_job_id {
                requested.named.insert(id, job.clone());
            }
            let made = resource.lower_parts_of_jobs().map(|lower| (lower, job.clone()));
            requested.made.extend(made);
            requested.all.insert(job);
        }
        requested
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &SessionJob> {
        self.all.iter()
    }

    /// Which of them asks for a job.
    pub fn asking_for(&self, job: FlinkJobId) -> Option<&SessionJob> {
        self.named.get(&job).or_else(|| self.made.get(&job.lower_part()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ResourceKind;
    use crate::testing::{flink_job_id, flink_resource};

    #[test]
    fn each_job_is_asked_for_by_the_resource_that_says_so_itself() {
        let daily = FlinkResource {
            flink_job_id: Some(flink_job_id(7)),
            ..flink_resource(ResourceKind::FlinkSessionJob, "daily")
        };
        let hourly = flink_resource(ResourceKind::FlinkSessionJob, "hourly");
        let like_an_id = flink_resource(ResourceKind::FlinkSessionJob, &format!("{:032x}", 9));
        let requested = RequestedJobs::of([&daily, &hourly, &like_an_id].into_iter());
        let made = |resource: &FlinkResource| {
            let text = format!("{:016x}{:016x}", resource.lower_parts_of_jobs().next().unwrap(), 3);
            FlinkJobId::parse(&text).unwrap()
        };
        for (job, resource) in [
            (flink_job_id(7), &daily),
            (made(&daily), &daily),
            (made(&hourly), &hourly),
        ] {
            let asking = requested.asking_for(job).and_then(SessionJob::resource);
            assert_eq!((asking, resource.asks_for(job)), (Some(resource.name.as_str()), true));
        }
        for job in [flink_job_id(8), made(&like_an_id)] {
            assert_eq!(requested.asking_for(job), None, "no record can go by it");
        }
        assert_eq!(requested.all().count(), 2);
    }
}
