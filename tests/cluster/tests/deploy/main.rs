//! What examples/deploy gives, before a real API server: each object is admitted as it stands, the pod even where the strictest of the
//! Pod Security Standards is enforced, and the ServiceAccount may do what the engine asks for and nothing else.
//!
//! Only `image` needs an image: elsewhere a pod that was admitted proves enough, whether it starts or not.

mod image;
mod server;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use cluster_tests::kit::Harm;
use tokio::process::Command;

use server::{Server, has_token_of_its_own, output};

/// What is asked in every namespace that is watched.
const ALWAYS: [&str; 2] = ["deployments.apps get list watch", "pods get list watch"];
/// What only single look-ups need.
const LOOKUPS: [&str; 3] = ["configmaps list", "events list", "pods/log get"];
/// What `discover = ["flinkdeployment"]` asks.
const OPERATOR: [&str; 3] = [
    "flinkdeployments.flink.apache.org get list watch",
    "flinksessionjobs.flink.apache.org get list watch",
    "flinkstatesnapshots.flink.apache.org list watch",
];
/// What `flink_rest = "proxy"` asks.
const PROXY: [&str; 1] = ["services/proxy get"];

/// What `job_statuses = true` asks.
const STATUSES: [&str; 2] = [
    "jobstatuses.steadfast.dev create delete list patch",
    "jobstatuses/status.steadfast.dev patch",
];

