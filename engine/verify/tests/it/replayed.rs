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
    let decide = || -> Box<dyn Decide> { policy(defect) };
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
