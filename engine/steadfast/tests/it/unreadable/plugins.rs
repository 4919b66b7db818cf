//! Credential plugins that give nothing when the engine starts.

use super::*;

/// One whose command is this script.
fn write_plugin(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    // A file that is written cannot be run.
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::rename(new, path).unwrap();
}

#[test]
fn a_plugin_that_fails_or_hangs_at_the_start_costs_its_own_cluster_alone() {
    let (folder, cluster) = (tempfile::tempdir().unwrap(), ApiServer::start());
    let folder = folder.path();
    cluster.grant(true);
    let mut config = CONFIG.to_owned();
    write_kubeconfig(&folder.join("kubeconfig"), cluster.address, "{}");
    for (name, script) in [("failing", "exit 3"), ("hanging", "exec sleep 600")] {
        write_plugin(folder, name, script);
        let command = folder.join(name);
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: \"{}\"}}}}",
            command.display()
        );
        write_kubeconfig(&folder.join(format!("{name}.yaml")), cluster.address, &user);
        config += &format!("[[kubernetes]]\nname = \"{name}\"\nkubeconfig = \"{name}.yaml\"\n");
    }
    std::fs::write(folder.join("config.toml"), config).unwrap();
    let engine = Watcher::start_configured(folder);
    let of = |list: &Value, name: &str| {
        let mut all = list["items"].as_array().unwrap().iter();
        all.find(|cluster| cluster["name"] == name).unwrap().clone()
    };
    let all_tell = |list: &Value| {
        let tells = |name, why: &str| {
            let cluster = of(list, name);
            let fault = cluster["fault"].as_str().unwrap_or_default();
            cluster["neverRead"] == true && fault.contains("no credentials yet") && fault.contains(why)
        };
        of(list, "prod")["state"] == "reached"
            && tells("failing", "failed (exit status: 3); run it by hand to see why")
            && tells("hanging", "has not answered yet")
    };
    engine.clusters(folder, all_tell);
    assert!(
        engine.get("/readyz").contains("\"ready\":true"),
        "{}",
        engine.get("/readyz")
    );
    let table = engine.ask(folder, &["status"]);
    assert_eq!(table.code, Some(1), "{}", table.out);
    assert!(
        table.out.contains("failing: not readable since ") && !table.out.contains("prod: not readable"),
        "{}",
        table.out
    );

    let token = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"T"}}"#;
    write_plugin(folder, "failing", &format!("echo '{token}'"));
    engine.clusters(folder, |list| of(list, "failing")["state"] == "reached");
    engine.process.signal("TERM");
    let (status, said) = engine.process.end();
    assert_eq!(status.code(), Some(0), "{said}");
    let told = said.matches("there are no credentials yet for").count();
    assert_eq!(told, 1, "what goes wrong again and again is told once:\n{said}");
}
