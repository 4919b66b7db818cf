//! The world's process: a Kubernetes and its Flinks, and what happens to them when it is told so.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::flinks::{self, Session};
use super::kubernetes::{
    self,
    Kind::{Deployment, Pod},
};

/// The port of every Flink.
pub const PORT: u16 = 8081;
/// For how long a JobManager that restarts does not listen, and for how long a job is gone that is replaced.
const DOWN: Duration = Duration::from_secs(2);
/// Events that a watch may go on from; behind older ones it is `410 Gone`.
const KEPT_EVENTS: usize = 100_000;

/// What the world is told, a line of JSON each. It answers each with one line.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Orders {
    /// Nobody answers any more: connections are taken, and nothing is said.
    GoDark,
    /// Everybody answers again. What was asked in the dark stays without an answer.
    Heal,
    /// One in so many Flinks takes connections and says nothing; 0: none.
    Hang(usize),
    /// So many jobs in a million restart or are replaced each second: two of three restart.
    Churn(u32),
    /// Every JobManager restarts at this moment, as when a cluster's network or storage fails and HA takes over.
    FailOver,
    /// The API server ends all connections, listens again after [`DOWN`], and has forgotten what its watches could have gone on from.
    RestartApi,
    /// The counts since the last time they were asked for.
    Count,
}

/// What was asked of the world.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Polls (`/jobs/overview`) of the engine, second by second.
    pub polls: Vec<u32>,
    /// Those of the baseline.
    pub baseline_polls: Vec<u32>,
    /// First pages of lists.
    pub lists: u32,
    /// All their pages.
    pub pages: u32,
    /// Objects asked for by name.
    pub gets: u32,
    /// Watches that were opened.
    pub watches: u32,
    /// Everything else asked of the API server.
    pub others: u32,
    /// Restarts and replacements.
    pub changes: u32,
    /// Connections that Flinks hold open at this moment.
    pub connections: usize,
}

/// One job, and the Flink and the objects that stand for it.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which Deployment and which run it is.
    pub incarnation: u32,
    /// Restarts of the JobManager's container in its pod.
    pub restarts: u32,
    /// Since when it is down: its Flink refuses connections.
    pub down: Option<Down>,
    /// When this run began, in milliseconds since 1970.
    pub started: u64,
    /// The version of its objects.
    pub version: u64,
}

/// Why a Flink does not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// Its container starts anew.
    Restarting,
    /// Its Deployment was deleted, and another takes its place.
    Replacing,
}

/// What a watch tells: an object changed at that version.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its version.
    pub version: u64,
    /// About which kind of object.
    pub kind: kubernetes::Kind,
    /// The line, ready to be sent.
    pub line: Arc<str>,
}

/// What watches may be told.
#[derive(Debug, Default)]
pub struct Events {
    kept: VecDeque<Event>,
    /// The version of the last one, kept or not.
    newest: u64,
    /// A watch may go on from this version, and from newer ones.
    oldest: u64,
}

impl Events {
    /// The version of the last one.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Those behind a version; `None` if some of them are no longer kept.
    pub(super) fn behind(&self, version: u64) -> Option<impl Iterator<Item = &Event>> {
        let begin = self.kept.partition_point(|event| event.version <= version);
        (version >= self.oldest).then(|| self.kept.range(begin..))
    }

    fn add(&mut self, event: Event) {
        self.newest = event.version;
        self.kept.push_back(event);
        let over = self.kept.len().saturating_sub(KEPT_EVENTS);
        if let Some(last) = self.kept.drain(..over).next_back() {
            self.oldest = last.version;
        }
    }

    fn forget(&mut self) {
        self.kept.clear();
        self.oldest = self.newest;
    }
}

