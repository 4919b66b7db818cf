//! A cluster: whether it is reached, by what clock it goes, what we may do there, what it lists.

use std::time::{Duration, SystemTime};

use futures::{StreamExt, stream};
use steadfast_core::error_chain::error_chain;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{KindOrigin, Object, Scope};
use steadfast_reconcile::{ClusterSetup, Discover};
use steadfast_sources::kubernetes::{
    ConnectError, Examiner, Need, OperatorResources, Right, Uses, Writer, Writes, rights, rights_of_reviews, scopes,
};
use steadfast_sources::route::FlinkRoute;

use super::{Finding, flinks};
use crate::config::{Cluster, Config, FlinkRest};
use crate::run::cluster_setup;

/// Reviews and lists that are asked for at once.
const AT_ONCE: usize = 8;
/// Clocks that are further apart than this are told of: ages that others wrote are read by them.
const APART: Duration = Duration::from_secs(10);

/// Examines one cluster with its Flinks.
pub(super) async fn examine(config: &Config, cluster: &Cluster) -> Vec<Finding> {
    let subject = format!("cluster {}", cluster.name);
    let mut setup = match cluster_setup(config, cluster).await {
        Ok(setup) => setup,
        Err(error) => {
            return vec![Finding::wrong(
                subject,
                error_chain(error.as_ref()),
                "set or correct kubeconfig in its [[kubernetes]] entry; `kubectl --kubeconfig FILE version` must work with it",
            )];
        }
    };
    // An engine tries for ever; here once is enough.
    if let Some(Err(error)) = credentials(&mut setup).await {
        return vec![Finding::wrong(
            subject,
            error_chain(&error),
            "run the kubeconfig's credential plugin by hand, as the user that the engine runs as",
        )];
    }
    let examiner = Examiner::new(setup.client.clone(), &setup.settings);
    let mut findings = match reached(&subject, &setup, &examiner).await {
        Ok(findings) => findings,
        // Whoever does not answer this answers nothing else.
        Err(finding) => return vec![finding],
    };
    let operator = operator(&setup);
    findings.extend(rights_of(&subject, cluster, &setup, config, &examiner, operator).await);
    findings.extend(job_statuses(&subject, cluster, &setup).await);
    let (listed, faults) = lists(&subject, &setup, &examiner, operator).await;
    findings.extend(faults);
    findings.extend(flinks::of_cluster(config, &setup, &listed).await);
    findings.extend(ended_jobs(&subject, config, &setup).await);
    findings
}

async fn credentials(setup: &mut ClusterSetup) -> Option<Result<(), ConnectError>> {
    Some(setup.credentials.as_mut()?.get().await)
}

fn operator(setup: &ClusterSetup) -> OperatorResources {
    if setup.discover.contains(&Discover::FlinkDeployment) {
        OperatorResources::Watched
    } else {
        OperatorResources::Ignored
    }
}

async fn reached(subject: &str, setup: &ClusterSetup, examiner: &Examiner) -> Result<Vec<Finding>, Finding> {
    let asked = SystemTime::now();
    let version = examiner.version().await;
    let answered = SystemTime::now();
    let version =
        version.map_err(|fault| Finding::wrong(subject, format!("{}: {fault}", setup.server), fix(&fault)))?;
    let mut findings = vec![Finding::ok(
        subject,
        format!("{} answers, Kubernetes {}", setup.server, version.version),
    )];
    if let Some(apart) = version.date.and_then(|date| apart(date, asked, answered)) {
        findings.push(Finding::warning(
            subject,
            format!("its clock and this machine's are {} s apart", apart.as_secs()),
            "set both by NTP: what is shown as an age is taken from both",
        ));
    }
    Ok(findings)
}

/// By how much a date is outside of the time in which it was made. Dates are to the second.
fn apart(date: SystemTime, asked: SystemTime, answered: SystemTime) -> Option<Duration> {
    let early = asked.duration_since(date + Duration::from_secs(1)).unwrap_or_default();
    let late = date.duration_since(answered).unwrap_or_default();
    Some(early.max(late)).filter(|apart| *apart > APART)
}

