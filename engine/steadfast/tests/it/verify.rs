//! `steadfast policy verify`: what it finds, what it writes, and how it ends.

use std::path::Path;

use serde_json::Value;

use crate::command::{Ended, run};
use crate::documents::root;

fn verify(folder: &Path, arguments: &[&str]) -> Ended {
    run(folder, &[&["policy", "verify"], arguments].concat())
}

#[test]
fn the_default_policy_keeps_every_law() {
    let folder = tempfile::tempdir().unwrap();
    let ended = verify(
        folder.path(),
        &["builtin:conservative", "--depth", "2", "--beyond", "0"],
    );
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (Some(0), ""),
        "{}{}",
        ended.out,
        ended.err
    );
    for wanted in [
        "depth  2: ",
        "holds to depth 2   recovers: ",
        "\n24 laws: 24 hold to depth 2, 0 broken\n",
    ] {
        assert!(ended.out.contains(wanted), "no `{wanted}` in\n{}", ended.out);
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is written"
    );
}

/// The counterexample of docs/verify.md, with what it leaves out as the ends of parts.
fn shown() -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/verify.md")).unwrap();
    let block = page.split("```text\n").nth(1).unwrap().split("\n```").next().unwrap();
    assert!(block.starts_with("BROKEN at depth 1"), "{block}");
    block.split("…").map(str::to_owned).collect()
}

#[test]
fn stories_of_the_naive_policy_fail_with_it_and_pass_with_the_default_one() {
    let folder = tempfile::tempdir().unwrap();
    let ended = verify(
        folder.path(),
        &["builtin:naive", "--depth", "2", "--beyond", "0", "--stories", "broken"],
    );
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
    for wanted in [
        "BROKEN at depth 1   unknown-is-not-absent: ",
        "RUNNING became FAILED confirmed, and the watch sleeps",
        "so: RUNNING became FAILED, and nothing but silence was seen",
        "24 laws: 16 hold to depth 2, 6 broken, 2 say nothing of it\n",
    ] {
        assert!(ended.out.contains(wanted), "no `{wanted}` in\n{}", ended.out);
    }
    for part in shown() {
        assert!(
            ended.out.contains(&part),
            "no `{part}`, which docs/verify.md shows, in\n{}",
            ended.out
        );
    }
    for law in ["unknown-is-not-absent", "ends-are-told", "watch-never-ends", "recovers"] {
        let story = format!("broken/naive-breaks-{law}.toml");
        assert!(ended.out.contains(&format!("written to {story}; ")), "{}", ended.out);
        let naive = run(folder.path(), &["simulate", "--policy", "builtin:naive", &story]);
        assert_eq!(naive.code, Some(1), "{law}: {}{}", naive.out, naive.err);
        let conservative = run(folder.path(), &["simulate", &story]);
        assert_eq!(
            conservative.code,
            Some(0),
            "{law}: {}{}",
            conservative.out,
            conservative.err
        );
    }
}

#[test]
fn the_examples_that_end_jobs_on_silence_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let prebuilt = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/prebuilt");
    for (policy, depth) in [("impatient", "3"), ("streampark-compatible", "2")] {
        let module = prebuilt.join(format!("{policy}.wasm"));
        let module = module.to_str().unwrap();
        let ended = verify(folder.path(), &[module, "--depth", depth, "--beyond", "0"]);
        assert_eq!(
            (ended.code, ended.err.as_str()),
            (Some(1), ""),
            "{policy}: {}",
            ended.out
        );
        let story = format!("{policy}-breaks-unknown-is-not-absent.toml");
        let its_own = run(folder.path(), &["simulate", "--policy", module, &story]);
        assert_eq!(its_own.code, Some(1), "{policy}: {}{}", its_own.out, its_own.err);
        let conservative = run(folder.path(), &["simulate", &story]);
        assert_eq!(conservative.code, Some(0), "{policy}: {}", conservative.out);
    }
}

