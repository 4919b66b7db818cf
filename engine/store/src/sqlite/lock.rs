//! One process writes to a store, whatever the path it came by.
//!
//! Two locks are held. That of the file itself is what counts: it goes by the inode, so that a symbolic link, a hard link or
//! another mount leads to the same one. That of `PATH.lock` beside it is older: builds that know no other are kept out by it.
//!
//! SQLite's own locks are of another kind and belong to the process: they are lost when it closes *any* handle to the file. So
//! a store that this process has open is known here, and its file is not opened a second time.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, TryLockError};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use steadfast_core::journal::JournalError;

use super::files::{Inode, beside, open_private, unreachable};
use crate::refusal::failed;

/// The files that this process holds.
static HELD: Mutex<BTreeSet<Inode>> = Mutex::new(BTreeSet::new());

fn held() -> MutexGuard<'static, BTreeSet<Inode>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process has that store open.
pub(super) fn is_ours(file: &Metadata) -> bool {
    held().contains(&Inode::from(file))
}

/// The lock beside the store, taken before there need be a file.
#[derive(Debug)]
pub(super) struct NameLock(#[expect(dead_code, reason = "held until it is dropped")] File);

/// The lock of the file itself.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    inode: Inode,
    _name: NameLock,
}

impl NameLock {
    pub(super) fn take(path: &Path) -> Result<Self, JournalError> {
        if fs::metadata(path).is_ok_and(|file| is_ours(&file)) {
            return Err(in_use(path));
        }
        let lock_path = beside(path, ".lock");
        let file = open_private(&lock_path).map_err(|error| unreachable(&lock_path, &error))?;
        try_lock(path, &file)?;
        Ok(Self(file))
    }

    /// Takes the lock of the file, which is there by now.
    pub(super) fn of_file(self, path: &Path) -> Result<Lock, JournalError> {
        let file = File::open(path).map_err(|error| unreachable(path, &error))?;
        try_lock(path, &file)?;
        let metadata = file.metadata().map_err(|error| unreachable(path, &error))?;
        let inode = Inode::from(&metadata);
        held().insert(inode);
        Ok(Lock {
            file,
            inode,
            _name: self,
        })
    }
}

impl Lock {
    /// The locked file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Which file it is.
    pub(super) fn inode(&self) -> Inode {
        self.inode
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        held().remove(&self.inode);
    }
}

/// For how long a lock is tried: who only looks whether a store is in use has it for a moment, as has a child of the process that held
/// it, until it executes its program.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(10);

fn try_lock(path: &Path, file: &File) -> Result<(), JournalError> {
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(in_use(path)),
            Err(TryLockError::Error(error)) => return Err(failed(format!("cannot lock {}", path.display()), error)),
        }
    }
}

/// Whether some process holds the store.
pub(super) fn is_in_use(path: &Path, file: &File) -> bool {
    let is_free = fs::metadata(path).is_ok_and(|metadata| !is_ours(&metadata)) && file.try_lock_shared().is_ok();
    if is_free {
        // Given back at once; what fails here is given back as the file is closed.
        drop(file.unlock());
    }
    !is_free
}

fn in_use(path: &Path) -> JournalError {
    JournalError::Unusable(format!(
        "the store {} is in use by another steadfast process, and a store has one writer; \
         stop that process or give this one a store of its own (store.url)",
        path.display()
    ))
}
