//! The judge can tell: a watcher that takes errors for absence fails the stories the product exists for, and one run
//! is repeated by its seed.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use scenarios::play::{Watcher, play};
use steadfast_world::story::Story;

fn story(name: &str) -> Story {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("stories/{name}.toml"));
    Story::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
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
        let outcome = play(&story(name), Watcher::Naive, 7).unwrap();
        assert!(!outcome.broken.is_empty(), "{name}:\n{}", outcome.timeline);
    }
}

#[test]
fn one_seed_is_one_run() {
    let told = |seed| {
        let outcome = play(&story("rel-flapping"), Watcher::Conservative, seed).unwrap();
        outcome.timeline.to_string()
    };
    assert_eq!(told(3), told(3));
}

#[test]
fn an_expectation_that_is_not_met_is_told_with_its_time() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories/seed-real-failed-then-recovers.toml");
    let text = std::fs::read_to_string(path)
        .unwrap()
        .replace("state = \"FAILED\"\n", "state = \"FINISHED\"\n");
    let text = text.replace("never = [\"FINISHED\", ", "never = [");
    let outcome = play(&Story::parse("changed", &text).unwrap(), Watcher::Conservative, 7).unwrap();
    let first = outcome.broken.first().unwrap();
    assert!(first.what.contains("orders is FAILED, not FINISHED"), "{first:?}");
    assert_eq!(first.at.as_millis() / 1000, 76);
}
