//! One play of a story: the world, the engine, and a judge who looks.

mod alerts;
mod endpoints;
mod engine;
mod failures;
mod files;
mod host_clock;
mod killable_store;
mod mishaps;
mod network;
mod receiver;
mod sockets;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use steadfast_core::id::{FlinkJobId, JobKey};
use steadfast_core::journal::{EntriesOf, Entry, Journal as _, Recordings as _, Sequence, SinkCursors as _, Store};
use steadfast_core::projection::JobView;
use steadfast_core::recording::Recorded;
use steadfast_core::state::Intent;
use steadfast_core::time::Timestamp;
use steadfast_reconcile::RequestError;
use steadfast_store::MemoryStore;
use steadfast_world::World;
use steadfast_world::clock::WorldClock;
use steadfast_world::story::{EngineStep, Moment, Start, Step, Story, TargetSpec};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep_until;

use crate::chaos::Mishaps;
use crate::harness::{Environment, Harness};
use crate::judge::{Broken, Judge, Shown};
use endpoints::Endpoints;
use engine::{PlayContext, Running};
use failures::Failures;
pub use failures::PolicyFailed;
use host_clock::HostClock;
use killable_store::Commits;
use mishaps::{AtLook, Dice};
use receiver::Receiver;
pub use timeline::Timeline;

/// Half a poll, so that nothing that stands for a poll is missed.
const PAUSE: Duration = Duration::from_millis(2500);
/// For so long after the last mishap a receiver that failed may wait to be tried again, in milliseconds: two of the longest pauses.
const LINGERS: i64 = 60_000;
/// How long after an engine that did not start it is started again, in milliseconds: the kubelet's first pause.
const BACK_OFF: i64 = 10_000;
/// Off the whole seconds at which stories change, so that no look falls on the edge of an expectation.
const FIRST_LOOK: Moment = Moment::from_millis(1250);
/// When stories begin that do not say when: 2026-01-01T00:00:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// What came of a play.
#[derive(Debug)]
pub struct Outcome {
    /// The expectations that were not met; none: the story holds.
    pub broken: Vec<Broken>,
    /// What happened and what was recorded, in order.
    pub timeline: Timeline,
    /// The transitions of each record, by its name in the story.
    pub journals: BTreeMap<String, Vec<Entry>>,
    /// What the journal does not say of how its entries came there.
    pub commits: BTreeMap<Sequence, Committed>,
    /// The snapshots that were kept, in the order in which they were decided.
    pub recorded: Vec<Recorded>,
    /// What went wrong in the engine, and how often.
    pub mishaps: Mishaps,
    /// How policies failed, and why; none of it was chaos.
    pub failures: Vec<PolicyFailed>,
}

/// How an entry of the journal came there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// When, by the story's time. The entry has the engine's own, which may be off from it.
    pub at: Moment,
    /// The job that the record was about then.
    pub job: Option<FlinkJobId>,
}

/// A look at the engine.
pub struct Sight<'a> {
    /// When, by the story's time.
    pub at: Moment,
    /// When this engine was started.
    pub started_at: Moment,
    /// What the engine's own clock shows, which may be off from that.
    pub engine_now: Timestamp,
    /// All that it shows.
    pub views: &'a [JobView],
}

/// Sees every look at the engine.
pub type Observer<'a> = dyn FnMut(Sight<'_>) + 'a;

/// Plays a story to its end, on a runtime of its own. In virtual time one seed is one run. Fails if the engine cannot be started,
/// or the store cannot be read; an expectation that was not met is no failure, but in the [`Outcome`].
pub fn play(story: &Story, harness: &Harness<'_>) -> anyhow::Result<Outcome> {
    play_observed(story, harness, &mut |_| {})
}

/// The same, with an observer. Fails as [`play`] does.
pub fn play_observed(story: &Story, harness: &Harness<'_>, observer: &mut Observer<'_>) -> anyhow::Result<Outcome> {
    runtime(harness.environment)?.block_on(async {
        let mut play = Play::begin(story, harness, observer).await?;
        play.follow().await?;
        play.verdict().await
    })
}

fn runtime(environment: Environment) -> std::io::Result<Runtime> {
    match environment {
        Environment::InProcess => Builder::new_current_thread().enable_all().start_paused(true).build(),
        Environment::Loopback(_) => Builder::new_multi_thread().enable_all().build(),
    }
}