#[test]
fn what_takes_an_hour_is_told_and_plays_as_it_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/prebuilt/planted.wasm");
    let module = module.to_str().unwrap();
    let params = "{ mistake = \"lost-after-an-hour\" }";
    let law = ["--law", "unknown-is-not-absent", "--depth", "2", "--beyond", "0"];
    let ended = verify(folder.path(), &[&[module, "--params", params], &law[..]].concat());
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
    assert!(ended.out.contains(" looks more\n"), "{}", ended.out);
    let printed = ended
        .out
        .split('`')
        .find(|part| part.starts_with("steadfast simulate"))
        .unwrap();
    let printed = shlex::split(printed).unwrap();
    let arguments: Vec<&str> = printed.iter().skip(1).map(String::as_str).collect();
    let played = run(folder.path(), &arguments);
    assert_eq!(played.code, Some(1), "{arguments:?}: {}{}", played.out, played.err);
}

/// A typing mistake in an alert's name would be a law that holds for ever.
#[test]
fn a_law_that_names_alerts_which_nobody_raises_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let own =
        "[[law]]\nname = \"calm\"\nsays = \"Nobody is told of a storm.\"\nnever = { alerts = \"RestartStrom\" }\n";
    std::fs::write(folder.path().join("own.toml"), own).unwrap();
    let ended = verify(
        folder.path(),
        &[
            "builtin:conservative",
            "--depth",
            "1",
            "--beyond",
            "0",
            "--laws",
            "own.toml",
            "--law",
            "calm",
        ],
    );
    let wanted = "says nothing   calm: no decision raised an alert that it names";
    assert!(ended.out.contains(wanted), "{}{}", ended.out, ended.err);
}

#[test]
fn laws_are_chosen_and_written_by_whoever_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let own = "[[law]]\nname = \"no-guess\"\nsays = \"silence is no end\"\n\
               never = { state = [\"FAILED\", \"LOST\"] }\nwhile = { flink = \"unknown\" }\n";
    std::fs::write(folder.path().join("own.toml"), own).unwrap();
    let arguments = [
        "builtin:naive",
        "--depth",
        "1",
        "--laws",
        "own.toml",
        "--law",
        "no-guess",
    ];
    let ended = verify(folder.path(), &arguments);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert!(
        ended.out.contains("BROKEN at depth 1   no-guess: silence is no end\n"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.ends_with("1 law: 0 hold to depth 1, 1 broken\n"),
        "{}",
        ended.out
    );
    let broken = [
        "unknown-is-not-absent",
        // Where one Deployment follows the other again and again.
        "alive-is-not-ended",
        "ends-are-told",
        "watch-never-ends",
        "recovers",
        "silence-changes-nothing",
    ];
    let without: Vec<&str> = broken.into_iter().flat_map(|law| ["--without", law]).collect();
    let ended = verify(
        folder.path(),
        &[&["builtin:naive", "--depth", "1", "--beyond", "0"], &without[..]].concat(),
    );
    assert_eq!(ended.code, Some(0), "{}", ended.out);
}

#[test]
fn a_mistake_is_reported_with_its_fix_and_nothing_is_explored() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("odd.toml"),
        "[[law]]\nname = \"a\"\nsays = \"b\"\nnever = { sate = \"LOST\" }\n",
    )
    .unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["builtin:conservative", "--law", "odd"],
            "there is no law `odd`; choose of unknown-is-not-absent, ",
        ),
        (
            &["builtin:conservative", "--wait", "5"],
            "--wait `5` is no span of time; write",
        ),
        (
            &["builtin:conservative", "--memory", "64"],
            "--memory `64` is no size; write",
        ),
        (
            &["builtin:conservative", "--label", "tier"],
            "--label `tier` is no label; write",
        ),
        (
            &["builtin:conservative", "--laws", "odd.toml"],
            "the laws in odd.toml cannot be read; docs/verify.md",
        ),
        (
            &["builtin:conservative", "--laws", "nowhere.toml"],
            "the laws in nowhere.toml cannot be read",
        ),
        (
            &["builtin:conservative", "--output", "jsn"],
            "the folder of stories is --stories DIR",
        ),
        (
            &["builtin:conservative", "--list", "-o", "junit"],
            "--list tries nothing; take -o json",
        ),
        (&["builtin:odd"], "`builtin:odd`: there is no such built-in policy"),
    ];
    for (arguments, wanted) in cases {
        let ended = verify(folder.path(), arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {}",
            ended.err
        );
        assert!(
            ended.err.contains(wanted),
            "{arguments:?}: no `{wanted}` in\n{}",
            ended.err
        );
    }
}

