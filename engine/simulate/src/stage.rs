//! How a story is staged: which policies, which pace, which time, and what cannot be shown there.

use std::fmt;

use steadfast_core::timing::Timing;
use steadfast_reconcile::{PolicySetup, Recording};
use steadfast_world::clock::Scale;
use steadfast_world::story::Story;

/// What a play needs beside its story.
pub struct Staging<'a> {
    /// The engine's pace, in the time of the story.
    pub timing: Timing,
    /// One seed is one run, in virtual time.
    pub seed: u64,
    /// Makes the policies, anew for each engine that the story starts. On a scaled stage their durations are
    /// shortened already ([`crate::shorten_params`]).
    pub policies: &'a dyn Fn() -> Vec<PolicySetup>,
    /// Where it is played.
    pub stage: Stage,
    /// Which snapshots are kept; `None`: none are.
    pub recording: Option<Recording>,
}

/// Where a story is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Within the process, under virtual time: repeatable, and a day takes seconds.
    Virtual,
    /// Against servers on loopback sockets, through the production HTTP clients, in real time made shorter.
    Sockets(Scale),
}

/// Why a story cannot be played on a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It waits for `Retry-After`, which no scale shortens.
    WaitsUnscaled,
    /// It takes an hour or more.
    Slow,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WaitsUnscaled => {
                "it says `realtime`: its waits are whole seconds that no scale shortens; use --scale 1"
            }
            Self::Slow => "it says `slow`: it takes an hour or more; play it in virtual time, without --real",
        })
    }
}

impl Staging<'_> {
    /// The pace as the engine is told it.
    pub(crate) fn engine_timing(&self) -> Timing {
        let scale = self.stage.scale();
        let Timing {
            poll,
            timeout,
            validate,
            retry_initial,
            retry_max,
            startup_grace,
            terminal_poll,
        } = self.timing;
        Timing {
            poll: scale.shorten(poll),
            timeout: scale.shorten(timeout),
            validate: scale.shorten(validate),
            retry_initial: scale.shorten(retry_initial),
            retry_max: scale.shorten(retry_max),
            startup_grace: scale.shorten(startup_grace),
            terminal_poll: scale.shorten(terminal_poll),
        }
    }
}

impl Stage {
    /// How much faster than the clock the story runs.
    pub fn scale(self) -> Scale {
        match self {
            Self::Virtual => Scale::ONE,
            Self::Sockets(scale) => scale,
        }
    }

    /// What keeps a story from being played here.
    pub fn obstacle(self, story: &Story) -> Option<Obstacle> {
        let Self::Sockets(scale) = self else { return None };
        if story.realtime && scale != Scale::ONE {
            Some(Obstacle::WaitsUnscaled)
        } else if story.slow {
            Some(Obstacle::Slow)
        } else {
            None
        }
    }
}
