//! The image as a pod: built without a container engine of the program under test, brought into containerd, run by the chart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use cluster_tests::record::Record;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::deploy;
use crate::server::{Server, output, output_within};

const APP: &str = "in-a-pod";
const JOB: &str = "local/default/in-a-pod";
/// The image's user.
const USER: u32 = 65532;
/// Packing a program of 100 MB on a core that is shared.
const PACKING: Duration = Duration::from_secs(240);
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
    let mut images = Vec::new();
    // Another time is another image.
    for (time, tag) in [("1", "first"), ("2", "second")] {
        let name = format!("localhost/steadfast:{tag}");
        let image = built(&server, &program, &name, time, &folder).await?;
        let load = ["load-image", text(&image)?];
        images.push(server.kit().harm(&load, &["untag-image", &name]).await?);
    }
    let flink = server.kit().harm(&["flink-app", APP], &["flink-rm", APP]).await?;
    // Where this fails the last is undone first: a volume goes when nobody claims it.
    let volume = server
        .harm(&["version"], &["delete", "--ignore-not-found", "pv", "steadfast-image"])
        .await?;
    server
        .apply(&VOLUME.replace("PATH", text(&folder.join("volume"))?))
        .await?;
    let namespace = server.namespaces(&["steadfast"]).await?;

    let installed = Instant::now();
    install(&server, "first", &[]).await?;
    server.measured("installation to ready", installed);
    let access = Access::new(&server).await?;
    let first = access.running(TRUTH).await?;
    server.measured("installation to RUNNING and confirmed", installed);
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
    for harm in [namespace, volume, flink].into_iter().chain(images) {
        harm.heal().await?;
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

async fn built(server: &Server, program: &Path, name: &str, time: &str, folder: &Path) -> Result<PathBuf> {
    let image = folder.join(format!("{time}.tar"));
    let mut build = Command::new(deploy().join("image/build"));
    build.arg("--binary").arg(program).arg("--output").arg(&image);
    build.args(["--name", name]).env("SOURCE_DATE_EPOCH", time);
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