/// What programs read is the text's content: each law, the way to each break, and what was explored.
#[test]
fn programs_read_what_people_read() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "builtin:naive",
        "--depth",
        "2",
        "--beyond",
        "0",
        "--stories",
        "broken",
        "-o",
        "json",
    ];
    let ended = verify(folder.path(), &[&arguments[..], &["--junit", "report.xml"]].concat());
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&document["hold"], &document["broken"], &document["sayNothing"]),
        (&16.into(), &6.into(), &2.into())
    );
    let policy = &document["policy"];
    assert_eq!(
        (policy["name"].as_str(), policy["module"].as_str()),
        (Some("naive"), Some("builtin:naive"))
    );
    assert_eq!(policy["sha256"].as_str().map(str::len), Some(64), "{policy}");
    holds_of_the_exploration(&document["explored"]);
    let laws = document["laws"].as_array().unwrap();
    let of = |name: &str| laws.iter().find(|law| law["name"] == name).unwrap();
    assert_eq!(
        (&of("pace-is-sane")["result"], &of("pace-is-sane")["depth"]),
        (&"holds".into(), &2.into())
    );
    let silent = of("ends-are-alerted");
    assert!(
        silent["result"] == "says-nothing" && silent["because"].is_string(),
        "{silent}"
    );
    let broken = of("unknown-is-not-absent");
    assert_eq!((&broken["result"], &broken["depth"]), (&"broken".into(), &1.into()));
    let counterexample = &broken["counterexample"];
    let step = &counterexample["steps"][0];
    assert_eq!(step["what"], "Flink gives no usable answer (timeout)");
    assert_eq!(
        (&step["before"]["state"], &step["after"]["state"]),
        (&"RUNNING".into(), &"FAILED".into())
    );
    assert_eq!(
        (&step["after"]["confidence"], &step["after"]["attention"]),
        (&"confirmed".into(), &"sleeping".into())
    );
    assert!(
        step["after"]["reason"]["message"].is_string() && step["times"] == 1,
        "{step}"
    );
    let story = counterexample["story"]["file"].as_str().unwrap();
    assert!(folder.path().join(story).is_file(), "{story}");
    let told =
        |law: &&Value| law["counterexample"]["story"].is_object() != law["counterexample"]["noStory"].is_string();
    assert!(
        laws.iter()
            .filter(|law| law["result"] == "broken")
            .all(|law| told(&law)),
        "{laws:#?}"
    );

    holds_of_the_report(&std::fs::read_to_string(folder.path().join("report.xml")).unwrap());
}

fn holds_of_the_exploration(explored: &Value) {
    let depths = explored["depths"].as_array().unwrap();
    assert_eq!((depths.len(), explored["complete"].as_u64()), (3, Some(2)));
    let looks: u64 = depths.iter().map(|depth| depth["looks"].as_u64().unwrap()).sum();
    assert!(looks > 0 && explored["looks"] == looks, "{explored}");
    let not_begun = explored["notBegun"].as_array().unwrap();
    assert!(!not_begun.is_empty(), "depth 2 does not reach a start: {explored}");
    assert!(explored["rulesThatNeverSpoke"].is_array() && explored["faultsAlike"]["flink"].is_array());
}

fn holds_of_the_report(report: &str) {
    for part in [
        "<testsuite name=\"steadfast policy verify\" tests=\"24\" failures=\"6\" errors=\"0\" skipped=\"2\">",
        "<testcase classname=\"naive\" name=\"pace-is-sane: ",
        "<failure message=\"RUNNING became FAILED, and nothing but silence was seen",
        "Flink gives no usable answer (timeout): RUNNING became FAILED confirmed",
        "written to broken/naive-breaks-unknown-is-not-absent.toml; `steadfast simulate --policy builtin:naive ",
        "<skipped message=\"the policy alerts of no end",
    ] {
        assert!(report.contains(part), "no `{part}` in\n{report}");
    }
}

