//! A counterexample for people: look by look in words, and as a story that `steadfast simulate` plays.

pub mod script;

use std::fmt::Write;

use crate::explore::{Counterexample, Make};
use crate::laws::Law;
use crate::look::{BEGINNING, Look, Watcher};
use crate::settings::Settings;
use crate::step::Step;

/// Every look of a counterexample, taken again.
pub fn replay_steps(
    counterexample: &Counterexample,
    make: Make<'_>,
    laws: &[Box<dyn Law>],
    settings: &Settings,
) -> Vec<Look> {
    let mut watcher = Watcher::new(make, settings.timing);
    let mut state = counterexample.from.state(&mut watcher, laws);
    let steps = counterexample.steps.iter().chain(&counterexample.broken.then);
    steps
        .map(|step| {
            let look = watcher.look(&state, *step);
            state = look.after.clone();
            look
        })
        .collect()
}

/// What happened and what was recorded, a line for each look, times in seconds.
pub fn render(counterexample: &Counterexample, looks: &[Look]) -> String {
    let mut text = String::new();
    let begin = &counterexample.from;
    let state = looks.first().map_or_else(String::new, |look| {
        format!("{} {}", look.before.state, look.before.confidence)
    });
    // Writing to a String cannot fail.
    let _ = writeln!(text, "    {:>6}  {begin}: {state}", "0 s");
    let origin = looks.first().map_or(BEGINNING, began);
    let mut lines = looks.iter().map(|look| {
        let at = look.snapshot.now.since(origin).as_secs();
        (at, look.step, format!("{}: {}", look.step, recorded(look)))
    });
    let mut next = lines.next();
    while let Some((at, step, told)) = next {
        let _ = writeln!(text, "    {:>6}  {told}", format!("{at} s"));
        let (mut alike, mut until) = (0, at);
        next = lines.next();
        while let Some((at, _, _)) = next
            .as_ref()
            .filter(|(_, other, other_told)| is_again(step, *other) && *other_told == told)
        {
            (alike, until) = (alike + 1, *at);
            next = lines.next();
        }
        if alike > 0 {
            let looks = if alike == 1 { "look" } else { "looks" };
            let _ = writeln!(
                text,
                "    {:>6}  the same at {alike} {looks} more",
                format!("{until} s")
            );
        }
    }
    let _ = writeln!(text, "    so: {}", counterexample.broken.why);
    text
}

/// Whether a step is told in the same words as another: spans need not be equal.
fn is_again(step: Step, other: Step) -> bool {
    step == other || matches!((step, other), (Step::Wait(_), Step::Wait(_)))
}

/// When the look before this one was taken.
fn began(look: &Look) -> steadfast_core::time::Timestamp {
    let takes = look.step.takes(look.snapshot.timing.poll);
    let millis = i64::try_from(takes.as_millis()).unwrap_or(0);
    steadfast_core::time::Timestamp::from_millis(look.snapshot.now.as_millis() - millis)
}

fn recorded(look: &Look) -> String {
    let (before, after) = (&look.before, look.record());
    if let Some(failure) = &look.failure {
        return format!(
            "no decision ({}), {} {} stays",
            failure.kind.as_str(),
            after.state,
            after.confidence
        );
    }
    let mut text = if before.state == after.state {
        format!("{} {}", after.state, after.confidence)
    } else {
        format!("{} became {} {}", before.state, after.state, after.confidence)
    };
    if after.attention == steadfast_core::state::Attention::Sleeping {
        text.push_str(", and the watch sleeps");
    }
    let _ = write!(text, " ({}: {})", after.reason.code, after.reason.message);
    text
}
