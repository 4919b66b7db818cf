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
    assert!(same.out.contains("nothing would have been different"), "{}", same.out);
    assert!(same.out.contains("snapshots of 1 job, from"), "{}", same.out);
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
