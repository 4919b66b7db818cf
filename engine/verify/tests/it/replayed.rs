//! Counterexamples as stories: the whole engine breaks on them as the exploration did.

use std::time::Duration;

use steadfast_core::decision::Decide;
use steadfast_core::timing::Timing;
use steadfast_reconcile::PolicySetup;
use steadfast_simulate::{Environment, Harness, play};
use steadfast_verify::look::Look;
use steadfast_verify::report::replay_steps;
use steadfast_verify::report::script::{Head, write};
use steadfast_verify::{Counterexample, Settings, laws, verify};
use steadfast_world::story::Story;

use crate::planted::{engine, labels, planted};
use crate::policies::{Defect, policy};

const HEAD: Head<'static> = Head {
    id: "found",
    title: "A \"law\" that is broken",
    source: "a test",
};

fn found(defect: Defect, law: &str) -> (Counterexample, Vec<Look>) {
    let settings = Settings {
        depth: 3,
        beyond: 0,
        trials: false,
        ..Settings::default()
    };
    let laws = laws::all();
    let report = verify(&|| policy(defect), &laws, &settings, &mut |_| {});
    let place = laws.iter().position(|other| other.name() == law).unwrap();
    let found = report.laws[place].clone();
    let found = found.unwrap_or_else(|| panic!("{defect:?} keeps {law}"));
    let looks = replay_steps(&found, &|| policy(defect), &laws, &settings);
    (found, looks)
}

/// What is broken when the story is played with that policy.
fn broken(story: &Story, defect: Defect) -> Vec<String> {
    played(story, &|| policy(defect))
}

fn played(story: &Story, decide: &dyn Fn() -> Box<dyn Decide>) -> Vec<String> {
    let harness = Harness {
        timing: Timing::default(),
        seed: 7,
        policies: &|| vec![PolicySetup::deciding("tested", decide())],
        environment: Environment::InProcess,
        recording: None,
        chaos: None,
    };
    let outcome = play(story, &harness).unwrap();
    outcome.broken.iter().map(|broken| broken.what.clone()).collect()
}

#[test]
fn stories_fail_with_the_policy_they_were_found_in_and_pass_with_one_that_is_right() {
    for (defect, law, hold) in [
        (Defect::Impatient, "unknown-is-not-absent", 20),
        (Defect::EndsTheWatch, "watch-never-ends", 10),
        (Defect::AbsentMeansFailed, "ends-are-told", 10),
        (Defect::Fails, "answers-everything", 10),
        (Defect::Rambles, "answers-everything", 10),
        (Defect::AlwaysSure, "stale-is-not-confirmed", 10),
        (Defect::Wavers, "comes-to-rest", 10),
    ] {
        let (found, looks) = found(defect, law);
        let text = write(&found, &looks, HEAD, Duration::from_secs(hold)).unwrap();
        let story = Story::parse("found.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_ne!(
            broken(&story, defect),
            Vec::<String>::new(),
            "{defect:?} passes\n{text}"
        );
        assert_eq!(broken(&story, Defect::None), Vec::<String>::new(), "{law}\n{text}");
    }
}

#[test]
fn what_no_world_shows_is_said_and_not_written() {
    let (counted, looks) = found(Defect::Counts, "same-input-same-output");
    let why = write(&counted, &looks, HEAD, Duration::from_secs(5)).unwrap_err();
    assert!(why.contains("a record does not show"), "{why}");
}

/// A planted mistake whose counterexample is a story of that kind.
struct Planted {
    mistake: &'static str,
    law: Of,
    depth: u32,
    /// How many seconds evidence is held.
    hold: u64,
    /// What the story says that others do not.
    says: &'static [&'static str],
}

