//! The way of a decision, step by step, over a fleet in one process: evidence, snapshot, call, plan, commit, what is shown.
//!
//! Beside it what the store does for itself: how long the longest step of dropping old rows holds up whoever waits for the store.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use steadfast_core::board::{Board, ObjectRef};
use steadfast_core::decision::{Decide as _, Decision, PolicyFailure};
use steadfast_core::evidence::{Observation, Observed};
use steadfast_core::facts::{Deployment, FlinkJob, FlinkOverview, Pod, Tasks};
use steadfast_core::id::{ClusterName, FlinkJobId, Uid};
use steadfast_core::journal::{Change, Commit, Keep, KeepEntries, Store};
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, Object, ObjectKind, Scope};
use steadfast_core::observe::{Context, observe};
use steadfast_core::planner::plan;
use steadfast_core::projection::{JobView, Projection, WatchStatus};
use steadfast_core::record::JobRecord;
use steadfast_core::recording::{Recorded, Retention};
use steadfast_core::snapshot::{Fleet, Snapshot};
use steadfast_core::state::{JobState, Mode};
use steadfast_core::testing::{self, at, flink_job, flink_job_id, job_key};
use steadfast_core::timing::Timing;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};

use crate::measure::print_rows;

const JOBS: usize = 10_000;
/// So many polls are answered about together in a fleet of this size: a hundred places in an interval.
const BATCH: usize = 100;
/// How many changes a transaction has, and how many such transactions are measured.
const COMMITS: [(usize, usize); 4] = [(1, 200), (10, 100), (100, 20), (1000, 5)];
/// The records that are written come a thousand at a time.
const FILLED: usize = 20;

/// Measures and prints.
pub async fn run() -> anyhow::Result<()> {
    let (mut decided, fleet) = (Vec::with_capacity(JOBS), World::of(JOBS));
    let engine = PolicyEngine::new(None)?;
    let mut policy = engine.load("conservative", builtin::CONSERVATIVE, "{}", PolicyLimits::default())?;
    let (snapshots, snapshot) = timed(|| fleet.snapshots(&fleet.records));
    let (outcomes, call) = timed(|| calls(&mut policy, &snapshots));
    let (plans, planner) = timed(|| {
        let jobs = fleet.records.iter().zip(&snapshots).zip(outcomes);
        jobs.map(|((before, snapshot), outcome)| plan(before, snapshot, outcome))
            .collect::<Vec<_>>()
    });
    for planned in plans {
        let change = planned.change.context("a first decision changes its record")?;
        decided.push((*change.record).clone());
    }
    // The same answers again: what a poll costs that brings nothing new.
    let snapshots = fleet.snapshots(&decided);
    let (outcomes, again) = timed(|| calls(&mut policy, &snapshots));
    let (plans, planner_again) = timed(|| {
        let jobs = decided.iter().zip(&snapshots).zip(outcomes);
        jobs.map(|((before, snapshot), outcome)| plan(before, snapshot, outcome))
            .collect::<Vec<_>>()
    });
    let changed = plans.iter().filter(|planned| planned.change.is_some()).count();
    let projection = Projection::default();
    let views: Vec<JobView> = decided.iter().cloned().map(view).collect();
    let ((), shown) = timed(|| views.into_iter().for_each(|view| projection.show(view)));
    print_rows(&[
        ("jobs", JOBS.to_string()),
        ("evidence into the board", micros(fleet.accepting)),
        ("snapshot", micros(snapshot)),
        ("call, first decision", micros(call)),
        ("call, nothing new", micros(again)),
        ("plan, first decision", micros(planner)),
        ("plan, nothing new", micros(planner_again)),
        ("changes where nothing is new", changed.to_string()),
        ("shown to readers", micros(shown)),
    ]);
    let folder = tempfile::tempdir()?;
    commits(folder.path()).await?;
    pruning(folder.path(), &decided, &snapshots).await
}

/// A fleet that runs, and how long its evidence took to take in, a job.
struct World {
    board: Board,
    objects: Vec<ObjectRef>,
    records: Vec<JobRecord>,
    accepting: Duration,
}

fn name(n: usize) -> String {
    format!("job-{n:05}")
}

impl World {
    fn of(jobs: usize) -> Self {
        let update = |kind, objects| KubeUpdate {
            scope: Scope {
                cluster: ClusterName::new("local"),
                kind,
                namespace: None,
            },
            asked_at: at(99),
            at: at(99),
            version: None,
            change: KubeChange::Relisted(objects, Completeness::Complete),
        };
        let deployments = (0..jobs).map(|n| {
            Object::Deployment(Deployment {
                name: name(n),
                native: Some(Mode::Application),
                ..testing::deployment(&format!("d-{n}"))
            })
        });
        let pods = (0..jobs).map(|n| {
            Object::Pod(Pod {
                app: name(n),
                uid: Uid::new(format!("p-{n}")),
                ..testing::pod(&format!("{}-1", name(n)))
            })
        });
        let lists = [
            update(ObjectKind::Deployment, deployments.collect()),
            update(ObjectKind::Pod, pods.collect()),
        ];
        let overviews: Vec<_> = (0..jobs).map(|n| (job_key(&name(n)).target, overview(n))).collect();
        let records: Vec<JobRecord> = (0..jobs).map(|n| testing::record(job_key(&name(n)), at(0))).collect();
        let objects = records.iter().map(|record| {
            let target = &record.key.target;
            ObjectRef::new(&target.namespace, &target.name)
        });
        let objects = objects.collect();
        let (board, accepting) = timed(|| {
            let mut board = Board::default();
            for list in lists {
                board.accept_update(list);
            }
            for (target, answer) in overviews {
                board.accept_overview(&target, Observation::new(Observed::Present(answer), at(99), at(99)));
            }
            board
        });
        Self {
            board,
            objects,
            records,
            accepting,
        }
    }

