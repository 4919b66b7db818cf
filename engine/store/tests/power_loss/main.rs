//! Power is lost at any moment, and calls under SQLite fail: what was said to be durable is there, whole, and nobody was told of what
//! is not.
//!
//! What was written and not synced may be there, or not, or in part, in any order ([`disk`]). `POWER_LOSS_ROUNDS=20` tries as
//! many drawings of it.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod disk;
mod script;
mod vfs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use steadfast_store::{SqliteStore, inspect};

use disk::{Call, Disk, Fault, Luck, Op};
use script::{State, Step, apply, state};

/// How often a call is made again: more often than anything fails in a row.
const TRIES: u32 = 8;

fn rounds() -> u64 {
    std::env::var("POWER_LOSS_ROUNDS").map_or(1, |text| text.parse().expect("POWER_LOSS_ROUNDS is a number"))
}

/// A folder, in memory where there is one: thousands are made, and a disk has nothing to do with what is tried here.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A store in a folder of its own, with something in it, closed.
async fn base() -> (tempfile::TempDir, PathBuf) {
    vfs::install();
    let folder = scratch();
    let path = folder.path().join("steadfast.db");
    let store = SqliteStore::open(&path).unwrap();
    for step in script::beginning() {
        apply(&store, &path, &step).await.unwrap();
    }
    drop(store);
    (folder, path)
}

/// What a script did to a store, and what it said of itself after each step; the first is before all of them.
struct Recording {
    disk: std::sync::Arc<Disk>,
    states: Vec<State>,
}

async fn recorded(path: &Path, script: &[Step]) -> Recording {
    let disk = Disk::watch(path.parent().unwrap());
    let mut store = SqliteStore::open(path).unwrap();
    let mut states = vec![state(&store).await.unwrap()];
    for (number, step) in (1..).zip(script) {
        disk.note(Op::Begun(number));
        if *step == Step::Reopen {
            drop(store);
            store = SqliteStore::open(path).unwrap();
        } else {
            apply(&store, path, step).await.unwrap();
        }
        disk.note(Op::Done(number));
        states.push(state(&store).await.unwrap());
    }
    drop(store);
    disk.leave();
    Recording { disk, states }
}

/// How far the script had come: what was done, and what was begun.
fn come_to(log: &[Op]) -> (usize, usize) {
    let (mut done, mut begun) = (0, 0);
    for op in log {
        match op {
            Op::Done(number) => done = *number,
            Op::Begun(number) => begun = *number,
            Op::Created(_)
            | Op::Deleted { .. }
            | Op::Write { .. }
            | Op::Truncate { .. }
            | Op::Sync(_)
            | Op::SyncFailed(_) => {}
        }
    }
    (done, begun)
}

/// After the loss the store opens by itself, has all that was durable and no half of anything, and goes on.
async fn holds(files: &BTreeMap<String, Vec<u8>>, states: &[State], (done, begun): (usize, usize), about: &str) {
    let folder = scratch();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = folder.path().join("steadfast.db");
    let store = SqliteStore::open(&path).unwrap_or_else(|error| panic!("{about}: {error}"));
    let found = state(&store).await.unwrap();
    let may_be = &states[done..=begun];
    assert!(
        may_be.contains(&found),
        "{about}: it must be as after step {done} (or up to {begun}): {}\nis {}",
        may_be[0].brief(),
        found.brief()
    );
    apply(&store, &path, &Step::Check).await.unwrap();
    apply(&store, &path, &script::another(&found)).await.unwrap();
    drop(store);
    let problems = inspect(&path).unwrap().problems;
    assert!(problems.is_empty(), "{about}: {problems:?}");
    let aside = fs::read_dir(folder.path()).unwrap();
    let aside = aside.filter(|file| {
        file.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("set-aside")
    });
    assert_eq!(aside.count(), 0, "{about}: a log was set aside that is the file's own");
}

