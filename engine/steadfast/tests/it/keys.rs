//! Who comes in: tokens with scopes, client certificates, users of Kubernetes'; and what stays of what they write.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::command::{Ended, run, steadfast};
use crate::process::Process;
use crate::running::{BASE, Engine};
use crate::stub;

const PATIENCE: Duration = Duration::from_secs(60);

fn configure(folder: &Path, server: &str, more: &str) {
    let config = BASE.replacen("[server]\n", &format!("[server]\n{server}"), 1);
    std::fs::write(folder.join("config.toml"), format!("{config}{more}")).unwrap();
}

/// Makes a token, adds its entry to the folder's file, and keeps it beside under its name.
fn make(folder: &Path, name: &str, scopes: &str) {
    let made = run(
        folder,
        &["token", "new", name, "--scope", scopes, "--tokens-file", "tokens.toml"],
    );
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert!(
        made.out.starts_with("sft_") && !made.err.contains("sft_"),
        "{}",
        made.err
    );
    std::fs::write(folder.join(name), made.out).unwrap();
}

#[test]
fn a_token_opens_its_scopes_until_its_entry_is_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make(folder, "eye", "read");
    make(folder, "deploy-bot", "read,intent");
    configure(folder, "tokens_file = \"tokens.toml\"\n", "");
    let engine = Engine::start_configured(folder);
    let ask = |arguments: &[&str], token: &str| engine.ask(folder, &[arguments, &["--token-file", token]].concat());
    assert_eq!(ask(&["status"], "eye").code, Some(0));
    let refused = ask(&["intent", "-/-/orders", "cancel"], "eye");
    assert_eq!(refused.code, Some(3));
    assert!(
        refused.err.contains("`eye` lacks the scope `intent`"),
        "{}",
        refused.err
    );
    assert_eq!(ask(&["intent", "-/-/orders", "cancel"], "deploy-bot").code, Some(0));
    let refused = ask(&["forget", "-/-/orders"], "deploy-bot");
    assert!(refused.err.contains("lacks the scope `admin`"), "{}", refused.err);
    let shown = ask(&["status", "-/-/orders", "--output", "json"], "eye");
    assert!(shown.out.contains("\"author\": \"deploy-bot\""), "{}", shown.out);
    let none = engine.ask(folder, &["status"]);
    assert!(none.code == Some(3) && none.err.contains("tokens_file"), "{}", none.err);
    // Only the other one stays.
    let entries = std::fs::read_to_string(folder.join("tokens.toml")).unwrap();
    let (first, second) = entries.split_once("\n\n").unwrap();
    assert!(first.contains("\"eye\""));
    std::fs::write(folder.join("tokens.toml"), second).unwrap();
    let began = Instant::now();
    while ask(&["status"], "eye").code == Some(0) {
        assert!(began.elapsed() < PATIENCE, "it is not taken back");
    }
    assert_eq!(ask(&["status"], "deploy-bot").code, Some(0));
}

#[test]
fn a_second_token_of_a_name_is_not_made_and_the_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make(folder, "eye", "read");
    let before = std::fs::read_to_string(folder.join("tokens.toml")).unwrap();
    let again = run(
        folder,
        &[
            "token",
            "new",
            "eye",
            "--scope",
            "admin",
            "--tokens-file",
            "tokens.toml",
        ],
    );
    assert_eq!((again.code, again.out.as_str()), (Some(2), ""));
    assert!(again.err.contains("the same name"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(folder.join("tokens.toml")).unwrap(), before);
    let shown = run(folder, &["token", "new", "other", "--scope", "read"]);
    assert!(
        shown.err.contains("[[token]]") && shown.err.contains("sha256:"),
        "{}",
        shown.err
    );
}

