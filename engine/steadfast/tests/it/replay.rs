//! What was recorded, decided again: by the same policy, by another, and by two side by side.

use std::path::Path;

use crate::command::{Ended, run};

const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/stories/network-loss.toml");

/// A folder with the snapshots of a story in which the network is lost.
fn recorded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let played = run(folder.path(), &["simulate", "--record", "stories.db", STORY]);
    assert_eq!(played.code, Some(0), "{}{}", played.out, played.err);
    folder
}

fn on(folder: &Path, arguments: &[&str]) -> Ended {
    run(folder, &[arguments, &["--store", "sqlite://stories.db"]].concat())
}

#[test]
fn the_same_policy_says_the_same() {
    let folder = recorded();
    std::fs::write(
        folder.path().join("config.toml"),
        "[[policy]]\nname = \"default\"\nmodule = \"builtin:conservative\"\n",
    )
    .unwrap();
    let same = on(folder.path(), &["replay", "--policy", "builtin:conservative"]);
    assert_eq!((same.code, same.err.as_str()), (Some(0), ""), "{}", same.out);
    assert!(same.out.contains("snapshots of 1 job, from"), "{}", same.out);
    // It was not compared between the snapshots.
    let said = same.out.lines().last().unwrap();
    assert!(
        said.starts_with("at none of the ")
            && said.contains(" snapshots, up to ")
            && said.ends_with(" apart, would it have shown anything else"),
        "{said}"
    );
    let document = on(
        folder.path(),
        &["replay", "--policy", "builtin:conservative", "-o", "json"],
    );
    let document: serde_json::Value = serde_json::from_str(&document.out).unwrap();
    assert_eq!((&document["same"], &document["unreadable"]), (&true.into(), &0.into()));
    assert!(document["largestGapMillis"].as_u64().unwrap() > 5_000, "{document}");
}

#[test]
fn another_policy_is_known_by_what_it_adds() {
    let folder = recorded();
    let naive = on(folder.path(), &["replay", "--policy", "builtin:naive"]);
    assert_eq!((naive.code, naive.err.as_str()), (Some(1), ""), "{}", naive.out);
    assert!(
        naive.out.contains("added") && naive.out.contains("RUNNING -> FAILED [error means gone]"),
        "{}",
        naive.out
    );
    let document = on(
        folder.path(),
        &["replay", "--policy", "builtin:naive", "--output", "json"],
    );
    let document: serde_json::Value = serde_json::from_str(&document.out).unwrap();
    assert_eq!(document.pointer("/jobs/0/differences/0/to"), Some(&"FAILED".into()));
    let path = "jsonpath={.jobs[0].differences[0].to}";
    let picked = on(folder.path(), &["replay", "--policy", "builtin:naive", "-o", path]);
    assert_eq!(
        (picked.code, picked.out.as_str()),
        (Some(1), "FAILED\n"),
        "{}",
        picked.err
    );
}

#[test]
fn two_policies_are_shown_the_same_snapshots() {
    let folder = recorded();
    let diff = ["policy", "diff", "builtin:conservative"];
    let same = on(folder.path(), &[&diff[..], &["builtin:conservative"]].concat());
    assert_eq!(same.code, Some(0), "{}{}", same.out, same.err);
    let naive = on(folder.path(), &[&diff[..], &["builtin:naive"]].concat());
    assert_eq!(naive.code, Some(1), "{}{}", naive.out, naive.err);
    assert!(
        naive.out.contains("1 of 1 job would have gone otherwise"),
        "{}",
        naive.out
    );
    // The other way round, what was added is what is removed.
    let back = on(
        folder.path(),
        &["policy", "diff", "builtin:naive", "builtin:conservative"],
    );
    assert!(back.out.contains("removed"), "{}", back.out);
}

#[test]
fn what_was_not_recorded_cannot_be_replayed() {
    let folder = recorded();
    let later = on(folder.path(), &["replay", "--policy", "builtin:naive", "--since", "1m"]);
    assert_eq!(later.code, Some(1), "{}", later.err);
    assert!(later.out.contains("no snapshots were recorded"), "{}", later.out);
    assert!(later.out.ends_with("nothing was compared\n"), "{}", later.out);
    let nobody = on(folder.path(), &["replay"]);
    assert_eq!(nobody.code, Some(2), "{}", nobody.out);
    assert!(nobody.err.contains("config.toml"), "{}", nobody.err);
}