/// What mends that a cluster does not answer.
fn fix(fault: &Fault) -> &'static str {
    match fault.kind {
        FaultKind::Unauthorized => {
            "its credentials are refused: renew the kubeconfig's token or certificate, or the plugin's login"
        }
        FaultKind::Forbidden => "grant what the message names, see docs/deploy.md",
        FaultKind::Tls => {
            "the kubeconfig's certificate-authority must be the one that signed the API server's certificate"
        }
        FaultKind::Refused | FaultKind::Address | FaultKind::Connection | FaultKind::Timeout => {
            "check the kubeconfig's server, and that this machine reaches it"
        }
        FaultKind::NotFound
        | FaultKind::Expired
        | FaultKind::TooManyRequests
        | FaultKind::LeaderElection
        | FaultKind::Status
        | FaultKind::Malformed
        | FaultKind::TooLarge
        | FaultKind::Other => "check that the kubeconfig's server is a Kubernetes API server",
    }
}

/// Each right that is made use of, by the API server's own word.
async fn rights_of(
    subject: &str,
    cluster: &Cluster,
    setup: &ClusterSetup,
    config: &Config,
    examiner: &Examiner,
    operator: OperatorResources,
) -> Vec<Finding> {
    let through_proxy = through_proxy(cluster, setup, config);
    let mut asked = rights(Uses {
        namespaces: &setup.settings.namespaces,
        operator,
        through_proxy: &through_proxy,
        writes: &writes(cluster, config),
    });
    let auth = config.server.kubernetes_auth.as_ref();
    if auth.is_some_and(|auth| auth.cluster == cluster.name) {
        asked.extend(rights_of_reviews());
    }
    let reviews = stream::iter(asked)
        .map(|right| async move { (examiner.has(&right).await, right) })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>();
    let (mut had, mut findings) = (0, Vec::new());
    for (review, right) in reviews.await {
        match review {
            Ok(true) => had += 1,
            Ok(false) => findings.push(missing(subject, &right)),
            Err(fault) => findings.push(Finding::warning(
                subject,
                format!("whether we may {right} could not be asked: {fault}"),
                "every user may ask by the ClusterRole system:basic-user; bind it if it was taken away",
            )),
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(subject, format!("all {had} rights are granted")));
    }
    findings
}

/// What is written there.
fn writes(cluster: &Cluster, config: &Config) -> Vec<Writes> {
    let mut told_in = config.sinks.iter().filter_map(|sink| sink.receiver.cluster());
    let tells = told_in.any(|name| name.as_str() == cluster.name);
    let statuses = cluster.job_statuses.then_some(Writes::JobStatuses);
    statuses.into_iter().chain(tells.then_some(Writes::Events)).collect()
}

/// The namespaces whose Flinks are reached through the API server.
fn through_proxy(cluster: &Cluster, setup: &ClusterSetup, config: &Config) -> Vec<Option<Namespace>> {
    if setup.flink_rest == FlinkRoute::Proxy {
        return match setup.settings.namespaces.as_slice() {
            [] => vec![None],
            named => named.iter().cloned().map(Some).collect(),
        };
    }
    let own = config
        .jobs
        .iter()
        .filter(|job| job.kubernetes.as_deref() == Some(&cluster.name) && job.flink_rest == Some(FlinkRest::Proxy));
    let mut namespaces: Vec<Option<Namespace>> = own.map(|job| Some(Namespace::new(&job.namespace))).collect();
    namespaces.sort();
    namespaces.dedup();
    namespaces
}