    fn snapshots(&self, records: &[JobRecord]) -> Vec<Snapshot> {
        let jobs = records.iter().zip(&self.objects);
        jobs.map(|(record, object)| {
            let context = Context {
                object: Some(object),
                fleet: Fleet {
                    targets: 10_000,
                    dark: 0,
                },
                timing: Timing::default(),
                ..Context::default()
            };
            observe(record, &self.board, context, at(100))
        })
        .collect()
    }
}

fn overview(n: usize) -> FlinkOverview {
    let id: FlinkJobId = flink_job_id(n as u128 + 1);
    let job = FlinkJob {
        tasks: Tasks { total: 2, running: 2 },
        ..flink_job(id, JobState::Running, at(10))
    };
    FlinkOverview::listing(vec![job])
}

fn calls(policy: &mut Policy, snapshots: &[Snapshot]) -> Vec<Result<Decision, PolicyFailure>> {
    let mut outcomes = Vec::with_capacity(snapshots.len());
    for batch in snapshots.chunks(BATCH) {
        outcomes.extend(batch.iter().map(|snapshot| policy.decide(snapshot)));
        policy.end_batch();
    }
    outcomes
}

fn view(record: JobRecord) -> JobView {
    JobView {
        record: Arc::new(record),
        watch: WatchStatus::default(),
    }
}

/// What a call returns, and how long it took for each of the jobs.
fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let made = call();
    (made, began.elapsed() / u32::try_from(JOBS).unwrap_or(u32::MAX))
}

fn micros(span: Duration) -> String {
    format!("{:.2} us a job", span.as_secs_f64() * 1e6)
}

fn opened(folder: &Path, file: &str) -> anyhow::Result<Arc<dyn Store>> {
    steadfast_store::open(&format!("sqlite://{}", folder.join(file).display()))
        .map_err(|error| anyhow!("the store cannot be opened: {error}"))
}

/// Transactions of several sizes, each durable when it returns.
async fn commits(folder: &Path) -> anyhow::Result<()> {
    let store = opened(folder, "commits.db")?;
    let mut jobs = 0..usize::MAX;
    for (changes, times) in COMMITS {
        let mut took = Vec::with_capacity(times);
        for _ in 0..times {
            let begun = jobs.by_ref().take(changes);
            let begun: Vec<Change> = begun
                .map(|n| Change::begin(testing::record(job_key(&name(n)), at(100))))
                .collect();
            let began = Instant::now();
            store.commit(at(100), Commit::from(begun)).await?;
            took.push(began.elapsed());
        }
        took.sort();
        let median = took.get(took.len() / 2).copied().unwrap_or_default();
        let each = median / u32::try_from(changes)?;
        let what = format!("commit of {changes}");
        print_rows(&[(
            &what,
            format!(
                "{:.2} ms, {:.1} us a change",
                median.as_secs_f64() * 1e3,
                each.as_secs_f64() * 1e6
            ),
        )]);
    }
    Ok(())
}

/// A store full of snapshots of which none is kept any more, dropped step by step, while somebody writes.
async fn pruning(folder: &Path, records: &[JobRecord], snapshots: &[Snapshot]) -> anyhow::Result<()> {
    let store = opened(folder, "pruning.db")?;
    let decided = records.iter().zip(snapshots).cycle();
    let mut decided = decided.map(|(record, snapshot)| Recorded {
        before: Arc::new(record.clone()),
        snapshot: snapshot.clone(),
        rule: Some("running".to_owned()),
        failure: None,
        transition: None,
        shown: None,
        decided_by: None,
    });
    for _ in 0..FILLED {
        let commit = Commit {
            changes: Vec::new(),
            recorded: decided.by_ref().take(1000).collect(),
        };
        store.commit(at(100), commit).await?;
    }
    let nothing = Retention {
        max_age: Duration::ZERO,
        max_bytes: 0,
    };
    let keep = Keep::at(at(1000), nothing, KeepEntries::All);
    let (mut steps, mut longest, mut waited) = (0_u32, Duration::ZERO, Duration::ZERO);
    for n in 0.. {
        let change = Change::begin(testing::record(job_key(&name(n)), at(100)));
        let began = Instant::now();
        let pruned = store.prune(&keep).await?;
        longest = longest.max(began.elapsed());
        let began = Instant::now();
        store.commit(at(100), Commit::from(vec![change])).await?;
        waited = waited.max(began.elapsed());
        steps += 1;
        if !pruned.more {
            break;
        }
    }
    print_rows(&[
        ("snapshots dropped, steps", format!("{}, {steps}", FILLED * 1000)),
        (
            "longest step of dropping",
            format!("{:.1} ms", longest.as_secs_f64() * 1e3),
        ),
        (
            "longest commit meanwhile",
            format!("{:.1} ms", waited.as_secs_f64() * 1e3),
        ),
    ]);
    Ok(())
}
