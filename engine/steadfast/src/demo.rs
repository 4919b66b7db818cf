//! `steadfast demo`: the real engine against a world in this process, told as a timeline.

mod timeline;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use steadfast_core::time::Clock;
use steadfast_world::World;
use steadfast_world::clock::WorldClock;
use steadfast_world::loopback::{Gateway, Port};
use steadfast_world::reply::Serve;
use steadfast_world::story::Story;

use crate::cli::printer;
use crate::config::Config;
use crate::run::{self, SystemClock};
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

/// Tells the story. The API and the dashboard are at `port` meanwhile (0: any free one).
pub async fn tell(port: u16, afterwards: Afterwards) -> anyhow::Result<()> {
    let story = Story::parse("demo", STORY)?;
    let folder = Folder::create()?;
    let clock = WorldClock::starting_at(SystemClock.now());
    let world = World::before(&story, clock);
    let kubernetes = world
        .clusters()
        .get(CLUSTER)
        .context("the demo's story has no cluster")?;
    let kubernetes = Port::open(Arc::clone(kubernetes) as Arc<dyn Serve>)?;
    let flinks = Port::open(Arc::new(Gateway::to(&world, CLUSTER)))?;
    let mut steps = story.steps.iter().peekable();
    while let Some((_, step)) = steps.next_if(|(at, _)| at.elapsed().is_zero()) {
        world.apply(step);
    }
    let config = configuration(folder.path(), port, &kubernetes, &flinks)?;
    let running = run::start(config, None).await?;

    printer::note(&format!("dashboard: http://{}/\n", running.address));
    let mut timeline = Timeline::new(SCENES, CLUSTER);
    while clock.story_now() < story.ends() {
        while let Some((_, step)) = steps.next_if(|(at, _)| *at <= clock.story_now()) {
            world.apply(step);
        }
        timeline.look(clock.story_now().elapsed(), &running);
        tokio::time::sleep(TICK).await;
    }
    printer::data(&timeline.summary(TRUTH, &running));
    if afterwards == Afterwards::Stay && std::io::stdout().is_terminal() {
        printer::note(&format!(
            "\nthe dashboard stays at http://{}/ until Ctrl-C",
            running.address
        ));
        tokio::signal::ctrl_c().await?;
    }
    running.stop().await?;
    kubernetes.close().await;
    flinks.close().await;
    Ok(())
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
    std::fs::write(folder.join("kubeconfig"), kubeconfig)?;
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

/// A folder of the demo's own, gone with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn create() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("steadfast-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{} could not be removed: {error}", self.0.display());
        }
    }
}
