//! `steadfast demo`: the real engine against a world in this process, printed as a timeline.

mod timeline;

use std::fs::OpenOptions;
use std::fs::Permissions;
use std::io::IsTerminal;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use steadfast_core::time::Clock;
use steadfast_world::World;
use steadfast_world::clock::WorldClock;
use steadfast_world::loopback::{Gateway, Port};
use steadfast_world::reply::Serve;
use steadfast_world::story::{Moment, Story};
use tempfile::TempDir;

use crate::cli::printer::{self, PrintError};
use crate::config::Config;
use crate::run::{self, Running, ShutdownSignals, SystemClock};
use timeline::Timeline;

/// The story, which policies are tried on too.
pub(crate) const STORY: &str = include_str!("demo/story.toml");
/// How often the world moves and the record is looked at.
const TICK: Duration = Duration::from_millis(100);
/// The cluster's name in the story.
const CLUSTER: &str = "local";

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

/// Whether the dashboard stays when the story is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// Until Ctrl-C, if a person watches.
    Stay,
    /// The command ends.
    End,
}

/// Plays the story. The API and the dashboard are at `port` meanwhile (0: any free one). SIGINT or SIGTERM ends it at any
/// time, and a second of them does not wait for the stop; the demo's folder goes with it in each case.
pub async fn run(port: u16, afterwards: Afterwards) -> anyhow::Result<()> {
    // Before there is anything that a signal might leave behind.
    let mut signals = ShutdownSignals::new()?;
    let folder = folder()?;
    let mut stage = Stage::open(folder.path(), port).await?;
    printer::note(&format!("dashboard: http://{}/\n", stage.running.address));
    let played = tokio::select! {
        played = stage.play() => {
            if played.is_ok() && afterwards == Afterwards::Stay && std::io::stdout().is_terminal() {
                let address = stage.running.address;
                printer::note(&format!("\nthe dashboard stays at http://{address}/ until Ctrl-C"));
                signals.next().await;
            }
            played
        }
        name = signals.next() => {
            printer::note(&format!("\nended by {name}, before the end of the story"));
            Ok(())
        }
    };
    signals.wait_for(stage.close()).await?;
    Ok(played?)
}

/// The world of the story, and the engine that watches it.
struct Stage {
    story: Story,
    world: World,
    clock: WorldClock,
    kubernetes: Port,
    flinks: Port,
    running: Running,
    /// How many of the story's steps were taken.
    taken: usize,
}

impl Stage {
    async fn open(folder: &Path, port: u16) -> anyhow::Result<Self> {
        let story = Story::parse("demo", STORY)?;
        let clock = WorldClock::starting_at(SystemClock.now());
        let world = World::before(&story, clock);
        let kubernetes = world
            .clusters()
            .get(CLUSTER)
            .context("the demo's story has no cluster")?;
        let kubernetes = Port::open(Arc::clone(kubernetes) as Arc<dyn Serve>)?;
        let flinks = Port::open(Arc::new(Gateway::to(&world, CLUSTER)))?;
        let mut taken = 0;
        take_steps(&story, &world, &mut taken, |at| at.elapsed().is_zero());
        let config = configuration(folder, port, &kubernetes, &flinks)?;
        Ok(Self {
            running: run::start(config, None).await?,
            story,
            world,
            clock,
            kubernetes,
            flinks,
            taken,
        })
    }

    /// Plays the story to its end.
    async fn play(&mut self) -> Result<(), PrintError> {
        let mut timeline = Timeline::new(SCENES, CLUSTER);
        while self.clock.story_now() < self.story.ends() {
            let now = self.clock.story_now();
            take_steps(&self.story, &self.world, &mut self.taken, |at| at <= now);
            timeline.look(self.clock.story_now().elapsed(), &self.running)?;
            tokio::time::sleep(TICK).await;
        }
        printer::data(&timeline.summary(TRUTH, &self.running))
    }

    async fn close(self) -> anyhow::Result<()> {
        self.running.stop().await?;
        self.kubernetes.close().await;
        self.flinks.close().await;
        Ok(())
    }
}

/// Takes the steps that come next in the story, as long as they are due.
fn take_steps(story: &Story, world: &World, taken: &mut usize, is_due: impl Fn(Moment) -> bool) {
    let left = story.steps.iter().skip(*taken);
    for (_, step) in left.take_while(|(at, _)| is_due(*at)) {
        world.apply(step);
        *taken += 1;
    }
}

/// The demo's configuration: discovery in the fake cluster, a tenfold pace, and the naive watcher as a shadow.
fn configuration(folder: &Path, port: u16, kubernetes: &Port, flinks: &Port) -> anyhow::Result<Config> {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: demo\n\
         clusters: [{{name: demo, cluster: {{server: \"http://{}\"}}}}]\n\
         users: [{{name: demo, user: {{}}}}]\n\
         contexts: [{{name: demo, context: {{cluster: demo, user: demo}}}}]\n",
        kubernetes.address()
    );
    // Else the engine would warn of a secret that everybody may read.
    let private = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(folder.join("kubeconfig"));
    private?.write_all(kubeconfig.as_bytes())?;
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:{port}"
[timing]
poll = "500ms"
timeout = "300ms"
validate = "6s"
retry_initial = "80ms"
retry_max = "3s"
terminal_poll = "6s"
[metrics]
per_job = true
[[kubernetes]]
name = "{CLUSTER}"
kubeconfig = "kubeconfig"
flink_rest = "http://{flinks}/{{namespace}}/{{name}}"
[[policy]]
name = "conservative"
module = "builtin:conservative"
[policy.params]
absence_window = "5s"
start_deadline = "15s"
unreachable_after = "1500ms"
alert_after = "3s"
[[policy]]
name = "naive"
module = "builtin:naive"
shadow = true
"#,
        flinks = flinks.address(),
    );
    Ok(Config::parse(&folder.join("config.toml"), &text)?)
}

/// A folder of the demo's own, which nobody else can read, gone with it: the record stands in it, and whoever could write
/// to its kubeconfig would say where the engine looks.
fn folder() -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("steadfast-demo-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .context("the demo's folder cannot be made")
}
