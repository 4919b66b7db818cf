//! `steadfast simulate`: what it prints, how it ends, and that its document is right.

use std::path::{Path, PathBuf};

use crate::command::{Ended, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const EXAMPLE: &str = "examples/stories/network-loss.toml";

/// The example in a folder of its own, changed.
fn changed(from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join(EXAMPLE)).unwrap();
    assert!(text.contains(from));
    std::fs::write(folder.path().join("story.toml"), text.replace(from, to)).unwrap();
    folder
}

fn simulate(folder: &Path, arguments: &[&str]) -> Ended {
    run(folder, &[&["simulate"], arguments].concat())
}

#[test]
fn a_story_that_passes_is_one_line() {
    let ended = simulate(&root(), &[EXAMPLE]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(
        lines[0].starts_with("passed network-loss: Every packet"),
        "{}",
        ended.out
    );
    assert_eq!(lines[1..], ["1 story: 1 passed, 0 failed"]);
}

#[test]
fn the_documented_commands_pass() {
    let text = std::fs::read_to_string(root().join("docs/simulate.md")).unwrap();
    let commands: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("steadfast "))
        .map(|line| line.split(" #").next().unwrap_or(line).split_whitespace().collect())
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let ended = run(&root(), &command);
        assert_eq!(ended.code, Some(0), "{command:?}: {}{}", ended.out, ended.err);
        assert!(ended.out.ends_with(" 0 failed\n"), "{command:?}: {}", ended.out);
        let told = ended.out.contains("record  orders: RUNNING confirmed");
        assert_eq!(told, command.contains(&"--timeline"), "{command:?}: {}", ended.out);
    }
}

#[test]
fn a_story_that_fails_shows_what_when_and_its_timeline() {
    let folder = changed("state = \"RUNNING\"", "state = \"FINISHED\"");
    let text = std::fs::read_to_string(folder.path().join("story.toml")).unwrap();
    std::fs::write(
        folder.path().join("story.toml"),
        text.replace("\"FINISHED\", \"C", "\"C"),
    )
    .unwrap();
    let ended = simulate(folder.path(), &["."]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""));
    for wanted in [
        "FAILED network-loss: ",
        "  broken at 16.2s: orders is RUNNING, not FINISHED (FlinkReports: Flink reports RUNNING)\n",
        "  and ",
        "20.0s  world   kubernetes Drop, flink Drop\n",
        "1 story: 0 passed, 1 failed\n",
    ] {
        assert!(ended.out.contains(wanted), "no `{wanted}` in\n{}", ended.out);
    }
}

