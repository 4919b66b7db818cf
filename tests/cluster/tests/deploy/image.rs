//! The image as a pod: what `examples/deploy/walkthrough` shows of the program under test, from an image to an alert that ends, and
//! on what it leaves an upgrade to another image.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::kit::Harm;
use cluster_tests::record::Record;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::deploy;
use crate::server::{Server, output, output_within};

/// Of the walkthrough's two jobs.
const JOB: &str = "local/default/orders";
/// The walkthrough's image.
const FIRST: &str = "localhost/steadfast:walkthrough";
const SECOND: &str = "localhost/steadfast:second";
/// The image's user.
const USER: u32 = 65532;
/// Packing a program of 100 MB on a core that is shared.
const PACKING: Duration = Duration::from_secs(240);
/// The walkthrough, each of whose waits has an end of its own.
const WALK: Duration = Duration::from_secs(480);
/// From a pod that is ready to a Flink that runs.
const TRUTH: Duration = Duration::from_secs(90);

/// A volume on this machine's disk: the cluster has no storage classes.
const VOLUME: &str = r#"
apiVersion: v1
kind: PersistentVolume
metadata: {name: steadfast-image}
spec:
  capacity: {storage: 2Gi}
  accessModes: [ReadWriteOnce]
  claimRef: {namespace: steadfast, name: steadfast}
  hostPath: {path: "PATH", type: Directory}
"#;

/// Anybody who may use the API server's proxy may call: it passes no token of the engine's on.
const OPEN: &str = r#"
config: |
  [store]
  url = "sqlite:///var/lib/steadfast/steadfast.db"
  [server]
  listen = "0.0.0.0:8080"
  insecure = true
  [[kubernetes]]
  name = "local"
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real cluster; see tests/cluster/README.md"]
async fn the_image_runs_as_a_pod_and_an_upgrade_keeps_the_record() -> Result<()> {
    let server = Server::new("deploy, image");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("volume"))?;
    std::os::unix::fs::chown(folder.join("volume"), Some(USER), Some(USER))?;
    let program = stripped(&folder).await?;
    let mut undo = vec![
        server.kit().harm(&["data"], &["heal"]).await?,
        server.namespaces(&["steadfast"]).await?,
    ];
    let delete = ["kubectl", "--", "delete", "--ignore-not-found"];
    for command in [
        vec!["flink-rm", "orders"],
        vec!["flink-rm", "payments"],
        [&delete[..], &["crd", "jobstatuses.steadfast.dev"]].concat(),
        [&delete[..], &["pv", "steadfast-image"]].concat(),
        vec!["untag-image", FIRST],
        vec!["untag-image", SECOND],
    ] {
        undo.push(server.kit().harm(&["data"], &command).await?);
    }
    server
        .apply(&VOLUME.replace("PATH", text(&folder.join("volume"))?))
        .await?;

    // From its first image on it mostly waits: time to pack the other.
    let packed = Notify::new();
    let walk = walked(&server, &program, &packed);
    let ((), second) = tokio::try_join!(walk, async {
        packed.notified().await;
        built(&server, &program, &folder).await
    })?;
    server.kit().run(&["load-image", text(&second)?]).await?;
    let access = Access::new(&server).await?;
    let first = access.running(TRUTH).await?;
    let before = access.get(&format!("/api/v1/jobs/{JOB}/transitions")).await?;
    let image = image_of(&server).await?;

    // Through the API server the probes are open, and the record is not.
    ensure!(server.ask(&["get", "--raw", &proxied("/readyz")]).await.is_ok());
    ensure!(server.ask(&["get", "--raw", &proxied("/api/v1/jobs")]).await.is_err());

    install(&server, "second", &[]).await?;
    ensure!(image != image_of(&server).await?, "the pod runs {image} as before");
    let second = access.running(TRUTH).await?;
    for key in ["id", "attempt", "firstSeen", "startedAt"] {
        let (was, is) = (first.get(key).context(key)?, second.get(key).context(key)?);
        ensure!(was == is, "{key}: {was} became {is}");
    }
    let after = access.get(&format!("/api/v1/jobs/{JOB}/transitions")).await?;
    let (before, after) = (items(&before)?, items(&after)?);
    ensure!(!before.is_empty(), "a job that came to run without a transition");
    for entry in before {
        ensure!(after.contains(entry), "the upgrade changed or lost {entry}");
    }

    std::fs::write(folder.join("open.yaml"), OPEN)?;
    install(&server, "second", &["-f", text(&folder.join("open.yaml"))?]).await?;
    let shown = server.ask(&["get", "--raw", &proxied("/api/v1/jobs")]).await?;
    ensure!(shown.contains(JOB), "the API server's proxy shows no {JOB}: {shown}");
    let page = server.ask(&["get", "--raw", &proxied("/")]).await?;
    ensure!(page.contains("<html"), "no dashboard: {page}");

    server.helm(&["uninstall", "steadfast"]).await?;
    // The volume and the images go when nobody claims them any more, the rest at once.
    let last = undo.split_off(undo.len() - 3);
    for together in [undo, last] {
        let mut healing: JoinSet<Result<()>> = together.into_iter().map(Harm::heal).collect();
        while let Some(healed) = healing.join_next().await {
            healed??;
        }
    }
    Ok(())
}

