//! What was written and synced in a folder, and what of it is left when the machine loses power.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_int;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rand::RngExt as _;
use rand::rngs::StdRng;
use rusqlite::ffi;

/// A disk writes this much or nothing.
const SECTOR: usize = 512;

/// Something that lasts, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Created(String),
    Deleted {
        file: String,
        folder_synced: bool,
    },
    Write {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: usize,
    },
    Sync(String),
    /// What was to be synced may be lost, whatever is said of it later.
    SyncFailed(String),
    /// Somebody began to do this, and has not heard how it went.
    Begun(usize),
    /// It is done: durable.
    Done(usize),
}

/// A call that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Open,
    Delete,
    Read,
    Write,
    Truncate,
    Sync,
    Size,
    Lock,
    ShmMap,
    ShmLock,
}

impl Call {
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Delete,
        Self::Read,
        Self::Write,
        Self::Truncate,
        Self::Sync,
        Self::Size,
        Self::Lock,
        Self::ShmMap,
        Self::ShmLock,
    ];

    /// How it fails.
    pub fn codes(self) -> &'static [c_int] {
        match self {
            Self::Open => &[ffi::SQLITE_CANTOPEN],
            Self::Delete => &[ffi::SQLITE_IOERR_DELETE],
            Self::Read => &[ffi::SQLITE_IOERR_READ],
            Self::Write => &[ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE],
            Self::Truncate => &[ffi::SQLITE_IOERR_TRUNCATE],
            Self::Sync => &[ffi::SQLITE_IOERR_FSYNC],
            Self::Size => &[ffi::SQLITE_IOERR_FSTAT],
            Self::Lock | Self::ShmLock => &[ffi::SQLITE_BUSY],
            Self::ShmMap => &[ffi::SQLITE_IOERR_SHMMAP, ffi::SQLITE_FULL],
        }
    }
}

/// A call that is made to fail.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub call: Call,
    pub code: c_int,
    /// Which of them, counted from 1.
    pub first: u32,
    /// And so many behind it.
    pub more: u32,
}

/// A folder that is watched.
#[derive(Debug, Default)]
pub struct Disk {
    folder: PathBuf,
    /// What was there, and durable, when the watch began.
    before: BTreeMap<String, Vec<u8>>,
    log: Mutex<Vec<Op>>,
    calls: Mutex<BTreeMap<Call, u32>>,
    fault: Mutex<Option<Fault>>,
}

static WATCHED: Mutex<BTreeMap<PathBuf, Arc<Disk>>> = Mutex::new(BTreeMap::new());

impl Disk {
    /// Watches a folder from now on.
    pub fn watch(folder: &Path) -> Arc<Self> {
        let folder = fs::canonicalize(folder).unwrap();
        let mut before = BTreeMap::new();
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap();
            before.insert(file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap());
        }
        let disk = Arc::new(Self {
            folder: folder.clone(),
            before,
            ..Self::default()
        });
        WATCHED.lock().unwrap().insert(folder, Arc::clone(&disk));
        disk
    }

    /// The one that watches a folder.
    pub fn of(folder: &Path) -> Option<Arc<Self>> {
        WATCHED.lock().unwrap().get(folder).cloned()
    }

    /// Nobody watches any more.
    pub fn leave(&self) {
        WATCHED.lock().unwrap().remove(&self.folder);
    }

    pub fn note(&self, op: Op) {
        self.log.lock().unwrap().push(op);
    }

    pub fn log(&self) -> Vec<Op> {
        self.log.lock().unwrap().clone()
    }

    /// How often something was called.
    pub fn calls(&self, call: Call) -> u32 {
        self.calls.lock().unwrap().get(&call).copied().unwrap_or_default()
    }

    /// From now on that fails; calls are counted anew.
    pub fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
        self.calls.lock().unwrap().clear();
    }

    /// Counts a call, and says how it fails if it does.
    pub fn failure(&self, call: Call, file: &str) -> Option<c_int> {
        let count = {
            let mut calls = self.calls.lock().unwrap();
            let count = calls.entry(call).or_default();
            *count += 1;
            *count
        };
        let fault = *self.fault.lock().unwrap();
        let fault =
            fault.filter(|fault| fault.call == call && (fault.first..=fault.first + fault.more).contains(&count))?;
        if call == Call::Sync {
            self.note(Op::SyncFailed(file.to_owned()));
        }
        Some(fault.code)
    }

    /// The files as they may be when power is lost behind the first so many of the log.
    pub fn after_power_loss(&self, log: &[Op], luck: Luck, rng: &mut StdRng) -> BTreeMap<String, Vec<u8>> {
        let mut left = Left::of(&self.before);
        for op in log {
            left.take(op);
        }
        left.files(luck, rng)
    }
}

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luck {
    /// All of it is lost.
    Lost,
    /// All of it is there.
    Kept,
    /// Of writes, each is there or not, in no order.
    Some,
    /// Of each write, some sectors are.
    Torn,
}

impl Luck {
    pub const ALL: [Self; 4] = [Self::Lost, Self::Kept, Self::Some, Self::Torn];

