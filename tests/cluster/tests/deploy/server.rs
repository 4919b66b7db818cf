//! The API server, and what it says of the ServiceAccount.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::kit::{Harm, Kit};
use cluster_tests::timeline::Timeline;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::deploy;

/// Whom the chart and the manifests name.
const ACCOUNT: &str = "system:serviceaccount:steadfast:steadfast";

/// The API server, asked as its administrator.
pub(crate) struct Server {
    kit: Kit,
    timeline: Timeline,
}

impl Server {
    pub(crate) fn new(story: &str) -> Self {
        let timeline = Timeline::begin(story);
        Self {
            kit: Kit::new(&timeline),
            timeline,
        }
    }

    pub(crate) fn kit(&self) -> &Kit {
        &self.kit
    }

    pub(crate) fn tell(&self, what: &str) {
        self.timeline.tell("world", what);
    }

    pub(crate) async fn ask(&self, argv: &[&str]) -> Result<String> {
        self.ask_with(argv, "").await
    }

    pub(crate) async fn ask_with(&self, argv: &[&str], input: &str) -> Result<String> {
        self.kit.ask_with(&kubectl(argv), input).await
    }

    pub(crate) async fn apply(&self, objects: &str) -> Result<()> {
        let applied = self.ask_with(&["apply", "-f", "-"], objects).await?;
        self.timeline.tell("world", applied.replace('\n', ", "));
        Ok(())
    }

    /// helm, in the namespace `steadfast`.
    pub(crate) async fn helm(&self, argv: &[&str]) -> Result<String> {
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

    pub(crate) async fn harm(&self, argv: &[&str], undo: &[&str]) -> Result<Harm> {
        self.kit.harm(&kubectl(argv), &kubectl(undo)).await
    }

    /// Namespaces in which the strictest of the Pod Security Standards is enforced, until they are healed.
    pub(crate) async fn namespaces(&self, names: &[&str]) -> Result<Harm> {
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
    pub(crate) async fn first_pod(&self) -> Result<Value> {
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
    pub(crate) async fn is_granted_just(&self, namespace: &str, rights: &[&str]) -> Result<()> {
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

    pub(crate) async fn is_refused(&self, namespace: &str, what: &[(&str, &str, &str)]) -> Result<()> {
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
pub(crate) fn has_token_of_its_own(pod: &Value) -> bool {
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

/// What a command prints; fails with its errors, and after a minute.
pub(crate) async fn output(command: &mut Command) -> Result<String> {
    output_within(command, Duration::from_secs(60)).await
}

/// The same, and fails after this time.
pub(crate) async fn output_within(command: &mut Command, limit: Duration) -> Result<String> {
    let out = tokio::time::timeout(limit, command.kill_on_drop(true).output())
        .await
        .with_context(|| {
            format!("{command:?} did not end; `examples/deploy/tools helm` builds helm, which takes minutes")
        })??;
    ensure!(
        out.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8(out.stdout)?)
}
