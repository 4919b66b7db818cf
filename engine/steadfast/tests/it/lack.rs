//! A system that lets the process have no more: files that may not grow, threads and processes that may not be started.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, geteuid};

use crate::command::{Ended, steadfast};
use crate::running::{BASE, Engine};

#[test]
fn a_store_that_may_not_grow_is_a_full_disk_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let engine = Engine::start(folder);
    let wanted = |intent| engine.ask(folder, &["intent", "-/-/orders", intent]);
    engine.limit(Resource::Fsize, Some(0));
    let refused = wanted("cancel");
    assert_eq!(refused.code, Some(3), "{}{}", refused.out, refused.err);
    assert_eq!(engine.get("/readyz")["ready"], false);
    let says = engine.get("/readyz")["store"].to_string();
    assert!(says.contains("RLIMIT_FSIZE"), "{says}");
    assert_eq!(engine.text("GET", "/livez").0, 200);
    engine.limit(Resource::Fsize, None);
    engine.wait_for("/readyz", "the store", |ready| ready["ready"] == true);
    let taken = wanted("cancel");
    assert_eq!(taken.code, Some(0), "{}{}", taken.out, taken.err);
}

/// A user whom nobody else is: what is limited counts all that is the user's.
const STRANGER: u32 = 61_437;

/// The command, as that user. The system asks nobody but others for the limits of root, so this is for root to test.
fn as_stranger(folder: &Path, command: &Command, processes: &str) -> Option<Command> {
    if !geteuid().is_root() {
        return None;
    }
    chown(folder, Some(STRANGER), Some(STRANGER)).unwrap();
    let mut stranger = Command::new("setpriv");
    stranger
        .arg(format!("--reuid={STRANGER}"))
        .args(["--clear-groups", "prlimit", &format!("--nproc={processes}"), "--"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(folder);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => stranger.env(name, value),
            None => stranger.env_remove(name),
        };
    }
    stranger.env("XDG_CACHE_HOME", folder.join("cache"));
    Some(stranger)
}

/// Whether that user can run the program where it lies.
fn may_run(folder: &Path) -> bool {
    let version = as_stranger(folder, &steadfast(folder, &["--version"]), "unlimited");
    version.is_some_and(|mut version| version.output().is_ok_and(|ended| ended.status.success()))
}

#[test]
fn too_few_threads_to_begin_with_are_told_with_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("config.toml"), BASE).unwrap();
    if !may_run(folder) {
        return;
    }
    for processes in ["1", "3", "6"] {
        let ended = Ended::of(&mut as_stranger(folder, &steadfast(folder, &["run"]), processes).unwrap());
        assert_eq!(ended.code, Some(1), "{}", ended.err);
        for says in ["threads", &format!("may have {processes} (RLIMIT_NPROC"), "pids.max"] {
            assert!(ended.err.contains(says), "{says}: {}", ended.err);
        }
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
    }
}

#[test]
fn a_policy_that_was_saved_while_nothing_could_be_started_is_taken_up_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let built = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../policies/prebuilt")
            .join(name);
        let bytes = std::fs::read(path).unwrap();
        let new = folder.join("own.new");
        std::fs::write(&new, bytes).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::rename(new, folder.join("own.wasm")).unwrap();
    };
    built("conservative.wasm");
    let policy = "[timing]\nvalidate = \"1s\"\n[[policy]]\nname = \"own\"\nmodule = \"own.wasm\"\n";
    std::fs::write(folder.join("config.toml"), format!("{BASE}{policy}")).unwrap();
    if !may_run(folder) {
        return;
    }
    let engine = Engine::of(&mut as_stranger(folder, &steadfast(folder, &["run"]), "unlimited").unwrap());
    let before = engine.get("/api/v1/policies")["items"][0]["sha256"].clone();
    engine.limit(Resource::Nproc, Some(1));
    built("naive.wasm");
    let refused = engine.wait_for("/api/v1/policies", "a refusal", |policies| {
        policies["lastReload"]["result"] == "refused"
    });
    let why = refused["lastReload"]["message"].as_str().unwrap();
    assert!(
        why.contains("cannot be compiled now") && why.contains("RLIMIT_NPROC") && !why.contains("costs too much"),
        "{why}"
    );
    assert_eq!(refused["items"][0]["sha256"], before);
    engine.limit(Resource::Nproc, None);
    engine.wait_for("/api/v1/policies", "the new module", |policies| {
        policies["items"][0]["sha256"] != before
    });
}
