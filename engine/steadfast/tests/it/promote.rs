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
