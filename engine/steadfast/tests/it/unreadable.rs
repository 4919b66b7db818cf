//! A cluster that cannot be seen is not an empty cluster: what the commands, the probes, the metrics and the log say of one.

mod plugins;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::{Ended, run, steadfast};
use crate::process::Process;

/// Quick, so that an outage is seen and over within a test.
const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\
                      [timing]\npoll = \"100ms\"\ntimeout = \"2s\"\nvalidate = \"300ms\"\nretry_initial = \"20ms\"\nretry_max = \"100ms\"\n\
                      [[kubernetes]]\nname = \"prod\"\nkubeconfig = \"kubeconfig\"\n";

/// An API server that lists nothing to anybody until it is told to: then it lists that there is nothing. It has no operator.
pub struct ApiServer {
    pub address: SocketAddr,
    grants: Arc<AtomicBool>,
}

impl ApiServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            grants: Arc::default(),
        };
        let grants = Arc::clone(&server.grants);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, grants) = (stream.unwrap(), Arc::clone(&grants));
                // A client that goes away in the middle is none of its business.
                thread::spawn(move || drop(answer(stream, &grants)));
            }
        });
        server
    }

    pub fn grant(&self, grants: bool) {
        self.grants.store(grants, Ordering::SeqCst);
    }
}

/// Answers one request, and closes the connection: what it grants is looked up each time.
fn answer(mut stream: TcpStream, grants: &AtomicBool) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut header = String::new();
    while request.read_line(&mut header)? > 2 {
        header.clear();
    }
    let (status, body) = reply(&first, grants.load(Ordering::SeqCst));
    let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nconnection: close\r\n");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())
}

fn reply(request: &str, grants: bool) -> (u16, String) {
    let (group, kind) = if request.contains("flink.apache.org") {
        return (
            404,
            json!({ "kind": "Status", "message": "the server could not find the requested resource" }).to_string(),
        );
    } else if request.contains("/deployments") {
        ("apps", "Deployment")
    } else {
        ("", "Pod")
    };
    if grants && request.contains("watch=true") {
        return (200, String::new());
    }
    if grants {
        let list = json!({ "kind": format!("{kind}List"), "metadata": { "resourceVersion": "1" }, "items": [] });
        return (200, list.to_string());
    }
    let resource = format!("{}s", kind.to_lowercase());
    let message = format!(
        "{resource} is forbidden: User \"steadfast\" cannot list resource \"{resource}\" in API group \"{group}\" at the cluster scope"
    );
    (403, json!({ "kind": "Status", "message": message }).to_string())
}

