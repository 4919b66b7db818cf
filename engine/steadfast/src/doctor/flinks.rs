//! Flinks: by which way each is reached, and what answers there.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, stream};
use steadfast_core::board::ObjectRef;
use steadfast_core::error_chain::error_chain;
use steadfast_core::evidence::{Fault, FaultKind, Observed};
use steadfast_core::facts::{Deployment, Pod};
use steadfast_core::id::{FlinkJobId, TargetId};
use steadfast_core::kube_update::Object;
use steadfast_core::lookup::ResultQuery;
use steadfast_reconcile::{ClusterSetup, Discover, TargetSetup};
use steadfast_sources::flink;
use steadfast_sources::route::{FlinkRoute, base_url};
use steadfast_sources::transport::{HttpTransport, Limits, MAX_BODY, ProxyTransport, Transport};

use super::Finding;
use crate::config::Config;
use crate::run::{targets, way_of};

/// Flinks that are asked at once.
const AT_ONCE: usize = 32;
/// So many that answer are shown one by one.
const SHOWN: usize = 20;

/// A Flink that is asked once.
struct Asked {
    id: TargetId,
    /// Its Deployment's name.
    deployment: String,
    route: FlinkRoute,
    pod: Option<Pod>,
}

/// The Flinks of a cluster: those of `[[job]]` entries, and those that are discovered among the listed Deployments.
pub(super) async fn of_cluster(config: &Config, setup: &ClusterSetup, listed: &[Object]) -> Vec<Finding> {
    let configured: Vec<TargetSetup> = targets(config)
        .into_iter()
        .filter(|target| target.id.cluster == setup.settings.name)
        .collect();
    let mut findings = missing(&configured, listed);
    let mut asked: BTreeMap<ObjectRef, Asked> = BTreeMap::new();
    for target in &configured {
        let Some(object) = &target.object else { continue };
        let route = target.flink_rest.clone().unwrap_or_else(|| setup.flink_rest.clone());
        asked.insert(object.clone(), ask(target.id.clone(), object, route, listed));
    }
    for deployment in deployments(listed).filter(|deployment| is_discovered(setup, deployment)) {
        let object = ObjectRef::new(&deployment.namespace, &deployment.name);
        let id = TargetId::new(&setup.settings.name, &deployment.namespace, &deployment.name);
        let route = setup.flink_rest.clone();
        asked
            .entry(object.clone())
            .or_insert_with(|| ask(id, &object, route, listed));
    }
    let proxy: Arc<dyn Transport> = Arc::new(ProxyTransport::new(setup.client.clone()));
    findings.extend(examine(config, asked.into_values().collect(), Some(&proxy), setup.http.as_ref()).await);
    findings
}

/// The Flinks outside of Kubernetes.
pub(super) async fn standalone(config: &Config) -> Vec<Finding> {
    let of_target = |target: TargetSetup| {
        let route = target.flink_rest.filter(|_| target.object.is_none())?;
        Some(Asked {
            deployment: target.id.name.to_string(),
            id: target.id,
            route,
            pod: None,
        })
    };
    let asked = targets(config).into_iter().filter_map(of_target).collect();
    examine(config, asked, None, None).await
}

fn ask(id: TargetId, object: &ObjectRef, route: FlinkRoute, listed: &[Object]) -> Asked {
    let own = listed
        .iter()
        .filter_map(Object::pod)
        .filter(|pod| pod.namespace == object.namespace && pod.app == object.name && !pod.has_ended());
    let own: Vec<&Pod> = own.collect();
    let pod = own.iter().find(|pod| pod.ip.is_some()).or(own.first());
    Asked {
        id,
        deployment: object.name.clone(),
        route,
        pod: pod.map(|pod| (*pod).clone()),
    }
}

fn deployments(listed: &[Object]) -> impl Iterator<Item = &Deployment> {
    listed.iter().filter_map(Object::deployment)
}

fn is_discovered(setup: &ClusterSetup, deployment: &Deployment) -> bool {
    let kind = Discover::of(deployment);
    deployment.native.is_some() && deployment.replicas > 0 && setup.discover.contains(&kind)
}

/// `[[job]]` entries whose Deployment is not there, where Deployments could be listed.
fn missing(configured: &[TargetSetup], listed: &[Object]) -> Vec<Finding> {
    if deployments(listed).next().is_none() {
        return Vec::new();
    }
    let is_there = |object: &ObjectRef| {
        deployments(listed).any(|deployment| deployment.namespace == object.namespace && deployment.name == object.name)
    };
    let absent = configured
        .iter()
        .filter_map(|target| Some((target, target.object.as_ref().filter(|object| !is_there(object))?)));
    absent
        .map(|(target, object)| {
            Finding::warning(
                format!("job {}", target.id),
                format!("there is no Deployment {}/{}", object.namespace, object.name),
                "correct deployment and namespace of its [[job]], unless it is yet to be deployed",
            )
        })
        .collect()
}