struct Play<'a> {
    story: &'a Story,
    harness: &'a Harness<'a>,
    observer: &'a mut Observer<'a>,
    world: Arc<World>,
    endpoints: Endpoints,
    clock: WorldClock,
    host: HostClock,
    commits: Commits,
    dice: Dice,
    receiver: Receiver,
    failures: Failures,
    /// The newest entry that any engine has told of.
    announced: Sequence,
    store: Arc<MemoryStore>,
    engine: Option<Running>,
    starts_again: Option<Moment>,
    /// Intents that the engine did not take, to be posted again.
    unposted: Vec<(JobKey, Intent)>,
    removed: BTreeSet<String>,
    judge: Judge<'a>,
    timeline: Timeline,
    journals: BTreeMap<String, Vec<Entry>>,
    metrics: String,
}

impl<'a> Play<'a> {
    async fn begin(story: &'a Story, harness: &'a Harness<'a>, observer: &'a mut Observer<'a>) -> anyhow::Result<Self> {
        let begins = story.start.as_ref().map_or(BEGINNING, Start::at);
        let clock = WorldClock::scaled(begins, harness.environment.scale());
        let world = Arc::new(World::before(story, clock));
        let mut play = Self {
            story,
            harness,
            observer,
            endpoints: Endpoints::open(&world, harness.environment)?,
            world,
            clock,
            host: HostClock::of(clock),
            commits: Commits::new(clock),
            dice: Dice::new(harness.chaos, clock),
            receiver: Receiver::default(),
            failures: Failures::new(clock),
            announced: Sequence::default(),
            store: Arc::new(MemoryStore::default()),
            engine: None,
            starts_again: None,
            unposted: Vec::new(),
            removed: BTreeSet::new(),
            judge: Judge::new(story),
            timeline: Timeline::beginning(story.start.clone()),
            journals: BTreeMap::new(),
            metrics: String::new(),
        };
        for (_, step) in story.steps.iter().filter(|(at, _)| *at == Moment::default()) {
            play.world.apply(step);
        }
        play.start_engine().await?;
        Ok(play)
    }

    async fn start_engine(&mut self) -> anyhow::Result<()> {
        let store: Arc<dyn Store> = self.store.clone();
        self.engine = Some(Running::start(self.context(), store, &self.removed).await?);
        self.starts_again = None;
        Ok(())
    }

