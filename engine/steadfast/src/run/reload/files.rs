//! Noticing that the configuration or a module is another one than before.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use sha2::{Digest, Sha256};
use steadfast_files::FileError;
use steadfast_modules::{MAX_MODULE, ModuleRef};
use tokio::sync::Notify;

use crate::config::{Config, Policy};

/// How much of a file is held while it is digested, in bytes.
const READ_AT_ONCE: usize = 64 << 10;

/// The files whose change is looked for.
pub(crate) struct Files {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    names: Names,
}

/// What the files are called, for the thread that sees events.
type Names = Arc<Mutex<BTreeSet<PathBuf>>>;

impl Files {
    /// `changed` is notified when something happens to one of them.
    pub(crate) fn new(changed: Arc<Notify>) -> notify::Result<Self> {
        let names = Names::default();
        let of_events = Arc::clone(&names);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let names = of_events.lock().unwrap_or_else(PoisonError::into_inner);
            // An event that could not be read may have been about one of them.
            if event.map_or(true, |event| concerns(&event, &names)) {
                changed.notify_one();
            }
        })?;
        Ok(Self {
            watcher,
            folders: BTreeSet::new(),
            names,
        })
    }

    /// Looks at these files from now on. Their folders are watched: a file that is replaced by a rename, or by the
    /// swap of a link as for a ConfigMap, is another file than the one before.
    pub(crate) fn watch(&mut self, files: &[PathBuf]) {
        let names = files.iter().filter_map(|file| file.file_name()).map(PathBuf::from);
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names.collect();
        let folders: BTreeSet<PathBuf> = files.iter().map(|file| folder(file)).collect();
        for gone in self.folders.difference(&folders) {
            // It may be gone from the disk as well, and its watch with it.
            drop(self.watcher.unwatch(gone));
        }
        let mut watched = BTreeSet::new();
        for folder in folders {
            // Again even if it was watched before: a folder that was replaced is another one.
            if self.folders.contains(&folder) {
                drop(self.watcher.unwatch(&folder));
            }
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(watched.insert(folder)),
                Err(error) => tracing::warn!(
                    "changes in {} will not be seen ({error}); SIGHUP and POST /api/v1/reload still reload",
                    folder.display()
                ),
            }
        }
        self.folders = watched;
    }
}

fn folder(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// Whether one of the files may be another one now. The store often lies beside them, and changes all the time.
fn concerns(event: &Event, names: &BTreeSet<PathBuf>) -> bool {
    // Our own reading is none of our business.
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    event.need_rescan()
        || event.paths.iter().filter_map(|path| path.file_name()).any(|name| {
            // A ConfigMap or Secret is changed by the swap of the link `..data`.
            names.contains(Path::new(name)) || name == OsStr::new("..data")
        })
}

/// The configuration with the modules it names. Of one that cannot be read, `known` stands for the modules.
pub(super) fn named(config: &Path, known: &[PathBuf]) -> Vec<PathBuf> {
    match Config::load_without_modules(config) {
        Ok(loaded) => {
            let modules = loaded.policies.iter().flat_map(of_policy);
            std::iter::once(config.to_owned()).chain(modules).collect()
        }
        Err(_) if known.is_empty() => vec![config.to_owned()],
        Err(_) => known.to_vec(),
    }
}

/// The module's file, and that of its signature.
fn of_policy(policy: &Policy) -> Vec<PathBuf> {
    let ModuleRef::File(module) = &policy.module else {
        return Vec::new();
    };
    let beside = || {
        let mut beside = module.clone().into_os_string();
        beside.push(".sig");
        PathBuf::from(beside)
    };
    let trust = &policy.trust;
    let signature = (!trust.keys.is_empty()).then(|| trust.signature.clone().unwrap_or_else(beside));
    std::iter::once(module.clone()).chain(signature).collect()
}

/// What the files hold, as one digest: it differs if any of them does.
pub(crate) fn digest(files: &[PathBuf]) -> [u8; 32] {
    let mut whole = Sha256::new();
    for file in files {
        whole.update(file.as_os_str().as_encoded_bytes());
        match digest_of(file) {
            Ok(digest) => whole.update(digest),
            Err(error) => whole.update(error.to_string()),
        }
    }
    whole.finalize().into()
}

/// What one file holds, as a digest, whatever it is by now: at most as much is read as a module may hold, and never all of it
/// at once.
fn digest_of(file: &Path) -> Result<[u8; 32], FileError> {
    let mut content = BufReader::with_capacity(READ_AT_ONCE, steadfast_files::open(file, MAX_MODULE)?);
    let mut digest = Sha256::new();
    loop {
        let read = content.fill_buf()?;
        if read.is_empty() {
            return Ok(digest.finalize().into());
        }
        digest.update(read);
        let length = read.len();
        content.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind};

    use super::*;

    #[test]
    fn only_what_may_have_changed_a_file_counts() {
        let names = BTreeSet::from([PathBuf::from("config.toml"), PathBuf::from("own.wasm")]);
        let event = |kind, path: &str| Event::new(kind).add_path(PathBuf::from(path));
        let created = EventKind::Create(CreateKind::Any);
        for concerned in ["/etc/steadfast/config.toml", "./own.wasm", "/etc/steadfast/..data"] {
            assert!(concerns(&event(created, concerned), &names), "{concerned}");
        }
        assert!(!concerns(&event(created, "/etc/steadfast/steadfast.db-wal"), &names));
        assert!(!concerns(
            &event(EventKind::Access(AccessKind::Any), "/etc/steadfast/config.toml"),
            &names
        ));
    }

    #[test]
    fn a_digest_follows_what_a_file_holds_and_not_when_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let files = [file.clone()];
        let missing = digest(&files);
        std::fs::write(&file, "one").unwrap();
        let one = digest(&files);
        std::fs::write(&file, "two").unwrap();
        assert_ne!(digest(&files), one);
        std::fs::write(&file, "one").unwrap();
        assert_eq!(digest(&files), one);
        assert_ne!(missing, one);
    }

    #[test]
    fn a_file_that_was_replaced_by_something_endless_is_another_and_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.wasm");
        let files = [file.clone()];
        std::fs::write(&file, "one").unwrap();
        let mut seen = BTreeSet::from([digest(&files)]);
        let sparse = |path: &Path| std::fs::File::create(path).unwrap().set_len(3 << 40).unwrap();
        let zero = |path: &Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
        for replace in [&sparse as &dyn Fn(&Path), &zero] {
            std::fs::remove_file(&file).unwrap();
            replace(&file);
            assert!(seen.insert(digest(&files)));
        }
        std::fs::remove_file(&file).unwrap();
        assert!(seen.insert(digest(&files)), "nor is it there");
    }

    #[test]
    fn the_modules_of_a_broken_configuration_are_still_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let (config, module) = (folder.path().join("config.toml"), folder.path().join("own.wasm"));
        std::fs::write(&module, "").unwrap();
        std::fs::write(&config, "[[policy]]\nname = \"p\"\nmodule = \"own.wasm\"\n").unwrap();
        let files = named(&config, &[]);
        assert_eq!(files, [config.clone(), module]);
        std::fs::write(&config, "[[policy]").unwrap();
        assert_eq!(named(&config, &files), files);
        assert_eq!(named(&config, &[]), [config]);
    }
}