/// The law that is broken. What a built-in one finds after days is found by one of one's own within minutes, and played sooner.
#[derive(Clone, Copy)]
enum Of {
    BuiltIn(&'static str),
    /// What stands in a `[[law]]` beside name and sentence.
    Own(&'static str),
}

use Of::{BuiltIn, Own};

/// One for each thing that stories have a word for, beside states.
const PLANTED: &[Planted] = &[
    Planted {
        mistake: "alerts-flap",
        law: BuiltIn("alerts-are-steady"),
        depth: 1,
        hold: 5,
        says: &["max_alerts = 1\n"],
    },
    Planted {
        mistake: "alerts-with-new-names",
        law: BuiltIn("alerts-are-steady"),
        depth: 1,
        hold: 5,
        says: &["max_alerts = 8\n"],
    },
    Planted {
        mistake: "no-alerts",
        law: Own(
            "must = { alerts = \"any\" }\nwithin = 12\nwhile = { flink = \"FAILED\", kubernetes = \"present\" }\n",
        ),
        depth: 3,
        hold: 20,
        says: &["alert = [\"*\"]\n", "needs = [\"alerts\"]"],
    },
    Planted {
        mistake: "crash-loop-of-a-ready-pod",
        law: BuiltIn("conditions-follow"),
        depth: 1,
        hold: 20,
        says: &["no_condition = [\"CrashLoop\"]\n"],
    },
    Planted {
        mistake: "flink-never-unreachable",
        law: Own("must = { conditions = [\"FlinkUnreachable\"] }\nwithin = 12\n\
             while = { flink = \"unknown\", kubernetes = \"present\" }\n"),
        depth: 2,
        hold: 20,
        says: &["condition = [\"FlinkUnreachable\"]\n"],
    },
    Planted {
        mistake: "lost-when-left-open",
        law: BuiltIn("unknown-is-not-absent"),
        depth: 2,
        hold: 20,
        says: &["listed = false, asked = \"500\"", "never = [\"LOST\"]"],
    },
    Planted {
        mistake: "panics-when-checkpoints-fail",
        law: BuiltIn("answers-everything"),
        depth: 3,
        hold: 65,
        says: &["checkpoints = { failed = 1000 }", "PolicyFailing"],
    },
    Planted {
        mistake: "wrong-in-session-mode",
        law: BuiltIn("unknown-is-not-absent"),
        depth: 4,
        hold: 20,
        says: &["mode = \"session\"\n", "target = \"orders/j1\"\n"],
    },
    Planted {
        mistake: "wrong-in-standalone-mode",
        law: BuiltIn("unknown-is-not-absent"),
        depth: 4,
        hold: 20,
        says: &["mode = \"standalone\"\n"],
    },
    Planted {
        mistake: "wrong-with-a-label-it-names",
        law: BuiltIn("unknown-is-not-absent"),
        depth: 4,
        hold: 20,
        says: &["labels = { \"planted.example.com/tier\" = \"true\" }\n"],
    },
    Planted {
        mistake: "failed-on-fridays",
        law: BuiltIn("alive-is-not-ended"),
        depth: 4,
        hold: 20,
        says: &["start = \"2026-01-0"],
    },
    Planted {
        mistake: "failed-at-night",
        law: BuiltIn("unknown-is-not-absent"),
        depth: 4,
        hold: 20,
        says: &["flink = \"drop\"\n"],
    },
];

/// Explores, writes the story, and plays it with the mistake and without.
fn check(planted_mistake: &Planted) -> Result<(), String> {
    let Planted {
        mistake,
        law,
        depth,
        hold,
        says,
    } = *planted_mistake;
    let engine = engine();
    let (wrong, right) = (planted(&engine, mistake), planted(&engine, "none"));
    let settings = Settings {
        depth,
        beyond: 0,
        fault_depth: 1,
        trials: ["label", "friday", "night"].iter().any(|word| mistake.contains(word)),
        labels: labels(),
        ..Settings::default()
    };
    let laws = match law {
        BuiltIn(name) => laws::all().into_iter().filter(|law| law.name() == name).collect(),
        Own(rest) => laws::written::parse("own.toml", &format!("[[law]]\nname = \"own\"\nsays = \"x\"\n{rest}"))
            .map_err(|error| format!("{error:?}"))?,
    };
    let report = verify(&|| Box::new(wrong.another()), &laws, &settings, &mut |_| {});
    let found = report.laws[0].clone().ok_or("is not found")?;
    let looks = replay_steps(&found, &|| Box::new(wrong.another()), &laws, &settings);
    let text = write(&found, &looks, HEAD, Duration::from_secs(hold)).map_err(|why| format!("has no story: {why}"))?;
    let story = Story::parse("found.toml", &text).map_err(|error| format!("{error}\n{text}"))?;
    if let Some(missing) = says.iter().find(|part| !text.contains(**part)) {
        return Err(format!("no `{missing}` in\n{text}"));
    }
    if played(&story, &|| Box::new(wrong.another())).is_empty() {
        return Err(format!("passes with the mistake\n{text}"));
    }
    match played(&story, &|| Box::new(right.another())) {
        broken if broken.is_empty() => Ok(()),
        broken => Err(format!("fails without the mistake: {broken:?}\n{text}")),
    }
}

#[test]
fn planted_mistakes_of_each_kind_are_stories_that_show_them() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let (even, odd): (Vec<_>, Vec<_>) = PLANTED.iter().enumerate().partition(|(place, _)| place % 2 == 0);
        let halves = [even, odd].map(|half| {
            scope.spawn(move || {
                let checked = half.into_iter().map(|(_, one)| (one.mistake, check(one)));
                let wrong = checked.filter_map(|(mistake, came_to)| Some(format!("{mistake} {}", came_to.err()?)));
                wrong.collect::<Vec<_>>()
            })
        });
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert_eq!(wrong, Vec::<String>::new(), "{}", wrong.join("\n\n"));
}
