//! What a cluster has that is worth watching, for a configuration that is about to be written.

use futures::{StreamExt, stream};
use steadfast_core::error_chain::error_chain;
use steadfast_core::kube_update::{Object, ObjectKind};
use steadfast_sources::kubernetes::{Examiner, OperatorResources, scopes};

use super::clusters::is_not_served;
use crate::config::{Cluster, Config};
use crate::run::cluster_setup;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The API server's address.
    pub server: String,
    /// The version of Kubernetes.
    pub version: String,
    /// Deployments of Flink's native mode.
    pub deployments: usize,
    /// The operator's resources; `None`: the operator is not installed.
    pub operator: Option<usize>,
    /// What could not be listed, and why.
    pub unread: Vec<String>,
}

/// Asks a cluster once. Fails, in words, if it cannot be reached at all.
pub async fn survey(config: &Config, cluster: &Cluster) -> Result<Survey, String> {
    let mut setup = cluster_setup(config, cluster)
        .await
        .map_err(|error| error_chain(error.as_ref()))?;
    if let Some(credentials) = &mut setup.credentials {
        credentials.get().await.map_err(|error| error_chain(&error))?;
    }
    let examiner = Examiner::new(setup.client.clone(), &setup.settings);
    let version = examiner.version().await;
    let version = version.map_err(|fault| format!("{}: {fault}", setup.server))?;
    let mut found = Survey {
        server: setup.server.clone(),
        version: version.version.to_string(),
        operator: Some(0),
        ..Survey::default()
    };
    let lists = stream::iter(scopes(&setup.settings, OperatorResources::Watched))
        .map(|scope| async { (examiner.list(&scope).await, scope) })
        .buffered(4)
        .collect::<Vec<_>>();
    for (list, scope) in lists.await {
        match list {
            Ok(objects) => {
                for object in objects {
                    match object {
                        Object::Deployment(_) => found.deployments += 1,
                        Object::FlinkResource(_) => found.operator = found.operator.map(|count| count + 1),
                        Object::Pod(_)
                        | Object::StateSnapshot(_)
                        | Object::Undecodable { .. }
                        | Object::Unanswered { .. } => {}
                    }
                }
            }
            Err(fault) if is_not_served(&scope, &fault) => {
                if scope.kind == ObjectKind::FlinkDeployment {
                    found.operator = None;
                }
            }
            Err(fault) => found
                .unread
                .push(format!("{} cannot be listed: {fault}", scope.kind.plural())),
        }
    }
    Ok(found)
}