    fn context(&self) -> PlayContext<'_> {
        PlayContext {
            story: self.story,
            world: &self.world,
            endpoints: &self.endpoints,
            host: &self.host,
            commits: &self.commits,
            dice: &self.dice,
            receiver: &self.receiver,
            failures: &self.failures,
            harness: self.harness,
        }
    }

    /// What goes wrong by chance, and a new life for an engine that was killed by it.
    async fn suffer(&mut self) -> anyhow::Result<()> {
        let Some(engine) = &self.engine else { return Ok(()) };
        match self.dice.look() {
            AtLook::Nothing => {}
            AtLook::ClockSet(ahead) => self.host.set_ahead(ahead),
            AtLook::Reload => engine.reload(self.context()).await,
        }
        if engine.is_dead()
            && let Some(engine) = self.engine.take()
        {
            engine.kill();
            self.start_or_wait().await?;
        }
        Ok(())
    }

    /// Starts the engine. While things go wrong its store may refuse already at the start: then its process ends, and is
    /// started again as the kubelet does it.
    async fn start_or_wait(&mut self) -> anyhow::Result<()> {
        match self.start_engine().await {
            Err(_) if self.harness.chaos.is_some() => {
                let now = self.clock.story_now().as_millis();
                self.starts_again = Some(Moment::from_millis(now + BACK_OFF));
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Lets the steps happen, and looks in between.
    async fn follow(&mut self) -> anyhow::Result<()> {
        let ends = self.story.ends();
        let mut next_look = FIRST_LOOK;
        for (at, step) in &self.story.steps {
            self.look_until(*at, &mut next_look).await?;
            if *at > Moment::default() {
                self.world.apply(step);
            }
            self.timeline.step(*at, step);
            self.happen(step).await?;
        }
        self.look_until(ends, &mut next_look).await
    }

    async fn look_until(&mut self, until: Moment, next_look: &mut Moment) -> anyhow::Result<()> {
        loop {
            let starts = self.starts_again.filter(|at| at <= next_look && *at <= until);
            if let Some(at) = starts {
                sleep_until(self.clock.when(at)).await;
                self.starts_again = None;
                self.start_or_wait().await?;
                continue;
            }
            if *next_look >= until {
                break;
            }
            sleep_until(self.clock.when(*next_look)).await;
            self.suffer().await?;
            for (key, intent) in std::mem::take(&mut self.unposted) {
                self.post(key, intent).await;
            }
            self.look(*next_look);
            self.listen(*next_look).await?;
            *next_look = Moment::from_millis(next_look.as_millis() + i64::try_from(PAUSE.as_millis())?);
        }
        sleep_until(self.clock.when(until)).await;
        Ok(())
    }

    fn look(&mut self, at: Moment) {
        let Some(engine) = &self.engine else { return };
        let views = engine.views();
        (self.observer)(Sight {
            at,
            started_at: engine.started_at(),
            engine_now: engine.now(),
            views: &views,
        });
        let jobs: Vec<Shown> = views.iter().map(Shown::from).collect();
        for (name, shown) in self.judge.records(&jobs, None) {
            self.timeline.shown(at, &name, shown);
        }
        self.judge.look(at, &jobs);
        if engine.has_ended() {
            self.judge.fail(at, "the engine ended by itself".into());
        }
    }

    /// Whoever follows hears of what is durable, and of nothing twice: what is told goes forward over all engines.
    async fn listen(&mut self, at: Moment) -> anyhow::Result<()> {
        let Some(engine) = &self.engine else { return Ok(()) };
        let (announced, durable) = (engine.announced(), self.store.newest().await?);
        if announced < self.announced || announced > durable {
            let before = self.announced;
            self.judge.fail(
                at,
                format!("entry {announced:?} was told of, behind {before:?}, and {durable:?} is durable"),
            );
        }
        self.announced = announced;
        Ok(())
    }

    /// Memory, store and sink say the same in the end, whatever befell the engine.
    async fn agree(&mut self) -> anyhow::Result<()> {
        let at = self.clock.story_now();
        // What was committed this very moment is still under way. So is what a receiver refused of late: a story may end with
        // the last mishap.
        let until = self.harness.chaos.map_or(at, |chaos| chaos.until);
        let settled = Moment::from_millis(until.as_millis() + LINGERS);
        tokio::time::sleep(PAUSE).await;
        let mut untold = self.untold().await?;
        while untold.is_some() && self.clock.story_now() < settled {
            tokio::time::sleep(PAUSE).await;
            untold = self.untold().await?;
        }
        if let Some(why) = untold {
            self.judge.fail(at, why);
        }
        let stored = self.store.load(self.clock.at(Moment::default())).await?.records;
        let Some(engine) = &self.engine else { return Ok(()) };
        let mut shown: Vec<_> = engine.views().into_iter().map(|view| view.record).collect();
        shown.sort_by(|a, b| a.key.cmp(&b.key));
        if !shown.iter().map(|record| &**record).eq(&stored) {
            self.judge
                .fail(at, format!("memory has {shown:?}, and the store {stored:?}"));
        }
        Ok(())
    }

    /// What the receiver was not told of all that is durable, or told otherwise.
    async fn untold(&self) -> anyhow::Result<Option<String>> {
        let durable = self
            .store
            .entries(EntriesOf::ForSinks, Sequence::default(), u32::MAX)
            .await?;
        let durable: Vec<Sequence> = durable.iter().map(|entry| entry.sequence).collect();
        Ok(self.receiver.objection(self.store.store_id(), &durable))
    }

    /// What a step does to the engine, or asks of it.
    async fn happen(&mut self, step: &Step) -> anyhow::Result<()> {
        if let Some(ahead) = step.host_clock {
            self.host.set_ahead(ahead);
        }
        if let Some(intent) = step.intent {
            self.intend(intent, step).await;
        }
        let Some(what) = step.engine else { return Ok(()) };
        if what == EngineStep::RemoveTarget {
            self.read_journals().await?;
            self.removed.extend(
                self.story
                    .select(step.target.as_deref())
                    .map(|target| target.handle.clone()),
            );
        }
        if let Some(engine) = self.engine.take() {
            match what {
                EngineStep::Kill => engine.kill(),
                EngineStep::StopFor(_) | EngineStep::RemoveTarget => engine.stop().await?,
            }
        }
        match what {
            EngineStep::Kill | EngineStep::RemoveTarget => self.start_or_wait().await?,
            EngineStep::StopFor(span) => {
                let now = self.clock.story_now().as_millis();
                self.starts_again = Some(Moment::from_millis(now.saturating_add(span.as_millis())));
            }
        }
        Ok(())
    }

    async fn intend(&mut self, intent: Intent, step: &Step) {
        let Some(engine) = &self.engine else { return };
        let (views, story) = (engine.views(), self.story);
        let targets: Vec<&TargetSpec> = story.select(step.target.as_deref()).collect();
        for view in views {
            let shown = Shown::from(&view);
            if targets.iter().any(|target| shown.is_of(target)) {
                self.post(view.record.key.clone(), intent).await;
            }
        }
    }

    async fn post(&mut self, key: JobKey, intent: Intent) {
        // What is posted now stands in place of what was not taken before.
        self.unposted.retain(|(other, _)| *other != key);
        let Some(engine) = &self.engine else {
            self.unposted.push((key, intent));
            return;
        };
        match engine.control().intend(key.clone(), intent, None, None).await {
            Ok(_) => {}
            Err(error) if self.may_be_refused(&error) => self.unposted.push((key, intent)),
            Err(error) => self.judge.fail(
                self.clock.story_now(),
                format!("intent {intent} for {key} was refused: {error}"),
            ),
        }
    }

    /// Whoever posts an intent to a store that was made to refuse, or to an engine that is killed, hears of it, and posts it again.
    fn may_be_refused(&self, error: &RequestError) -> bool {
        self.harness.chaos.is_some()
            && matches!(
                error,
                RequestError::Store(_) | RequestError::TooOften { .. } | RequestError::Stopping
            )
    }

    async fn read_journals(&mut self) -> anyhow::Result<()> {
        let Some(engine) = &self.engine else { return Ok(()) };
        let views = engine.views();
        for view in &views {
            let shown = [Shown::from(view)];
            let names = self.judge.records(&shown, None);
            let Some((name, _)) = names.into_iter().find(|(_, found)| found.is_some()) else {
                continue;
            };
            let entries = self.transitions_of(view.record.key.clone()).await?;
            self.journals.insert(name, entries);
        }
        self.metrics = engine.metrics();
        Ok(())
    }

    async fn transitions_of(&self, key: JobKey) -> anyhow::Result<Vec<Entry>> {
        let of = EntriesOf::TransitionsOf(key);
        self.store
            .entries(of, Sequence::default(), u32::MAX)
            .await
            .context("the journal cannot be read")
    }

    async fn verdict(mut self) -> anyhow::Result<Outcome> {
        self.read_journals().await?;
        for (name, entries) in &self.journals {
            self.judge.journal(name, entries);
        }
        let shown = self
            .store
            .entries(EntriesOf::ForSinks, Sequence::default(), u32::MAX)
            .await?;
        let commits = self.commits.noted();
        let name_of = |key: &JobKey| self.judge.name_of(key);
        let alerts = alerts::raised(&shown, &commits, name_of);
        for (at, line) in alerts::lines(&shown, &commits, name_of) {
            self.timeline.line(at, line);
        }
        for (at, key, said) in self.commits.watches() {
            self.timeline.line(at, format!("watch   {}: {said}", name_of(&key)));
        }
        self.judge.finish(&self.world, &alerts, &self.metrics);
        if self.harness.chaos.is_some() {
            self.agree().await?;
        }
        if let Some(engine) = self.engine.take() {
            engine.stop().await?;
        }
        self.endpoints.close().await;
        let beginning = Timestamp::from_millis(i64::MIN);
        let recorded = self.store.recorded(Sequence::default(), beginning, u32::MAX).await?;
        Ok(Outcome {
            broken: self.judge.broken,
            timeline: self.timeline,
            journals: self.journals,
            commits,
            recorded: recorded.read.into_iter().map(|(_, recorded)| recorded).collect(),
            mishaps: self.dice.mishaps(),
            failures: self.failures.all(),
        })
    }
}