async fn examine(
    config: &Config,
    asked: Vec<Asked>,
    proxy: Option<&Arc<dyn Transport>>,
    of_cluster: Option<&Arc<dyn Transport>>,
) -> Vec<Finding> {
    let plain: Arc<dyn Transport> = match HttpTransport::new() {
        Ok(plain) => Arc::new(plain),
        Err(fault) => return vec![no_client(&fault)],
    };
    let plain = of_cluster.unwrap_or(&plain);
    let limits = Limits {
        deadline: config.timing.timeout,
        max_bytes: MAX_BODY,
    };
    let answers = stream::iter(asked)
        .map(|asked| async move {
            let way = match (&asked.route, proxy) {
                (FlinkRoute::Proxy, Some(proxy)) => Ok(Arc::clone(proxy)),
                _ => way_of(config, &asked.id)
                    .await
                    .map(|own| own.unwrap_or_else(|| Arc::clone(plain))),
            };
            match way {
                Ok(way) => answer(&asked, way.as_ref(), limits).await,
                Err(error) => Err(Finding::wrong(
                    subject(&asked.id),
                    error_chain(error.as_ref()),
                    "correct flink_auth or flink_ca_file",
                )),
            }
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>();
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    for answer in answers.await {
        match answer {
            Ok(finding) => well.push(finding),
            Err(finding) => findings.push(finding),
        }
    }
    let unshown = well.len().saturating_sub(SHOWN);
    well.truncate(SHOWN);
    if unshown > 0 {
        well.push(Finding::ok("jobs", format!("{unshown} more Flinks answer")));
    }
    well.extend(findings);
    well
}

fn no_client(fault: &Fault) -> Finding {
    Finding::wrong(
        "jobs",
        fault.to_string(),
        "install certificate authorities (the package ca-certificates), or set SSL_CERT_FILE",
    )
}

fn subject(id: &TargetId) -> String {
    format!("job {id}")
}

/// What a Flink answers.
async fn answer(asked: &Asked, way: &dyn Transport, limits: Limits) -> Result<Finding, Finding> {
    let subject = subject(&asked.id);
    let pod_ip = asked.pod.as_ref().and_then(|pod| pod.ip.as_deref());
    let port = asked.pod.as_ref().and_then(|pod| pod.rest_port);
    let overview = match base_url(&asked.route, &asked.id, &asked.deployment, pod_ip, port) {
        Ok(base) => flink::overview(way, &base, limits).await,
        Err(fault) => Err(fault),
    };
    let route = named(&asked.route);
    match overview {
        Ok(overview) => {
            let rows = overview.jobs.len();
            let mut what = format!("Flink answers by {route}, and lists {}", counted(rows));
            if let Some(why) = overview.unreadable.first() {
                what.push_str(&format!(
                    "; {} cannot be read: {why}",
                    counted(overview.unreadable.len())
                ));
            }
            Ok(Finding::ok(subject, what))
        }
        Err(fault) => Err(Finding::wrong(
            subject,
            format!("Flink does not answer by {route}: {fault}"),
            fix(&fault, &asked.route),
        )),
    }
}

fn counted(jobs: usize) -> String {
    if jobs == 1 {
        "1 job".to_owned()
    } else {
        format!("{jobs} jobs")
    }
}

fn named(route: &FlinkRoute) -> &'static str {
    match route {
        FlinkRoute::Service => "its Service",
        FlinkRoute::Proxy => "the API server's proxy",
        FlinkRoute::Pod => "its pod's address",
        FlinkRoute::Template(_) => "flink_rest's URL",
    }
}

fn fix(fault: &Fault, route: &FlinkRoute) -> &'static str {
    match (fault.kind, route) {
        (FaultKind::Unauthorized, _) => "set flink_auth to what its REST endpoint wants",
        (FaultKind::Forbidden, FlinkRoute::Proxy) => "grant `get services/proxy`, or set flink_rest to another way",
        (FaultKind::Tls, _) => "set flink_ca_file to who signed its certificate",
        (FaultKind::Address | FaultKind::Refused | FaultKind::Timeout, FlinkRoute::Service) => {
            "outside of the cluster its Services have no names: set flink_rest = \"proxy\", or \"pod\" where pods are reached; else see \
             whether its JobManager runs and a NetworkPolicy lets this machine in"
        }
        (FaultKind::Malformed, _) => "something else answers there: correct flink_rest",
        (FaultKind::LeaderElection, _) => "wait: its JobManagers elect a leader",
        _ => "see whether its JobManager runs, and whether flink_rest leads there",
    }
}

/// Asks the places that tell of ended jobs for one that there never was. Fails with what keeps one of them from being read.
pub(super) async fn find_nothing(config: &Config, setup: &ClusterSetup) -> Result<(), Fault> {
    let Some(job) = FlinkJobId::parse("ffffffffffffffffffffffffffffffff") else {
        return Ok(());
    };
    let http = HttpTransport::new()?;
    let query = ResultQuery {
        cluster_id: "steadfast-doctor".to_owned(),
        job,
        started_at: None,
    };
    match setup.job_results.find(&http, &query, config.timing.timeout).await {
        Observed::Present(_) | Observed::Absent => Ok(()),
        Observed::Unknown(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_cannot_work_from_here_is_told_with_those_that_can() {
        let fault = Fault::new(FaultKind::Address, "no such name");
        assert!(fix(&fault, &FlinkRoute::Service).contains("proxy"));
        let fault = Fault::new(FaultKind::Forbidden, "HTTP 403");
        assert!(fix(&fault, &FlinkRoute::Proxy).contains("services/proxy"));
    }
}
