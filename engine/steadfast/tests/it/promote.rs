//! `steadfast policy promote`, with and without an engine that runs.

use crate::command::run;
use crate::running::{BASE, Engine};

const SHADOWED: &str = "\
# Decides.
[[policy]]
name = \"default\"
module = \"builtin:conservative\"
# Is looked at.
[[policy]]
name = \"naive\"
module = \"builtin:naive\"
shadow = true
";

#[test]
fn a_promoted_shadow_decides_in_the_running_engine() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, format!("{BASE}{SHADOWED}")).unwrap();
    let engine = Engine::start_configured(folder.path());
    engine.wait_for("/api/v1/shadows", "the shadow does not judge", |page| {
        page["policies"][0]["jobs"] == 1
    });
    let explained = engine.ask(folder.path(), &["explain", "-/-/orders"]).out;
    assert!(explained.contains("\nShadow policies\n  naive: "), "{explained}");

    let promoted = engine.ask(folder.path(), &["policy", "promote", "naive"]);
    assert_eq!(promoted.code, Some(0), "{}", promoted.err);
    assert!(
        promoted
            .out
            .contains("+ naive (decides, 100%)\n+ default (shadow, 100%)"),
        "{}",
        promoted.out
    );
    assert!(promoted.err.contains("the engine has taken it up"), "{}", promoted.err);
    assert!(
        promoted.err.contains("as a shadow, `naive` was compared"),
        "{}",
        promoted.err
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("# Decides.\n") && text.contains("# Is looked at.\n"),
        "{text}"
    );
    let policies = engine.get("/api/v1/policies");
    let roles: Vec<String> = policies["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| {
            format!(
                "{} {}",
                policy["name"].as_str().unwrap(),
                policy["role"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(roles, ["naive decides", "default shadow"]);
    assert_eq!(engine.get("/api/v1/jobs/-/-/orders")["policy"], "naive");
}

#[test]
fn what_cannot_be_promoted_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let broken = format!("{BASE}{SHADOWED}").replace("builtin:naive", "own.wasm");
    std::fs::write(folder.path().join("own.wasm"), "no module").unwrap();
    std::fs::write(&file, &broken).unwrap();
    let nobody = ["--server", "http://127.0.0.1:9"];
    for (name, said) in [
        ("other", "no [[policy]] is named `other`"),
        ("default", "`default` is not a shadow"),
        ("naive", "this is not WebAssembly"),
    ] {
        let ended = run(folder.path(), &[&["policy", "promote", name][..], &nobody].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{name}: {}", ended.err);
        assert!(ended.err.contains(said), "{}", ended.err);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    }
}

#[test]
fn without_an_engine_the_file_is_changed_and_what_to_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), SHADOWED).unwrap();
    let ended = run(
        folder.path(),
        &[
            "policy",
            "promote",
            "naive",
            "--percent",
            "20",
            "--server",
            "http://127.0.0.1:9",
        ],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.err.contains("no engine answered at http://127.0.0.1:9"),
        "{}",
        ended.err
    );
    assert_eq!(
        ended.out,
        "- naive (shadow, 100%)\n+ naive (decides, 20%)\n  default (decides, 100%)\n"
    );
}

/// It says the same states, alerts at once where the other waits, and asks for another pace.
const IMPATIENT: &str = "\
[timing]
poll = \"50ms\"
timeout = \"50ms\"
[[policy]]
name = \"default\"
module = \"builtin:conservative\"
[[policy]]
name = \"impatient\"
module = \"builtin:conservative\"
params = { unreachable_after = \"10ms\", alert_after = \"10ms\" }
shadow = true
";

#[test]
fn what_a_shadow_differs_in_beside_the_state_is_counted_shown_explained_and_told_when_it_is_promoted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), format!("{BASE}{IMPATIENT}")).unwrap();
    let engine = Engine::start_configured(folder.path());
    let page = engine.wait_for("/api/v1/shadows?aspect=alerts", "no alert differs", |page| {
        page["items"].as_array().is_some_and(|items| !items.is_empty())
    });
    let item = &page["items"][0];
    assert_eq!(
        (&item["differs"], &item["differed"]),
        (&false.into(), &0.into()),
        "{item:#}"
    );
    assert_eq!(item["aspects"][0], "alerts", "{item:#}");
    let alert = &item["compared"]["shadow"]["alerts"][0];
    assert_eq!(
        (&alert["name"], &alert["scope"]),
        (&"FlinkUnreachable".into(), &"cluster".into())
    );
    assert_eq!(item["compared"]["decided"]["alerts"], serde_json::json!([]));
    // Nobody is told of it.
    assert_eq!(engine.get("/api/v1/alerts")["items"], serde_json::json!([]));
    let explained = engine.ask(folder.path(), &["explain", "-/-/orders"]).out;
    for said in [
        "agrees in state since",
        "\n    alerts: FlinkUnreachable (cluster), recorded: none\n",
        "    so far: alerts in ",
    ] {
        assert!(explained.contains(said), "{said}: {explained}");
    }
    let metrics = engine.text("GET", "/metrics").1;
    for said in [
        "steadfast_shadow_aspect_jobs_differing{policy=\"impatient\",aspect=\"alerts\"} 1\n",
        "steadfast_shadow_aspect_jobs_differing{policy=\"impatient\",aspect=\"state\"} 0\n",
        "steadfast_shadow_jobs_differing{policy=\"impatient\"} 0\n",
        "steadfast_shadow_aspect_differences_total{policy=\"impatient\",aspect=\"alerts\"} ",
    ] {
        assert!(metrics.contains(said), "{said}: {metrics}");
    }
    assert!(
        !metrics.contains("steadfast_shadow_differences_total{policy=\"impatient\"}"),
        "{metrics}"
    );

    let promoted = engine.ask(folder.path(), &["policy", "promote", "impatient"]);
    assert_eq!(promoted.code, Some(0), "{}", promoted.err);
    let told = promoted
        .err
        .lines()
        .find(|line| line.contains("as a shadow, `impatient`"));
    let told = told.unwrap_or_else(|| panic!("{}", promoted.err));
    assert!(
        told.contains("and differed in alerts ") && told.contains("; in conditions "),
        "{told}"
    );
    assert!(!told.contains("state"), "{told}");
}