/// What nobody who only looks may do: group, resource, verb.
const NEVER: [(&str, &str, &str); 14] = [
    ("", "secrets", "get"),
    ("", "secrets", "list"),
    ("", "nodes", "list"),
    ("", "configmaps", "get"),
    ("", "configmaps", "update"),
    ("", "pods", "create"),
    ("", "pods", "delete"),
    ("", "pods/exec", "create"),
    ("", "services/proxy", "create"),
    ("", "serviceaccounts/token", "create"),
    ("apps", "deployments", "patch"),
    ("apps", "deployments", "delete"),
    ("flink.apache.org", "flinkdeployments", "patch"),
    ("rbac.authorization.k8s.io", "roles", "create"),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn the_manifests_are_admitted_and_grant_what_is_asked_for() -> Result<()> {
    let server = Server::new("deploy, manifests");
    let manifests = deploy().join("manifests");
    let folder = manifests.to_str().context("a path that is no text")?;
    // The others are in the namespace, whose own file goes first.
    let namespace = manifests.join("00-namespace.yaml");
    let namespace = namespace.to_str().context("a path that is no text")?;
    let undo = server
        .harm(
            &["apply", "-f", namespace],
            &["delete", "--ignore-not-found", "-f", folder],
        )
        .await?;
    let dry = [
        "apply",
        "--dry-run=server",
        "--validate=strict",
        "-o",
        "name",
        "-f",
        folder,
    ];
    let admitted: BTreeSet<String> = server.ask(&dry).await?.lines().map(str::to_owned).collect();
    let kinds: Vec<&str> = admitted.iter().filter_map(|name| name.split('/').next()).collect();
    ensure!(
        kinds
            == [
                "clusterrole.rbac.authorization.k8s.io",
                "clusterrolebinding.rbac.authorization.k8s.io",
                "configmap",
                "deployment.apps",
                "namespace",
                "persistentvolumeclaim",
                "service",
                "serviceaccount"
            ],
        "{kinds:?}"
    );

    server.ask(&["apply", "-f", folder]).await?;
    let pod = server.first_pod().await?;
    ensure!(
        has_token_of_its_own(&pod),
        "the pod is to show its ServiceAccount's token: {pod}"
    );
    let everywhere = [&ALWAYS[..], &LOOKUPS, &OPERATOR].concat();
    for namespace in ["default", "kube-system", "steadfast"] {
        server.is_granted_just(namespace, &everywhere).await?;
    }
    server.is_refused("default", &NEVER).await?;
    server.is_refused("default", &[("", "services/proxy", "get")]).await?;
    undo.heal().await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn rights_follow_the_configuration() -> Result<()> {
    let server = Server::new("deploy, rights");
    let namespaces = ["steadfast", "flink-a", "flink-b"];
    let undo = server.namespaces(&namespaces).await?;

    server.apply(&rendered("namespaced").await?).await?;
    server
        .is_granted_just("flink-a", &[&ALWAYS[..], &STATUSES].concat())
        .await?;
    server
        .is_granted_just("flink-b", &[&ALWAYS[..], &PROXY, &STATUSES].concat())
        .await?;
    for namespace in ["steadfast", "default"] {
        server.is_granted_just(namespace, &[]).await?;
    }
    server.is_refused("flink-b", &NEVER).await?;
    undo.heal().await?;

    let undo = server.namespaces(&["steadfast"]).await?;
    server.apply(&rendered("elsewhere").await?).await?;
    let pod = server.first_pod().await?;
    ensure!(!has_token_of_its_own(&pod), "no cluster of its own is watched: {pod}");
    server.is_granted_just("default", &[]).await?;
    undo.heal().await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn everything_that_can_be_switched_on_is_admitted() -> Result<()> {
    let server = Server::new("deploy, everything");
    let operator = prometheus_operator(&server).await?;
    let undo = server.namespaces(&["steadfast", "flink-a"]).await?;
    let all = rendered("everything").await?;
    let dry = [
        "apply",
        "--dry-run=server",
        "--validate=strict",
        "-o",
        "name",
        "-f",
        "-",
    ];
    let doors = server.ask_with(&dry, &rendered("doors").await?).await?;
    for object in ["secret/steadfast", "servicemonitor.monitoring.coreos.com/steadfast"] {
        ensure!(doors.lines().any(|name| name == object), "no {object} in {doors}");
    }
    let admitted = server.ask_with(&dry, &all).await?;
    for object in [
        "networkpolicy.networking.k8s.io/flink-record",
        "poddisruptionbudget.policy/flink-record",
        "role.rbac.authorization.k8s.io/flink-record",
        "customresourcedefinition.apiextensions.k8s.io/jobstatuses.steadfast.dev",
        "clusterrole.rbac.authorization.k8s.io/steadfast-flink-record",
        "deployment.apps/flink-record",
        "servicemonitor.monitoring.coreos.com/flink-record",
        "prometheusrule.monitoring.coreos.com/flink-record",
    ] {
        ensure!(admitted.lines().any(|name| name == object), "no {object} in {admitted}");
    }
    // A Deployment is taken with any pod: its pod itself has to be.
    let deployment = all
        .split("\n---\n")
        .find(|object| object.contains("\nkind: Deployment\n"))
        .context("no Deployment")?;
    server.ask_with(&["apply", "-f", "-"], deployment).await?;
    server
        .ask(&["-n", "steadfast", "create", "serviceaccount", "flink-watcher"])
        .await?;
    server.first_pod().await?;
    operator.heal().await?;
    undo.heal().await
}

/// The kinds of the Prometheus Operator that the chart makes, as its module has them; without the operator.
async fn prometheus_operator(server: &Server) -> Result<Harm> {
    let folder = output(Command::new(deploy().join("tools")).arg("operator-crds")).await?;
    let file = |kind| format!("{}/monitoring.coreos.com_{kind}.yaml", folder.trim());
    let files = [file("servicemonitors"), file("prometheusrules")];
    let files = ["-f", &files[0], "-f", &files[1]];
    let apply = [&["apply", "--server-side"], &files[..]].concat();
    let undo = [&["delete", "--ignore-not-found"], &files[..]].concat();
    let harm = server.harm(&apply, &undo).await?;
    let wait = ["wait", "--for=condition=Established", "--timeout=30s"];
    server.ask(&[&wait[..], &files].concat()).await?;
    Ok(harm)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn token_and_record_outlive_upgrades_and_the_release() -> Result<()> {
    let server = Server::new("deploy, release");
    let undo = server.namespaces(&["steadfast"]).await?;
    let token = [
        "-n",
        "steadfast",
        "get",
        "secret",
        "steadfast-token",
        "-o",
        "jsonpath={.data.token}",
    ];
    let chart = deploy().join("helm/steadfast");
    let chart = chart.to_str().context("a path that is no text")?;

    let notes = server.helm(&["install", "steadfast", chart]).await?;
    for next in [
        "kubectl -n steadfast rollout status deployment/steadfast",
        "kubectl -n steadfast get secret steadfast-token",
    ] {
        ensure!(notes.contains(next), "no `{next}` in {notes}");
    }
    server.first_pod().await?;
    let first = server.ask(&token).await?;
    ensure!(first.len() >= 44, "a token of {} characters in base64", first.len());
    server
        .helm(&["upgrade", "steadfast", chart, "--set", "log.filter=debug"])
        .await?;
    let second = server.ask(&token).await?;
    ensure!(first == second, "the upgrade gave another token");
    server.helm(&["uninstall", "steadfast"]).await?;
    ensure!(server.ask(&token).await? == first, "the token went with the release");
    let kept = [
        "-n",
        "steadfast",
        "get",
        "-o",
        "name",
        "persistentvolumeclaim/steadfast",
    ];
    server.ask(&kept).await.context("the record went with the release")?;
    server.is_granted_just("default", &[]).await?;
    undo.heal().await
}

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/deploy")
}

/// What the chart gives with a file of its folder `ci`.
async fn rendered(values: &str) -> Result<String> {
    let file = deploy().join(format!("helm/steadfast/ci/{values}.yaml"));
    output(Command::new(deploy().join("render")).args(["--print", "-f"]).arg(file)).await
}