/// All of it.
#[derive(Debug)]
pub struct World {
    pub(super) jobs: Mutex<Vec<Job>>,
    pub(super) events: Mutex<Events>,
    pub(super) happened: Notify,
    pub(super) templates: kubernetes::Templates,
    pub(super) dark: AtomicBool,
    /// Counts the times it healed: what waited in the dark ends then.
    pub(super) healed: tokio::sync::watch::Sender<u32>,
    pub(super) hanging: AtomicUsize,
    /// Counts the times the API server went down: its connections end then.
    pub(super) restarted: tokio::sync::watch::Sender<u32>,
    pub(super) is_api_down: AtomicBool,
    /// What the only job is, if it is a session cluster.
    pub(super) session: Option<Session>,
    pub(super) connections: AtomicUsize,
    pub(super) counts: Mutex<Counts>,
    began: Mutex<Instant>,
    churn: AtomicU32,
}

/// What a lock holds, whoever panicked beside it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
pub fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Where the n-th Flink listens: 127.1.0.1 and on.
#[expect(clippy::cast_possible_truncation, reason = "bytes")]
pub fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 1 + (n / 62_500) as u8, (n / 250 % 250) as u8, 1 + (n % 250) as u8)
}

/// Whose address that is.
pub fn at_address(address: Ipv4Addr) -> Option<usize> {
    let [_, high, middle, low] = address.octets().map(usize::from);
    Some(high.checked_sub(1)? * 62_500 + middle * 250 + low.checked_sub(1)?)
}

/// Which world it is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct WorldOptions {
    /// How many jobs, each with a Flink of its own.
    pub jobs: usize,
    /// Of a world of one: it is a session cluster, whose Flink lists so many jobs.
    #[arg(long, default_value_t = 0)]
    pub listed: usize,
    /// So many of them run; the others have ended.
    #[arg(long, default_value_t = 0)]
    pub running: usize,
}

impl WorldOptions {
    /// So many jobs, each with a Flink of its own.
    pub fn fleet(jobs: usize) -> Self {
        Self {
            jobs,
            listed: 0,
            running: 0,
        }
    }
}

/// Serves until its standard input closes, and prints the address of its API server first.
pub async fn serve(options: WorldOptions) -> anyhow::Result<()> {
    let WorldOptions { jobs, listed, running } = options;
    let started = millis() - 3_600_000;
    let session = (listed > 0)
        .then(|| Session::new(listed, running, started))
        .transpose()?;
    let job = |version| Job {
        incarnation: 1,
        restarts: 0,
        down: None,
        started,
        version,
    };
    let world = Arc::new(World {
        jobs: Mutex::new((1..=jobs as u64).map(job).collect()),
        events: Mutex::new(Events {
            newest: jobs as u64,
            ..Events::default()
        }),
        happened: Notify::new(),
        templates: kubernetes::Templates::recorded(session.is_some())?,
        dark: AtomicBool::new(false),
        healed: tokio::sync::watch::Sender::new(0),
        hanging: AtomicUsize::new(0),
        restarted: tokio::sync::watch::Sender::new(0),
        is_api_down: AtomicBool::new(false),
        session,
        connections: AtomicUsize::new(0),
        counts: Mutex::default(),
        began: Mutex::new(Instant::now()),
        churn: AtomicU32::new(0),
    });
    flinks::listen(&world, jobs).await?;
    let api = kubernetes::listen(&world).await?;
    tokio::spawn(churn(Arc::clone(&world)));
    say(&api.to_string()).await?;
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = obey(&world, serde_json::from_str(&line)?);
        say(&serde_json::to_string(&answer)?).await?;
    }
    Ok(())
}

async fn say(line: &str) -> anyhow::Result<()> {
    let mut out = tokio::io::stdout();
    out.write_all(format!("{line}\n").as_bytes()).await?;
    out.flush().await?;
    Ok(())
}

fn obey(world: &Arc<World>, orders: Orders) -> Counts {
    match orders {
        Orders::GoDark => world.dark.store(true, Relaxed),
        Orders::Heal => {
            world.dark.store(false, Relaxed);
            world.healed.send_modify(|times| *times += 1);
        }
        Orders::Hang(one_in) => world.hanging.store(one_in, Relaxed),
        Orders::Churn(millionths) => world.churn.store(millionths, Relaxed),
        Orders::FailOver => {
            let jobs = locked(&world.jobs).len();
            locked(&world.counts).changes += u32::try_from(jobs).unwrap_or(u32::MAX);
            for n in 0..jobs {
                tokio::spawn(restart(Arc::clone(world), n));
            }
        }
        Orders::RestartApi => {
            tokio::spawn(restart_api(Arc::clone(world)));
        }
        Orders::Count => {
            *locked(&world.began) = Instant::now();
            let counts = std::mem::take(&mut *locked(&world.counts));
            let connections = world.connections.load(Relaxed);
            return Counts { connections, ..counts };
        }
    }
    Counts::default()
}

