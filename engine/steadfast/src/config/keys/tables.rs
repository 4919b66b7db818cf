//! The keys of each table.

use super::Holds::{
    Duration, Kept, Pairs, Percent, Share, Size, Table, Text, TextOrTexts, Texts, Truth, Values, Word, Words,
};
use super::{Holds, Key, Secret};

pub(super) const fn key(name: &'static str, holds: Holds, default: Option<&'static str>, says: &'static str) -> Key {
    Key {
        name,
        holds,
        default,
        secret: Secret::No,
        says,
    }
}

/// A URL.
pub(super) const fn url(name: &'static str, says: &'static str) -> Key {
    Key {
        secret: Secret::Url,
        ..key(name, Text, None, says)
    }
}

pub(super) const fn secret(key: Key) -> Key {
    Key {
        secret: Secret::Yes,
        ..key
    }
}

pub(super) const TLS: &[Key] = &[
    key(
        "cert_file",
        Text,
        None,
        "The certificate, and behind it those that lead to its authority, as PEM.",
    ),
    key("key_file", Text, None, "Its private key, as PEM."),
    key(
        "client_ca_file",
        Text,
        None,
        "Client certificates of these authorities open client_scopes.",
    ),
    key(
        "client_scopes",
        Words(&["read", "intent", "admin"]),
        None,
        "What client certificates open.",
    ),
];

pub(super) const KUBERNETES_AUTH: &[Key] = &[
    key(
        "cluster",
        Text,
        None,
        "The [[kubernetes]] entry whose API server is asked.",
    ),
    key(
        "audiences",
        Texts,
        None,
        "Tokens count that were made for one of these.",
    ),
];

pub(super) const SERVER: &[Key] = &[
    key(
        "listen",
        Text,
        Some("\"127.0.0.1:8080\""),
        "Where the API and the dashboard listen: an IP address and a port.",
    ),
    key(
        "token_file",
        Text,
        None,
        "A file with a token that opens everything; beyond loopback this or another key is required.",
    ),
    key(
        "tokens_file",
        Text,
        None,
        "A file of tokens with names and scopes, by `steadfast token new`.",
    ),
    key(
        "insecure",
        Truth,
        Some("false"),
        "Anybody who reaches the port may call.",
    ),
    key("tls", Table(TLS), None, "Encrypts connections."),
    key(
        "kubernetes_auth",
        Table(KUBERNETES_AUTH),
        None,
        "Callers may show tokens of a cluster.",
    ),
];

pub(super) const TIMING: &[Key] = &[
    key("poll", Duration, Some("\"5s\""), "How often each Flink is asked."),
    key("timeout", Duration, Some("\"3s\""), "How long an answer may take."),
    key(
        "validate",
        Duration,
        Some("\"60s\""),
        "How often everything is looked at afresh.",
    ),
    key(
        "retry_initial",
        Duration,
        Some("\"800ms\""),
        "The first pause after a failure; it doubles, with jitter.",
    ),
    key(
        "retry_max",
        Duration,
        Some("\"30s\""),
        "The longest pause; retries never end.",
    ),
    key(
        "startup_grace",
        Duration,
        Some("\"0s\""),
        "How long after the start nothing is concluded from silence.",
    ),
    key(
        "terminal_poll",
        Duration,
        Some("\"60s\""),
        "How often a job that has ended is looked at.",
    ),
    key(
        "intent_timeout",
        Duration,
        None,
        "How long an intent stands; left out: 15 times validate, at least 1m.",
    ),
];

pub(super) const RECORDING: &[Key] = &[
    key(
        "every",
        Duration,
        Some("\"60s\""),
        "While nothing changes, one snapshot of each job in this time.",
    ),
    key("max_age", Duration, Some("\"7d\""), "Older ones go."),
    key(
        "max_size",
        Size,
        Some("\"256MiB\""),
        "The oldest beyond this size go; 0KiB keeps none.",
    ),
];

pub(super) const RETENTION: &[Key] = &[
    key(
        "journal",
        Kept,
        Some("\"90d\""),
        "Entries older than this go, or all but so many; off: none.",
    ),
    key(
        "ended_jobs",
        Kept,
        Some("\"off\""),
        "Jobs that ended longer ago than this and are seen to be gone go; off: none.",
    ),
];

