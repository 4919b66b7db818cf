//! Who answers: a pod's address may have passed to another Flink cluster before its watch event was heard.

use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::FlinkOverview;
use steadfast_core::id::{FlinkJobId, Namespace};
use steadfast_core::time::Timestamp;

use super::{classify, overview, parse};
use crate::transport::{Limits, Transport, shown};

/// The Flink cluster that is meant, and the runs by which it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its `kubernetes.namespace`.
    pub namespace: Namespace,
    /// Its `kubernetes.cluster-id`, which is its Deployment's name.
    pub cluster_id: String,
    /// Job ids with their start-times, as it listed them before. An id alone names nobody: with HA many applications
    /// run under the same one.
    pub runs: Vec<(FlinkJobId, Timestamp)>,
}

/// `GET /jobs/overview` of an address that may have passed to another cluster. An answer with a known run is proof
/// enough; for any other that would change something, `GET /jobmanager/config` must name the cluster that is meant.
/// Fails with a fault of kind [`FaultKind::Address`] if it names another one.
pub async fn verified_overview(
    transport: &dyn Transport,
    base: &str,
    identity: &Identity,
    limits: Limits,
) -> Result<FlinkOverview, Fault> {
    let overview = overview(transport, base, limits).await?;
    let is_known = overview
        .jobs
        .iter()
        .any(|job| identity.runs.contains(&(job.id, job.started_at)));
    let changes_nothing = overview.jobs.is_empty() && identity.runs.is_empty();
    if is_known || changes_nothing {
        return Ok(overview);
    }
    let url = format!("{base}/jobmanager/config");
    let body = classify::body(&url, transport.get(&url, limits).await?)?;
    contradiction(parse::json(&url, &body)?, identity).map_or(Ok(overview), |other| {
        Err(Fault::new(
            FaultKind::Address,
            format!(
                "{}: answers as {other}, not as Flink cluster {}/{}: the address has passed to another pod",
                shown(base),
                identity.namespace,
                identity.cluster_id
            ),
        ))
    })
}

/// One entry of `/jobmanager/config`.
#[derive(Deserialize)]
struct Entry {
    key: String,
    value: Option<String>,
}

/// Whom the configuration names, if that is somebody else. One that names nobody contradicts nothing: only Flink's
/// Kubernetes integrations set these options.
fn contradiction(config: Vec<Entry>, identity: &Identity) -> Option<String> {
    let value = |key: &str| {
        config
            .iter()
            .find(|entry| entry.key == key)
            .and_then(|entry| entry.value.as_deref())
    };
    let cluster = value("kubernetes.cluster-id").filter(|id| *id != identity.cluster_id);
    let namespace = value("kubernetes.namespace").filter(|name| *name != identity.namespace.as_str());
    match (cluster, namespace) {
        (Some(cluster), _) => Some(format!("Flink cluster {cluster}")),
        (None, Some(namespace)) => Some(format!("a Flink cluster of namespace {namespace}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::time::Duration;

    use async_trait::async_trait;

    use super::*;
    use crate::transport::Answer;

    const LIMITS: Limits = Limits {
        deadline: Duration::from_secs(3),
        max_bytes: 1 << 20,
    };

    /// The recorded Flink cluster `run-ha` in namespace `default`.
    struct RunHa {
        bodies: BTreeMap<&'static str, String>,
        asked: Mutex<Vec<String>>,
    }

    impl RunHa {
        fn with_config(config: Option<&str>) -> Self {
            let read = |name: &str| {
                let path = format!("../../tests/fixtures/flink-2.2.0/running/{name}.json");
                let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
                std::fs::read_to_string(path).unwrap()
            };
            let mut bodies = BTreeMap::from([("/jobs/overview", read("jobs-overview"))]);
            bodies.insert(
                "/jobmanager/config",
                config.map_or_else(|| read("jobmanager-config"), str::to_owned),
            );
            Self {
                bodies,
                asked: Mutex::default(),
            }
        }
    }

    #[async_trait]
    impl Transport for RunHa {
        async fn get(&self, url: &str, _: Limits) -> Result<Answer, Fault> {
            let path = url.trim_start_matches("http://10.0.0.7:8081");
            self.asked.lock().unwrap().push(path.to_owned());
            Ok(Answer {
                status: 200,
                retry_after: None,
                body: self.bodies[path].clone().into(),
            })
        }
    }

    async fn ask(flink: &RunHa, cluster_id: &str, runs: Vec<(FlinkJobId, Timestamp)>) -> Result<FlinkOverview, Fault> {
        let identity = Identity {
            namespace: Namespace::new("default"),
            cluster_id: cluster_id.to_owned(),
            runs,
        };
        verified_overview(flink, "http://10.0.0.7:8081", &identity, LIMITS).await
    }

    #[tokio::test]
    async fn a_known_run_is_proof_enough() {
        let flink = RunHa::with_config(None);
        let first = ask(&flink, "run-ha", vec![]).await.unwrap().jobs.remove(0);
        flink.asked.lock().unwrap().clear();
        ask(&flink, "another-name", vec![(first.id, first.started_at)])
            .await
            .unwrap();
        assert_eq!(*flink.asked.lock().unwrap(), ["/jobs/overview"]);
    }

    #[tokio::test]
    async fn the_same_job_id_with_another_start_time_must_be_the_same_cluster() {
        let flink = RunHa::with_config(None);
        let first = ask(&flink, "run-ha", vec![]).await.unwrap().jobs.remove(0);
        let before = vec![(first.id, Timestamp::from_millis(1))];
        assert!(ask(&flink, "run-ha", before.clone()).await.is_ok());
        let fault = ask(&flink, "orders", before).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Address);
        assert!(
            fault.message.contains("answers as Flink cluster run-ha"),
            "{}",
            fault.message
        );
    }

    #[tokio::test]
    async fn an_empty_list_of_another_cluster_says_nothing_of_ours() {
        let mut flink = RunHa::with_config(None);
        flink.bodies.insert("/jobs/overview", r#"{"jobs":[]}"#.to_owned());
        let run = (
            FlinkJobId::parse("00000000000000000000000000000001").unwrap(),
            Timestamp::from_millis(1),
        );
        assert!(ask(&flink, "orders", vec![run]).await.is_err());
        assert!(ask(&flink, "run-ha", vec![run]).await.unwrap().jobs.is_empty());
    }

    #[tokio::test]
    async fn a_configuration_that_names_nobody_contradicts_nothing() {
        let flink = RunHa::with_config(Some(r#"[{"key":"jobmanager.rpc.address","value":"10.0.0.7"}]"#));
        assert!(ask(&flink, "orders", vec![]).await.is_ok());
        let garbage = RunHa::with_config(Some("<html>"));
        assert_eq!(
            ask(&garbage, "orders", vec![]).await.unwrap_err().kind,
            FaultKind::Malformed
        );
    }

    #[tokio::test]
    async fn another_namespaces_cluster_of_the_same_name_is_another() {
        let config = r#"[{"key":"kubernetes.cluster-id","value":"orders"},{"key":"kubernetes.namespace","value":"b"}]"#;
        let fault = ask(&RunHa::with_config(Some(config)), "orders", vec![])
            .await
            .unwrap_err();
        assert!(fault.message.contains("namespace b"), "{}", fault.message);
    }
}
