//! A service account of the default namespace: what it may do, and by which token it is known.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::kit::Kit;
use crate::timeline::Timeline;

/// The rights that README.md asks for, where only Flink's native integration is used.
pub const RIGHTS: [(&str, &str, &[&str]); 7] = [
    ("apps", "deployments", &["get", "list", "watch"]),
    ("", "pods", &["get", "list", "watch"]),
    ("", "pods/log", &["get"]),
    ("", "configmaps", &["list"]),
    ("", "events", &["create", "list"]),
    ("steadfast.dev", "jobstatuses", &["create", "delete", "list", "patch"]),
    ("steadfast.dev", "jobstatuses/status", &["patch"]),
];

/// A service account with a role of its own.
#[derive(Debug)]
pub struct Account {
    name: &'static str,
    kit: Kit,
    timeline: Timeline,
    /// How many tokens it was given.
    tokens: u32,
}

/// A token that is good for as long as its Secret exists.
#[derive(Debug)]
pub struct Token {
    secret: String,
    text: String,
}

impl Account {
    /// Creates an account that may do what an engine needs.
    pub async fn create(name: &'static str, kit: &Kit, timeline: &Timeline) -> Result<Self> {
        let account = Self {
            name,
            kit: kit.clone(),
            timeline: timeline.clone(),
            tokens: 0,
        };
        let metadata = json!({"name": name, "namespace": "default"});
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
        });
        let itself = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
        account
            .apply(&json!({"apiVersion": "v1", "kind": "List", "items": [itself, account.role(|_, _| true), binding]}))
            .await?;
        timeline.tell("world", format!("service account {name} created"));
        Ok(account)
    }

    /// Takes every right to this resource away.
    pub async fn deny(&self, resource: &str) -> Result<()> {
        self.apply(&self.role(|of, _| of != resource)).await?;
        self.timeline.tell(
            "world",
            format!("{} may do nothing with {resource} any more", self.name),
        );
        Ok(())
    }

    /// Takes one verb of this resource away.
    pub async fn deny_verb(&self, resource: &str, verb: &str) -> Result<()> {
        self.apply(&self.role(|of, what| (of, what) != (resource, verb)))
            .await?;
        self.timeline
            .tell("world", format!("{} may not {verb} {resource} any more", self.name));
        Ok(())
    }

    /// Gives every right back.
    pub async fn allow(&self) -> Result<()> {
        self.apply(&self.role(|_, _| true)).await?;
        self.timeline
            .tell("world", format!("{} has its rights back", self.name));
        Ok(())
    }

    /// A new token.
    pub async fn token(&mut self) -> Result<Token> {
        self.tokens += 1;
        let secret = format!("{}-{}", self.name, self.tokens);
        self.kubectl(&["delete", "secret", &secret, "--ignore-not-found"])
            .await?;
        self.kubectl(&["create", "secret", "generic", &secret]).await?;
        let bound = ["--bound-object-kind=Secret", "--bound-object-name", &secret];
        let text = self
            .kubectl(&[&["create", "token", self.name, "--duration=1h"], &bound[..]].concat())
            .await?;
        Ok(Token { secret, text })
    }

    /// Revokes a token. The API server remembers for ten seconds more that it was good; open watches stay open.
    pub async fn revoke(&self, token: &Token) -> Result<()> {
        self.kubectl(&["delete", "secret", &token.secret]).await?;
        self.timeline
            .tell("world", format!("the token of {} is revoked", self.name));
        Ok(())
    }

    /// Writes a kubeconfig that holds the token.
    pub async fn write_kubeconfig(&self, path: &Path, token: &Token) -> Result<()> {
        self.write(path, json!({"token": token.text})).await
    }

    /// Writes a kubeconfig that names a file, and the file with the token.
    pub async fn write_kubeconfig_of_file(&self, path: &Path, file: &Path, token: &Token) -> Result<()> {
        token.write(file)?;
        self.write(path, json!({"tokenFile": file})).await
    }

    async fn write(&self, path: &Path, user: Value) -> Result<()> {
        let admin: PathBuf = self.kit.administrator().await?;
        let mut config: Value = serde_json::from_str(&std::fs::read_to_string(admin)?)?;
        *config
            .pointer_mut("/users/0/user")
            .context("no user in the kubeconfig")? = user;
        replace(path, &config.to_string())
    }

    /// Its role, with the resources and verbs that are granted.
    fn role(&self, is_granted: impl Fn(&str, &str) -> bool) -> Value {
        let granted = RIGHTS.iter().filter_map(|(group, resource, verbs)| {
            let verbs: Vec<&str> = verbs
                .iter()
                .copied()
                .filter(|verb| is_granted(resource, verb))
                .collect();
            (!verbs.is_empty()).then(|| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs}))
        });
        let rules: Vec<Value> = granted.collect();
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": self.name, "namespace": "default"}, "rules": rules,
        })
    }

    async fn apply(&self, objects: &Value) -> Result<()> {
        let argv = ["kubectl", "--", "apply", "-f", "-"];
        self.kit.ask_with(&argv, &objects.to_string()).await.map(drop)
    }

    async fn kubectl(&self, argv: &[&str]) -> Result<String> {
        self.kit.ask(&[&["kubectl", "--"], argv].concat()).await
    }
}

impl Token {
    /// Writes it to a file, as the kubelet does for a pod.
    pub fn write(&self, file: &Path) -> Result<()> {
        replace(file, &self.text)
    }
}

/// Nobody reads half a file.
fn replace(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path).with_context(|| format!("cannot write {}", path.display()))
}
