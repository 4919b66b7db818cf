//! `steadfast config`, and what the command line and the environment say of a configuration.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{Ended, run, steadfast};
use crate::running::{BASE, Engine};
use crate::stub::serve;

fn with_variable(folder: &Path, arguments: &[&str], name: &str, value: &str) -> Ended {
    Ended::of(steadfast(folder, arguments).env(name, value))
}

#[test]
fn a_beginning_is_written_of_what_is_found_and_never_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cluster = serve(|request| match request {
        request if request.contains("/version") => {
            (200, json!({ "major": "1", "minor": "34", "gitVersion": "v1.34.0" }))
        }
        request if request.contains("flink.apache.org") => (404, json!({ "kind": "Status", "code": 404 })),
        request if request.contains("/deployments") => {
            let deployment = json!({ "metadata": { "name": "orders", "namespace": "default", "uid": "u1" },
                "spec": { "replicas": 1 }, "status": {} });
            (
                200,
                json!({ "kind": "DeploymentList", "metadata": { "resourceVersion": "1" }, "items": [deployment] }),
            )
        }
        _ => (
            200,
            json!({ "kind": "PodList", "metadata": { "resourceVersion": "1" }, "items": [] }),
        ),
    });
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: arn:prod/eu\n\
         clusters: [{{name: c, cluster: {{server: \"http://{cluster}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n\
         contexts: [{{name: \"arn:prod/eu\", context: {{cluster: c, user: u}}}}, {{name: test, context: {{cluster: c, user: u}}}}]\n"
    );
    fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
    let init = |more: &[&str]| {
        run(
            folder,
            &[&["config", "init", "--kubeconfig", "kubeconfig"], more].concat(),
        )
    };
    let ended = init(&[]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{}", ended.err);
    for says in [
        "other contexts (test)",
        "Kubernetes v1.34.0",
        "1 Deployment of Flink's native mode",
        "Operator is not installed",
        "config.toml is written; next: `steadfast doctor --config config.toml`",
    ] {
        assert!(ended.err.contains(says), "{says}:\n{}", ended.err);
    }
    let written = fs::read_to_string(folder.join("config.toml")).unwrap();
    assert!(
        written.contains("name = \"arn-prod-eu\"\n") && written.contains("discover = [\"native\"]"),
        "{written}"
    );
    assert_eq!(run(folder, &["check"]).code, Some(0));

    let again = init(&[]);
    assert_eq!((again.code, again.out.as_str()), (Some(2), ""));
    assert!(
        again
            .err
            .contains("config.toml is there already, and is not written over"),
        "{}",
        again.err
    );
    assert_eq!(fs::read_to_string(folder.join("config.toml")).unwrap(), written);
    assert_eq!(init(&["--file", "-"]).out, written);
}

#[test]
fn a_cluster_that_does_not_answer_is_written_down_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: prod\n\
                      clusters: [{name: c, cluster: {server: \"http://127.0.0.1:9\"}}]\nusers: [{name: u, user: {}}]\n\
                      contexts: [{name: prod, context: {cluster: c, user: u}}]\n";
    fs::write(folder.join("kubeconfig"), kubeconfig).unwrap();
    let ended = run(
        folder,
        &["config", "init", "--kubeconfig", "kubeconfig", "--file", "a.toml"],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended
            .err
            .contains("cluster prod could not be asked, and is written down all the same: http://127.0.0.1:9"),
        "{}",
        ended.err
    );
    let written = fs::read_to_string(folder.join("a.toml")).unwrap();
    assert!(
        written.contains("name = \"prod\"\n") && !written.contains("\ndiscover"),
        "{written}"
    );
}

#[test]
fn what_a_configuration_comes_to_is_shown_with_where_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(
        folder.join("config.toml"),
        "[timing]\npoll = \"${STEADFAST_TEST_POLL:-4s}\"\nvalidate = \"30s\"\n",
    )
    .unwrap();
    let shown = |arguments: &[&str]| {
        let arguments = [&["config", "show", "--set", "server.insecure=true"], arguments].concat();
        with_variable(folder, &arguments, "STEADFAST_TEST_POLL", "2s")
    };
    let page = shown(&[]);
    assert_eq!(page.code, Some(0), "{}", page.err);
    let lines: Vec<String> = page
        .out
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for says in [
        "poll = \"2s\" # environment, by config.toml:2",
        "validate = \"30s\" # config.toml:3",
        "timeout = \"3s\" # default",
        "insecure = true # --set",
    ] {
        assert!(lines.iter().any(|line| line == says), "{says}:\n{}", page.out);
    }
    // It is a configuration that says the same.
    fs::write(folder.join("shown.toml"), &page.out).unwrap();
    let again = run(
        folder,
        &[
            "config",
            "show",
            "--config",
            "shown.toml",
            "-o",
            "jsonpath={.items[*].value}",
        ],
    );
    let before = shown(&["-o", "jsonpath={.items[*].value}"]);
    assert_eq!((again.code, &again.out), (Some(0), &before.out), "{}", again.err);
    let document: Value = serde_json::from_str(&shown(&["-o", "json"]).out).unwrap();
    let poll = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == "timing.poll")
        .unwrap();
    assert_eq!((&poll["source"], &poll["line"]), (&json!("environment"), &json!(2)));
}

#[test]
fn a_mistake_says_whether_the_file_the_environment_or_the_command_line_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(
        folder.join("config.toml"),
        "[timing]\npoll = \"${STEADFAST_TEST_POLL}\"\n",
    )
    .unwrap();
    let check = |set: &[&str]| run(folder, &[&["check"], set].concat());
    let unset = check(&[]);
    assert_eq!(unset.code, Some(2));
    for says in [
        "config.toml:2: the environment has no STEADFAST_TEST_POLL",
        "write ${STEADFAST_TEST_POLL:-default}",
    ] {
        assert!(unset.err.contains(says), "{says}: {}", unset.err);
    }
    let wrong = with_variable(folder, &["check"], "STEADFAST_TEST_POLL", "soon");
    assert!(
        wrong.code == Some(2) && wrong.err.contains("config.toml:2: `soon` is not a duration"),
        "{}",
        wrong.err
    );
    // What the command line says is over the file, also over what the environment lacks.
    assert_eq!(check(&["--set", "timing.poll=2s"]).code, Some(0));
    for (set, says) in [
        ("timing.poll=soon", "--set timing.poll: `soon` is not a duration"),
        ("timing.pol=2s", "--set timing.pol: unknown key `pol`"),
        (
            "timing.validate=5ms",
            "--set timing.validate: validate is 5ms, shorter than 10ms",
        ),
        (
            "kubernetes.prod.flink_rest=proxy",
            "--set kubernetes.prod.flink_rest: no [[kubernetes]] of the file",
        ),
    ] {
        let ended = check(&["--set", "timing.poll=2s", "--set", set]);
        assert_eq!(ended.code, Some(2), "{set}");
        assert!(ended.err.contains(says), "{set}: {}", ended.err);
    }
}

#[test]
fn an_engine_runs_with_what_the_command_line_says_also_after_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("config.toml"),
        BASE.replace("127.0.0.1:0", "${STEADFAST_TEST_HOST}:1"),
    )
    .unwrap();
    let mut command = steadfast(
        folder.path(),
        &[
            "run",
            "--set",
            "server.listen=127.0.0.1:0",
            "--set",
            "policy.own.shadow=false",
        ],
    );
    let policy = "[[policy]]\nname = \"own\"\nshadow = true\n";
    let base = fs::read_to_string(folder.path().join("config.toml")).unwrap();
    fs::write(folder.path().join("config.toml"), format!("{base}{policy}")).unwrap();
    let engine = Engine::of(&mut command);
    let role = || engine.get("/api/v1/policies")["items"][0]["role"].clone();
    assert_eq!(role(), "decides");
    let reloaded = engine.ask(folder.path(), &["reload"]);
    assert_eq!(reloaded.code, Some(0), "{}", reloaded.err);
    assert_eq!(role(), "decides");
}

#[test]
fn the_schema_in_the_documents_is_the_programs() {
    let said = run(Path::new("."), &["config", "schema"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &said.out).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(
        committed == said.out,
        "docs/config.schema.json is not current: run with UPDATE_DOCS=1"
    );
    let schema: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(schema["properties"]["timing"]["properties"]["poll"]["default"], "5s");
}
