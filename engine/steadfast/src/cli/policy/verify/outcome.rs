//! What came of each law.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use steadfast_host::Description;
use steadfast_verify::explore::Make;
use steadfast_verify::laws::Law;
use steadfast_verify::report::script::Head;
use steadfast_verify::{Counterexample, Report, Settings, report};

use super::super::super::output::junit::{CameTo, Case};
use super::super::super::{Failure, printer};
use super::super::policy_arg::PolicyArg;
use super::document::{self, Step};
use super::replay::{self, Replayed};
use super::told;
use crate::run::LoadedPolicy;

/// What is needed to tell of a law.
pub(super) struct Judging<'a> {
    pub(super) make: Make<'a>,
    pub(super) laws: &'a [Box<dyn Law>],
    pub(super) settings: &'a Settings,
    pub(super) found: &'a Report,
    pub(super) loaded: &'a LoadedPolicy,
    pub(super) policy: &'a PolicyArg,
    /// Where stories go.
    pub(super) folder: &'a Path,
    pub(super) seed: u64,
}

/// One law, and what came of it.
pub(super) struct Outcome<'a> {
    pub(super) law: &'a dyn Law,
    pub(super) came_to: Came<'a>,
}

pub(super) enum Came<'a> {
    /// It holds as far as everything was tried.
    Holds,
    /// Why it says nothing of the policy.
    SaysNothing(&'static str),
    /// Why the exploration ended before there was anything to hold it to.
    NotTried(&'static str),
    Broken(Broken<'a>),
}

/// A law that is broken.
pub(super) struct Broken<'a> {
    pub(super) counterexample: &'a Counterexample,
    /// The looks of the counterexample for programs.
    pub(super) steps: Vec<Step>,
    /// The same for people.
    pub(super) page: String,
    pub(super) story: Kept,
}

/// What became of the counterexample's story.
pub(super) enum Kept {
    Written {
        file: PathBuf,
        /// What plays it.
        command: String,
    },
    /// Why there is none.
    Not(String),
}

impl<'a> Judging<'a> {
    /// What came of a law; the story of a counterexample is written.
    pub(super) fn of(
        &self,
        law: &'a dyn Law,
        counterexample: Option<&'a Counterexample>,
    ) -> Result<Outcome<'a>, Failure> {
        let description = self.loaded.module.description();
        let is_cut_off = self.found.late.is_some() && self.found.complete == 0;
        let came_to = match (
            told::says_nothing(law, &self.found.coverage, description),
            counterexample,
        ) {
            (_, None) if is_cut_off => Came::NotTried("the policy misses its deadline"),
            (Some(why), _) => Came::SaysNothing(why),
            (None, Some(counterexample)) => Came::Broken(self.broken(law, counterexample)?),
            (None, None) if self.names_nothing_raised(law) => {
                Came::SaysNothing("no decision raised an alert that it names; is the name as the policy has it?")
            }
            (None, None) => Came::Holds,
        };
        Ok(Outcome { law, came_to })
    }

    /// Whether it names alerts, and nobody raised one of them: then it holds of every policy.
    fn names_nothing_raised(&self, law: &dyn Law) -> bool {
        let names = law.alerts();
        !names.is_empty() && names.into_iter().all(|name| self.found.unheard.contains(name))
    }

    fn broken(&self, law: &dyn Law, counterexample: &'a Counterexample) -> Result<Broken<'a>, Failure> {
        let looks = report::replay_steps(counterexample, self.make, self.laws, self.settings);
        let id = format!("{}-breaks-{}", slug(&self.loaded.module.description().name), law.name());
        let head = Head {
            id: &id,
            title: law.says(),
            source: "steadfast policy verify",
        };
        let story = match replay::replayed(counterexample, &looks, head, self.loaded, self.seed)? {
            Replayed::Shown { story } => {
                let file = self.folder.join(format!("{id}.toml"));
                keep(self.folder, &file, &story).map_err(Failure::Failed)?;
                let command = format!(
                    "steadfast simulate --policy {} {}",
                    self.policy.as_arguments(),
                    file.display()
                );
                Kept::Written { file, command }
            }
            Replayed::NotShown => Kept::Not("played in a world, the whole engine does not get there".to_owned()),
            Replayed::CannotBeShown(why) => Kept::Not(why),
        };
        Ok(Broken {
            counterexample,
            steps: document::steps(&looks),
            page: report::render(counterexample, &looks),
            story,
        })
    }
}

impl Outcome<'_> {
    /// For people. `depth`: to which depth everything was tried.
    pub(super) fn page(&self, depth: u32) -> String {
        let (name, says) = (self.law.name(), self.law.says());
        match &self.came_to {
            Came::Holds => format!("holds to depth {depth}   {name}: {says}\n"),
            Came::SaysNothing(why) => format!("says nothing   {name}: {why}\n"),
            Came::NotTried(why) => format!("not tried   {name}: {why}\n"),
            Came::Broken(broken) => format!(
                "BROKEN at depth {}   {name}: {says}\n{}{}",
                broken.counterexample.depth,
                broken.page,
                broken.story.line()
            ),
        }
    }

    /// For CI servers.
    pub(super) fn case(&self, description: &Description) -> Case {
        let came_to = match &self.came_to {
            Came::Holds => CameTo::Passed,
            Came::SaysNothing(why) => CameTo::Skipped((*why).to_owned()),
            Came::NotTried(why) => CameTo::Skipped(format!("not tried: {why}")),
            Came::Broken(broken) => CameTo::Failed {
                broken: vec![broken.counterexample.broken.why.clone()],
                more: format!("{}{}", broken.page, broken.story.line()),
            },
        };
        Case {
            class: description.name.clone(),
            name: format!("{}: {}", self.law.name(), self.law.says()),
            came_to,
        }
    }
}

impl Kept {
    fn line(&self) -> String {
        match self {
            Self::Written { file, command } => format!("    written to {}; `{command}` fails on it\n", file.display()),
            Self::Not(why) => format!("    no story is written: {why}\n"),
        }
    }
}

/// How many laws came out how.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) hold: usize,
    pub(super) broken: usize,
    pub(super) silent: usize,
    pub(super) not_tried: usize,
}

impl Tally {
    pub(super) fn of(outcomes: &[Outcome<'_>]) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            match outcome.came_to {
                Came::Holds => tally.hold += 1,
                Came::SaysNothing(_) => tally.silent += 1,
                Came::NotTried(_) => tally.not_tried += 1,
                Came::Broken(_) => tally.broken += 1,
            }
        }
        tally
    }

    pub(super) fn summary(&self, depth: u32) -> String {
        let Self {
            hold,
            broken,
            silent,
            not_tried,
        } = self;
        let laws = printer::counted(hold + broken + silent + not_tried, "law");
        let mut rest = String::new();
        for (count, what) in [(silent, "say nothing of it"), (not_tried, "not tried")] {
            if *count > 0 {
                rest.push_str(&format!(", {count} {what}"));
            }
        }
        format!("{laws}: {hold} hold to depth {depth}, {broken} broken{rest}\n")
    }
}

/// A policy may call itself whatever it likes; a story's name is a slug.
fn slug(name: &str) -> String {
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    name.chars().map(kept).collect()
}

fn keep(folder: &Path, path: &Path, story: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    std::fs::write(path, story).with_context(|| format!("the story {} cannot be written", path.display()))
}
