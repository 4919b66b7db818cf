//! What is asked for a person who looks at one job. None of it reaches the board.

use steadfast_core::board::ObjectRef;
use steadfast_core::closeup::{CheckpointDetail, EventDetail, Failures, JobDetail, LogQuestion, LogTail, PodDetail};
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::id::FlinkJobId;
use steadfast_core::time::Timestamp;
use steadfast_sources::flink::{self, closeup_limits};
use steadfast_sources::kubernetes::KubeCluster;
use steadfast_sources::transport::Transport;

use super::Fetcher;
use super::lookup::optional;
use crate::closeup::Whereabouts;

impl Fetcher {
    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A job, its checkpoints and its failures, as its Flink shows them.
    pub(crate) async fn closeup(
        &self,
        at: &Whereabouts,
    ) -> (Observed<JobDetail>, Observed<CheckpointDetail>, Observed<Failures>) {
        let limits = closeup_limits(self.limits.deadline);
        let (transport, base, job) = match self.way_to_job(at) {
            Ok(way) => way,
            Err(fault) => {
                let unknown = || fault.clone();
                return (
                    Observed::Unknown(unknown()),
                    Observed::Unknown(unknown()),
                    Observed::Unknown(unknown()),
                );
            }
        };
        let (detail, checkpoints, failures) = tokio::join!(
            flink::job_detail(transport, &base, job, limits),
            flink::checkpoint_detail(transport, &base, job, limits),
            flink::failures(transport, &base, job, limits),
        );
        (optional(detail), optional(checkpoints), optional(failures))
    }

    /// A job's pods, and what was told of its objects.
    pub(crate) async fn pods_closeup(
        &self,
        at: &Whereabouts,
    ) -> (Observed<Vec<PodDetail>>, Observed<Vec<EventDetail>>) {
        let (cluster, object) = match self.cluster_of(at) {
            Ok(found) => found,
            Err(fault) => return (Observed::Unknown(fault.clone()), Observed::Unknown(fault)),
        };
        let (pods, events) = tokio::join!(
            cluster.pod_details(&object.namespace, &object.name),
            cluster.event_details(&object.namespace, &object.name),
        );
        (optional(pods.map(some)), optional(events.map(some)))
    }

    /// The end of the log of one of a job's pods.
    pub(crate) async fn log_closeup(&self, at: &Whereabouts, question: &LogQuestion) -> Observed<LogTail> {
        match self.cluster_of(at) {
            Ok((cluster, object)) => optional(cluster.log_tail(&object.namespace, &object.name, question).await),
            Err(fault) => Observed::Unknown(fault),
        }
    }

    fn way_to_job(&self, at: &Whereabouts) -> Result<(&dyn Transport, String, FlinkJobId), Fault> {
        let job = at.job.ok_or_else(|| {
            Fault::new(
                FaultKind::Other,
                "Flink has not shown the job yet, and its id is not known",
            )
        })?;
        let (transport, base) = self.connect(at.endpoint.as_ref().ok_or_else(nowhere)?)?;
        Ok((transport, base, job))
    }

    fn cluster_of<'a>(&'a self, at: &'a Whereabouts) -> Result<(&'a KubeCluster, &'a ObjectRef), Fault> {
        let object = at.object.as_ref().ok_or_else(|| match at.endpoint {
            Some(_) => Fault::new(FaultKind::Other, "not in Kubernetes"),
            None => nowhere(),
        })?;
        Ok((&*self.clients(&at.cluster)?.cluster, object))
    }
}

fn nowhere() -> Fault {
    Fault::new(FaultKind::Other, "nothing that is watched stands for this job any more")
}

/// A complete list without anything in it is absent.
fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}
