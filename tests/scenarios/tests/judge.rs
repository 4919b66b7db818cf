//! The judge can tell: a watcher that takes errors for absence fails the stories the product exists for, and one run
//! is repeated by its seed.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used)]

mod staged;

use std::path::Path;

use staged::Module;
use steadfast_simulate::{Outcome, play};
use steadfast_world::story::Story;

fn story(name: &str) -> Story {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("stories/{name}.toml"));
    Story::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
}

fn played(story: &Story, module: Module, seed: u64) -> Outcome {
    staged::in_virtual_time(module, seed, |harness| play(story, harness)).unwrap()
}

#[test]
fn a_naive_watcher_fails_every_story_that_the_product_exists_for() {
    for name in [
        "seed-chaos-100-percent-loss",
        "seed-real-failed-then-recovers",
        "seed-restart-cancelled",
        "sp-rest-down-pod-ready",
        "sp-ingress-404",
    ] {
        let outcome = played(&story(name), Module::Naive, 7);
        assert!(!outcome.broken.is_empty(), "{name}:\n{}", outcome.timeline);
    }
}

#[test]
fn one_seed_is_one_run() {
    let told = |seed| {
        let outcome = played(&story("rel-flapping"), Module::Conservative, seed);
        outcome.timeline.to_string()
    };
    assert_eq!(told(3), told(3));
}

#[test]
fn an_expectation_that_is_not_met_is_reported_with_its_time() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories/seed-real-failed-then-recovers.toml");
    let text = std::fs::read_to_string(path)
        .unwrap()
        .replace("state = \"FAILED\"\n", "state = \"FINISHED\"\n");
    let text = text.replace("never = [\"FINISHED\", ", "never = [");
    let outcome = played(&Story::parse("changed", &text).unwrap(), Module::Conservative, 7);
    let first = outcome.broken.first().unwrap();
    assert!(first.what.contains("orders is FAILED, not FINISHED"), "{first:?}");
    assert_eq!(first.at.as_millis() / 1000, 76);
}
