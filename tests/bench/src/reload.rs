//! The engine under a thousand reloads, each with another module: what it keeps of those that went.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use steadfast::config::Config;
use steadfast::run::{self, Running, SystemClock};
use steadfast_core::time::Clock;

use crate::healthy::{ages_of, count_confirmed, start_world, until_confirmed};
use crate::measure::{mappings, open_files, percentile, print_rows, resident_kib};

/// How much more the process may hold at the end than at the half of the reloads. By then the allocator and the threads that
/// compile have what they need (measured: mappings and memory stand still from some 700 reloads on); one module that
/// stays at each reload would add its mappings as often as it is reloaded.
const GROWTH: f64 = 1.25;
/// How much older than before the oldest confirmations may be while policies are replaced without a pause.
const AGEING: f64 = 2.0;

/// What the process holds.
struct Held {
    resident_kib: u64,
    mappings: usize,
    open_files: usize,
}

impl Held {
    fn now() -> anyhow::Result<Self> {
        Ok(Self {
            resident_kib: resident_kib()?,
            mappings: mappings()?,
            open_files: open_files()?,
        })
    }
}

/// Runs the soak and prints its figures; an error if anything grows.
pub async fn soak(jobs: usize, reloads: usize) -> anyhow::Result<()> {
    if run::policy_cache().is_some() {
        return without_cache();
    }
    drop(rustls::crypto::ring::default_provider().install_default());
    let (_world, address) = start_world(jobs)?;
    let folder = tempfile::tempdir()?;
    let running = start(folder.path(), &address).await?;
    until_confirmed(&running.projection, jobs).await?;
    let mut calm = Vec::new();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        calm.extend(ages_of(&running.projection, SystemClock.now()));
    }
    let (mut warm, mut busy, began) = (None, Vec::new(), Instant::now());
    let mut before = String::new();
    for n in 0..reloads {
        if n == reloads / 2 {
            warm = Some(Held::now()?);
        }
        replace_module(folder.path(), n)?;
        let reloaded = running.reload().await?;
        // The engine looks at the file as well, and may have been first: what counts is which module runs.
        let runs = reloaded.policies.into_iter().next().context("no policy runs")?.sha256;
        ensure!(runs != before, "reload {n} changed nothing");
        before = runs;
        busy.extend(ages_of(&running.projection, SystemClock.now()));
    }
    let (warm, held) = (warm.context("there was no reload")?, Held::now()?);
    print_rows(&[
        (
            "reloads, each of them",
            format!(
                "{reloads}, {:.0} ms",
                began.elapsed().as_secs_f64() * 1e3 / as_f64(reloads)
            ),
        ),
        (
            "resident memory, half way and at the end",
            format!("{:.1} MiB, {:.1} MiB", mib(&warm), mib(&held)),
        ),
        ("memory mappings", format!("{}, {}", warm.mappings, held.mappings)),
        ("open files", format!("{}, {}", warm.open_files, held.open_files)),
        (
            "freshness p99, calm and during reloads",
            format!(
                "{:.2} s, {:.2} s",
                percentile(&mut calm, 0.99),
                percentile(&mut busy, 0.99)
            ),
        ),
    ]);
    ensure!(mib(&held) <= mib(&warm) * GROWTH, "memory grew");
    ensure!(
        as_f64(held.mappings) <= as_f64(warm.mappings) * GROWTH,
        "modules or instances stayed mapped"
    );
    // A connection to a Flink more or less is no leak.
    ensure!(held.open_files <= warm.open_files + jobs / 10 + 8, "files stayed open");
    ensure!(
        percentile(&mut busy, 0.99) <= percentile(&mut calm, 0.99) * AGEING,
        "decisions fell behind"
    );
    ensure!(count_confirmed(&running.projection) == jobs, "jobs were lost");
    running.stop().await
}

/// The same in a process that keeps no compiled modules on disk, so that each is compiled.
pub(crate) fn without_cache() -> anyhow::Result<()> {
    let status = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env_remove("XDG_CACHE_HOME")
        .env_remove("HOME")
        .status()?;
    ensure!(status.success(), "it failed");
    Ok(())
}

/// Writes a kubeconfig of the world's cluster.
pub(crate) fn kubeconfig(folder: &Path, address: &str) -> anyhow::Result<()> {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: bench\n\
         clusters: [{{name: bench, cluster: {{server: \"http://{address}\"}}}}]\n\
         users: [{{name: bench, user: {{}}}}]\n\
         contexts: [{{name: bench, context: {{cluster: bench, user: bench}}}}]\n"
    );
    Ok(std::fs::write(folder.join("kubeconfig"), kubeconfig)?)
}

async fn start(folder: &Path, address: &str) -> anyhow::Result<Running> {
    kubeconfig(folder, address)?;
    replace_module(folder, usize::MAX)?;
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\npoll = \"1s\"\n\
         [[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\ndiscover = [\"native\"]\n\
         flink_rest = \"http://{address}/{{namespace}}/{{name}}\"\n\
         [[policy]]\nname = \"own\"\nmodule = \"own.wasm\"\n\
         [[policy]]\nname = \"shadow\"\nmodule = \"own.wasm\"\nshadow = true\n"
    );
    let file = folder.join("config.toml");
    std::fs::write(&file, text)?;
    run::start(Config::load(&file)?, Some(file)).await
}

/// The conservative policy with a section that nobody reads, so that each time it is another module.
fn replace_module(folder: &Path, n: usize) -> anyhow::Result<()> {
    let section = [&[0_u8, 10, 1, b'n'][..], &n.to_le_bytes()].concat();
    let beside = folder.join("beside");
    std::fs::write(&beside, [steadfast_host::builtin::CONSERVATIVE, &section].concat())?;
    Ok(std::fs::rename(beside, folder.join("own.wasm"))?)
}

fn mib(held: &Held) -> f64 {
    as_f64(usize::try_from(held.resident_kib).unwrap_or(usize::MAX)) / 1024.0
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
