//! `steadfast doctor`: everything asked once. Each right by itself is taken away on a real API server, in tests/cluster/tests/deploy.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{Ended, run};
use crate::stub;

/// Nobody answers there.
const CLOSED: &str = "127.0.0.1:9";

/// An API server without jobs that grants everything but what it is told to refuse, and a receiver of events beside it.
fn cluster(answers: fn(&str) -> Option<(u16, Value)>) -> SocketAddr {
    stub::serve(move |request| {
        let list = |kind: &str| {
            (
                200,
                json!({"kind": kind, "metadata": {"resourceVersion": "7"}, "items": []}),
            )
        };
        let path = request.split(' ').nth(1).unwrap_or_default();
        let usual = || match path.split('?').next().unwrap_or_default() {
            "/version" => (200, json!({"gitVersion": "v1.33.1"})),
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => (
                201,
                json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                       "spec": {}, "status": {"allowed": true}}),
            ),
            "/apis/apps/v1/deployments" => list("DeploymentList"),
            "/api/v1/pods" => list("PodList"),
            "/hook" => (405, json!({})),
            _ => (
                404,
                json!({"kind": "Status", "message": "the server could not find the requested resource"}),
            ),
        };
        answers(path).unwrap_or_else(usual)
    })
}

fn configure(folder: &Path, server: SocketAddr, more: &str) {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster:\n    server: http://{server}\n\
         users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    );
    std::fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
    std::fs::set_permissions(
        folder.join("kubeconfig"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\ntimeout = \"2s\"\n[[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\n{more}"
    );
    std::fs::write(folder.join("config.toml"), config).unwrap();
}

/// What is not well: its subject and verdict, and what is said of it.
fn troubles(ended: &Ended) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    findings
        .filter(|finding| finding["verdict"] != "ok")
        .map(|finding| {
            (
                text(finding, "subject"),
                text(finding, "verdict"),
                format!("{} {}", text(finding, "what"), text(finding, "fix")),
            )
        })
        .collect()
}

#[test]
fn where_all_is_well_it_says_what_it_saw() {
    let folder = tempfile::tempdir().unwrap();
    let server = cluster(|_| None);
    let sink = format!("[[sink]]\nkind = \"webhook\"\nname = \"hook\"\nurl = \"http://{server}/hook\"\n");
    configure(folder.path(), server, &sink);
    let ended = run(folder.path(), &["doctor"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    for said in [
        "Kubernetes v1.33.1",
        "rights are granted",
        "it lists 0 Deployments, 0 JobManager pods, no FlinkDeployments",
        "conservative",
        "steadfast.db is made by the first start",
        "answers 405 Method Not Allowed to HEAD",
        "nothing is wrong\n",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    assert!(!folder.path().join("steadfast.db").exists());
    let picked = run(
        folder.path(),
        &["doctor", "-o", "template={{ wrong }} of {{ warnings }}"],
    );
    assert_eq!(
        (picked.code, picked.out.as_str()),
        (Some(0), "0 of 0\n"),
        "{}",
        picked.err
    );
    let live = run(folder.path(), &["check", "--live"]);
    assert_eq!(live.code, Some(0), "{}", live.err);
    assert!(live.out.contains("rights are granted") && live.err.contains("has no mistakes"));
}

#[test]
fn each_thing_that_is_wrong_is_told_with_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = format!(
        "[[job]]\nname = \"bills\"\nmode = \"standalone\"\nflink_rest = \"http://{CLOSED}\"\n\
         [[sink]]\nkind = \"webhook\"\nname = \"hook\"\nurl = \"http://{CLOSED}/hook\"\n\
         [store]\nurl = \"sqlite://nowhere/steadfast.db\"\n"
    );
    configure(folder.path(), CLOSED.parse().unwrap(), &jobs);
    let ended = run(folder.path(), &["doctor", "--output", "json"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    let troubles = troubles(&ended);
    for (subject, said) in [
        ("store", "mkdir -p"),
        ("cluster local", "http://127.0.0.1:9"),
        ("job -/-/bills", "does not answer by flink_rest's URL"),
        ("sink hook", "correct sink.url"),
    ] {
        let told = troubles
            .iter()
            .find(|(of, verdict, what)| of == subject && verdict == "wrong" && what.contains(said));
        assert!(told.is_some(), "{subject}: {troubles:?}");
    }
}

#[test]
fn a_right_that_is_refused_and_a_list_that_fails_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = cluster(|path| match path.split('?').next()? {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => Some((
            201,
            json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                   "spec": {}, "status": {"allowed": false}}),
        )),
        "/api/v1/pods" => Some((403, json!({"kind": "Status", "message": "pods is forbidden"}))),
        _ => None,
    });
    configure(folder.path(), server, "");
    let ended = run(folder.path(), &["doctor", "--output", "json"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    let troubles = troubles(&ended);
    let has = |verdict: &str, said: &str| {
        troubles
            .iter()
            .any(|(_, as_, what)| as_ == verdict && what.contains(said))
    };
    assert!(
        has("wrong", "no right to list deployments.apps in all namespaces"),
        "{troubles:?}"
    );
    assert!(
        has(
            "wrong",
            "{apiGroups: [\"apps\"], resources: [\"deployments\"], verbs: [\"list\"]}"
        ),
        "{troubles:?}"
    );
    assert!(has("wrong", "no right to get services/proxy"), "{troubles:?}");
    assert!(
        has("warning", "no right to list configmaps in all namespaces"),
        "{troubles:?}"
    );
    assert!(has("wrong", "JobManager pods cannot be listed"), "{troubles:?}");
}

#[test]
fn what_is_written_to_a_cluster_wants_its_kind_and_its_rights() {
    const WRITES: &str =
        "job_statuses = true\n[[sink]]\nkind = \"kubernetes-event\"\nname = \"events\"\nkubernetes = \"local\"\n";
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), cluster(|_| None), WRITES);
    let ended = run(folder.path(), &["doctor", "--output", "json"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    let told = troubles(&ended);
    let [(subject, verdict, what)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((subject.as_str(), verdict.as_str()), ("cluster local", "wrong"));
    assert!(
        what.contains("JobStatus is not installed")
            && what.contains("kubectl apply -f examples/deploy/crd/jobstatuses.yaml"),
        "{what}"
    );

    let server = cluster(|path| match path.split('?').next()? {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => Some((
            201,
            json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                   "spec": {}, "status": {"allowed": false}}),
        )),
        "/apis/steadfast.dev/v1alpha1/jobstatuses" => Some((403, json!({"kind": "Status", "message": "no"}))),
        _ => None,
    });
    configure(folder.path(), server, WRITES);
    let told = troubles(&run(folder.path(), &["doctor", "--output", "json"]));
    for right in [
        "list jobstatuses.steadfast.dev",
        "create jobstatuses.steadfast.dev",
        "patch jobstatuses.steadfast.dev",
        "delete jobstatuses.steadfast.dev",
        "patch jobstatuses/status.steadfast.dev",
        "create events",
    ] {
        let line = format!("no right to {right} in all namespaces");
        let named = told
            .iter()
            .any(|(_, verdict, what)| verdict == "wrong" && what.contains(&line));
        assert!(named, "{line}: {told:?}");
    }
    assert!(
        told.iter().all(|(_, _, what)| !what.contains("not installed")),
        "{told:?}"
    );
}
