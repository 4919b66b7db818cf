//! Looks on request: what is asked of whom, and what it means that nothing is found.

use steadfast_core::board::Place;
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::{HaData, JobEnd};
use steadfast_core::id::{ClusterName, FlinkJobId};
use steadfast_sources::flink;
use steadfast_sources::kubernetes::LogOf;
use steadfast_sources::last_words;

use super::Looker;
use crate::looks::{Wanted, WantedAnswer};

impl Looker {
    pub(super) async fn look_up(&self, what: Wanted) -> WantedAnswer {
        match what {
            Wanted::Exceptions { endpoint, job } => WantedAnswer::Exceptions(optional(
                async {
                    let (transport, base) = self.way_to(&endpoint)?;
                    flink::exceptions(transport, &base, job, self.limits).await
                }
                .await,
            )),
            Wanted::Checkpoints { endpoint, job } => WantedAnswer::Checkpoints(
                async {
                    let (transport, base) = self.way_to(&endpoint)?;
                    flink::checkpoints(transport, &base, job, self.limits).await
                }
                .await
                .map_or_else(Observed::Unknown, Observed::Present),
            ),
            Wanted::HaData { cluster, place } => WantedAnswer::HaData(optional(
                async {
                    let names = self
                        .way(&cluster)?
                        .cluster
                        .ha_config_maps(&place.namespace, &place.name)
                        .await?;
                    Ok((!names.is_empty()).then_some(HaData { config_maps: names }))
                }
                .await,
            )),
            Wanted::Events { cluster, place } => WantedAnswer::Events(optional(
                async {
                    let events = self
                        .way(&cluster)?
                        .cluster
                        .events(&place.namespace, &place.name)
                        .await?;
                    Ok((!events.is_empty()).then_some(events))
                }
                .await,
            )),
            Wanted::TaskManagers { cluster, place } => WantedAnswer::TaskManagers(optional(
                async {
                    let pods = self
                        .way(&cluster)?
                        .cluster
                        .task_managers(&place.namespace, &place.name)
                        .await?;
                    Ok((!pods.is_empty()).then_some(pods))
                }
                .await,
            )),
            Wanted::LastWords {
                cluster,
                place,
                logs,
                job,
            } => WantedAnswer::LastWords(optional(self.last_words(&cluster, &place, &logs, job).await)),
            Wanted::Archive { cluster, sought } => WantedAnswer::Archive(match self.clusters.get(&cluster) {
                Some(way) => way.ends.find(self.http.as_ref(), &sought, self.limits.deadline).await,
                // A standalone job has no such places: all of none were read, and none tells an end.
                None => Observed::Absent,
            }),
        }
    }

    /// The end that any of the logs tells. A log that cannot be read leaves it unknown, unless another tells.
    async fn last_words(
        &self,
        cluster: &ClusterName,
        place: &Place,
        logs: &[(String, LogOf)],
        job: FlinkJobId,
    ) -> Result<Option<JobEnd>, Fault> {
        let way = self.way(cluster)?;
        let mut fault = None;
        for (pod, of) in logs {
            match way.cluster.pod_log(&place.namespace, pod, *of).await {
                Ok(log) => {
                    let told = log.and_then(|log| last_words::find(&log, job, way.last_words.as_ref()));
                    if told.is_some() {
                        return Ok(told);
                    }
                }
                Err(error) => fault = Some(error),
            }
        }
        match fault {
            Some(fault) => Err(fault),
            None if logs.is_empty() => Err(Fault::new(
                FaultKind::Address,
                "no JobManager pod is left whose log could be read",
            )),
            None => Ok(None),
        }
    }
}

/// A successful answer that holds nothing is absent; only that.
fn optional<T>(answer: Result<Option<T>, Fault>) -> Observed<T> {
    match answer {
        Ok(Some(value)) => Observed::Present(value),
        Ok(None) => Observed::Absent,
        Err(fault) => Observed::Unknown(fault),
    }
}
