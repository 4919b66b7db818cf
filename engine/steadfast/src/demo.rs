//! `steadfast demo`: the real engine against a world in this process, printed as a timeline.

mod beside;
mod deeds;
mod keys;
mod stage;
mod timeline;

use std::fs::OpenOptions;
use std::fs::Permissions;
use std::io::IsTerminal;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use steadfast_world::loopback::Port;
use tempfile::TempDir;

use crate::cli::printer;
use crate::config::Config;
use crate::run::ShutdownSignals;
use beside::BESIDE;
use keys::Keys;
use stage::Stage;

/// The story, which policies are tried on too.
pub(crate) const STORY: &str = include_str!("demo/story.toml");
/// The cluster's name in the story.
const CLUSTER: &str = "local";

/// How the demo is played.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the API and the dashboard are, on 127.0.0.1; 0 takes any free port.
    pub port: u16,
    /// What follows the story.
    pub afterwards: Afterwards,
    /// A module that runs beside the default policy, as a shadow: `builtin:NAME` or a path.
    pub policy: Option<String>,
    /// Its parameters.
    pub params: toml::Table,
}

/// What follows the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// The world goes on until Ctrl-C, if a person watches.
    Stay,
    /// The story begins anew, until Ctrl-C.
    Again,
    /// The command ends.
    End,
}

/// How a story was left.
enum Left {
    /// It was played to its end.
    Played,
    /// Somebody had enough.
    Ended,
}

/// Plays the story. The API and the dashboard are at the port meanwhile. SIGINT or SIGTERM ends it at any time, and a second of
/// them does not wait for the stop; the demo's folder goes with it in each case. Whoever watches at a terminal has keys to cut
/// the network and to break jobs.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let Options {
        mut port,
        afterwards,
        policy,
        params,
    } = options;
    let beside = policy.as_deref().map(|module| beside::entry(module, params));
    let beside = beside.transpose()?.unwrap_or_default();
    // Before there is anything that a signal might leave behind.
    let mut signals = ShutdownSignals::new()?;
    let is_watched = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    loop {
        let mut keys = if is_watched { Keys::open().ok() } else { None };
        let folder = folder()?;
        let mut stage = Stage::open(folder.path(), port, &beside).await?;
        port = stage.address().port();
        printer::note(&format!("dashboard: http://{}/\n", stage.address()));
        if let Some(policy) = &policy {
            printer::note(&format!(
                "{policy} decides beside it: http://{}/api/v1/shadows?policy={BESIDE} lists where it differs, and so does the dashboard\n",
                stage.address()
            ));
        }
        let played = tokio::select! {
            played = stage.play(keys.as_mut(), afterwards) => played,
            name = signals.next() => {
                printer::note(&format!("\nended by {name}"));
                Ok(Left::Ended)
            }
        };
        // Whatever comes now, the terminal is as it was.
        drop(keys);
        let goes_on = matches!((&played, afterwards), (Ok(Left::Played), Afterwards::Again));
        if !goes_on {
            signals.wait_for(stage.close()).await?;
            played?;
            return Ok(());
        }
        stage.close().await?;
    }
}

/// The demo's configuration: discovery in the fake cluster, a tenfold pace, and the naive watcher as a shadow; beside it
/// whatever else is to be.
fn configuration(folder: &Path, port: u16, kubernetes: &Port, flinks: &Port, beside: &str) -> anyhow::Result<Config> {
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
{beside}"#,
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
