//! The store: room, rows, version.

use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use steadfast_core::error_chain::error_chain;
use tokio::task::spawn_blocking;

use super::Finding;

const SUBJECT: &str = "store";
/// With less room than this, in bytes, the engine is soon to stop writing.
const LITTLE: u64 = 256 << 20;

/// Looks through the store and at the disk that it is on.
pub(super) async fn examine(url: &str) -> Vec<Finding> {
    let Ok(path) = steadfast_store::file(url).map(Path::to_owned) else {
        return Vec::new();
    };
    let looked = spawn_blocking(move || look(&path)).await;
    looked.unwrap_or_else(|error| {
        vec![Finding::wrong(
            SUBJECT,
            format!("it could not be looked at: {error}"),
            "run `steadfast store check`",
        )]
    })
}

/// Whether it may be written to, and whether what is there is a store.
pub(super) fn at_a_glance(url: &str) -> Option<Finding> {
    let path = steadfast_store::file(url).ok()?;
    if let Some(finding) = read_only(path) {
        return Some(finding);
    }
    let error = path
        .exists()
        .then(|| steadfast_store::recognize(path))
        .and_then(Result::err)?;
    Some(Finding::wrong(
        SUBJECT,
        error_chain(&error),
        "name another file in store.url",
    ))
}

fn look(path: &Path) -> Vec<Finding> {
    let mut findings: Vec<Finding> = room(path).into_iter().collect();
    if path.exists() {
        findings.push(rows(path));
    } else if findings.is_empty() {
        findings.push(Finding::ok(
            SUBJECT,
            format!("{} is made by the first start", path.display()),
        ));
    }
    findings
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

/// Whether the folder, or the file that is there, may not be written to. A missing folder was told of.
fn read_only(path: &Path) -> Option<Finding> {
    let folder = folder(path);
    let places = [folder.as_path(), path];
    let (place, error) = places.into_iter().filter(|place| place.exists()).find_map(|place| {
        let refused = rustix::fs::access(place, rustix::fs::Access::WRITE_OK).err()?;
        Some((place, refused))
    })?;
    Some(Finding::wrong(
        SUBJECT,
        format!("{} cannot be written to: {error}", place.display()),
        "let the engine's user write there, or choose another folder in store.url",
    ))
}

/// Whether there is room, and whether it may be written to.
fn room(path: &Path) -> Option<Finding> {
    let folder = folder(path);
    // A missing folder was told of.
    let about = statvfs(&folder).ok()?;
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let mib = free >> 20;
    if let Some(finding) = read_only(path) {
        return Some(finding);
    }
    (free < LITTLE).then(|| {
        Finding::warning(
            SUBJECT,
            format!("{mib} MiB are left on the disk of {}", folder.display()),
            "make room, or keep less by [retention] and [recording]",
        )
    })
}

fn rows(path: &Path) -> Finding {
    let found = match steadfast_store::inspect(path) {
        Ok(found) => found,
        Err(error) => {
            return Finding::wrong(
                SUBJECT,
                error_chain(&error),
                "restore a backup of it, or name another file in store.url",
            );
        }
    };
    let whole = format!(
        "{}: schema {}, {} records, {} entries",
        path.display(),
        found.schema,
        found.records,
        found.entries
    );
    match (found.problems.first(), found.problems.len()) {
        (None, _) => Finding::ok(SUBJECT, whole),
        (Some(first), 1) => Finding::wrong(SUBJECT, format!("{}: {}", first.place, first.what), first.fix),
        (Some(first), count) => Finding::wrong(
            SUBJECT,
            format!("{count} problems; the first: {}: {}", first.place, first.what),
            format!("{}; `steadfast store check` has them all", first.fix),
        ),
    }
}
