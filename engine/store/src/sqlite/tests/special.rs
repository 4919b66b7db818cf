//! Files that are none, and disks that are full.

use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;
use crate::sqlite::files::{copy, unreachable};
use crate::{Discard, inspect, repair};

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// To open a pipe waits for whoever writes to it.
#[test]
fn only_a_regular_file_is_opened() {
    let (folder, path) = folder();
    let device = folder.path().join("device.db");
    pipe(&path);
    symlink("/dev/zero", &device).unwrap();
    for (path, kind) in [(&path, "a pipe"), (&device, "a device")] {
        for said in [
            SqliteStore::open(path).unwrap_err(),
            SqliteReader::open(path).unwrap_err(),
            inspect(path).unwrap_err(),
            repair(path, AT, Discard::Nothing).unwrap_err(),
            crate::export(path, &mut Vec::new()).unwrap_err(),
        ] {
            let said = said.to_string();
            assert!(said.contains(kind) && said.contains("store.url"), "{said}");
        }
    }
}

#[test]
fn a_pipe_in_the_place_of_the_log_is_named() {
    let (folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    pipe(&folder.path().join("steadfast.db-wal"));
    for said in [SqliteStore::open(&path).unwrap_err(), inspect(&path).unwrap_err()] {
        assert!(said.to_string().contains("-wal: it is no file"), "{said}");
    }
}

/// Half a copy would pass for the store as it was.
#[test]
fn a_copy_that_does_not_fit_on_the_disk_is_not_left() {
    let (folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let full = folder.path().join("backup");
    symlink("/dev/full", &full).unwrap();
    let said = copy(&path, &full).unwrap_err().to_string();
    assert!(said.contains("make room on its disk"), "{said}");
    assert!(full.symlink_metadata().is_err(), "it is gone");
    let quota = unreachable(&path, &std::io::Error::from(std::io::ErrorKind::QuotaExceeded));
    assert!(quota.to_string().contains("make room"), "{quota}");
}
