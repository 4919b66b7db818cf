//! What a story is played with: the policies, the engine's pace, the environment, and what cannot be shown there.

use std::fmt;

use steadfast_core::timing::Timing;
use steadfast_reconcile::{PolicySetup, Recording};
use steadfast_world::clock::Scale;
use steadfast_world::story::Story;

use crate::chaos::Chaos;

/// What a story is played with.
pub struct Harness<'a> {
    /// The engine's pace, in the time of the story.
    pub timing: Timing,
    /// One seed is one run, in virtual time.
    pub seed: u64,
    /// Makes the policies, anew for each engine that the story starts. In a scaled environment their durations are
    /// shortened already ([`crate::shorten_params`]).
    pub policies: &'a dyn Fn() -> Vec<PolicySetup>,
    /// How the engine reaches the world, and which time it lives in.
    pub environment: Environment,
    /// Which snapshots are kept; `None`: none are.
    pub recording: Option<Recording>,
    /// What goes wrong in the engine, beside what the story says; `None`: nothing does.
    pub chaos: Option<Chaos>,
}

/// How the engine reaches the world, and which time it lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// By calls within the process, under virtual time: repeatable, and a day takes seconds.
    InProcess,
    /// Over loopback sockets, through the production HTTP clients, in real time made shorter.
    Loopback(Scale),
}

/// Why a story cannot be played in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It waits for `Retry-After`, which no scale shortens.
    WaitsUnscaled,
    /// It takes an hour or more.
    Slow,
    /// It says when it begins, and no scale brings midnight nearer.
    HoursUnscaled,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WaitsUnscaled => {
                "it says `realtime`: its waits are whole seconds that no scale shortens; use --scale 1"
            }
            Self::HoursUnscaled => "it says `start`: no scale makes its hours of the day shorter; use --scale 1",
            Self::Slow => "it says `slow`: it takes an hour or more; play it in virtual time, without --real",
        })
    }
}

impl Harness<'_> {
    /// The pace that the engine is given: the story's, on the environment's clock.
    pub(crate) fn engine_timing(&self) -> Timing {
        let scale = self.environment.scale();
        let Timing {
            poll,
            timeout,
            validate,
            retry_initial,
            retry_max,
            startup_grace,
            terminal_poll,
            intent_timeout,
        } = self.timing;
        Timing {
            poll: scale.shorten(poll),
            timeout: scale.shorten(timeout),
            validate: scale.shorten(validate),
            retry_initial: scale.shorten(retry_initial),
            retry_max: scale.shorten(retry_max),
            startup_grace: scale.shorten(startup_grace),
            terminal_poll: scale.shorten(terminal_poll),
            intent_timeout: scale.shorten(intent_timeout),
        }
    }
}

impl Environment {
    /// How much faster than the clock the story runs.
    pub fn scale(self) -> Scale {
        match self {
            Self::InProcess => Scale::ONE,
            Self::Loopback(scale) => scale,
        }
    }

    /// What keeps a story from being played in it.
    pub fn obstacle(self, story: &Story) -> Option<Obstacle> {
        let Self::Loopback(scale) = self else { return None };
        if story.realtime && scale != Scale::ONE {
            Some(Obstacle::WaitsUnscaled)
        } else if story.start.is_some() && scale != Scale::ONE {
            Some(Obstacle::HoursUnscaled)
        } else if story.slow {
            Some(Obstacle::Slow)
        } else {
            None
        }
    }
}