#[test]
fn tokens_that_are_made_at_the_same_time_are_all_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let names: Vec<String> = (0..12).map(|number| format!("bot-{number}")).collect();
    let began = names.iter().map(|name| {
        let arguments = ["token", "new", name, "--scope", "read", "--tokens-file", "tokens.toml"];
        steadfast(folder, &arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    });
    let began: Vec<_> = began.collect();
    for ended in began {
        assert!(ended.unwrap().wait().unwrap().success());
    }
    let entries = std::fs::read_to_string(folder.join("tokens.toml")).unwrap();
    let lost = names
        .iter()
        .filter(|name| !entries.contains(&format!("name = \"{name}\"")));
    assert_eq!(lost.collect::<Vec<_>>(), Vec::<&String>::new());
    let left = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["tokens.toml"], "something was left behind");
}

#[test]
fn what_may_not_be_written_is_in_the_log_with_who_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make(folder, "eye", "read");
    configure(folder, "tokens_file = \"tokens.toml\"\n", "");
    let mut engine = Process::start(&mut steadfast(folder, &["--log", "info", "run"]));
    let line = engine.wait_for("the API and the dashboard are at");
    let server = line[line.find("http://").expect(&line)..]
        .trim_end_matches('/')
        .to_owned();
    let arguments = [
        "intent",
        "-/-/orders",
        "cancel",
        "--token-file",
        "eye",
        "--server",
        &server,
    ];
    assert_eq!(run(folder, &arguments).code, Some(3));
    let told = engine.wait_for("a call that would write was refused");
    for part in [
        "PUT /api/v1/jobs/-/-/orders/intent",
        "eye",
        "127.0.0.1",
        "403",
        "lacks the scope",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Who shows nothing is nobody.
    assert_eq!(
        run(folder, &["forget", "-/-/orders", "--server", &server]).code,
        Some(3)
    );
    let told = engine.wait_for("a call that would write was refused");
    assert!(
        told.contains("DELETE ") && told.contains("a bearer token is required"),
        "{told}"
    );
}

