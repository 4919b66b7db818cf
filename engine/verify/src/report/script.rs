//! A counterexample as a story's file.

mod expectation;
mod faults;
mod shown;
mod steps;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use steadfast_core::labels::Labels;
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;

use crate::beginning::{Beginning, Scene};
use crate::explore::Counterexample;
use crate::laws::Shows;
use crate::look::{BEGINNING, Look, NEIGHBOURS};
use crate::step::Step;
use crate::world::World;
use expectation::{LOOKED_AT, REVIVED_AFTER, expectation};

/// When a job that runs is disturbed: by then the engine has seen it.
const SEEN_AFTER: Duration = Duration::from_secs(20);

/// What a file says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The story's name: a slug.
    pub id: &'a str,
    /// The law's sentence.
    pub title: &'a str,
    /// Who found it.
    pub source: &'a str,
}

/// Writes the story of a counterexample and its looks, with each piece of evidence held for at least `hold`, so that the engine meets it whatever its jitter.
///
/// # Errors
/// Why no world shows this, in words.
pub fn write(
    counterexample: &Counterexample,
    looks: &[Look],
    head: Head<'_>,
    hold: Duration,
) -> Result<String, String> {
    let broken = &counterexample.broken;
    if broken.then.len() > MOST_STEPS {
        return Err(format!(
            "it takes {} looks, more than a story should have",
            broken.then.len()
        ));
    }
    let begins = looks.first().map_or(counterexample.from.at, super::began);
    let mut script = Script::begin(counterexample, begins, millis(hold))?;
    for step in &counterexample.steps {
        script.take(*step)?;
    }
    let last = script.last;
    for step in &broken.then {
        script.take(*step)?;
    }
    if broken.shows == Shows::NotRecovered && broken.then.is_empty() {
        script.take(Step::Heal)?;
    }
    let expects = expectation(&broken.shows, looks, last, &mut script)?;
    Ok(script.finish(head, &expects))
}

/// The longest story that is written.
const MOST_STEPS: usize = 500;

/// A story as it grows. Times are milliseconds of the story.
struct Script {
    from: Beginning,
    /// What the world's clock says when the story begins.
    origin: Timestamp,
    world: World,
    checkpoints_fail: bool,
    /// When the next thing may happen.
    now: i64,
    /// When the last thing happened.
    last: i64,
    hold: i64,
    steps: String,
    needs: BTreeSet<&'static str>,
    has_neighbours: bool,
}

impl Script {
    /// `begins`: when the first thing happens, by the exploration's clock.
    fn begin(counterexample: &Counterexample, begins: Timestamp, hold: i64) -> Result<Self, String> {
        let from = counterexample.from.clone();
        // Where the date matters, what happens first happens at its moment.
        let origin = if from.at == BEGINNING {
            BEGINNING
        } else {
            begins.before(SEEN_AFTER)
        };
        let starts = from.scene == Scene::Start;
        let mut script = Self {
            world: if starts {
                World::before_all(origin)
            } else {
                World::healthy(from.scene.mode(), origin)
            },
            from,
            origin,
            checkpoints_fail: false,
            now: 0,
            last: 0,
            hold,
            steps: String::new(),
            needs: BTreeSet::new(),
            has_neighbours: counterexample
                .steps
                .iter()
                .any(|step| matches!(step, Step::Neighbours(_))),
        };
        match script.world.mode {
            Mode::Application => {}
            Mode::Session => {
                script.needs.insert("session");
            }
            Mode::Standalone => {
                script.needs.insert("standalone");
            }
        }
        script.kubernetes_answers();
        if script.has_neighbours {
            script.step(
                Some("other"),
                "deployment = {}\npods = [{}]\njobs = [{ id = \"j1\" }]\n",
            );
            script.needs.insert("namespaces");
        }
        script.prepare(&counterexample.steps)?;
        // The words of a start are those of every scene: what cannot be written was made by no step.
        let _ = script.show(None);
        if starts {
            script.step(None, "kubernetes = \"drop\"\n");
        }
        script.now = if starts { hold } else { millis(SEEN_AFTER) };
        Ok(script)
    }

    fn step(&mut self, target: Option<&str>, says: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.steps, "[[step]]\nat = \"{}\"", seconds(self.now));
        if let Some(target) = target.filter(|_| self.has_neighbours) {
            let _ = writeln!(self.steps, "target = \"{target}\"");
        }
        let _ = writeln!(self.steps, "{says}");
    }

    fn moment(&self, at: Timestamp) -> String {
        seconds(at.as_millis() - self.origin.as_millis())
    }

    fn finish(self, head: Head<'_>, expects: &str) -> String {
        let needs: Vec<String> = self.needs.iter().map(|need| format!("\"{need}\"")).collect();
        let mut text = format!(
            "id = \"{}\"\ntitle = {}\nsource = {}\nneeds = [{}]\n",
            head.id,
            toml::Value::String(head.title.to_owned()),
            toml::Value::String(head.source.to_owned()),
            needs.join(", ")
        );
        if self.origin != BEGINNING {
            let _ = writeln!(text, "start = \"{}\"", self.origin);
        }
        // Stories of an hour or more say so.
        if self.now + REVIVED_AFTER + LOOKED_AT * 2 >= 3_600_000 {
            text.push_str("slow = true\n");
        }
        text.push_str("\n[[target]]\nname = \"orders\"\n");
        if self.world.mode != Mode::Application {
            let _ = writeln!(text, "mode = \"{}\"", self.world.mode);
        }
        if self.from.labels != Labels::default() {
            let labels = self.from.labels.iter();
            let labels: Vec<String> = labels
                .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
                .collect();
            let _ = writeln!(text, "labels = {{ {} }}", labels.join(", "));
        }
        text.push('\n');
        if self.has_neighbours {
            let _ = write!(
                text,
                "[[target]]\nname = \"other\"\ncount = {NEIGHBOURS}\nnamespace = \"b\"\n\n"
            );
        }
        text + &self.steps + expects
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn seconds(millis: i64) -> String {
    if millis % 1_000 == 0 {
        format!("{}s", millis / 1_000)
    } else {
        format!("{millis}ms")
    }
}