    fn keeps(self, rng: &mut StdRng) -> bool {
        match self {
            Self::Lost => false,
            Self::Kept => true,
            Self::Some | Self::Torn => rng.random_bool(0.5),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Written.
    Pending,
    /// To be synced, and that failed: no later sync makes it good.
    Doomed,
    Durable,
}

/// A file, whatever it is called by now.
#[derive(Default)]
struct Inode<'a> {
    before: &'a [u8],
    ops: Vec<(Standing, &'a Op)>,
    /// Whether it was made since the watch began, and was never synced: its first sync syncs the folder as well.
    is_new: bool,
}

#[derive(Default)]
struct Left<'a> {
    inodes: Vec<Inode<'a>>,
    /// By name, as the engine sees it.
    names: BTreeMap<&'a str, usize>,
    /// Names as they are for good.
    durable: BTreeMap<&'a str, usize>,
    /// Changes of names since, in order: a file system keeps a first part of them.
    changes: Vec<(&'a str, Option<usize>)>,
}

impl<'a> Left<'a> {
    fn of(before: &'a BTreeMap<String, Vec<u8>>) -> Self {
        let mut left = Self::default();
        for (name, bytes) in before {
            left.names.insert(name, left.inodes.len());
            left.inodes.push(Inode {
                before: bytes,
                ..Inode::default()
            });
        }
        left.durable.clone_from(&left.names);
        left
    }

    fn take(&mut self, op: &'a Op) {
        match op {
            Op::Created(file) => {
                let inode = self.inodes.len();
                self.inodes.push(Inode {
                    is_new: true,
                    ..Inode::default()
                });
                self.names.insert(file, inode);
                self.changes.push((file, Some(inode)));
            }
            Op::Deleted { file, folder_synced } => {
                self.names.remove(file.as_str());
                self.changes.push((file, None));
                if *folder_synced {
                    self.sync_folder();
                }
            }
            Op::Write { file, .. } | Op::Truncate { file, .. } => {
                self.inode(file).ops.push((Standing::Pending, op));
            }
            Op::Sync(file) => {
                let inode = self.inode(file);
                inode.turn(Standing::Durable);
                if std::mem::take(&mut inode.is_new) {
                    self.sync_folder();
                }
            }
            Op::SyncFailed(file) => self.inode(file).turn(Standing::Doomed),
            Op::Begun(_) | Op::Done(_) => {}
        }
    }

    fn inode(&mut self, file: &str) -> &mut Inode<'a> {
        &mut self.inodes[self.names[file]]
    }

    fn sync_folder(&mut self) {
        self.changes.clear();
        self.durable.clone_from(&self.names);
    }

    fn files(mut self, luck: Luck, rng: &mut StdRng) -> BTreeMap<String, Vec<u8>> {
        let kept = match luck {
            Luck::Lost => 0,
            Luck::Kept => self.changes.len(),
            Luck::Some | Luck::Torn => rng.random_range(0..=self.changes.len()),
        };
        for (name, inode) in self.changes.drain(..kept) {
            match inode {
                Some(inode) => drop(self.durable.insert(name, inode)),
                None => drop(self.durable.remove(name)),
            }
        }
        let inodes: BTreeSet<usize> = self.durable.values().copied().collect();
        let contents: BTreeMap<usize, Vec<u8>> = inodes
            .into_iter()
            .map(|inode| (inode, self.inodes[inode].content(luck, rng)))
            .collect();
        // The index of a log is memory, and not worth a thought after a start.
        let names = self.durable.iter().filter(|(name, _)| !name.ends_with("-shm"));
        names
            .map(|(name, inode)| ((*name).to_owned(), contents[inode].clone()))
            .collect()
    }
}

impl Inode<'_> {
    fn turn(&mut self, to: Standing) {
        for (standing, _) in &mut self.ops {
            if *standing == Standing::Pending {
                *standing = to;
            }
        }
    }

    fn content(&self, luck: Luck, rng: &mut StdRng) -> Vec<u8> {
        let mut content = self.before.to_vec();
        for (standing, op) in &self.ops {
            let is_durable = *standing == Standing::Durable;
            match op {
                Op::Write { at, bytes, .. } if luck == Luck::Torn && !is_durable => {
                    for (number, part) in parts(*at, bytes) {
                        if luck.keeps(rng) {
                            put(&mut content, number, part);
                        }
                    }
                }
                Op::Write { at, bytes, .. } if is_durable || luck.keeps(rng) => put(&mut content, *at, bytes),
                Op::Truncate { size, .. } if is_durable || luck.keeps(rng) => content.resize(*size, 0),
                Op::Write { .. } | Op::Truncate { .. } => {}
                Op::Created(_) | Op::Deleted { .. } | Op::Sync(_) | Op::SyncFailed(_) | Op::Begun(_) | Op::Done(_) => {
                    unreachable!("it changes no content")
                }
            }
        }
        content
    }
}

/// A write by sectors: where each part goes.
fn parts(at: usize, bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut parts = Vec::new();
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        parts.push((at, part));
        at += part.len();
        rest = behind;
    }
    parts
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if content.len() < at + bytes.len() {
        content.resize(at + bytes.len(), 0);
    }
    content[at..at + bytes.len()].copy_from_slice(bytes);
}