/// An authority, a certificate of it for 127.0.0.1, and one for a client, each as PEM in the folder.
fn certificates(folder: &Path) {
    let write = |name: &str, pem: &str| std::fs::write(folder.join(name), pem).unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    write("ca.pem", &authority.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(authority, key);
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let mut client = CertificateParams::default();
    client.distinguished_name.push(DnType::CommonName, "ann");
    for (name, params) in [("server", server), ("client", client)] {
        let key = KeyPair::generate().unwrap();
        write(&format!("{name}.pem"), &params.signed_by(&key, &issuer).unwrap().pem());
        write(&format!("{name}.key"), &key.serialize_pem());
    }
}

const TLS: &str = "[server.tls]\ncert_file = \"server.pem\"\nkey_file = \"server.key\"\nclient_ca_file = \"ca.pem\"\n\
                   client_scopes = [\"read\", \"intent\"]\n";

/// An engine that speaks TLS, and its address.
fn encrypted(folder: &Path) -> (Process, String) {
    let mut engine = Process::start(&mut steadfast(
        folder,
        &["--log", "trace,cranelift=off,regalloc2=off,wasmtime=off", "run"],
    ));
    let line = engine.wait_for("the API and the dashboard are at");
    let server = line[line.find("https://").expect(&line)..]
        .trim_end_matches('/')
        .to_owned();
    (engine, server)
}

#[test]
fn over_tls_a_client_says_whom_it_believes_and_may_show_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificates(folder);
    configure(folder, "", TLS);
    let checked = run(folder, &["check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    assert!(!checked.err.contains("is valid for"), "{}", checked.err);
    let (engine, server) = encrypted(folder);
    let ask = |arguments: &[&str]| -> Ended { run(folder, &[arguments, &["--server", &server]].concat()) };
    let stranger = ask(&["status"]);
    assert!(
        stranger.code == Some(3) && stranger.err.contains("--ca-file"),
        "{}",
        stranger.err
    );
    let nobody = ask(&["status", "--ca-file", "ca.pem"]);
    assert!(nobody.code == Some(3) && nobody.err.contains("401"), "{}", nobody.err);
    let own = [
        "--ca-file",
        "ca.pem",
        "--client-cert-file",
        "client.pem",
        "--client-key-file",
        "client.key",
    ];
    let ann = |arguments: &[&str]| ask(&[arguments, &own].concat());
    assert_eq!(ann(&["intent", "-/-/orders", "cancel"]).code, Some(0));
    let shown = ann(&["status", "-/-/orders", "--output", "json"]);
    assert!(shown.out.contains("\"author\": \"ann\""), "{} {}", shown.out, shown.err);
    let refused = ann(&["forget", "-/-/orders"]);
    assert!(refused.err.contains("server.tls.client_scopes"), "{}", refused.err);
    let unfit = ask(&["status", "--ca-file", "server.key"]);
    assert!(
        unfit.code == Some(2) && unfit.err.contains("server.key"),
        "{}",
        unfit.err
    );
    let plain = run(folder, &["status", "--server", &server.replace("https", "http")]);
    assert!(
        plain.code == Some(3) && plain.err.contains("ask it by https://"),
        "{}",
        plain.err
    );
    engine.signal("TERM");
    let (_, said) = engine.end();
    assert!(
        said.contains("what=\"cancel\"") && said.contains("by=\"ann\""),
        "the audit line"
    );
    for key in ["server.key", "client.key"] {
        let pem = std::fs::read_to_string(folder.join(key)).unwrap();
        let secret = pem.lines().nth(1).unwrap();
        assert!(!said.contains(secret), "the log has {key}");
    }
}

#[test]
fn what_ails_a_connection_is_said_with_the_option_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificates(folder);
    configure(folder, "", TLS);
    let (_engine, server) = encrypted(folder);
    // As one of another authority's.
    let elsewhere = tempfile::tempdir().unwrap();
    certificates(elsewhere.path());
    for file in ["ca.pem", "client.pem", "client.key"] {
        std::fs::copy(elsewhere.path().join(file), folder.join(format!("other-{file}"))).unwrap();
    }
    std::fs::write(folder.join("old.pem"), include_str!("version_1.pem")).unwrap();
    let shown = |server: &str, ca: &str, cert: &str, key: &str| {
        let files = ["--ca-file", ca, "--client-cert-file", cert, "--client-key-file", key];
        run(folder, &[["status", "--server", server].as_slice(), &files].concat())
    };
    let by_name = server.replace("127.0.0.1", "localhost");
    for (ended, code, means) in [
        (shown(&by_name, "ca.pem", "client.pem", "client.key"), 3, "another name"),
        (
            shown(&server, "other-ca.pem", "client.pem", "client.key"),
            3,
            "(--ca-file)",
        ),
        (
            shown(&server, "ca.pem", "other-client.pem", "other-client.key"),
            3,
            "server.tls.client_ca_file",
        ),
        (
            shown(&server, "ca.pem", "old.pem", "old.pem"),
            2,
            "old.pem cannot be used; it is to be of X.509 version 3",
        ),
        (
            shown(&server, "ca.pem", "client.pem", "server.key"),
            2,
            "the key in server.key that of its pair",
        ),
    ] {
        assert!(
            ended.code == Some(code) && ended.err.contains(means),
            "{means}: {:?} {}",
            ended.code,
            ended.err
        );
    }
    configure(
        folder,
        "",
        &TLS.replace("server.pem", "old.pem").replace("server.key", "old.pem"),
    );
    let checked = run(folder, &["check"]);
    assert!(
        checked.code == Some(2) && checked.err.contains("certificate in") && checked.err.contains("version 3"),
        "{}",
        checked.err
    );
}

#[test]
#[ignore = "needs openssl; .ci/run installs it"]
fn the_certificates_that_the_page_about_doors_makes_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/doors.md")).unwrap();
    let blocks = page
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next());
    let script = blocks.filter(|block| block.contains("openssl req")).collect::<String>();
    let made = Command::new("sh")
        .args(["-euc", &script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    configure(
        folder,
        "",
        &TLS.replace("client_ca_file = \"ca.pem\"\n", "")
            .replace("client_scopes = [\"read\", \"intent\"]\n", ""),
    );
    let (_engine, server) = encrypted(folder);
    for name in ["127.0.0.1", "localhost"] {
        let server = server.replace("127.0.0.1", name);
        let ended = run(folder, &["status", "--server", &server, "--ca-file", "ca.pem"]);
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.err);
    }
}

