//! What is told of the stories that were played.

use std::path::PathBuf;

use serde_json::{Value, json};
use steadfast_simulate::{Obstacle, Outcome, PolicyFailed};
use steadfast_world::story::{Moment, Story};

use super::super::output::junit::{CameTo, Case};
use super::super::printer;

/// How many broken expectations of one story are shown.
const SHOWN: usize = 12;

/// One story, and what came of it.
pub(super) struct Told {
    file: PathBuf,
    id: String,
    title: String,
    came_to: Came,
}

enum Came {
    /// Why it could not be played.
    Skipped(Obstacle),
    /// What was broken, and when.
    Played {
        broken: Vec<(Moment, String)>,
        /// Each line with its moment, where it is to be shown.
        timeline: Option<Vec<(Moment, String)>>,
        /// How the policies failed.
        failures: Vec<Value>,
        /// The same for people.
        page: String,
    },
}

/// How often each came out.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Told {
    /// Of one that could not be played.
    pub(super) fn skipped(file: PathBuf, story: &Story, obstacle: Obstacle) -> Self {
        Self {
            file,
            id: story.id.clone(),
            title: story.title.clone(),
            came_to: Came::Skipped(obstacle),
        }
    }

    /// Of one that was, with its timeline if it failed or `always`.
    pub(super) fn played(file: PathBuf, story: &Story, outcome: &Outcome, always: bool) -> Self {
        let shows = always || !outcome.broken.is_empty();
        let lines = outcome.timeline.lines().map(|(at, line)| (at, line.to_owned()));
        let mut page = report(story, outcome);
        if shows {
            page.push_str(&format!("{}\n", outcome.timeline));
        }
        Self {
            file,
            id: story.id.clone(),
            title: story.title.clone(),
            came_to: Came::Played {
                broken: outcome.broken.iter().map(|one| (one.at, one.what.clone())).collect(),
                timeline: shows.then(|| lines.collect()),
                failures: outcome.failures.iter().map(failure).collect(),
                page,
            },
        }
    }

    /// For people.
    pub(super) fn page(&self) -> String {
        match &self.came_to {
            Came::Skipped(obstacle) => format!("skipped {}: {obstacle}\n", self.id),
            Came::Played { page, .. } => page.clone(),
        }
    }

    /// For programs. Times are seconds of the story.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({ "file": self.file.display().to_string(), "id": self.id, "title": self.title });
        let Some(members) = document.as_object_mut() else {
            return document;
        };
        match &self.came_to {
            Came::Skipped(obstacle) => {
                members.insert("result".to_owned(), json!("skipped"));
                members.insert("skipped".to_owned(), json!(obstacle.to_string()));
            }
            Came::Played {
                broken,
                timeline,
                failures,
                ..
            } => {
                let result = if broken.is_empty() { "passed" } else { "failed" };
                members.insert("result".to_owned(), json!(result));
                members.insert("broken".to_owned(), timed(broken));
                if !failures.is_empty() {
                    members.insert("failures".to_owned(), json!(failures));
                }
                if let Some(timeline) = timeline {
                    members.insert("timeline".to_owned(), timed(timeline));
                }
            }
        }
        document
    }

    /// For CI servers.
    pub(super) fn case(&self) -> Case {
        let came_to = match &self.came_to {
            Came::Skipped(obstacle) => CameTo::Skipped(obstacle.to_string()),
            Came::Played { broken, .. } if broken.is_empty() => CameTo::Passed,
            Came::Played { broken, page, .. } => CameTo::Failed {
                broken: broken.iter().map(|(at, what)| format!("at {at}: {what}")).collect(),
                more: page.clone(),
            },
        };
        Case {
            class: self.file.display().to_string(),
            name: format!("{}: {}", self.id, self.title),
            came_to,
        }
    }
}

fn timed(lines: &[(Moment, String)]) -> Value {
    let one = |(at, what): &(Moment, String)| json!({ "at": seconds(*at), "what": what });
    lines.iter().map(one).collect()
}

#[expect(clippy::cast_precision_loss, reason = "times of a story are far below 2^52")]
fn seconds(at: Moment) -> f64 {
    at.as_millis() as f64 / 1000.0
}

fn failure(failed: &PolicyFailed) -> Value {
    json!({ "policy": failed.policy.to_string(), "at": seconds(failed.at), "job": failed.job.to_string(), "times": failed.times,
        "kind": failed.failure.kind.as_str(), "message": failed.failure.message.to_string() })
}

impl Tally {
    pub(super) fn of(told: &[Told]) -> Self {
        let mut tally = Self::default();
        for one in told {
            match &one.came_to {
                Came::Skipped(_) => tally.skipped += 1,
                Came::Played { broken, .. } if broken.is_empty() => tally.passed += 1,
                Came::Played { .. } => tally.failed += 1,
            }
        }
        tally
    }

    pub(super) fn summary(&self) -> String {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        let all = passed + failed + skipped;
        let stories = printer::counted(all, "story");
        let mut text = format!("{stories}: {passed} passed, {failed} failed");
        if *skipped > 0 {
            text.push_str(&format!(", {skipped} skipped"));
        }
        text.push('\n');
        text
    }
}

/// One story's part of the output, without its timeline.
pub(in crate::cli) fn report(story: &Story, outcome: &Outcome) -> String {
    let word = if outcome.broken.is_empty() { "passed" } else { "FAILED" };
    let mut text = format!("{word} {}: {}\n", story.id, story.title);
    for broken in outcome.broken.iter().take(SHOWN) {
        text.push_str(&format!("  broken at {}: {}\n", broken.at, broken.what));
    }
    if outcome.broken.len() > SHOWN {
        text.push_str(&format!("  and {} more\n", outcome.broken.len() - SHOWN));
    }
    for failed in outcome.failures.iter().take(SHOWN) {
        let times = printer::counted(usize::try_from(failed.times).unwrap_or(usize::MAX), "time");
        text.push_str(&format!(
            "  policy `{}` failed {times}, first at {} on {}: {}: {}\n",
            failed.policy,
            failed.at,
            failed.job,
            failed.failure.kind.as_str(),
            failed.failure.message
        ));
    }
    if outcome.failures.len() > SHOWN {
        text.push_str(&format!(
            "  and it failed in {} other ways\n",
            outcome.failures.len() - SHOWN
        ));
    }
    text
}
