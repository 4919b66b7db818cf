//! Where explorations begin: in which mode, with which labels, and at which moment.

use std::fmt;

use steadfast_core::labels::Labels;
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;

use crate::laws::Law;
use crate::look::{BEGINNING, Watcher};
use crate::state::State;
use crate::step::Step;

/// Where a story begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Beginning {
    /// What there is, and whether it was seen.
    pub scene: Scene,
    /// When.
    pub at: Timestamp,
    /// Those of the Deployment.
    pub labels: Labels,
}

/// What there is at a beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scene {
    /// The job runs, and was seen to run.
    Running,
    /// The engine starts, and nothing answers yet.
    Start,
    /// The job of a session cluster runs, and was seen to run.
    Session,
    /// The job of a Flink outside of Kubernetes runs, and was seen to run.
    Standalone,
}

impl Scene {
    /// How the job is deployed.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Running | Self::Start => Mode::Application,
            Self::Session => Mode::Session,
            Self::Standalone => Mode::Standalone,
        }
    }

    /// How much of the depth is spent with it: most jobs are watched for long, and begin once.
    const fn weighs(self) -> u32 {
        match self {
            Self::Running => 0,
            Self::Start => 2,
            Self::Session | Self::Standalone => 3,
        }
    }
}

/// How much of the depth is spent with another date, or with labels.
const ELSEWHERE: u32 = 3;

impl Beginning {
    /// At the usual moment, without labels.
    pub fn of(scene: Scene) -> Self {
        Self {
            scene,
            at: BEGINNING,
            labels: Labels::default(),
        }
    }

    /// The same at another moment.
    pub(crate) fn at(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }

    /// The same with labels.
    pub(crate) fn labelled(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// Those that every exploration has. The first of two breaks of equal depth begins with a job that runs.
    pub(crate) fn usual() -> Vec<Self> {
        [Scene::Running, Scene::Start, Scene::Session, Scene::Standalone]
            .map(Self::of)
            .to_vec()
    }

    /// How much of the depth is spent with it.
    pub fn weighs(&self) -> u32 {
        if self.is_usual() {
            self.scene.weighs()
        } else {
            ELSEWHERE
        }
    }

    /// Whether every exploration begins there too: at the usual moment, without labels.
    pub fn is_usual(&self) -> bool {
        self.at == BEGINNING && self.labels == Labels::default()
    }

    /// The state, with what the laws remember of it.
    pub(crate) fn state(&self, watcher: &mut Watcher, laws: &[Box<dyn Law>]) -> State {
        if self.scene == Scene::Start {
            return watcher.unseen(laws.len());
        }
        let mut look = watcher.look(&watcher.healthy(self, laws.len()), Step::Wait(watcher.timing().poll));
        let mut trackers = std::mem::take(&mut look.after.trackers);
        for (law, tracker) in laws.iter().zip(&mut trackers) {
            // What breaks here breaks from the start as well, and is reported there.
            drop(law.judge(&look, tracker));
        }
        look.after.trackers = trackers;
        look.after
    }
}

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scene {
            Scene::Running => "the job runs, and was seen to run",
            Scene::Start => "the engine starts, and nothing answers yet",
            Scene::Session => "the job of a session cluster runs, and was seen to run",
            Scene::Standalone => "the job of a Flink outside of Kubernetes runs, and was seen to run",
        })?;
        for (name, value) in self.labels.iter() {
            write!(f, ", labelled {name}={value}")?;
        }
        if self.at != BEGINNING {
            write!(f, ", at {}", self.at)?;
        }
        Ok(())
    }
}
