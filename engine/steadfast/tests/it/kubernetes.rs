//! What is written to a cluster: JobStatuses and Events, over sockets. A real API server takes them in tests/cluster/tests/job_statuses.rs.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::{run, steadfast};
use crate::process::Process;
use crate::stub;

/// How long an engine may take for what it does at once.
const SOON: Duration = Duration::from_secs(30);

/// An API server without anything in it that takes what is written, and notes method and path of each write.
fn cluster(written: &Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let written = Arc::clone(written);
    stub::serve(move |request| {
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        if method != "GET" {
            written.lock().unwrap().push(format!("{method} {path}"));
            let (status, kind) = if method == "POST" {
                (201, "Event")
            } else {
                (200, "JobStatus")
            };
            return (status, json!({"kind": kind, "metadata": {"generation": 1}}));
        }
        let list = |kind: &str| {
            let empty = json!({"kind": kind, "metadata": {"resourceVersion": "7"}, "items": []});
            (200, empty)
        };
        match path {
            "/apis/apps/v1/deployments" => list("DeploymentList"),
            "/api/v1/pods" => list("PodList"),
            "/apis/steadfast.dev/v1alpha1/jobstatuses" => list("JobStatusList"),
            _ => (
                404,
                json!({"kind": "Status", "message": "the server could not find the requested resource"}),
            ),
        }
    })
}

fn configure(folder: &Path, server: SocketAddr) {
    let kubeconfig: Value = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{server}")}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    std::fs::write(folder.join("kubeconfig"), kubeconfig.to_string()).unwrap();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n[[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\n\
                  job_statuses = true\n[[job]]\nname = \"orders\"\nkubernetes = \"local\"\nflink_rest = \"http://127.0.0.1:9\"\n\
                  [[sink]]\nkind = \"kubernetes-event\"\nname = \"events\"\nkubernetes = \"local\"\n";
    std::fs::write(folder.join("config.toml"), config).unwrap();
}

#[test]
fn a_record_is_written_as_a_job_status_where_its_job_is() {
    let written = Arc::default();
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), cluster(&written));
    let mut engine = Process::start(&mut steadfast(folder.path(), &["run", "--config", "config.toml"]));
    engine.wait_for("the API and the dashboard are at");
    let object = "/apis/steadfast.dev/v1alpha1/namespaces/default/jobstatuses/orders";
    let wanted = [format!("PATCH {object}"), format!("PATCH {object}/status")];
    let end = Instant::now() + SOON;
    loop {
        let told = written.lock().unwrap().clone();
        if wanted.iter().all(|line| told.contains(line)) {
            return;
        }
        assert!(Instant::now() < end, "{told:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_test_of_the_sink_makes_an_event_on_a_namespace() {
    let written = Arc::default();
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), cluster(&written));
    let ended = run(folder.path(), &["sink", "test", "events"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(ended.out, "the cluster local took the test message\n");
    assert_eq!(*written.lock().unwrap(), ["POST /api/v1/namespaces/default/events"]);
}
