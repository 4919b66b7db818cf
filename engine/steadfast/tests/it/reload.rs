//! Policies are replaced while the engine runs, and what cannot be used is refused.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::command::Ended;
#[cfg(feature = "author")]
use crate::command::steadfast;
#[cfg(feature = "author")]
use crate::process::Process;
use crate::running::{BASE, Engine};

const CONSERVATIVE: &[u8] = include_bytes!("../../../../policies/prebuilt/conservative.wasm");
const NAIVE: &[u8] = include_bytes!("../../../../policies/prebuilt/naive.wasm");
const OWN: &str = "[[policy]]\nname = \"own\"\nmodule = \"own.wasm\"\n";

/// Replaces a file as editors and deployments do it.
fn replace(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let beside = folder.join("beside");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, folder.join(name)).unwrap();
}

fn last<'a>(policies: &'a Value, key: &str) -> &'a str {
    policies["lastReload"][key].as_str().unwrap_or_default()
}

fn digest(policies: &Value) -> String {
    policies["items"][0]["sha256"].as_str().unwrap().to_owned()
}

fn has_result(result: &'static str) -> impl Fn(&Value) -> bool {
    move |policies| last(policies, "result") == result
}

fn reloads(engine: &Engine, result: &str) -> u64 {
    let (_, metrics) = engine.text("GET", "/metrics");
    let name = format!("steadfast_reloads_total{{result=\"{result}\"}} ");
    let counted = metrics.lines().find_map(|line| line.strip_prefix(&name));
    counted.map_or(0, |count| count.parse().unwrap())
}

#[test]
fn a_module_that_is_replaced_decides_and_a_broken_one_leaves_the_last_good_one_in_charge() {
    let folder = tempfile::tempdir().unwrap();
    replace(folder.path(), "own.wasm", CONSERVATIVE);
    replace(folder.path(), "config.toml", format!("{BASE}{OWN}"));
    let engine = Engine::start_configured(folder.path());
    let first = engine.get("/api/v1/policies");
    assert_eq!(first["lastReload"], Value::Null);
    assert_eq!(
        (&first["items"][0]["name"], &first["items"][0]["role"]),
        (&Value::from("own"), &Value::from("decides"))
    );

    replace(folder.path(), "own.wasm", &CONSERVATIVE[..CONSERVATIVE.len() / 2]);
    let refused = engine.wait_for(
        "/api/v1/policies",
        "the broken module was not seen",
        has_result("refused"),
    );
    assert!(last(&refused, "message").contains("policy `own`"), "{refused:#}");
    assert_eq!(digest(&refused), digest(&first));
    assert_eq!(engine.get("/readyz")["policies"][0], "own");
    let says_so = |ended: &Ended| {
        let (_, metrics) = engine.text("GET", "/metrics");
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let is_told =
            ended.out.contains("configuration: what it says was refused") && ended.out.contains("policy `own`");
        assert_eq!(
            is_told,
            metrics.contains("steadfast_last_reload_successful 0"),
            "{}",
            ended.out
        );
        is_told
    };
    assert!(says_so(&engine.ask(folder.path(), &["status"])));
    let (status, problem) = engine.post("/api/v1/reload");
    assert_eq!(status, 422);
    assert!(
        problem["detail"].as_str().unwrap().contains("policy `own`"),
        "{problem}"
    );

    replace(folder.path(), "own.wasm", NAIVE);
    let reloaded = engine.wait_for(
        "/api/v1/policies",
        "the good module was not seen",
        has_result("reloaded"),
    );
    assert_ne!(digest(&reloaded), digest(&first));
    assert!(!says_so(&engine.ask(folder.path(), &["status"])));
    engine.wait_for("/api/v1/jobs/-/-/orders/explain", "it does not decide", |explained| {
        explained["rule"]["name"] != "never-observed" && explained["policy"] == "own"
    });
    assert!(reloads(&engine, "refused") >= 2 && reloads(&engine, "reloaded") >= 1);
}

