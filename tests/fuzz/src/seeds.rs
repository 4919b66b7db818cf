//! What the mutations begin with: the recordings of real Flinks and API servers, what stories say, and what stores hold.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The contents of the files below a folder of the repository whose path is chosen, in the order of their paths. What is larger
/// than an input should be is left out.
pub(crate) fn files(folder: &str, is_chosen: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    const MOST: u64 = 48 << 10;
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_chosen(&path.to_string_lossy()) && entry.metadata().is_ok_and(|file| file.len() <= MOST) {
                found.push(path);
            }
        }
    }
    found.sort();
    let read = |path: PathBuf| {
        let content = fs::read(&path).ok()?;
        Some((path.to_string_lossy().into_owned(), content))
    };
    let mut all: Vec<_> = found.into_iter().filter_map(read).collect();
    all.dedup_by(|one, other| one.1 == other.1);
    all
}

/// One file of the repository.
pub(crate) fn file(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of the stored format that a store's tests keep under a name, each behind the head that chooses their kind.
pub(crate) fn stored(head: &str, name: &str) -> Vec<Vec<u8>> {
    let documents = file(&format!("engine/store/tests/formats/v1/{name}.jsonl"));
    let lines = documents.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| input(head, line)).collect()
}

/// An input: what chooses, and what is chosen for.
pub(crate) fn input(head: &str, rest: &[u8]) -> Vec<u8> {
    [head.as_bytes(), rest].concat()
}
