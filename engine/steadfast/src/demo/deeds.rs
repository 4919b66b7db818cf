//! What a key does to the world.

use std::collections::BTreeSet;

use steadfast_world::story::{FlinkFault, Moment, Step, Story};

/// What somebody who watches may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Cut,
    Heal,
    Kill,
    Fail,
    Run,
}

/// Each key with what it does, as the help line has it.
pub(super) const KEYS: &[(char, Deed, &str)] = &[
    ('o', Deed::Cut, "outage"),
    ('h', Deed::Heal, "heal"),
    ('k', Deed::Kill, "kill a JobManager"),
    ('f', Deed::Fail, "fail a job"),
    ('r', Deed::Run, "run it again"),
];
/// The key that ends the demo.
pub(super) const QUIT: char = 'q';

/// How long a JobManager takes to come back, in milliseconds.
const COMES_BACK: i64 = 4_000;

impl Deed {
    /// What a key does; `None` for all others.
    pub(super) fn of(key: char) -> Option<Self> {
        KEYS.iter().find(|(known, ..)| *known == key).map(|(_, deed, _)| *deed)
    }

    /// What happens then, for the timeline.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Cut => "every packet to Kubernetes and Flink is lost",
            Self::Heal => "the network heals",
            Self::Kill => "the JobManager of `payments` runs out of memory and restarts",
            Self::Fail => "`orders` fails: a checkpoint storage that is full",
            Self::Run => "somebody submits `orders` again",
        }
    }

    /// The steps of it, from `now` on.
    ///
    /// # Errors
    /// None: the texts are these, and a test parses them.
    pub(super) fn steps(self, now: Moment, cast: &Cast, story: &Story) -> anyhow::Result<Vec<(Moment, Step)>> {
        let text = match self {
            Self::Cut => step(0, "kubernetes = \"drop\"\nflink = \"drop\""),
            Self::Heal => cast.heal(story),
            Self::Kill => kill(now),
            Self::Fail => step(
                0,
                "target = \"orders\"\njobs = [{ id = \"j1\", state = \"FAILED\", root_exception = \
                 \"java.io.IOException: checkpoint storage is full\" }]",
            ),
            Self::Run => step(
                0,
                &format!(
                    "target = \"orders\"\njobs = [{{ id = \"j1\", start = \"{}ms\" }}]",
                    now.as_millis()
                ),
            ),
        };
        let steps = Story::parse("demo", &in_a_story(&text, story))?.steps;
        let later = |at: Moment| Moment::from_millis(now.as_millis().saturating_add(at.as_millis()));
        Ok(steps.into_iter().map(|(at, step)| (later(at), step)).collect())
    }
}

/// A step, so many milliseconds after the key.
fn step(after: i64, what: &str) -> String {
    format!("[[step]]\nat = \"{after}ms\"\n{what}\n\n")
}

fn kill(now: Moment) -> String {
    let back = now.as_millis().saturating_add(COMES_BACK);
    let pod = "name = \"jm-1\", restarts = 2, terminated = \"OOMKilled\", exit_code = 137";
    let gone = format!("target = \"payments\"\nflink = \"refuse\"\npods = [{{ {pod}, ready = false }}]");
    let there = format!(
        "target = \"payments\"\nflink = \"ok\"\npods = [{{ {pod} }}]\njobs = [{{ id = \"j1\", start = \"{back}ms\" }}]"
    );
    step(0, &gone) + &step(COMES_BACK, &there)
}

/// The steps as a story of the same jobs, which begins with the key.
fn in_a_story(steps: &str, story: &Story) -> String {
    let targets: String = story
        .targets
        .iter()
        .map(|target| format!("[[target]]\nname = \"{}\"\nfound = \"native\"\n", target.name))
        .collect();
    // A story must expect something of its jobs; nobody judges this one.
    let expected =
        "[[expect]]\nfrom = \"10s\"\nuntil = \"20s\"\ntarget = \"orders\"\nno_condition = \"AccessDenied\"\n";
    format!(
        "id = \"demo\"\ntitle = \"What a key does\"\nsource = \"a person who watches\"\nneeds = [\"discovery\"]\n\n{targets}\n{steps}{expected}"
    )
}

/// Which Flinks are there to answer, whatever the network does.
#[derive(Clone, Debug, Default)]
pub(super) struct Cast {
    away: BTreeSet<String>,
}

impl Cast {
    /// Notes what a step says of a single Flink.
    pub(super) fn note(&mut self, step: &Step) {
        let Some(target) = &step.target else { return };
        match step.flink {
            Some(FlinkFault::Ok) => drop(self.away.remove(target)),
            Some(_) => drop(self.away.insert(target.clone())),
            None if step.deployment.as_ref().is_some_and(|deployment| !deployment.present) => {
                self.away.insert(target.clone());
            }
            None => {}
        }
    }

    fn heal(&self, story: &Story) -> String {
        let healed = step(0, "kubernetes = \"ok\"\nflink = \"ok\"");
        let away = story.targets.iter().filter(|target| self.away.contains(&target.handle));
        let away = away.map(|target| step(0, &format!("target = \"{}\"\nflink = \"refuse\"", target.name)));
        healed + &away.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::STORY;

    #[test]
    fn each_key_does_something_at_any_time_of_the_story() {
        let story = Story::parse("demo", STORY).unwrap();
        let mut cast = Cast::default();
        let mut applied = Vec::new();
        for (at, step) in &story.steps {
            cast.note(step);
            for (key, deed, _) in KEYS {
                assert_eq!(Deed::of(*key), Some(*deed));
                let steps = deed.steps(*at, &cast, &story).unwrap();
                assert!(
                    !steps.is_empty() && steps.iter().all(|(then, _)| then >= at),
                    "{deed:?}"
                );
                applied.push(steps.len());
            }
        }
        assert_eq!(Deed::of(QUIT), None);
        // In the end three Flinks are not there to answer, and the fourth step of healing them all would be one too many.
        let healed = Deed::Heal.steps(story.ends(), &cast, &story).unwrap();
        let away: Vec<_> = healed.iter().filter_map(|(_, step)| step.target.as_deref()).collect();
        assert_eq!(away, ["clicks", "images", "legacy"]);
    }
}