#[test]
fn where_no_policy_decides_again_nothing_was_compared() {
    let folder = recorded();
    std::fs::write(folder.path().join("config.toml"), "").unwrap();
    let ended = on(folder.path(), &["replay"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
    assert!(
        ended.out.contains("what `builtin:conservative` decided is left out")
            && ended.out.ends_with("nothing was compared\n"),
        "{}",
        ended.out
    );
    let document = on(folder.path(), &["replay", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&document.out).unwrap();
    assert_eq!(document["compared"], 0);
}

/// A configuration of one policy.
fn configured(folder: &Path, name: &str, module: &str) {
    let config = format!("[[policy]]\nname = \"{name}\"\nmodule = \"{module}\"\n");
    std::fs::write(folder.join("config.toml"), config).unwrap();
}

/// Plays a story of that id with the configuration, and keeps its snapshots behind those that are there.
fn kept(folder: &Path, id: &str) {
    let story = std::fs::read_to_string(STORY).unwrap();
    let story = story.replace("\"network-loss\"", &format!("\"{id}\""));
    std::fs::write(folder.join("story.toml"), story).unwrap();
    let record = ["simulate", "--config", "config.toml", "--record", "stories.db"];
    run(folder, &[&record[..], &["story.toml"]].concat());
}

/// What a policy decided that the configuration does not have any more is a part of the recording too.
#[test]
fn where_a_part_is_left_out_the_rest_is_not_said_to_be_all() {
    let folder = tempfile::tempdir().unwrap();
    configured(folder.path(), "before", "builtin:naive");
    kept(folder.path(), "first");
    configured(folder.path(), "default", "builtin:conservative");
    kept(folder.path(), "second");
    let ended = on(folder.path(), &["replay"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
    assert!(
        ended.out.contains("what `before` decided is left out ("),
        "{}",
        ended.out
    );
    let last = ended.out.lines().last().unwrap();
    assert!(
        last.contains("would it have shown anything else; ") && last.ends_with(" snapshots were not compared"),
        "{last}"
    );
    let document = on(folder.path(), &["replay", "-o", "json"]);
    let document: serde_json::Value = serde_json::from_str(&document.out).unwrap();
    assert_eq!(
        (&document["same"], &document["notReplayed"][0]),
        (&false.into(), &"before".into())
    );
}

#[test]
fn a_new_module_does_not_fail_where_the_one_before_did() {
    let folder = tempfile::tempdir().unwrap();
    let crashing = crate::guest::Guest::deciding("(unreachable)");
    std::fs::write(folder.path().join("crashing.wasm"), crashing.module()).unwrap();
    configured(folder.path(), "default", "crashing.wasm");
    kept(folder.path(), "crashes");
    let same = on(folder.path(), &["replay"]);
    assert_eq!(same.code, Some(0), "{}{}", same.out, same.err);
    assert!(same.out.contains("failed"), "{}", same.out);
    configured(folder.path(), "default", "builtin:conservative");
    let mended = on(folder.path(), &["replay"]);
    assert_eq!(mended.code, Some(1), "{}{}", mended.out, mended.err);
    assert!(mended.out.contains("condition PolicyFailing"), "{}", mended.out);
    assert!(!mended.out.contains("\n  failed "), "{}", mended.out);
}

#[test]
fn a_recording_is_named_as_a_file_or_as_a_url() {
    let folder = tempfile::tempdir().unwrap();
    let played = run(folder.path(), &["simulate", "--record", "sqlite://stories.db", STORY]);
    assert_eq!(played.code, Some(0), "{}{}", played.out, played.err);
    let same = on(folder.path(), &["replay", "--policy", "builtin:conservative"]);
    assert_eq!(same.code, Some(0), "{}{}", same.out, same.err);
    for url in ["postgres://me:secret@host/db", "sqlite://", "sqlite://:memory:"] {
        let refused = run(folder.path(), &["simulate", "--record", url, STORY]);
        assert_eq!(refused.code, Some(2), "{}", refused.out);
        assert!(
            refused.err.contains("--record")
                && refused.err.contains("sqlite://PATH")
                && !refused.err.contains("secret"),
            "{}",
            refused.err
        );
    }
    for (place, wanted) in [
        ("nodir/x.db", "create its folder or correct --record"),
        ("story.toml", "name another file with --record"),
        (
            "sqlite:rec5.db",
            "--record `sqlite:rec5.db` lacks the slashes of a URL; write sqlite://rec5.db",
        ),
    ] {
        std::fs::write(folder.path().join("story.toml"), "[[target]]\n").unwrap();
        let refused = run(folder.path(), &["simulate", "--record", place, STORY]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{place}");
        assert!(
            refused.err.contains(wanted) && !refused.err.contains("store.url"),
            "{place}: {}",
            refused.err
        );
    }
    assert!(!folder.path().join("sqlite:rec5.db").exists());
    for command in [&["replay", "--policy", "builtin:conservative"][..], &["store", "check"]] {
        for (url, wanted) in [
            ("sqlite:x.db", "--store `sqlite:x.db` lacks the slashes"),
            ("mysql://x", "--store has the scheme `mysql`"),
            ("sqlite://nowhere.db", "nowhere.db"),
        ] {
            let refused = run(folder.path(), &[command, &["--store", url]].concat());
            assert_eq!(refused.code, Some(2), "{url}");
            assert!(
                refused.err.contains(wanted) && !refused.err.contains("store.url"),
                "{url}: {}",
                refused.err
            );
        }
    }
}

#[test]
fn jobs_of_one_name_in_two_stories_are_two_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(STORY).unwrap();
    std::fs::create_dir(folder.path().join("stories")).unwrap();
    for (file, id) in [("a.toml", "first"), ("b.toml", "second"), ("c.toml", "second")] {
        let text = text.replace("\"network-loss\"", &format!("\"{id}\""));
        std::fs::write(folder.path().join("stories").join(file), text).unwrap();
    }
    let played = run(folder.path(), &["simulate", "--record", "stories.db", "stories"]);
    assert_eq!(played.code, Some(0), "{}{}", played.out, played.err);
    let same = on(folder.path(), &["replay", "--policy", "builtin:conservative"]);
    assert_eq!(same.code, Some(0), "{}{}", same.out, same.err);
    assert!(same.out.contains("snapshots of 3 jobs, from"), "{}", same.out);
    let naive = on(folder.path(), &["replay", "--policy", "builtin:naive"]);
    for job in ["\nfirst/", "\nsecond/", "\nsecond-2/"] {
        assert!(naive.out.contains(job), "{}", naive.out);
    }
}

/// A job that fails and stays so: the default policy alerts after half a minute.
const FAILS: &str = r#"
id = "fails"
title = "A job fails, and nobody intended it"
source = "made for this test"
needs = ["alerts"]

[[target]]
name = "orders"

[[step]]
at = "0s"
deployment = {}
pods = [{ name = "jm-1" }]
jobs = [{ id = "j1" }]

[[step]]
at = "30s"
jobs = [{ id = "j1", state = "FAILED", end = "30s" }]

[[expect]]
from = "80s"
until = "100s"
state = "FAILED"
alert = "job:JobFailed"
no_alert = ["JobLost", "cluster:*"]

[[expect]]
from = "5s"
until = "30s"
no_alert = "*"

[verdict]
alerts = [{ name = "JobFailed", target = "orders", raised = ["55s", "80s"], resolved = false }]
"#;

/// A folder with the snapshots of that story.
fn failed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fails.toml"), FAILS).unwrap();
    let played = run(folder.path(), &["simulate", "--record", "stories.db", "fails.toml"]);
    assert_eq!(played.code, Some(0), "{}{}", played.out, played.err);
    folder
}

const PATIENT: &str = "{ alert_after = \"1h\" }";

#[test]
fn policies_that_differ_in_an_alert_alone_differ_and_are_told_apart_from_those_that_differ_in_state() {
    let folder = failed();
    let same = ["policy", "diff", "builtin:conservative", "builtin:conservative"];
    let patient = on(folder.path(), &[&same[..], &["--new-params", PATIENT]].concat());
    assert_eq!((patient.code, patient.err.as_str()), (Some(1), ""), "{}", patient.out);
    for said in [
        "until the last snapshot  alert JobFailed (job)\n",
        "\n  removed   ",
        " apart, would a transition have been different\n",
        "beside the transitions would have been different: alerts of 1 job, pace of 1 job\n",
        "  looks at all anew each 60s instead of 30s\n",
    ] {
        assert!(patient.out.contains(said), "{said}: {}", patient.out);
    }
    assert!(!patient.out.contains("anything else"), "{}", patient.out);
    let back = on(folder.path(), &[&same[..], &["--old-params", PATIENT]].concat());
    assert!(back.out.contains("\n  added     "), "{}", back.out);
    for option in ["--old-params", "--new-params"] {
        for (params, said) in [
            ("{x=1}", " was refused; "),
            ("7", " `7` is a single value; "),
            ("{", " `{` is neither JSON"),
        ] {
            let refused = on(folder.path(), &[&same[..], &[option, params]].concat());
            assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
            assert!(
                refused.err.contains(&format!("{option}{said}")),
                "{option} {params}: {}",
                refused.err
            );
        }
    }

    let document = [&same[..], &["--new-params", PATIENT, "-o", "json"]].concat();
    let document: serde_json::Value = serde_json::from_str(&on(folder.path(), &document).out).unwrap();
    assert_eq!(document["same"], false);
    assert_eq!(document["aspects"], serde_json::json!({ "alerts": 1, "pace": 1 }));
    let job = &document["jobs"][0];
    assert_eq!(
        (&job["differences"], &job["aspects"]),
        (&serde_json::json!([]), &serde_json::json!(["alerts", "pace"]))
    );
    // To look again when the alert is due is another pace.
    let apart = job["apart"].as_array().unwrap();
    let apart = apart.iter().find(|one| one["what"] == "alert").unwrap();
    let told = [&apart["alert"], &apart["scope"], &apart["only"], &apart["until"]];
    assert_eq!(
        told,
        [
            &"JobFailed".into(),
            &"job".into(),
            &"old".into(),
            &serde_json::Value::Null
        ]
    );

    let equal = on(folder.path(), &same);
    assert_eq!(equal.code, Some(0), "{}", equal.out);
    assert!(
        equal.out.ends_with("would it have shown anything else\n"),
        "{}",
        equal.out
    );
}

#[test]
fn a_replay_says_which_alert_another_policy_would_not_have_raised() {
    let folder = failed();
    let replay = ["replay", "--policy", "builtin:conservative"];
    let same = on(folder.path(), &replay);
    assert_eq!((same.code, same.err.as_str()), (Some(0), ""), "{}", same.out);
    let patient = on(folder.path(), &[&replay[..], &["--params", PATIENT]].concat());
    assert_eq!(patient.code, Some(1), "{}", patient.out);
    assert!(patient.out.contains("alert JobFailed (job)"), "{}", patient.out);
    // What differs in state is told by its transitions, and in alerts and conditions beside them.
    let naive = on(folder.path(), &["replay", "--policy", "builtin:naive"]);
    assert!(naive.out.contains("alert JobFailed (job)"), "{}", naive.out);
}

#[test]
fn timeline_and_log_tell_when_an_alert_was_raised_and_resolved_and_how_the_job_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let recovers = FAILS
        .replace(
            "[[expect]]\nfrom = \"80s\"",
            "[[step]]\nat = \"110s\"\njobs = [{ id = \"j1\", start = \"105s\" }]\n\n[[expect]]\nfrom = \"80s\"",
        )
        .replace("resolved = false", "resolved = [\"110s\", \"180s\"]")
        .replace(
            "[verdict]",
            "[[expect]]\nfrom = \"185s\"\nuntil = \"200s\"\nstate = \"RUNNING\"\nno_alert = \"*\"\n\n[verdict]",
        );
    std::fs::write(folder.path().join("fails.toml"), recovers).unwrap();
    let played = run(
        folder.path(),
        &["--log", "info", "simulate", "--timeline", "fails.toml"],
    );
    assert_eq!(played.code, Some(0), "{}{}", played.out, played.err);
    for said in [
        "  alert   orders: JobFailed (job) raised: ",
        "  alert   orders: JobFailed (job) resolved\n",
        "  watch   orders: active, polls each 5s",
    ] {
        assert!(played.out.contains(said), "{said}: {}", played.out);
    }
    let line = |what: &str| {
        let found = played.err.lines().find(|line| line.contains(what));
        found.unwrap_or_else(|| panic!("{what}: {}", played.err)).to_owned()
    };
    for said in ["an alert was raised", "an alert was resolved"] {
        let line = line(said);
        for part in ["INFO", "job=local/default/orders", "alert=\"JobFailed\"", "scope=job"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

#[test]
fn a_story_that_lists_alerts_fails_on_one_that_is_not_raised_and_on_one_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |text: String| {
        std::fs::write(folder.path().join("fails.toml"), text).unwrap();
        let played = run(folder.path(), &["simulate", "fails.toml"]);
        assert_eq!(played.code, Some(1), "{}{}", played.out, played.err);
        played.out
    };
    let late = fails(FAILS.replace("[\"55s\", \"80s\"]", "[\"81s\", \"90s\"]"));
    assert!(late.contains("no alert JobFailed of orders raised from 81.0s to 90.0s not resolved; there were: JobFailed (job) of orders at"), "{late}");
    assert!(late.contains("which the verdict does not list"), "{late}");
    let none = fails(FAILS.replace("alert = \"job:JobFailed\"", "alert = \"cluster:JobFailed\""));
    assert!(
        none.contains("orders lacks alert cluster:JobFailed, has JobFailed (job)"),
        "{none}"
    );
    let any = fails(
        FAILS
            .replace("\"cluster:*\"", "\"job:*\"")
            .replace("alert = \"job:JobFailed\"\n", ""),
    );
    assert!(
        any.contains("orders has alert job:*, though none such may stand: JobFailed (job)"),
        "{any}"
    );
}