pub(super) const TELEMETRY: &[Key] = &[
    url("endpoint", "The collector; /v1/traces is put behind it."),
    secret(key("headers", Pairs, None, "Headers of each request.")),
    key(
        "token_file",
        Text,
        None,
        "A file with a bearer token; read at each try.",
    ),
    key(
        "ca_file",
        Text,
        None,
        "Authorities that may vouch for the collector, beside the system's.",
    ),
    url("proxy", "The proxy; left out: none."),
    key("timeout", Duration, Some("\"10s\""), "How long one request may take."),
    key(
        "sample",
        Share,
        Some("0.0"),
        "The share of decisions that change nothing; those that do are all traced.",
    ),
    key(
        "service_name",
        Text,
        Some("\"steadfast\""),
        "How the engine is called in traces.",
    ),
    secret(key("resource", Pairs, None, "More attributes of all spans.")),
];

pub(super) const FLINK_AUTH: &[Key] = &[
    key("user", Text, None, "Who we are to Flinks, with password_file."),
    key("password_file", Text, None, "A file with the password."),
    key("token_file", Text, None, "A file with a bearer token, instead."),
];

pub(super) const KUBERNETES: &[Key] = &[
    key("name", Text, None, "The first part of its jobs' ids."),
    key(
        "kubeconfig",
        Text,
        None,
        "Its kubeconfig; left out: in-cluster, then KUBECONFIG, then ~/.kube/config.",
    ),
    key(
        "namespaces",
        Texts,
        Some("[]"),
        "List and watch these one by one; none: all at once.",
    ),
    key(
        "discover",
        Words(&["native", "flinkdeployment"]),
        Some("[\"native\", \"flinkdeployment\"]"),
        "What is taken up without a [[job]]; the latter watches the operator's resources.",
    ),
    Key {
        secret: Secret::Url,
        ..key(
            "flink_rest",
            Text,
            Some("\"auto\""),
            "How Flinks are reached: auto, service, proxy, pod, or a URL with {namespace} {name} {pod_ip} {rest_port}.",
        )
    },
    key("flink_auth", Table(FLINK_AUTH), None, "What Flinks are shown."),
    key(
        "flink_ca_file",
        Text,
        None,
        "Authorities that may vouch for Flinks, beside the system's.",
    ),
    key(
        "archive",
        Texts,
        Some("[]"),
        "Places of Flink's job archive: file:// or s3://.",
    ),
    url("history_server", "Flink's HistoryServer."),
    key(
        "job_result_store",
        Text,
        None,
        "The place of Flink's JobResultStore: file:// or s3://.",
    ),
    key(
        "last_words",
        Text,
        None,
        "A pattern for JobManager logs that reword Flink's last line.",
    ),
    key(
        "job_statuses",
        Truth,
        Some("false"),
        "Each job is shown in its cluster as a JobStatus.",
    ),
];

pub(super) const JOB: &[Key] = &[
    key("name", Text, None, "The last part of its id."),
    key(
        "kubernetes",
        Text,
        None,
        "Its cluster; may be left out if there is only one.",
    ),
    key("namespace", Text, Some("\"default\""), "Its namespace."),
    key("deployment", Text, None, "Its Deployment; the job's name if left out."),
    key(
        "mode",
        Word(&["application", "session", "standalone"]),
        Some("\"application\""),
        "What its Flink runs.",
    ),
    url("flink_rest", "As for a cluster; a URL is required for standalone jobs."),
    key("flink_auth", Table(FLINK_AUTH), None, "As for a cluster."),
    key("flink_ca_file", Text, None, "As for a cluster."),
    key(
        "flink_job_id",
        Text,
        None,
        "The job the record is about; else the one first seen.",
    ),
];

pub(super) const SELECT: &[Key] = &[
    key("namespace", Texts, Some("[\"*\"]"), "Patterns of namespaces."),
    key("name", Texts, Some("[\"*\"]"), "Patterns of names."),
];