#[tokio::test]
async fn whatever_is_lost_with_the_power_what_was_durable_is_there() {
    let (_folder, path) = base().await;
    let script = script::long();
    let Recording { disk, states } = recorded(&path, &script).await;
    let log = disk.log();
    let mut tried: BTreeMap<String, u32> = BTreeMap::new();
    for round in 0..rounds() {
        for length in 0..=log.len() {
            let first = &log[..length];
            let (done, begun) = come_to(first);
            for luck in Luck::ALL {
                // At the first round each moment once with luck, and some without.
                let every = match luck {
                    Luck::Lost | Luck::Kept => 4,
                    Luck::Some | Luck::Torn => 2,
                };
                if round == 0 && !(length + luck as usize).is_multiple_of(every) {
                    continue;
                }
                let mut rng = StdRng::seed_from_u64(round << 32 | length as u64);
                let files = disk.after_power_loss(first, luck, &mut rng);
                let about = format!("power lost behind {length} of {}, {luck:?}, round {round}", log.len());
                holds(&files, &states, (done, begun), &about).await;
                *tried.entry(format!("{luck:?}")).or_default() += 1;
            }
        }
    }
    println!("power lost, by what became of what was not synced: {tried:?}");
}

/// A call that fails is made again, as the engine does. Until it succeeds the store is as it was.
async fn stubbornly(store: &mut Option<SqliteStore>, path: &Path, step: &Step, before: &State, about: &str) -> u32 {
    for failures in 0..TRIES {
        let tried = match (&store, step) {
            (Some(open), step) if *step != Step::Reopen => apply(open, path, step).await,
            (Some(_) | None, _) => {
                drop(store.take());
                SqliteStore::open(path).map(|open| *store = Some(open))
            }
        };
        let Err(error) = tried else { return failures };
        assert!(!error.to_string().is_empty());
        let Some(open) = &store else { continue };
        // To look may fail as well.
        if let Ok(found) = state(open).await {
            assert!(
                found == *before,
                "{about}: {step:?} failed ({error}), and changed {} to {}",
                before.brief(),
                found.brief()
            );
        }
    }
    panic!("{about}: {step:?} failed {TRIES} times");
}

#[tokio::test]
async fn whatever_call_fails_the_store_says_so_and_the_next_try_succeeds() {
    let (folder, path) = base().await;
    let script = script::short();
    let clean: BTreeMap<String, Vec<u8>> = fs::read_dir(folder.path())
        .unwrap()
        .map(Result::unwrap)
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .collect();
    let Recording { disk, states } = recorded(&path, &script).await;
    let (mut tried, mut failed): (BTreeMap<Call, u32>, u32) = Default::default();
    for call in Call::ALL {
        for code in call.codes() {
            for first in 1..=disk.calls(call) {
                // Once, or three times in a row.
                let more = if first % 2 == 0 { 2 } else { 0 };
                let fault = Fault {
                    call,
                    code: *code,
                    first,
                    more,
                };
                failed += under(fault, &clean, &script, &states).await;
                *tried.entry(call).or_default() += 1;
            }
        }
    }
    println!("calls that were made to fail: {tried:?}; steps that failed of it and were made again: {failed}");
    assert!(Call::ALL.iter().all(|call| tried.contains_key(call)), "{tried:?}");
}

/// The whole script while something fails, and power lost somewhere in it. Returns how many steps failed.
async fn under(fault: Fault, clean: &BTreeMap<String, Vec<u8>>, script: &[Step], states: &[State]) -> u32 {
    let about = format!("{fault:?}");
    let folder = scratch();
    for (name, bytes) in clean {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = folder.path().join("steadfast.db");
    let disk = Disk::watch(folder.path());
    disk.fail(Some(fault));
    let mut store = None;
    let mut failed = stubbornly(&mut store, &path, &Step::Reopen, &states[0], &about).await;
    for (number, step) in (1..).zip(script) {
        disk.note(Op::Begun(number));
        failed += stubbornly(&mut store, &path, step, &states[number - 1], &about).await;
        disk.note(Op::Done(number));
    }
    drop(store);
    disk.fail(None);
    disk.leave();
    let store = SqliteStore::open(&path).unwrap();
    assert!(state(&store).await.unwrap() == states[script.len()], "{about}");
    drop(store);
    assert!(inspect(&path).unwrap().problems.is_empty(), "{about}");
    if fault.call == Call::Sync {
        let log = disk.log();
        let mut rng = StdRng::seed_from_u64(u64::from(fault.first));
        for length in (0..=log.len()).step_by(13) {
            let files = disk.after_power_loss(&log[..length], Luck::Torn, &mut rng);
            let about = format!("{about}, power lost behind {length} of {}", log.len());
            holds(&files, states, come_to(&log[..length]), &about).await;
        }
    }
    failed
}
