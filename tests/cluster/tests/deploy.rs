//! What examples/deploy gives, before a real API server: each object is admitted as it stands, the pod even where the strictest of the
//! Pod Security Standards is enforced, and the ServiceAccount may do what the engine asks for and nothing else.
//!
//! No image is needed: a pod that was admitted proves enough, whether it starts or not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::kit::{Harm, Kit};
use cluster_tests::timeline::Timeline;
use serde_json::{Value, json};
use tokio::process::Command;

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

const ACCOUNT: &str = "system:serviceaccount:steadfast:steadfast";

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
    server.is_granted_just("flink-a", &ALWAYS).await?;
    server
        .is_granted_just("flink-b", &[&ALWAYS[..], &PROXY].concat())
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
    let undo = server.namespaces(&["steadfast", "flink-a"]).await?;
    let all = rendered("everything").await?;
    // Whose definitions the cluster does not have.
    let served: Vec<&str> = all
        .split("\n---\n")
        .filter(|object| !object.contains("apiVersion: monitoring.coreos.com/"))
        .collect();
    ensure!(
        all.split("\n---\n").count() == served.len() + 2,
        "a ServiceMonitor and a PrometheusRule"
    );
    let dry = [
        "apply",
        "--dry-run=server",
        "--validate=strict",
        "-o",
        "name",
        "-f",
        "-",
    ];
    let admitted = server.ask_with(&dry, &served.join("\n---\n")).await?;
    for object in [
        "networkpolicy.networking.k8s.io/flink-record",
        "poddisruptionbudget.policy/flink-record",
        "role.rbac.authorization.k8s.io/flink-record",
        "clusterrole.rbac.authorization.k8s.io/steadfast-flink-record",
        "deployment.apps/flink-record",
    ] {
        ensure!(admitted.lines().any(|name| name == object), "no {object} in {admitted}");
    }
    // A Deployment is taken with any pod: its pod itself has to be.
    let deployment = served
        .iter()
        .find(|object| object.contains("\nkind: Deployment\n"))
        .context("no Deployment")?;
    server.ask_with(&["apply", "-f", "-"], deployment).await?;
    server
        .ask(&["-n", "steadfast", "create", "serviceaccount", "flink-watcher"])
        .await?;
    server.first_pod().await?;
    undo.heal().await
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

/// The API server, asked as its administrator.
struct Server {
    kit: Kit,
    timeline: Timeline,
}

impl Server {
    fn new(story: &str) -> Self {
        let timeline = Timeline::begin(story);
        Self {
            kit: Kit::new(&timeline),
            timeline,
        }
    }

    async fn ask(&self, argv: &[&str]) -> Result<String> {
        self.ask_with(argv, "").await
    }

    async fn ask_with(&self, argv: &[&str], input: &str) -> Result<String> {
        self.kit.ask_with(&kubectl(argv), input).await
    }

    async fn apply(&self, objects: &str) -> Result<()> {
        let applied = self.ask_with(&["apply", "-f", "-"], objects).await?;
        self.timeline.tell("world", applied.replace('\n', ", "));
        Ok(())
    }

    /// helm, in the namespace `steadfast`.
    async fn helm(&self, argv: &[&str]) -> Result<String> {
        let path = output(Command::new(deploy().join("tools")).arg("helm")).await?;
        let mut helm = Command::new(path.trim());
        let kubeconfig = self.kit.administrator().await?;
        helm.args(argv)
            .args(["--namespace", "steadfast", "--kubeconfig"])
            .arg(kubeconfig);
        let said = output(&mut helm).await?;
        self.timeline.tell("world", format!("helm {}", argv.join(" ")));
        Ok(said)
    }

    async fn harm(&self, argv: &[&str], undo: &[&str]) -> Result<Harm> {
        self.kit.harm(&kubectl(argv), &kubectl(undo)).await
    }