#[test]
fn a_client_that_speaks_tls_to_one_that_does_not_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), BASE).unwrap();
    let engine = Engine::start_configured(folder.path());
    let server = engine.server.replace("http://", "https://");
    let ended = run(folder.path(), &["status", "--server", &server]);
    assert!(
        ended.code == Some(3) && ended.err.contains("write http://"),
        "{}",
        ended.err
    );
}

/// An API server that knows the tokens of ann, who may read, and of bob, whose tokens are for somebody else.
fn cluster(is_away: Arc<AtomicBool>) -> SocketAddr {
    stub::serve_asked(move |request, asked| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let spec = &asked["spec"];
        let review = |status: Value| {
            (
                201,
                json!({"kind": asked["kind"], "apiVersion": asked["apiVersion"], "spec": spec, "status": status}),
            )
        };
        if is_away.load(Ordering::Relaxed) {
            return (503, json!({"kind": "Status", "message": "away"}));
        }
        match path {
            "/apis/authentication.k8s.io/v1/tokenreviews" => {
                let user = |name: &str| json!({"username": name, "groups": ["system:authenticated"]});
                review(match spec["token"].as_str().unwrap() {
                    "token-of-ann" => {
                        json!({"authenticated": true, "user": user("ann@example"), "audiences": spec["audiences"]})
                    }
                    "token-of-bob" => json!({"authenticated": true, "user": user("bob"), "audiences": ["others"]}),
                    _ => json!({"authenticated": false}),
                })
            }
            "/apis/authorization.k8s.io/v1/subjectaccessreviews" => {
                let wanted = &spec["resourceAttributes"];
                assert_eq!(
                    (&wanted["group"], &wanted["resource"]),
                    (&json!("steadfast.dev"), &json!("jobs"))
                );
                let reads = wanted["verb"] == "get" && spec["user"] == "ann@example";
                review(json!({"allowed": reads}))
            }
            _ => (404, json!({"kind": "Status", "message": "not found"})),
        }
    })
}

#[test]
fn a_user_of_kubernetes_may_what_rbac_says_and_nobody_is_turned_away_by_a_server_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let is_away = Arc::new(AtomicBool::new(false));
    let api = cluster(Arc::clone(&is_away));
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster:\n    server: http://{api}\n\
         users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    );
    std::fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
    make(folder, "eye", "read");
    let more = "[[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\n[server.kubernetes_auth]\ncluster = \"local\"\n";
    configure(folder, "tokens_file = \"tokens.toml\"\n", more);
    let engine = Engine::start_configured(folder);
    let ask = |arguments: &[&str], token: &str| {
        std::fs::write(folder.join("shown"), token).unwrap();
        engine.ask(folder, &[arguments, &["--token-file", "shown"]].concat())
    };
    let read = ask(&["explain", "-/-/orders"], "token-of-ann");
    assert_eq!(read.code, Some(0), "{}", read.err);
    let refused = ask(&["intent", "-/-/orders", "cancel"], "token-of-ann");
    assert!(
        refused.err.contains("`ann@example` lacks the scope `intent`") && refused.err.contains("jobs/intents"),
        "{}",
        refused.err
    );
    for stranger in ["token-of-bob", "token-of-nobody"] {
        let refused = ask(&["explain", "-/-/orders"], stranger);
        assert!(
            refused.code == Some(3) && refused.err.contains("401"),
            "{stranger}: {}",
            refused.err
        );
    }
    is_away.store(true, Ordering::Relaxed);
    assert_eq!(
        ask(&["explain", "-/-/orders"], "token-of-ann").code,
        Some(0),
        "what was said counts for a while"
    );
    let unknown = ask(&["explain", "-/-/orders"], "another-token-of-ann");
    assert!(
        unknown.err.contains("503") && unknown.err.contains("is not known"),
        "{}",
        unknown.err
    );
    let eye = std::fs::read_to_string(folder.join("eye")).unwrap();
    assert_eq!(
        ask(&["explain", "-/-/orders"], &eye).code,
        Some(0),
        "the engine's own tokens need nobody"
    );
}
