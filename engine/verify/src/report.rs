//! A counterexample for people: look by look in words, and as a story that `steadfast simulate` plays.

pub mod script;

use std::fmt::Write;
use std::time::Duration;

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

/// Looks in a row that are told in the same words.
#[derive(Debug)]
pub struct Told<'a> {
    /// When the first of them was taken, since the beginning.
    pub at: Duration,
    /// The first of them.
    pub look: &'a Look,
    /// What became of the record, for people.
    pub recorded: String,
    /// How many there are behind the first.
    pub again: usize,
    /// When the last of them was taken.
    pub until: Duration,
}

/// Tells looks in order; those that are alike in a row are told once.
pub fn told(looks: &[Look]) -> Vec<Told<'_>> {
    let origin = looks.first().map_or(BEGINNING, began);
    let mut all: Vec<Told<'_>> = Vec::new();
    for look in looks {
        let at = look.snapshot.now.since(origin);
        let recorded = recorded(look);
        match all.last_mut() {
            Some(last) if is_again(last.look.step, look.step) && last.recorded == recorded => {
                (last.again, last.until) = (last.again + 1, at);
            }
            Some(_) | None => all.push(Told {
                at,
                look,
                recorded,
                again: 0,
                until: at,
            }),
        }
    }
    all
}

/// What happened and what was recorded, a line for each look, times in seconds.
pub fn render(counterexample: &Counterexample, looks: &[Look]) -> String {
    let mut text = String::new();
    let begin = &counterexample.from;
    let state = looks.first().map_or_else(String::new, |look| {
        format!("{} {}", look.before.state, look.before.confidence)
    });
    let mut line = |at: Duration, told: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {:>6}  {told}", format!("{} s", at.as_secs()));
    };
    line(Duration::ZERO, &format!("{begin}: {state}"));
    for told in told(looks) {
        line(told.at, &format!("{}: {}", told.look.step, told.recorded));
        match told.again {
            0 => {}
            1 => line(told.until, "the same at 1 look more"),
            looks => line(told.until, &format!("the same at {looks} looks more")),
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
