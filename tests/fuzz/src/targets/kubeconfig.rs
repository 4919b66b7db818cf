//! A kubeconfig, and what a credential plugin of one answers.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use steadfast_core::error_chain::error_chain;
use steadfast_core::timing::Timing;
use steadfast_sources::kubernetes::{check_kubeconfig, connect};
use tempfile::TempDir;

use crate::fakes::{choice, head};
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "kubeconfig",
    words: &[
        "apiVersion: v1",
        "kind: Config",
        "clusters:",
        "- name: ",
        "cluster:",
        "server: ",
        "users:",
        "user:",
        "token: ",
        "tokenFile: ",
        "password: ",
        "username: ",
        "client-key-data: ",
        "client-certificate-data: ",
        "certificate-authority-data: ",
        "exec:",
        "command: ",
        "args:",
        "env:",
        "value: ",
        "contexts:",
        "context:",
        "current-context: ",
        "proxy-url: ",
        "insecure-skip-tls-verify: true",
        "auth-provider:",
        "status",
        "token",
        "expirationTimestamp",
        "clientCertificateData",
        "clientKeyData",
        "&a",
        "*a",
        "!!str",
        "|",
        ">",
    ],
    seeds,
    check,
};

/// Each secret of a kubeconfig stands behind one of these.
const SECRETS: [&str; 6] = [
    "token:",
    "password:",
    "client-key-data:",
    "value:",
    "id-token:",
    "\"token\":",
];

/// Behind what chooses: a kubeconfig, or what its plugin prints.
fn seeds() -> Vec<Vec<u8>> {
    let config = |user: &str| {
        format!(
            "0apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster:\n    server: \
             https://127.0.0.1:6443\ncontexts:\n- name: c\n  context:\n    cluster: k\n    user: u\nusers:\n- name: u\n  \
             user:\n{user}"
        )
    };
    let users = [
        "    token: s3cret-canary\n",
        "    token: \"s3cret-canary\\n\"\n",
        "    username: me\n    password: s3cret-canary\n",
        "    client-certificate-data: x\n    client-key-data: s3cret-canary\n",
        "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: true\n      env:\n      - name: A\n        \
         value: s3cret-canary\n",
        "    auth-provider:\n      name: oidc\n      config:\n        id-token: s3cret-canary\n",
    ];
    let answers = [
        r#"1{"kind":"ExecCredential","status":{"token":"s3cret-canary","expirationTimestamp":"2126-01-01T00:00:00Z"}}"#,
        r#"1{"status":{"clientCertificateData":"a","clientKeyData":"s3cret-canary"}}"#,
        r#"1{"status":{"token":"a\nb"}}"#,
    ];
    let mut all: Vec<Vec<u8>> = users.iter().map(|user| config(user).into_bytes()).collect();
    all.extend(answers.iter().map(|answer| answer.as_bytes().to_vec()));
    let json = r#"0{"apiVersion":"v1","kind":"Config","current-context":"c","clusters":[{"name":"k","cluster":{"server":"http://127.0.0.1:1"}}],"contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],"users":[{"name":"u","user":{"token":"s3cret-canary"}}]}"#;
    all.push(seeds::input(json, b""));
    all
}

/// A folder for the files that are checked.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    // Another target may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
    tempfile::tempdir().unwrap()
});

fn check(input: &[u8]) {
    let ([which], text) = head(input);
    // What it names would be read.
    let names_a_file = |part: &[u8]| [&b"/dev"[..], b"/proc", b"/sys"].contains(&part);
    if text.windows(4).chain(text.windows(5)).any(names_a_file) {
        return;
    }
    let path = FOLDER.path().join("input");
    fs::write(&path, text).unwrap();
    if choice(which, 2) == 0 {
        if let Err(error) = check_kubeconfig(&path) {
            told(&error, text);
        }
    } else {
        answered(&path, text);
    }
}

/// No error shows what stands behind a key of a secret.
fn told(error: &dyn std::error::Error, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let is_hidden = |line: &str| {
        let before = line
            .split(hold::CANARY)
            .next()
            .unwrap_or_default()
            .trim_end_matches([' ', '"', '\'']);
        SECRETS.iter().any(|key| before.ends_with(key))
    };
    if text.lines().filter(|line| line.contains(hold::CANARY)).all(is_hidden) {
        hold::secret(&error_chain(error));
    }
}

/// A plugin that prints the input: there is a client, or an error that shows nothing of it.
fn answered(path: &Path, text: &[u8]) {
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: k, cluster: {{server: 'http://127.0.0.1:1'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nusers: [{{name: u, user: {{exec: {{apiVersion: \
         client.authentication.k8s.io/v1, interactiveMode: Never, command: cat, args: ['{}']}}}}}}]\n",
        path.display()
    );
    let kubeconfig = FOLDER.path().join("kubeconfig");
    fs::write(&kubeconfig, config).unwrap();
    // In real time: virtual time passes while a process runs.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Err(error) = runtime.block_on(connect(Some(&kubeconfig), Timing::default().backoff())) {
        let told = error_chain(&error);
        let said = String::from_utf8_lossy(text);
        assert!(!said.contains(hold::CANARY) || !told.contains(hold::CANARY), "{told}");
    }
}