    /// Namespaces in which the strictest of the Pod Security Standards is enforced, until they are healed.
    async fn namespaces(&self, names: &[&str]) -> Result<Harm> {
        let undo = [&["delete", "namespace", "--ignore-not-found"], names].concat();
        // Undone even where they are made only in part.
        let harm = self.harm(&["version"], &undo).await?;
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let all: Vec<Value> = names
            .iter()
            .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}))
            .collect();
        self.apply(&json!({"apiVersion": "v1", "kind": "List", "items": all}).to_string())
            .await?;
        Ok(harm)
    }

    /// The pod of the Deployment in the namespace `steadfast`, once there is one.
    async fn first_pod(&self) -> Result<Value> {
        let pods = ["-n", "steadfast", "pod", "-l", "app.kubernetes.io/instance=steadfast"];
        let wait = [&["wait", "--for=create", "--timeout=60s"], &pods[..]].concat();
        self.ask(&wait).await.context("no pod was admitted")?;
        let listed = self.ask(&[&["get", "-o", "json"], &pods[..]].concat()).await?;
        let listed: Value = serde_json::from_str(&listed)?;
        listed.pointer("/items/0").cloned().context("the pod is gone")
    }

    /// As the ServiceAccount, creates a review, which answers at once.
    async fn review(&self, reviews: &[Value]) -> Result<Vec<Value>> {
        let create = ["create", "--as", ACCOUNT, "-o", "json", "-f", "-"];
        let list = json!({"apiVersion": "v1", "kind": "List", "items": reviews});
        let answers = self.ask_with(&create, &list.to_string()).await?;
        let answers: Vec<Value> = serde_json::Deserializer::from_str(&answers)
            .into_iter()
            .collect::<Result<_, _>>()?;
        ensure!(answers.len() == reviews.len(), "{answers:?}");
        Ok(answers)
    }

    /// Everything that the account may do in the namespace, beside what everybody may: `resource.group verbs`.
    async fn granted(&self, namespace: &str) -> Result<BTreeSet<String>> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace},
        });
        let answers = self.review(&[review]).await?;
        let status = answers
            .first()
            .and_then(|answer| answer.get("status"))
            .context("no status")?;
        ensure!(status["incomplete"] == false, "{status}");
        let mut verbs: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for rule in status["resourceRules"].as_array().context("no rules")? {
            ensure!(rule.get("resourceNames").is_none(), "{rule}");
            for (group, resource) in pairs(texts(&rule["apiGroups"]), &texts(&rule["resources"])) {
                // What everybody may ask about himself.
                if !group.starts_with("auth") {
                    let dot = if group.is_empty() { "" } else { "." };
                    let of = verbs.entry(format!("{resource}{dot}{group}")).or_default();
                    of.extend(texts(&rule["verbs"]));
                }
            }
        }
        let line = |(resource, verbs): (String, BTreeSet<&str>)| {
            format!("{resource} {}", verbs.into_iter().collect::<Vec<_>>().join(" "))
        };
        Ok(verbs.into_iter().map(line).collect())
    }

    /// That the account may do this in a namespace, by the server's own word for each verb, and nothing else.
    async fn is_granted_just(&self, namespace: &str, rights: &[&str]) -> Result<()> {
        let granted = self.granted(namespace).await?;
        let wanted: BTreeSet<String> = rights.iter().map(|&right| right.to_owned()).collect();
        ensure!(
            granted == wanted,
            "in {namespace} it may {granted:?}, and not {wanted:?}"
        );
        let mut each = Vec::new();
        for right in rights {
            let (resource, verbs) = right.split_once(' ').context("no verb")?;
            let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
            each.extend(verbs.split(' ').map(|verb| (group, resource, verb)));
        }
        for (right, is_allowed) in self.allowed(namespace, &each).await? {
            ensure!(is_allowed, "in {namespace} it may not {right}");
        }
        self.timeline.tell(
            "rights",
            format!(
                "in {namespace}: {}",
                if rights.is_empty() {
                    "none".into()
                } else {
                    rights.join(", ")
                }
            ),
        );
        Ok(())
    }

    async fn is_refused(&self, namespace: &str, what: &[(&str, &str, &str)]) -> Result<()> {
        for (right, is_allowed) in self.allowed(namespace, what).await? {
            ensure!(!is_allowed, "in {namespace} it may {right}");
        }
        Ok(())
    }

    /// For each group, resource and verb whether the account may.
    async fn allowed(&self, namespace: &str, what: &[(&str, &str, &str)]) -> Result<Vec<(String, bool)>> {
        let review = |(group, resource, verb): &(&str, &str, &str)| {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            let attributes = json!({
                "namespace": namespace, "group": group, "resource": resource, "subresource": subresource, "verb": verb,
            });
            json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            })
        };
        if what.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.review(&what.iter().map(review).collect::<Vec<_>>()).await?;
        let said = |(right, answer): (&(&str, &str, &str), &Value)| {
            let is_allowed = answer.pointer("/status/allowed").and_then(Value::as_bool);
            Ok((
                format!("{} {} of {:?}", right.2, right.1, right.0),
                is_allowed.context("no answer")?,
            ))
        };
        what.iter().zip(&answers).map(said).collect()
    }
}

/// The kit's command for one of kubectl's.
fn kubectl<'a>(argv: &[&'a str]) -> Vec<&'a str> {
    [&["kubectl", "--"], argv].concat()
}

/// Whether the admission gave a pod its ServiceAccount's token.
fn has_token_of_its_own(pod: &Value) -> bool {
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    volumes.into_iter().flatten().any(|volume| {
        volume["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("kube-api-access-"))
    })
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn pairs<'a>(left: Vec<&'a str>, right: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    left.into_iter()
        .flat_map(|one| right.iter().map(move |&other| (one, other)))
        .collect()
}

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/deploy")
}

/// What the chart gives with a file of its folder `ci`.
async fn rendered(values: &str) -> Result<String> {
    let file = deploy().join(format!("helm/steadfast/ci/{values}.yaml"));
    output(Command::new(deploy().join("render")).args(["--print", "-f"]).arg(file)).await
}

/// What a command prints; fails with its errors, and after a minute.
async fn output(command: &mut Command) -> Result<String> {
    let out = tokio::time::timeout(Duration::from_secs(60), command.kill_on_drop(true).output()).await??;
    ensure!(
        out.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8(out.stdout)?)
}