#[test]
fn a_request_and_a_signal_reload_whatever_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    replace(folder.path(), "config.toml", BASE);
    let engine = Engine::start_configured(folder.path());
    let (status, same) = engine.post("/api/v1/reload");
    assert_eq!((status, &same["policies"][0]["changed"]), (200, &Value::from(false)));
    assert_eq!(same["restartNeeded"], serde_json::json!([]));

    let before = reloads(&engine, "reloaded");
    engine.hang_up();
    let began = std::time::Instant::now();
    while reloads(&engine, "reloaded") == before {
        assert!(began.elapsed().as_secs() < 60, "SIGHUP did not reload");
    }

    let edited = format!(
        "{BASE}[timing]\npoll = \"7s\"\n{}",
        "[[policy]]\nname = \"some\"\nmodule = \"builtin:naive\"\nrollout = \"0%\"\n\
         [[policy]]\nname = \"default\"\nmodule = \"builtin:conservative\"\n\
         [[policy]]\nname = \"shadow\"\nmodule = \"builtin:naive\"\nshadow = true\n"
    );
    replace(folder.path(), "config.toml", edited);
    let (status, told) = engine.post("/api/v1/reload");
    assert_eq!(
        (status, &told["restartNeeded"]),
        (200, &serde_json::json!(["timing.poll"]))
    );
    assert_eq!(engine.get("/api/v1/policies")["items"][0]["rollout"], "0%");
    assert_eq!(engine.get("/api/v1/jobs/-/-/orders")["policy"], "default");
    let judged = |page: &Value| page["policies"][0]["jobs"] == 1;
    let shadows = engine.wait_for("/api/v1/shadows", "the shadow does not judge", judged);
    assert_eq!(shadows["items"][0]["job"], "-/-/orders");
}

#[test]
fn a_configuration_with_a_mistake_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(folder.path());
    replace(folder.path(), "config.toml", format!("{BASE}{OWN}"));
    let (status, problem) = engine.post("/api/v1/reload");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        status == 422 && detail.contains("config.toml:9: policy.module: there is no file"),
        "{problem}"
    );
    assert_eq!(engine.get("/api/v1/policies")["items"][0]["name"], "default");
}

#[test]
fn the_swap_of_a_config_maps_link_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let version = |name: &str, text: &str| {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("config.toml"), text).unwrap();
    };
    version("..1", BASE);
    symlink("..1", folder.path().join("..data")).unwrap();
    symlink("..data/config.toml", folder.path().join("config.toml")).unwrap();
    let engine = Engine::start_configured(folder.path());

    version(
        "..2",
        &format!("{BASE}[[policy]]\nname = \"swapped\"\nmodule = \"builtin:naive\"\n"),
    );
    symlink("..2", folder.path().join("..data_tmp")).unwrap();
    std::fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).unwrap();
    engine.wait_for("/api/v1/policies", "the swap was not seen", |policies| {
        policies["items"][0]["name"] == "swapped"
    });
}

/// The demo reads no configuration: that it refuses to is no reload that failed, and nothing is said of it from then on.
#[cfg(feature = "author")]
#[test]
fn an_engine_without_a_configuration_refuses_a_reload_and_notes_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Process::start(&mut steadfast(folder.path(), &["demo", "--port", "0"]));
    let server = demo.wait_for("dashboard: ").replace("dashboard: ", "");
    demo.wait_for("orders     RUNNING, confirmed");
    let ask =
        |arguments: &[&str]| Ended::of(steadfast(folder.path(), arguments).env("STEADFAST_SERVER", server.trim()));
    let refused = ask(&["reload"]).err;
    assert!(refused.contains("not started from a configuration file"), "{refused}");
    let status = ask(&["status"]);
    assert!(status.out.contains("orders"), "{}", status.err);
    assert!(!status.err.contains("refused"), "{}", status.err);
}
