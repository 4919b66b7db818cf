//! Compiled modules on disk are a help, never a danger.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use steadfast_core::decision::Decide;
use steadfast_host::{PolicyEngine, PolicyLimits};
use tempfile::TempDir;

use crate::guest::Guest;
use crate::situation;

/// A start of the engine, which must decide whatever is in the folder.
fn start(dir: &Path) {
    let engine = PolicyEngine::new(Some(dir)).unwrap();
    let module = Guest::default().module();
    let mut policy = engine.load("test", &module, "{}", PolicyLimits::default()).unwrap();
    policy.decide(&situation::running()).unwrap();
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_second_start_compiles_nothing() {
    let home = TempDir::new().unwrap();
    let dir = home.path().join("not/yet/there");
    start(&dir);
    let kept = entries(&dir);
    let [entry] = kept.as_slice() else { panic!("{kept:?}") };
    let first = fs::metadata(entry).unwrap().ino();
    start(&dir);
    assert_eq!(fs::metadata(entry).unwrap().ino(), first);
}

#[test]
fn a_damaged_entry_is_made_anew() {
    let dir = TempDir::new().unwrap();
    start(dir.path());
    let entry = entries(dir.path()).remove(0);
    let good = fs::read(&entry).unwrap();
    for damage in [&good[..10], &good[..good.len() - 1], b"", &[0; 4096]] {
        fs::write(&entry, damage).unwrap();
        start(dir.path());
        assert_eq!(fs::metadata(&entry).unwrap().len(), good.len() as u64);
    }
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(&entry, &flipped).unwrap();
    start(dir.path());
    assert_ne!(fs::read(&entry).unwrap(), flipped);
}

#[test]
fn machine_code_that_others_could_have_written_is_not_run() {
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    start(dir.path());
    assert_eq!(entries(dir.path()), Vec::<PathBuf>::new());
}