impl World {
    /// Notes one poll.
    pub(super) fn note_poll(&self, is_baselines: bool) {
        let second = usize::try_from(locked(&self.began).elapsed().as_secs()).unwrap_or(usize::MAX);
        let mut counts = locked(&self.counts);
        let polls = if is_baselines {
            &mut counts.baseline_polls
        } else {
            &mut counts.polls
        };
        if polls.len() <= second {
            polls.resize(second + 1, 0);
        }
        if let Some(polls) = polls.get_mut(second) {
            *polls += 1;
        }
    }

    /// Ends in the dark only when everybody answers again, and then with `false`: who asked gets no answer.
    pub(super) async fn is_light(&self) -> bool {
        if !self.dark.load(Relaxed) {
            return true;
        }
        let mut healed = self.healed.subscribe();
        drop(healed.changed().await);
        false
    }

    /// Changes a job, and tells the watches of the objects that show it.
    fn change(&self, n: usize, tells: &[(kubernetes::Kind, &str)], change: impl FnOnce(&mut Job)) {
        let mut events = locked(&self.events);
        let mut jobs = locked(&self.jobs);
        let newest = events.newest();
        let Some(job) = jobs.get_mut(n) else { return };
        change(job);
        for (told, (kind, what)) in tells.iter().enumerate() {
            job.version = newest + 1 + told as u64;
            let line = self.templates.event(*kind, what, n, job);
            events.add(Event {
                version: job.version,
                kind: *kind,
                line: line.into(),
            });
        }
        drop((events, jobs));
        self.happened.notify_waiters();
    }
}

/// Restarts and replaces jobs, as many a second as it is told.
async fn churn(world: Arc<World>) {
    let mut owed = 0.0;
    let mut at = 0_usize;
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        let jobs = locked(&world.jobs).len();
        owed += f64::from(world.churn.load(Relaxed)) * 1e-6 * jobs as f64 * 0.05;
        while owed >= 1.0 {
            owed -= 1.0;
            // A prime step visits all of them, in no order that anybody knows.
            at = (at + 7919) % jobs;
            locked(&world.counts).changes += 1;
            if at.is_multiple_of(3) {
                tokio::spawn(replace(Arc::clone(&world), at));
            } else {
                tokio::spawn(restart(Arc::clone(&world), at));
            }
        }
    }
}

/// The container of a job's JobManager starts anew.
async fn restart(world: Arc<World>, n: usize) {
    let changed = [(Pod, "MODIFIED"), (Deployment, "MODIFIED")];
    world.change(n, &changed, |job| {
        job.down = Some(Down::Restarting);
        job.restarts += 1;
    });
    tokio::time::sleep(DOWN).await;
    world.change(n, &changed, |job| (job.down, job.started) = (None, millis()));
}

/// A job's Deployment is deleted, and made again.
async fn replace(world: Arc<World>, n: usize) {
    let gone = [(Deployment, "DELETED"), (Pod, "DELETED")];
    world.change(n, &gone, |job| job.down = Some(Down::Replacing));
    tokio::time::sleep(DOWN).await;
    let there = [(Deployment, "ADDED"), (Pod, "ADDED")];
    world.change(n, &there, |job| {
        (job.down, job.restarts, job.started) = (None, 0, millis());
        job.incarnation += 1;
    });
}

async fn restart_api(world: Arc<World>) {
    world.is_api_down.store(true, Relaxed);
    world.restarted.send_modify(|times| *times += 1);
    locked(&world.events).forget();
    tokio::time::sleep(DOWN).await;
    world.is_api_down.store(false, Relaxed);
}