fn missing(subject: &str, right: &Right) -> Finding {
    let what = format!("no right to {right}: {}", right.without);
    let (kind, place) = match &right.namespace {
        Some(namespace) => ("Role", format!("the Role of namespace {namespace}")),
        None => ("ClusterRole", "the ClusterRole".to_owned()),
    };
    let fix = format!(
        "add to {place}: {{apiGroups: [{:?}], resources: [{:?}], verbs: [{:?}]}}, and bind the {kind} to the engine's user",
        right.group, right.resource, right.verb
    );
    match right.need {
        Need::Vital | Need::AskedFor => Finding::wrong(subject, what, fix),
        Need::Helpful => Finding::warning(subject, what, fix),
    }
}

/// Whether the kind is there that `job_statuses` writes. That it may be listed is among the rights.
async fn job_statuses(subject: &str, cluster: &Cluster, setup: &ClusterSetup) -> Option<Finding> {
    if !cluster.job_statuses {
        return None;
    }
    let writer = Writer::new(setup.client.clone(), setup.settings.timing.timeout);
    let namespace = setup.settings.namespaces.first();
    match steadfast_job_statuses::is_installed(&writer, namespace).await {
        Ok(true) => Some(Finding::ok(subject, "JobStatus is installed")),
        Ok(false) => Some(Finding::wrong(
            subject,
            "JobStatus is not installed, so none is written, and job_statuses asks for them",
            "kubectl apply -f examples/deploy/crd/jobstatuses.yaml",
        )),
        Err(refused) if refused.status == Some(403) => None,
        Err(refused) => Some(Finding::warning(
            subject,
            format!("whether JobStatus is installed could not be asked: {refused}"),
            "ask again; the engine looks for it once a minute",
        )),
    }
}

/// Every list that the engine begins with, and what went wrong with those that were not answered.
async fn lists(
    subject: &str,
    setup: &ClusterSetup,
    examiner: &Examiner,
    operator: OperatorResources,
) -> (Vec<Object>, Vec<Finding>) {
    let lists = stream::iter(scopes(&setup.settings, operator))
        .map(|scope| async move { (examiner.list(&scope).await, scope) })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>();
    let (mut objects, mut read, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for (list, scope) in lists.await {
        match list {
            Ok(list) => {
                read.push(format!("{} {}", list.len(), named(&scope)));
                objects.extend(list);
            }
            Err(fault) if is_not_served(&scope, &fault) => read.push(format!("no {}", named(&scope))),
            Err(fault) => findings.push(Finding::wrong(
                subject,
                format!("{} cannot be listed: {fault}", named(&scope)),
                fix(&fault),
            )),
        }
    }
    if !read.is_empty() {
        findings.insert(0, Finding::ok(subject, format!("it lists {}", read.join(", "))));
    }
    (objects, findings)
}

/// A cluster without the operator.
pub(super) fn is_not_served(scope: &Scope, fault: &Fault) -> bool {
    scope.kind.origin() == KindOrigin::FlinkOperator && fault.kind == FaultKind::NotFound
}

fn named(scope: &Scope) -> String {
    let kind = match scope.kind.origin() {
        // Those of JobManagers, by their labels.
        KindOrigin::Kubernetes if scope.kind.as_str() == "Pod" => "JobManager pods",
        KindOrigin::Kubernetes | KindOrigin::FlinkOperator => scope.kind.plural(),
    };
    match &scope.namespace {
        Some(namespace) => format!("{kind} in {namespace}"),
        None => kind.to_owned(),
    }
}

/// The places that tell of ended jobs: each is asked for a job that there never was.
async fn ended_jobs(subject: &str, config: &Config, setup: &ClusterSetup) -> Option<Finding> {
    let sources = &setup.job_results;
    let places = sources.archives.len()
        + usize::from(sources.history_server.is_some())
        + usize::from(sources.result_store.is_some());
    if places == 0 {
        return None;
    }
    let found = flinks::find_nothing(config, setup).await;
    Some(match found {
        Ok(()) => Finding::ok(subject, format!("{places} places that tell of ended jobs can be read")),
        Err(fault) => Finding::wrong(
            subject,
            format!("a place that tells of ended jobs cannot be read: {fault}"),
            "correct archive, history_server or job_result_store, or mount what they name",
        ),
    })
}