/// One that leads to a cluster as this user.
pub fn write_kubeconfig(path: &Path, cluster: SocketAddr, user: &str) {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: prod\n\
         clusters: [{{name: prod, cluster: {{server: \"http://{cluster}\"}}}}]\n\
         users: [{{name: prod, user: {user}}}]\ncontexts: [{{name: prod, context: {{cluster: prod, user: prod}}}}]\n"
    );
    std::fs::write(path, kubeconfig).unwrap();
    // One that everybody may read is warned of.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// An engine that watches the cluster `prod` at that address, and its log.
struct Watcher {
    process: Process,
    server: String,
}

impl Watcher {
    fn start(folder: &Path, cluster: SocketAddr) -> Self {
        write_kubeconfig(&folder.join("kubeconfig"), cluster, "{}");
        std::fs::write(folder.join("config.toml"), CONFIG).unwrap();
        Self::start_configured(folder)
    }

    /// With the `config.toml` in the folder.
    fn start_configured(folder: &Path) -> Self {
        let mut process = Process::start(&mut steadfast(folder, &["run"]));
        let line = process.wait_for("the API and the dashboard are at");
        let at = line.find("http://").unwrap();
        let server = line[at..].trim_end_matches('/').to_owned();
        Self { process, server }
    }

    fn ask(&self, folder: &Path, arguments: &[&str]) -> Ended {
        run(folder, &[arguments, &["--server", &self.server]].concat())
    }

    fn get(&self, path: &str) -> String {
        let address = self.server.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks for the cluster until it is what is waited for.
    fn cluster(&self, folder: &Path, is_there: impl Fn(&Value) -> bool) -> Value {
        self.clusters(folder, |list| is_there(&list["items"][0]))["items"][0].clone()
    }

    /// Asks for all clusters until they are what is waited for.
    fn clusters(&self, folder: &Path, are_there: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let said = self.ask(folder, &["clusters", "--output", "json"]);
            let list: Value = serde_json::from_str(&said.out).unwrap();
            if are_there(&list) {
                return list;
            }
            assert!(Instant::now() < until, "{list:#}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// `status` and `explain` say that the cluster could not be read, each in its way.
fn commands_tell(engine: &Watcher, folder: &Path) {
    let deployments = r#"cannot list resource "deployments" in API group "apps""#;
    let table = engine.ask(folder, &["status"]);
    assert_eq!(table.code, Some(1), "{}{}", table.out, table.err);
    let line = table.out.lines().next().unwrap();
    assert!(
        line.starts_with("prod: not readable since ") && line.contains(deployments),
        "{line}"
    );
    assert!(line.ends_with("; its jobs are not known"), "{line}");
    let data = engine.ask(folder, &["status", "--output", "json"]);
    let listed: Value = serde_json::from_str(&data.out).unwrap();
    assert_eq!((data.code, listed), (Some(1), json!({ "items": [] })));
    assert!(data.err.starts_with("prod: not readable since "), "{}", data.err);
    for unknown in [
        &["explain", "prod/default/orders"][..],
        &["status", "prod/default/orders"],
    ] {
        let refused = engine.ask(folder, unknown);
        assert_eq!(refused.code, Some(3), "{}", refused.err);
        assert!(
            refused
                .err
                .contains("its cluster prod could not be read yet (Deployments since"),
            "{}",
            refused.err
        );
    }
}

fn readiness_tells(engine: &Watcher) {
    let ready = engine.get("/readyz");
    let ready: Value = serde_json::from_str(ready.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(ready["ready"], true, "a restart would read no more: {ready:#}");
    assert_eq!(
        (&ready["clusters"][0]["neverRead"], &ready["clusters"][0]["state"]),
        (&json!(true), &json!("retrying"))
    );
    assert!(ready["clusters"][0]["unknownSince"].is_string());
}

#[test]
fn a_cluster_that_refuses_everything_is_not_an_empty_one() {
    let (folder, cluster) = (tempfile::tempdir().unwrap(), ApiServer::start());
    let folder = folder.path();
    let mut engine = Watcher::start(folder, cluster.address);
    let warned = engine.process.wait_for("cannot be read since");
    let address = format!("prod (http://{})", cluster.address);
    let deployments = r#"cannot list resource "deployments" in API group "apps""#;
    for says in [
        "WARN",
        &address,
        deployments,
        r#"resource "pods""#,
        "does not mean that it has none",
    ] {
        assert!(warned.contains(says), "{says}: {warned}");
    }

    commands_tell(&engine, folder);
    readiness_tells(&engine);
    let labels = |kind| format!("{{cluster=\"prod\",kind=\"{kind}\",namespace=\"\"}}");
    let metrics = engine.get("/metrics");
    assert!(
        metrics.contains(&format!("steadfast_list_reachable{} 0\n", labels("Deployment"))),
        "{metrics}"
    );
    assert!(
        !metrics.contains("kind=\"FlinkDeployment\""),
        "a cluster without the operator is no alert: {metrics}"
    );
    assert!(
        !metrics.contains("steadfast_list_objects{"),
        "nothing was listed: {metrics}"
    );

    cluster.grant(true);
    let back = engine.process.wait_for("can be read again after");
    assert!(back.contains("INFO") && back.contains("it concerned 0 jobs"), "{back}");
    assert_eq!(engine.ask(folder, &["status"]).code, Some(0));
    let metrics = engine.get("/metrics");
    for says in [
        format!("steadfast_list_reachable{} 1\n", labels("Pod")),
        format!("steadfast_list_objects{} 0\n", labels("Deployment")),
        format!(
            "steadfast_list_last_complete_timestamp_seconds{} ",
            labels("Deployment")
        ),
    ] {
        assert!(metrics.contains(&says), "{says}: {metrics}");
    }
    engine.process.signal("TERM");
    let (_, said) = engine.process.end();
    assert_eq!(said.matches(" WARN ").count(), 1, "nothing in between:\n{said}");
    assert!(!said.contains(" ERROR "), "{said}");
}

#[test]
fn a_cluster_where_nothing_listens_is_not_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Port 9 (discard) is below those that are handed out, and nothing listens there.
    let mut engine = Watcher::start(folder, "127.0.0.1:9".parse().unwrap());
    let warned = engine.process.wait_for("cannot be read since");
    assert!(
        warned.contains("prod (http://127.0.0.1:9)") && warned.contains("Deployments: refused: "),
        "{warned}"
    );
    let cluster = engine.cluster(folder, |cluster| cluster["unknownSince"].is_string());
    assert_eq!((&cluster["neverRead"], &cluster["jobs"]), (&json!(true), &json!(0)));
    let table = engine.ask(folder, &["status"]);
    assert_eq!(table.code, Some(1));
    assert!(
        table.out.contains("prod: not readable since ") && table.out.contains(": refused: "),
        "{}",
        table.out
    );
    engine.process.signal("TERM");
    let (_, said) = engine.process.end();
    assert_eq!(
        (said.matches(" WARN ").count(), said.matches(" ERROR ").count()),
        (1, 0),
        "{said}"
    );
}

#[test]
fn whoever_follows_is_told_when_a_cluster_is_lost_and_when_it_is_back() {
    let (folder, cluster) = (tempfile::tempdir().unwrap(), ApiServer::start());
    let folder = folder.path();
    cluster.grant(true);
    let engine = Watcher::start(folder, cluster.address);
    engine.cluster(folder, |cluster| cluster["state"] == "reached");
    let follow = |output| {
        let arguments = ["status", "--watch", "--output", output, "--server", &engine.server];
        Process::start(&mut steadfast(folder, &arguments))
    };
    let (mut table, mut data) = (follow("table"), follow("json"));
    table.wait_for("JOB");
    data.wait_for("\"type\":\"CLUSTER\"");
    cluster.grant(false);
    let lost = table.wait_for("prod: ");
    assert!(
        lost.contains("not readable since ") && lost.ends_with("no job of it was on record before"),
        "{lost}"
    );
    let lost: Value = serde_json::from_str(&data.wait_for("\"retrying\"")).unwrap();
    assert_eq!(
        (&lost["type"], &lost["object"]["name"]),
        (&json!("CLUSTER"), &json!("prod"))
    );
    cluster.grant(true);
    table.wait_for("prod: readable, Deployments 0, Pods 0");
}
