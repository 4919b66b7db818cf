//! The file as it is written: every key, its type and its default.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::values::{Kept, OneOrMany, Percent, Size, Span};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) store: Store,
    pub(super) server: Server,
    pub(super) timing: Timing,
    pub(super) recording: Recording,
    pub(super) retention: Retention,
    pub(super) metrics: Metrics,
    pub(super) kubernetes: Vec<Kubernetes>,
    pub(super) job: Vec<Job>,
    pub(super) policy: Vec<Policy>,
    pub(super) registry: Vec<Registry>,
    pub(super) sink: Vec<Sink>,
    pub(super) link: Vec<Link>,
    pub(super) telemetry: Option<Spanned<Telemetry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Store {
    pub(super) url: Spanned<String>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: Spanned::new(0..0, "sqlite://steadfast.db".into()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: Spanned<String>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) tokens_file: Option<Spanned<String>>,
    pub(super) insecure: bool,
    pub(super) tls: Option<Spanned<Tls>>,
    pub(super) kubernetes_auth: Option<Spanned<KubernetesAuth>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    pub(super) cert_file: Option<Spanned<String>>,
    pub(super) key_file: Option<Spanned<String>>,
    pub(super) client_ca_file: Option<Spanned<String>>,
    pub(super) client_scopes: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KubernetesAuth {
    pub(super) cluster: Option<Spanned<String>>,
    pub(super) audiences: Option<Spanned<Vec<String>>>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Spanned::new(0..0, "127.0.0.1:8080".into()),
            token_file: None,
            tokens_file: None,
            insecure: false,
            tls: None,
            kubernetes_auth: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Timing {
    pub(super) poll: Option<Spanned<Span>>,
    pub(super) timeout: Option<Spanned<Span>>,
    pub(super) validate: Option<Spanned<Span>>,
    pub(super) retry_initial: Option<Spanned<Span>>,
    pub(super) retry_max: Option<Spanned<Span>>,
    pub(super) startup_grace: Option<Spanned<Span>>,
    pub(super) terminal_poll: Option<Spanned<Span>>,
    pub(super) intent_timeout: Option<Spanned<Span>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Recording {
    pub(super) every: Option<Spanned<Span>>,
    pub(super) max_age: Option<Spanned<Span>>,
    pub(super) max_size: Option<Size>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Retention {
    pub(super) journal: Option<Spanned<Kept>>,
    pub(super) ended_jobs: Option<Spanned<Kept>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    pub(super) per_job: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Telemetry {
    pub(super) endpoint: Option<Spanned<String>>,
    pub(super) headers: Option<Spanned<BTreeMap<String, String>>>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) proxy: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<Span>>,
    pub(super) sample: Option<Spanned<f64>>,
    pub(super) service_name: Option<Spanned<String>>,
    pub(super) resource: Option<Spanned<BTreeMap<String, String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kubernetes {
    pub(super) name: Spanned<String>,
    pub(super) kubeconfig: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) namespaces: Vec<Spanned<String>>,
    pub(super) discover: Option<Vec<Spanned<String>>>,
    pub(super) flink_rest: Option<Spanned<String>>,
    pub(super) flink_auth: Option<Spanned<FlinkAuth>>,
    pub(super) flink_ca_file: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) archive: Vec<Spanned<String>>,
    pub(super) history_server: Option<Spanned<String>>,
    pub(super) job_result_store: Option<Spanned<String>>,
    pub(super) last_words: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) job_statuses: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FlinkAuth {
    pub(super) user: Option<String>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) token_file: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    pub(super) name: Spanned<String>,
    pub(super) kubernetes: Option<Spanned<String>>,
    pub(super) namespace: Option<Spanned<String>>,
    pub(super) deployment: Option<Spanned<String>>,
    pub(super) mode: Option<Spanned<String>>,
    pub(super) flink_rest: Option<Spanned<String>>,
    pub(super) flink_auth: Option<Spanned<FlinkAuth>>,
    pub(super) flink_ca_file: Option<Spanned<String>>,
    pub(super) flink_job_id: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) name: Spanned<String>,
    #[serde(default = "usual_module")]
    pub(super) module: Spanned<String>,
    pub(super) sha256: Option<Spanned<String>>,
    pub(super) signature: Option<Spanned<String>>,
    pub(super) public_key: Option<Spanned<OneOrMany>>,
    #[serde(default)]
    pub(super) select: Select,
    pub(super) rollout: Option<Spanned<Percent>>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, toml::Value>,
    pub(super) deadline: Option<Spanned<Span>>,
    pub(super) memory: Option<Spanned<Size>>,
    #[serde(default)]
    pub(super) shadow: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Select {
    pub(super) namespace: Vec<String>,
    pub(super) name: Vec<String>,
}

impl Default for Select {
    fn default() -> Self {
        Self {
            namespace: vec!["*".into()],
            name: vec!["*".into()],
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registry {
    pub(super) host: Spanned<String>,
    pub(super) username: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) insecure: bool,
}

/// The keys of all kinds together; which belong to which `check/sinks.rs` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sink {
    pub(super) name: Option<Spanned<String>>,
    pub(super) kind: Spanned<String>,
    /// Empty where there is none.
    #[serde(default = "no_url")]
    pub(super) url: Spanned<String>,
    pub(super) url_file: Option<Spanned<String>>,
    pub(super) kubernetes: Option<Spanned<String>>,
    pub(super) max_age: Option<Spanned<Span>>,
    pub(super) select: Option<Spanned<SinkSelect>>,
    pub(super) headers: Option<Spanned<BTreeMap<String, String>>>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) secret_file: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) proxy: Option<Spanned<String>>,
    pub(super) template: Option<Spanned<String>>,
    pub(super) batch_wait: Option<Spanned<Span>>,
    pub(super) resend: Option<Spanned<Span>>,
    pub(super) labels: Option<Spanned<BTreeMap<String, String>>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<OneOrMany>>,
    pub(super) username: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) insecure: Option<Spanned<bool>>,
}

fn usual_module() -> Spanned<String> {
    Spanned::new(0..0, "builtin:conservative".into())
}

fn no_url() -> Spanned<String> {
    Spanned::new(0..0, String::new())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) name: Spanned<String>,
    pub(super) url: Spanned<String>,
    #[serde(default)]
    pub(super) clusters: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SinkSelect {
    pub(super) cluster: Option<Vec<String>>,
    pub(super) namespace: Option<Vec<String>>,
    pub(super) name: Option<Vec<String>>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) states: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) alerts_only: Option<bool>,
}
