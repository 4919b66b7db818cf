//! One policy against all others: what a policy that loops or takes its time costs the jobs that are not its own.
//!
//! The same jobs are watched again and again, some of them decided by the default policy in every run. These are the ones
//! that count: how old their confirmations get, whether `/livez` stands, and how long the engine takes to stop. In the first
//! run all is well; each other run has one member of the storm in it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use steadfast::config::Config;
use steadfast::run::{self, Running, SystemClock};
use steadfast_core::time::{Clock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::guest::{ANSWER, Guest};
use crate::healthy::{start_world, until};
use crate::measure::{percentile, print_rows};
use crate::reload::{kubeconfig, without_cache};

const POLL: Duration = Duration::from_secs(1);
/// The jobs that count are the first hundred.
const HEALTHY: usize = 100;
const SELECTS_HEALTHY: &str = "select = { name = [\"job-000*\"] }";
/// How long an engine may take to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// A member of the storm.
struct Member {
    name: &'static str,
    /// The body of `decide`.
    decide: &'static str,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The default policy decides the jobs.
    Absent,
    /// It decides the jobs.
    Decides,
    /// The default policy decides the jobs, and it is a shadow.
    Shadow,
}

const ENDLESS: &str = "(loop $again (br $again)) (unreachable)";
/// Some ten milliseconds and more, of the fifty that it may take.
const SLOW: &str = "(local $n i32) (loop $again (br_if $again (i32.ne (i32.const 20000000)
    (local.tee $n (i32.add (local.get $n) (i32.const 1)))))) (i32.const 256)";

const MEMBERS: [Member; 5] = [
    Member {
        name: "control",
        decide: ANSWER,
        role: Role::Absent,
    },
    Member {
        name: "endless shadow",
        decide: ENDLESS,
        role: Role::Shadow,
    },
    Member {
        name: "endless decider",
        decide: ENDLESS,
        role: Role::Decides,
    },
    Member {
        name: "slow decider",
        decide: SLOW,
        role: Role::Decides,
    },
    Member {
        name: "slow shadow",
        decide: SLOW,
        role: Role::Shadow,
    },
];

/// What a run cost the healthy jobs.
struct Cost {
    p50: f64,
    p99: f64,
    max: f64,
    probes: usize,
    /// Probes of `/livez` that were not answered with 200.
    dead: usize,
    stopped: Duration,
}

/// Runs the storm with that many jobs for its policies, and prints what each member cost the others; an error if it cost them
/// more than a poll.
pub async fn run(jobs: usize, measured: Duration) -> anyhow::Result<()> {
    if run::policy_cache().is_some() {
        return without_cache();
    }
    drop(rustls::crypto::ring::default_provider().install_default());
    let (_world, address) = start_world(HEALTHY + jobs)?;
    let mut control: Option<Cost> = None;
    let mut too_much = Vec::new();
    for member in &MEMBERS {
        let cost = weather(member, &address, measured).await?;
        let before = control.as_ref().unwrap_or(&cost);
        print_rows(&[
            ("storm member", format!("{}, {jobs} jobs", member.name)),
            ("age p50, to control", of_control(cost.p50, before.p50)),
            ("age p99, to control", of_control(cost.p99, before.p99)),
            ("age max, to control", of_control(cost.max, before.max)),
            ("/livez not 200", format!("{} of {}", cost.dead, cost.probes)),
            ("stopped after", format!("{:.2} s", cost.stopped.as_secs_f64())),
        ]);
        if cost.max > before.max + POLL.as_secs_f64() || cost.dead > 0 || cost.stopped > STOPS_WITHIN {
            too_much.push(member.name);
        }
        control.get_or_insert(cost);
    }
    ensure!(
        too_much.is_empty(),
        "these cost the others too much: {}",
        too_much.join(", ")
    );
    Ok(())
}

fn of_control(seconds: f64, control: f64) -> String {
    format!("{seconds:.2} s, {:.2}", seconds / control)
}

/// One run.
async fn weather(member: &Member, address: &str, measured: Duration) -> anyhow::Result<Cost> {
    let folder = tempfile::tempdir()?;
    let running = start(member, folder.path(), address).await?;
    until("were confirmed", HEALTHY, || ages(&running, SystemClock.now()).len()).await?;
    tokio::time::sleep(POLL * 5).await;
    let (mut all, mut probes, mut dead, began) = (Vec::new(), 0, 0, Instant::now());
    while began.elapsed() < measured {
        tokio::time::sleep(Duration::from_millis(100)).await;
        all.extend(ages(&running, SystemClock.now()));
        probes += 1;
        dead += usize::from(!is_live(running.address).await);
    }
    let began = Instant::now();
    running.stop().await?;
    Ok(Cost {
        p50: percentile(&mut all, 0.50),
        p99: percentile(&mut all, 0.99),
        max: percentile(&mut all, 1.0),
        probes,
        dead,
        stopped: began.elapsed(),
    })
}

async fn start(member: &Member, folder: &Path, address: &str) -> anyhow::Result<Running> {
    kubeconfig(folder, address)?;
    std::fs::write(folder.join("storm.wasm"), Guest::deciding(member.decide).module())?;
    let mut text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[timing]\npoll = \"{}s\"\n\
         [[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\ndiscover = [\"native\"]\n\
         flink_rest = \"http://{address}/{{namespace}}/{{name}}\"\n\
         [[policy]]\nname = \"healthy\"\nmodule = \"builtin:conservative\"\n{SELECTS_HEALTHY}\n",
        POLL.as_secs()
    );
    let storm = "[[policy]]\nname = \"storm\"\nmodule = \"storm.wasm\"\n";
    let rest = "[[policy]]\nname = \"rest\"\nmodule = \"builtin:conservative\"\n";
    match member.role {
        Role::Absent => text.push_str(rest),
        Role::Decides => text.push_str(storm),
        Role::Shadow => text.extend([storm, "shadow = true\n", rest]),
    }
    let file = folder.join("config.toml");
    std::fs::write(&file, text)?;
    run::start(Config::load(&file)?, Some(file)).await
}

/// Seconds since each of the healthy jobs was last confirmed.
fn ages(running: &Running, now: Timestamp) -> Vec<f64> {
    let healthy = running
        .projection
        .page(None, usize::MAX, |view| view.record.policy.as_str() == "healthy");
    let confirmed = healthy.iter().filter_map(|view| view.watch.confirmed_at);
    confirmed.map(|at| now.since(at).as_secs_f64()).collect()
}

/// Whether `/livez` is answered with 200 within the second that a kubelet waits.
async fn is_live(address: SocketAddr) -> bool {
    let probe = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
    };
    matches!(tokio::time::timeout(Duration::from_secs(1), probe).await, Ok(Ok(true)))
}