#[test]
fn a_list_is_for_programs_too_and_an_exploration_that_is_cut_off_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let listed = verify(
        folder.path(),
        &["builtin:naive", "--list", "-o", "jsonpath={.laws[*].name}"],
    );
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    assert_eq!(listed.out.split(' ').count(), 24, "{}", listed.out);
    if !cfg!(target_os = "linux") {
        return;
    }
    let cut = [
        "builtin:conservative",
        "--explore-memory",
        "1KiB",
        "-o",
        "junit",
        "--stories",
        "broken",
    ];
    let cut = verify(folder.path(), &cut);
    assert_eq!(cut.code, Some(1), "{}", cut.out);
    assert!(
        cut.err.contains("the exploration has used the 1KiB it may"),
        "{}",
        cut.err
    );
    assert!(
        cut.out.contains("failures=\"1\"") && cut.out.contains("name=\"the exploration\""),
        "{}",
        cut.out
    );
}

#[test]
fn a_policy_with_a_loop_without_an_end_is_told_and_the_other_laws_are_not_tried() {
    let folder = tempfile::tempdir().unwrap();
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/prebuilt/planted.wasm");
    let module = module.to_str().unwrap();
    let params = ["--params", "{ mistake = \"loops-in-silence\" }"];
    let laws = ["--law", "answers-everything", "--law", "recovers"];
    let ended = verify(
        folder.path(),
        &[&[module, "--junit", "report.xml"], &params[..], &laws].concat(),
    );
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    for wanted in [
        "   answers-everything: ",
        "    so: the policy fails (deadline): `decide` ran for longer than 50ms; ",
        "not tried   recovers: the policy misses its deadline\n",
        "2 laws: 0 hold to depth 0, 1 broken, 1 not tried\n",
    ] {
        assert!(ended.out.contains(wanted), "no `{wanted}` in\n{}", ended.out);
    }
    assert!(
        !ended.out.contains("depend on the date"),
        "what was cut off tells of no date: {}",
        ended.out
    );
    assert!(
        ended
            .err
            .contains("missed its deadline at 10 looks, and the exploration ended there"),
        "{}",
        ended.err
    );
    let report = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(report.contains("<skipped message=\"not tried: "), "{report}");
}

#[test]
fn the_schema_of_laws_is_printed_and_what_is_copied_from_is_held() {
    let printed = run(&root(), &["policy", "schema", "laws"]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    let committed = std::fs::read_to_string(root().join("docs/laws.schema.json")).unwrap();
    assert_eq!(printed.out, committed);
    let schema: Value = serde_json::from_str(&printed.out).unwrap();
    assert!(schema["$defs"]["Law"]["properties"]["while"].is_object(), "{schema:#}");
    let refused = run(&root(), &["policy", "schema", "law"]);
    assert!(
        refused.code == Some(2) && refused.err.contains("snapshot, laws"),
        "{}",
        refused.err
    );

    let laws = root().join("examples/laws/team.toml");
    let arguments = [
        "builtin:conservative",
        "--depth",
        "1",
        "--beyond",
        "0",
        "--laws",
        laws.to_str().unwrap(),
    ];
    let own = ["silence-is-no-loss", "no-alert-of-a-job-that-runs", "silence-is-told"];
    let own: Vec<&str> = own.into_iter().flat_map(|law| ["--law", law]).collect();
    let held = verify(tempfile::tempdir().unwrap().path(), &[&arguments[..], &own].concat());
    assert_eq!(held.code, Some(0), "{}{}", held.out, held.err);
    assert!(
        held.out
            .ends_with("3 laws: 2 hold to depth 1, 0 broken, 1 say nothing of it\n")
            && held.out.contains("silence-is-told: its evidence was never met"),
        "{}",
        held.out
    );
}