pub(super) const POLICY: &[Key] = &[
    key("name", Text, None, "Its name: records say by it who decided."),
    key(
        "module",
        Text,
        Some("\"builtin:conservative\""),
        "builtin:conservative, the path of a .wasm file, or oci://HOST/REPOSITORY@sha256:HEX.",
    ),
    key(
        "sha256",
        Text,
        None,
        "Refuse the module unless its bytes have this digest.",
    ),
    key(
        "signature",
        Text,
        None,
        "A file's signature; left out: beside it, with .sig behind its name.",
    ),
    key(
        "public_key",
        TextOrTexts,
        None,
        "Refuse a module unless one of these keys signed it.",
    ),
    key(
        "select",
        Table(SELECT),
        None,
        "Which jobs it is for: the first policy that matches a job decides it.",
    ),
    key(
        "rollout",
        Percent,
        Some("\"100%\""),
        "The share of those jobs it is for.",
    ),
    key(
        "params",
        Values,
        None,
        "Its parameters; `steadfast policy inspect` lists them.",
    ),
    key(
        "deadline",
        Duration,
        Some("\"50ms\""),
        "How long one decision may take.",
    ),
    key("memory", Size, Some("\"64MiB\""), "How much memory it may use."),
    key(
        "shadow",
        Truth,
        Some("false"),
        "It decides beside the real one; differences are shown, nothing else.",
    ),
];

pub(super) const REGISTRY: &[Key] = &[
    key("host", Text, None, "HOST or HOST:PORT, as behind oci://."),
    key("username", Text, None, "Who we are there."),
    key("password_file", Text, None, "A file with the password."),
    key(
        "ca_file",
        Text,
        None,
        "Authorities that may vouch for it, beside the system's.",
    ),
    key("insecure", Truth, Some("false"), "It is asked without TLS."),
];

pub(super) const LINK: &[Key] = &[
    key("name", Text, None, "How it is called."),
    // Each reader of a job is shown where its links lead.
    key(
        "url",
        Text,
        None,
        "Where it leads: http or https, with {cluster} {namespace} {name} {flink_job_id} {deployment}.",
    ),
    key(
        "clusters",
        Texts,
        Some("[]"),
        "Only for jobs of these clusters; none: of all.",
    ),
];

pub(super) const SINK_SELECT: &[Key] = &[
    key("cluster", Texts, None, "Patterns of clusters."),
    key("namespace", Texts, None, "Patterns of namespaces."),
    key("name", Texts, None, "Patterns of names."),
    key("labels", Pairs, None, "Patterns of labels, all of which must match."),
    key("states", Texts, None, "Only changes to these states."),
    key("alerts_only", Truth, None, "Only alerts."),
];

pub(super) const KINDS: &[&str] = &[
    "webhook",
    "alertmanager",
    "slack",
    "dingtalk",
    "wecom",
    "feishu",
    "email",
    "kubernetes-event",
];

pub(super) const SINK: &[Key] = &[
    key(
        "name",
        Text,
        None,
        "Its place in the journal is kept under it; required by all kinds but webhook.",
    ),
    key("kind", Word(KINDS), None, "Who is told, and how."),
    url("url", "Where it is."),
    key(
        "url_file",
        Text,
        None,
        "A file that holds the URL, where that is a secret.",
    ),
    key("kubernetes", Text, None, "Of kubernetes-event: the cluster."),
    key(
        "max_age",
        Duration,
        Some("\"24h\""),
        "How long an event is offered to a receiver that does not take it.",
    ),
    key("select", Table(SINK_SELECT), None, "Which events it is told of."),
    secret(key("headers", Pairs, None, "Headers of each request.")),
    key(
        "token_file",
        Text,
        None,
        "A file with a bearer token; read at each try.",
    ),
    key("secret_file", Text, None, "A file with the secret that signs."),
    key(
        "ca_file",
        Text,
        None,
        "Authorities that may vouch for the receiver, beside the system's.",
    ),
    url("proxy", "The proxy; left out: none."),
    key("template", Text, None, "What is sent, in the language of Jinja."),
    key(
        "batch_wait",
        Duration,
        None,
        "How long the first event waits for others of its cause.",
    ),
    key(
        "resend",
        Duration,
        None,
        "Of alertmanager: how often what fires is sent again.",
    ),
    key(
        "labels",
        Pairs,
        None,
        "Of alertmanager: labels that each alert has beside its own.",
    ),
    key("from", Text, None, "Of email: the sender."),
    key("to", TextOrTexts, None, "Of email: the receivers."),
    key("username", Text, None, "Of email: who we are to the server."),
    key("password_file", Text, None, "Of email: a file with the password."),
    key("insecure", Truth, None, "Of email: smtp:// without STARTTLS."),
];
