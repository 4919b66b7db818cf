//! Look-ups: what is asked of whom, and what it means that nothing is found.

use steadfast_core::board::ObjectRef;
use steadfast_core::evidence::{Fault, FaultKind, Observation, Observed};
use steadfast_core::facts::{Checkpoints, HaData, JobEnd, KubeEvent, Pod, RootException};
use steadfast_core::id::{ClusterName, FlinkJobId, JobKey};
use steadfast_core::kube_update::{KubeUpdate, Scope};
use steadfast_core::lookup::{Finding, ObjectQuestion, PodLog, Query, ResultQuery};
use steadfast_sources::kubernetes::Answered;
use steadfast_sources::{flink, last_words};

use super::{Fetcher, guarded};
use crate::fetch::Endpoint;

impl Fetcher {
    pub(super) async fn look_up(&self, key: &JobKey, query: Query, endpoint: &Endpoint) -> Finding {
        let cluster = &key.target.cluster;
        match query {
            Query::Exceptions { job } => Finding::Exceptions(self.timed(self.exceptions(endpoint, job)).await),
            Query::Checkpoints { job } => Finding::Checkpoints(self.timed(self.checkpoints(endpoint, job)).await),
            Query::HaData { object } => Finding::HaData(self.timed(self.ha_data(cluster, &object)).await),
            Query::Events { object } => Finding::Events(self.timed(self.events(cluster, &object)).await),
            Query::TaskManagers { object } => {
                Finding::TaskManagers(self.timed(self.task_managers(cluster, &object)).await)
            }
            Query::LastWords { object, logs, job } => {
                Finding::LastWords(self.timed(self.last_words(cluster, &object, &logs, job)).await)
            }
            Query::Archive(query) => Finding::Archive(self.timed(self.archive(cluster, &query)).await),
        }
    }

    /// What one question is answered with, as an update of the board.
    pub(super) async fn ask_for(&self, cluster: &ClusterName, question: &ObjectQuestion) -> Result<KubeUpdate, Fault> {
        let asked_at = self.clock.now();
        let answer = self.clients(cluster)?.cluster.ask_for(question);
        let Answered { change, version } = guarded(answer).await??;
        let scope = Scope {
            cluster: cluster.clone(),
            kind: question.kind(),
            namespace: Some(question.object().namespace.clone()),
        };
        Ok(KubeUpdate {
            scope,
            asked_at,
            at: self.clock.now(),
            version,
            change,
        })
    }

    /// An answer with the times at which it was asked for and came.
    async fn timed<T>(&self, answer: impl Future<Output = Observed<T>>) -> Observation<T> {
        let asked_at = self.clock.now();
        let answer = guarded(answer).await.unwrap_or_else(Observed::Unknown);
        Observation::new(answer, asked_at, self.clock.now())
    }

    async fn exceptions(&self, endpoint: &Endpoint, job: FlinkJobId) -> Observed<RootException> {
        optional(
            async {
                let (transport, base) = self.connect(endpoint)?;
                flink::exceptions(transport, &base, job, self.limits).await
            }
            .await,
        )
    }

    async fn checkpoints(&self, endpoint: &Endpoint, job: FlinkJobId) -> Observed<Checkpoints> {
        async {
            let (transport, base) = self.connect(endpoint)?;
            flink::checkpoints(transport, &base, job, self.limits).await
        }
        .await
        .map_or_else(Observed::Unknown, Observed::Present)
    }

    async fn ha_data(&self, cluster: &ClusterName, object: &ObjectRef) -> Observed<HaData> {
        optional(
            async {
                let cluster = &self.clients(cluster)?.cluster;
                let config_maps = cluster.ha_config_maps(&object.namespace, &object.name).await?;
                Ok((!config_maps.is_empty()).then_some(HaData { config_maps }))
            }
            .await,
        )
    }

    async fn events(&self, cluster: &ClusterName, object: &ObjectRef) -> Observed<Vec<KubeEvent>> {
        optional(
            async {
                let cluster = &self.clients(cluster)?.cluster;
                let events = cluster.events(&object.namespace, &object.name).await?;
                Ok((!events.is_empty()).then_some(events))
            }
            .await,
        )
    }

    async fn task_managers(&self, cluster: &ClusterName, object: &ObjectRef) -> Observed<Vec<Pod>> {
        optional(
            async {
                let cluster = &self.clients(cluster)?.cluster;
                let pods = cluster.task_managers(&object.namespace, &object.name).await?;
                Ok((!pods.is_empty()).then_some(pods))
            }
            .await,
        )
    }

    async fn archive(&self, cluster: &ClusterName, query: &ResultQuery) -> Observed<JobEnd> {
        match self.clusters.get(cluster) {
            Some(clients) => {
                clients
                    .job_results
                    .find(self.ways.http.as_ref(), query, self.limits.deadline)
                    .await
            }
            // A standalone job has no such sources: all of none were read, and none names an end.
            None => Observed::Absent,
        }
    }

    /// The end that any of the logs names. A log that cannot be read leaves it unknown, unless another names one.
    async fn last_words(
        &self,
        cluster: &ClusterName,
        object: &ObjectRef,
        logs: &[PodLog],
        job: FlinkJobId,
    ) -> Observed<JobEnd> {
        optional(self.find_last_words(cluster, object, logs, job).await)
    }

    async fn find_last_words(
        &self,
        cluster: &ClusterName,
        object: &ObjectRef,
        logs: &[PodLog],
        job: FlinkJobId,
    ) -> Result<Option<JobEnd>, Fault> {
        let clients = self.clients(cluster)?;
        let mut fault = None;
        for PodLog { pod, container } in logs {
            match clients.cluster.pod_log(&object.namespace, pod, *container).await {
                Ok(log) => {
                    let end = log.and_then(|log| last_words::find(&log, job, clients.last_words.as_ref()));
                    if end.is_some() {
                        return Ok(end);
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
pub(super) fn optional<T>(answer: Result<Option<T>, Fault>) -> Observed<T> {
    match answer {
        Ok(Some(value)) => Observed::Present(value),
        Ok(None) => Observed::Absent,
        Err(fault) => Observed::Unknown(fault),
    }
}
