//! The world of the story, and the engine that watches it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use steadfast_core::time::Clock;
use steadfast_world::World;
use steadfast_world::clock::WorldClock;
use steadfast_world::loopback::{Gateway, Port};
use steadfast_world::reply::Serve;
use steadfast_world::story::{Moment, Step, Story};

use super::deeds::{Cast, Deed, KEYS, QUIT};
use super::keys::Keys;
use super::timeline::Timeline;
use super::{Afterwards, CLUSTER, Left, STORY, beside, configuration};
use crate::cli::printer;
use crate::cli::screen::Screen;
use crate::run::{self, Running, SystemClock};

/// How often the world moves and the record is looked at.
const TICK: Duration = Duration::from_millis(100);

/// What happens, in words, at seconds of the story.
const SCENES: &[(u64, &str)] = &[
    (0, "six jobs; `images` cannot pull its image"),
    (6, "the JobManager of `payments` runs out of memory and restarts"),
    (10, "`payments` runs again"),
    (12, "`clicks` finishes, and its cluster goes with it"),
    (17, "`reports` fails: no space left on device"),
    (22, "every packet to Kubernetes and Flink is lost"),
    (30, "unseen: somebody deletes `legacy`"),
    (42, "the network heals"),
];

/// How each job really is at the end.
const TRUTH: &[(&str, &str)] = &[
    ("clicks", "FINISHED"),
    ("images", "cannot start"),
    ("legacy", "deleted"),
    ("orders", "RUNNING"),
    ("payments", "RUNNING"),
    ("reports", "FAILED"),
];

/// The world of the story, and the engine that watches it.
pub(super) struct Stage {
    story: Story,
    world: World,
    clock: WorldClock,
    kubernetes: Port,
    flinks: Port,
    running: Running,
    /// What is still to happen, in order of time.
    ahead: VecDeque<(Moment, Step)>,
    cast: Cast,
}

impl Stage {
    pub(super) async fn open(folder: &Path, port: u16, beside: &str) -> anyhow::Result<Self> {
        let story = Story::parse("demo", STORY)?;
        let clock = WorldClock::starting_at(SystemClock.now());
        let world = World::before(&story, clock);
        let kubernetes = world
            .clusters()
            .get(CLUSTER)
            .context("the demo's story has no cluster")?;
        let kubernetes = Port::open(Arc::clone(kubernetes) as Arc<dyn Serve>)?;
        let flinks = Port::open(Arc::new(Gateway::to(&world, CLUSTER)))?;
        let mut ahead: VecDeque<_> = story.steps.iter().cloned().collect();
        let mut cast = Cast::default();
        take(&mut ahead, &world, &mut cast, |at| at.elapsed().is_zero());
        let config = configuration(folder, port, &kubernetes, &flinks, beside)?;
        Ok(Self {
            running: run::start(config, None).await?,
            story,
            world,
            clock,
            kubernetes,
            flinks,
            ahead,
            cast,
        })
    }

    /// Where the API and the dashboard are.
    pub(super) fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Plays the story to its end, and goes on with the world where somebody watches and is to stay.
    pub(super) async fn play(&mut self, mut keys: Option<&mut Keys>, afterwards: Afterwards) -> anyhow::Result<Left> {
        let mut timeline = Timeline::new(SCENES, CLUSTER, Screen::of_stdout());
        if keys.is_some() {
            printer::note(&format!("{}\n", help()));
        }
        timeline.head()?;
        let mut is_told = false;
        loop {
            let now = self.clock.story_now();
            take(&mut self.ahead, &self.world, &mut self.cast, |at| at <= now);
            timeline.look(now.elapsed(), &self.running)?;
            if now >= self.story.ends() && !is_told {
                is_told = true;
                printer::page(&timeline.summary(TRUTH, &self.running))?;
                if let Some(told) = beside::told(&self.running.shadows) {
                    printer::page(&format!("\n{told}"))?;
                }
                if keys.is_none() || afterwards != Afterwards::Stay {
                    return Ok(Left::Played);
                }
                let address = self.running.address;
                printer::note(&format!(
                    "\nthe story is over; the world goes on, and the dashboard stays at http://{address}/ until Ctrl-C or {QUIT}\n{}",
                    help()
                ));
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                key = Keys::next(keys.as_deref_mut()) => match key {
                    QUIT => return Ok(Left::Ended),
                    key => self.press(key, &timeline)?,
                },
            }
        }
    }

    /// Does what a key stands for.
    fn press(&mut self, key: char, timeline: &Timeline) -> anyhow::Result<()> {
        let Some(deed) = Deed::of(key) else { return Ok(()) };
        let now = self.clock.story_now();
        timeline.happens(now.elapsed(), deed.words())?;
        let steps = deed.steps(now, &self.cast, &self.story)?;
        self.ahead.extend(steps);
        self.ahead.make_contiguous().sort_by_key(|(at, _)| *at);
        Ok(())
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.running.stop().await?;
        self.kubernetes.close().await;
        self.flinks.close().await;
        Ok(())
    }
}

/// Lets happen what comes next, as long as it is due.
fn take(ahead: &mut VecDeque<(Moment, Step)>, world: &World, cast: &mut Cast, is_due: impl Fn(Moment) -> bool) {
    while let Some((_, step)) = ahead.pop_front_if(|(at, _)| is_due(*at)) {
        cast.note(&step);
        world.apply(&step);
    }
}

/// The keys, in a line.
fn help() -> String {
    let keys = KEYS.iter().map(|(key, _, what)| format!("{key} {what}"));
    let quit = format!("{QUIT} end");
    format!("keys: {}", keys.chain([quit]).collect::<Vec<_>>().join(" · "))
}