/// The program under test without its symbols, as it is given out: with them it does not fit.
async fn stripped(folder: &Path) -> Result<PathBuf> {
    let program = std::env::var_os("STEADFAST_BIN").context("STEADFAST_BIN names the program")?;
    let to = folder.join("steadfast");
    output(Command::new("strip").arg("-o").arg(&to).arg(program)).await?;
    Ok(to)
}

/// What a newcomer types, with a record that outlives the pod; what that prints is told as it comes.
async fn walked(server: &Server, program: &Path, packed: &Notify) -> Result<()> {
    let mut walk = Command::new(deploy().join("walkthrough"));
    walk.arg("--keep")
        .arg(program)
        .args(["--set", "persistence.enabled=true"]);
    walk.env("SOURCE_DATE_EPOCH", "1").kill_on_drop(true);
    let mut walk = walk.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(walk.stdout.take().context("no output")?).lines();
    let to_its_end = async {
        while let Some(line) = lines.next_line().await? {
            server.tell(&line);
            if line.starts_with("$ tests/cluster/cluster load-image ") {
                packed.notify_one();
            }
        }
        let status = walk.wait().await?;
        ensure!(status.success(), "examples/deploy/walkthrough: {status}");
        Ok(())
    };
    tokio::time::timeout(WALK, to_its_end)
        .await
        .with_context(|| format!("examples/deploy/walkthrough did not end within {WALK:?}"))?
}

/// The image that the release is upgraded to: another time is another image.
async fn built(server: &Server, program: &Path, folder: &Path) -> Result<PathBuf> {
    let image = folder.join("second.tar");
    let mut build = Command::new(deploy().join("image/build"));
    build.arg("--binary").arg(program).arg("--output").arg(&image);
    build.args(["--name", SECOND]).env("SOURCE_DATE_EPOCH", "2");
    let said = output_within(&mut build, PACKING).await?;
    server.tell(&said.trim().replace('\n', ", "));
    Ok(image)
}

/// Installs or upgrades the release, and waits until its pod is ready.
async fn install(server: &Server, tag: &str, more: &[&str]) -> Result<()> {
    let chart = deploy().join("helm/steadfast");
    let tag = format!("image.repository=localhost/steadfast,image.tag={tag},image.pullPolicy=Never");
    let upgrade = ["upgrade", "--install", "steadfast", text(&chart)?, "--set", &tag];
    server.helm(&[&upgrade[..], more].concat()).await?;
    let rollout = ["rollout", "status", "deployment/steadfast", "--timeout=120s"];
    let ready = server.ask(&[&["-n", "steadfast"], &rollout[..]].concat()).await;
    if ready.is_err() {
        let pods = ["-n", "steadfast", "describe", "pods"];
        server.tell(&server.ask(&pods).await?);
    }
    ready.map(drop)
}

/// What the pod runs, by its digest.
async fn image_of(server: &Server) -> Result<String> {
    let pod = server.first_pod().await?;
    let image = pod
        .pointer("/status/containerStatuses/0/imageID")
        .and_then(Value::as_str);
    Ok(image.context("no container")?.to_owned())
}

fn proxied(path: &str) -> String {
    format!("/api/v1/namespaces/steadfast/services/steadfast:http/proxy{path}")
}

/// The Service, from the host, with the token that the chart made.
struct Access {
    base: String,
    header: String,
}

impl Access {
    async fn new(server: &Server) -> Result<Self> {
        let of = |kind, path| ["-n", "steadfast", "get", kind, "-o", path];
        let service = of("service/steadfast", "jsonpath={.spec.clusterIP}");
        let secret = of("secret/steadfast-token", "go-template={{.data.token|base64decode}}");
        Ok(Self {
            base: format!("http://{}:8080", server.ask(&service).await?),
            header: format!("Authorization: Bearer {}", server.ask(&secret).await?),
        })
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--max-time",
            "5",
        ]);
        curl.args(["--header", &self.header])
            .arg(format!("{}{path}", self.base));
        Ok(serde_json::from_str(&output(&mut curl).await?)?)
    }

    /// The record, once it says RUNNING and confirmed.
    async fn running(&self, limit: Duration) -> Result<Value> {
        let deadline = Instant::now() + limit;
        loop {
            // Until the Service's new pod is known everywhere it refuses.
            let seen = self.get(&format!("/api/v1/jobs/{JOB}")).await;
            match seen {
                Ok(record) if Record::read(&record)?.is_confirmed("RUNNING") => return Ok(record),
                seen => ensure!(Instant::now() < deadline, "not RUNNING within {limit:?}: {seen:?}"),
            }
            sleep(Duration::from_millis(250)).await;
        }
    }
}

fn items(page: &Value) -> Result<&Vec<Value>> {
    page.get("items").and_then(Value::as_array).context("no items")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}
