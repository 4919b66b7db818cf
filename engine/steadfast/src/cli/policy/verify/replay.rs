//! Whether a counterexample, told as a story, breaks in the whole engine too.

use std::time::Duration;

use steadfast_core::timing::Timing;
use steadfast_simulate::{Environment, Harness, play};
use steadfast_verify::Counterexample;
use steadfast_verify::look::Look;
use steadfast_verify::report::script::{Head, write};
use steadfast_world::story::Story;

use crate::cli::Failure;
use crate::run::LoadedPolicy;

/// What came of it.
pub(super) enum Replayed {
    /// The story fails with this policy.
    Shown {
        /// Its file.
        story: String,
    },
    /// It passes: the engine's own pace does not lead there.
    NotShown,
    /// There is no such story.
    CannotBeShown(String),
}

/// How long each piece of evidence is held: the shorter the closer to what was explored, the longer the surer to be met.
const HOLDS: [Duration; 4] = [
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(65),
];

/// Plays it, with evidence held longer until the break shows.
pub(super) fn replayed(
    counterexample: &Counterexample,
    looks: &[Look],
    head: Head<'_>,
    loaded: &LoadedPolicy,
    seed: u64,
) -> Result<Replayed, Failure> {
    let harness = Harness {
        timing: Timing::default(),
        seed,
        policies: &|| vec![loaded.another_setup()],
        environment: Environment::InProcess,
        recording: None,
        chaos: None,
    };
    for hold in HOLDS {
        let text = match write(counterexample, looks, head, hold) {
            Ok(text) => text,
            Err(why) => return Ok(Replayed::CannotBeShown(why)),
        };
        let story = match Story::parse(head.id, &text) {
            Ok(story) => story,
            Err(error) => {
                return Ok(Replayed::CannotBeShown(format!(
                    "the story format does not take it ({error})"
                )));
            }
        };
        if !play(&story, &harness)?.broken.is_empty() {
            return Ok(Replayed::Shown { story: text });
        }
    }
    Ok(Replayed::NotShown)
}