#[test]
fn another_policy_decides_and_its_parameters_count() {
    let naive = simulate(&root(), &["--policy", "builtin:naive", EXAMPLE]);
    assert_eq!(naive.code, Some(1), "{}", naive.out);
    assert!(naive.out.contains("which is never allowed"), "{}", naive.out);
    // A deletion that nobody saw counts as gone sooner with a shorter window.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("story.toml"), GONE_UNSEEN).unwrap();
    assert_eq!(simulate(folder.path(), &["story.toml"]).code, Some(1));
    for params in ["{ absence_window = \"1s\" }", "{\"absence_window\":\"1s\"}"] {
        let ended = simulate(folder.path(), &["--params", params, "story.toml"]);
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    }
    let config = "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nparams = { absence_window = \"1s\" }\n";
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let ended = simulate(folder.path(), &["--config", "config.toml", "story.toml"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
}

const GONE_UNSEEN: &str = r#"
id = "gone-unseen"
title = "A Deployment is deleted while the watch is silent"
source = "a test"
[[target]]
name = "orders"
[[step]]
at = "0s"
deployment = {}
pods = [{}]
jobs = [{ id = "j1" }]
[[step]]
at = "20s"
kubernetes = "watch-silent"
deployment = { present = false }
pods = []
jobs = []
flink = "refuse"
[[expect]]
from = "50s"
until = "60s"
state = "TERMINATED"
"#;

#[test]
fn what_a_stage_cannot_show_is_skipped_with_the_reason() {
    for (says, reason) in [
        ("realtime = true", "use --scale 1"),
        ("start = \"2026-03-29T01:50:00+01:00\"", "use --scale 1"),
        ("slow = true", "play it in virtual time"),
    ] {
        let folder = changed("source =", &format!("{says}\nsource ="));
        let ended = simulate(folder.path(), &["--real", "story.toml"]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.out.starts_with("skipped network-loss: it says"), "{}", ended.out);
        assert!(ended.out.contains(reason), "{}", ended.out);
        assert!(
            ended.out.ends_with("1 story: 0 passed, 0 failed, 1 skipped\n"),
            "{}",
            ended.out
        );
    }
}

#[test]
fn a_story_with_a_beginning_shows_the_hour_of_each_line_and_policies_see_it() {
    let folder = changed(
        "source =",
        "start = \"2026-03-29T01:59:50+01:00[Europe/Berlin]\"\nsource =",
    );
    let recorded = ["--timeline", "--record", "recorded.db", "story.toml"];
    let ended = simulate(folder.path(), &recorded);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    let line = "20.0s  Sun 2026-03-29 03:00:10+02:00  world   kubernetes Drop, flink Drop\n";
    assert!(ended.out.contains(line), "{}", ended.out);
    let arguments = [
        "replay",
        "--policy",
        "builtin:conservative",
        "--store",
        "sqlite://recorded.db",
        "-o",
        "json",
    ];
    let replayed = run(folder.path(), &arguments);
    assert_eq!(replayed.code, Some(0), "{}{}", replayed.out, replayed.err);
    assert!(replayed.out.contains("2026-03-29T01:0"), "{}", replayed.out);
}

#[test]
fn what_came_of_each_story_is_told_to_programs_and_to_ci_servers() {
    let folder = changed("state = \"RUNNING\"", "state = \"FINISHED\"");
    let failing = std::fs::read_to_string(folder.path().join("story.toml")).unwrap();
    let failing = failing.replace("\"FINISHED\", \"C", "\"C");
    std::fs::write(folder.path().join("a.toml"), failing.replace("network-loss", "a")).unwrap();
    std::fs::copy(root().join(EXAMPLE), folder.path().join("story.toml")).unwrap();
    let told = simulate(folder.path(), &["-o", "json", "a.toml", "story.toml"]);
    assert_eq!((told.code, told.err.as_str()), (Some(1), ""), "{}", told.out);
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(
        (&told["passed"], &told["failed"], &told["skipped"]),
        (&1.into(), &1.into(), &0.into())
    );
    let (failed, passed) = (&told["stories"][0], &told["stories"][1]);
    assert_eq!(
        (&failed["file"], &failed["id"], &failed["result"]),
        (&"a.toml".into(), &"a".into(), &"failed".into())
    );
    assert_eq!(failed["broken"][0]["at"], 16.25);
    assert!(
        failed["broken"][0]["what"]
            .as_str()
            .unwrap()
            .contains("orders is RUNNING, not FINISHED"),
        "{told:#}"
    );
    assert!(failed["timeline"].as_array().unwrap().len() > 3, "{told:#}");
    assert_eq!(
        (&passed["result"], &passed["broken"]),
        (&"passed".into(), &serde_json::json!([]))
    );
    assert_eq!(
        passed.get("timeline"),
        None,
        "it is shown of those that fail, or when asked for"
    );

    let report = simulate(folder.path(), &["-o", "junit", "a.toml", "story.toml"]);
    assert_eq!(report.code, Some(1), "{}", report.err);
    let beside = simulate(folder.path(), &["--junit", "report.xml", "a.toml", "story.toml"]);
    assert!(
        beside.out.starts_with("FAILED a: ") || beside.out.contains("\nFAILED a: "),
        "{}",
        beside.out
    );
    let kept = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert_eq!(kept, report.out, "the file is what -o junit prints");
    let nowhere = simulate(folder.path(), &["--junit", "nowhere/report.xml", "a.toml"]);
    assert!(
        nowhere.err.contains("--junit takes a file in a folder that is there"),
        "{}",
        nowhere.err
    );
    for part in [
        "<testsuite name=\"steadfast simulate\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">",
        "<testcase classname=\"a.toml\" name=\"a: Every packet",
        "<failure message=\"at 16.2s: orders is RUNNING, not FINISHED",
        "<testcase classname=\"story.toml\" name=\"network-loss: ",
    ] {
        assert!(report.out.contains(part), "no `{part}` in\n{}", report.out);
    }
}

#[test]
fn the_schema_of_stories_is_printed_and_nothing_is_played() {
    let printed = simulate(&root(), &["--schema"]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    let schema: serde_json::Value = serde_json::from_str(&printed.out).unwrap();
    assert!(
        schema["$defs"]["Step"]["properties"]["kubernetes"]["description"].is_string(),
        "{schema:#}"
    );
    let both = simulate(&root(), &["--schema", EXAMPLE]);
    assert_eq!(both.code, Some(2), "{}", both.out);
}

#[test]
fn a_mistake_is_reported_with_place_rule_and_fix_and_nothing_is_played() {
    let folder = changed("kubernetes = \"drop\"", "kubernetes = \"dropp\"");
    let other = changed("never = [", "never = [\"RUNNING\", ");
    std::fs::copy(other.path().join("story.toml"), folder.path().join("other.toml")).unwrap();
    std::fs::write(folder.path().join("odd.wasm"), "odd").unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let example = root().join(EXAMPLE);
    let example = example.to_str().unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["story.toml", "other.toml"],
            &[
                "story.toml:17: `dropp` is no fault of Kubernetes; choose ok, drop",
                "other.toml:",
                "docs/simulate.md",
            ],
        ),
        (
            &["nowhere.toml"],
            &["the story nowhere.toml cannot be read; name a file or a folder"],
        ),
        (
            &["empty"],
            &["the folder empty holds no story; a story is a file whose name ends in .toml"],
        ),
        (
            &["--policy", "builtin:odd", example],
            &["`builtin:odd`: there is no such built-in policy; write"],
        ),
        (
            &["--policy", "odd.wasm", example],
            &["--policy cannot be used", "this is not WebAssembly", "give a .wasm"],
        ),
        (
            &["--params", "odd", example],
            &["--params `odd` is neither JSON nor a TOML table; write"],
        ),
        (
            &["--params", "{ odd = 1 }", example],
            &["--params was refused", "`steadfast policy inspect` lists", "odd"],
        ),
        (&["--config", "nowhere.toml", example], &["nowhere.toml cannot be read"]),
    ];
    for (arguments, wanted) in cases {
        let ended = simulate(folder.path(), arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {}",
            ended.err
        );
        for wanted in *wanted {
            assert!(
                ended.err.contains(wanted),
                "{arguments:?}: no `{wanted}` in\n{}",
                ended.err
            );
        }
    }
}

/// Before there is any demo: a policy that cannot be used is no policy beside another.
#[test]
fn what_is_no_policy_is_refused_before_the_demo_begins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rec.db"), "SQLite format 3").unwrap();
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    for (module, wanted) in [
        ("rec.db", "--policy cannot be used"),
        (
            "builtin:nosuch",
            "--policy `builtin:nosuch`: there is no such built-in policy",
        ),
        ("mine", "--policy `mine`: it is a folder; name the module in it"),
        ("nowhere.wasm", "--policy cannot be used"),
    ] {
        let refused = run(folder.path(), &["demo", "--port", "0", "--policy", module]);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (Some(2), ""),
            "{module}: {}",
            refused.err
        );
        assert!(
            refused.err.contains(wanted) && !refused.err.contains("steadfast-demo-"),
            "{module}: {}",
            refused.err
        );
    }
}
