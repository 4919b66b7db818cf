//! An engine that starts takes no policy that a reload would refuse, and one bad policy does not keep it from starting.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::steadfast;
use crate::guest::Guest;
use crate::running::Engine;

const CONSERVATIVE: &[u8] = include_bytes!("../../../../policies/prebuilt/conservative.wasm");
const NAIVE: &[u8] = include_bytes!("../../../../policies/prebuilt/naive.wasm");

/// Two jobs, whose Flinks are not there, and each has a policy of its own.
const TWO: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\
                   [[job]]\nname = \"orders\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:9\"\n\
                   [[job]]\nname = \"payments\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:9\"\n\
                   [[policy]]\nname = \"own\"\nmodule = \"own.wasm\"\nselect = { name = [\"orders\"] }\n\
                   [[policy]]\nname = \"other\"\nmodule = \"builtin:conservative\"\n";

/// What becomes of a module.
type Becomes<'a> = &'a dyn Fn(&Path);

fn endless() -> Vec<u8> {
    Guest::deciding("(loop $again (br $again)) (unreachable)").module()
}

/// Replaces a file as editors and deployments do it.
fn replace(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let beside = folder.join("beside");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, folder.join(name)).unwrap();
}

/// A folder with the two policies, of which `own` has that module.
fn folder(own: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    replace(folder.path(), "own.wasm", own);
    replace(folder.path(), "config.toml", TWO);
    folder
}

fn own(engine: &Engine) -> Value {
    engine.get("/api/v1/policies")["items"][0].clone()
}

fn condition(job: &Value, kind: &str) -> Option<String> {
    let conditions = job["conditions"].as_array().unwrap();
    let found = conditions.iter().find(|condition| condition["type"] == kind)?;
    Some(found["message"].as_str().unwrap().to_owned())
}

/// The last good module decides for `own`; returns what is said of it.
fn is_outdated(engine: &Engine, sha256: &Value) -> String {
    let own = own(engine);
    assert_eq!((&own["standing"], &own["sha256"]), (&Value::from("outdated"), sha256));
    let orders = engine.wait_for("/api/v1/jobs/-/-/orders", "it is not said", |job| {
        condition(job, "PolicyOutdated").is_some()
    });
    let said = condition(&orders, "PolicyOutdated").unwrap();
    assert!(said.contains("last good module of policy `own`"), "{said}");
    let payments = engine.get("/api/v1/jobs/-/-/payments");
    assert_eq!(condition(&payments, "PolicyOutdated"), None, "it has another policy");
    own["note"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_reload_refused_the_next_start_does_not_take() {
    let folder = folder(CONSERVATIVE);
    let engine = Engine::start_configured(folder.path());
    let good = own(&engine);
    assert_eq!(
        (&good["standing"], &good["note"]),
        (&Value::from("as-configured"), &Value::Null)
    );
    replace(folder.path(), "own.wasm", endless());
    engine.wait_for("/api/v1/policies", "it was not refused", |policies| {
        policies["lastReload"]["result"] == "refused"
    });
    drop(engine);

    let engine = Engine::start_configured(folder.path());
    let note = is_outdated(&engine, &good["sha256"]);
    assert!(
        note.contains("refused when it was last tried") && note.contains("deadline"),
        "{note}"
    );
    assert_eq!(engine.get("/readyz")["policies"], serde_json::json!(["own", "other"]));

    replace(folder.path(), "own.wasm", NAIVE);
    engine.wait_for("/api/v1/policies", "the good module does not decide", |policies| {
        policies["items"][0]["standing"] == "as-configured"
    });
    engine.wait_for("/api/v1/jobs/-/-/orders", "it is still said to be outdated", |job| {
        condition(job, "PolicyOutdated").is_none()
    });
}

#[test]
fn whatever_has_become_of_a_module_while_nobody_looked_the_last_good_one_goes_on() {
    let folder = folder(CONSERVATIVE);
    let engine = Engine::start_configured(folder.path());
    let good = own(&engine);
    drop(engine);
    let path = folder.path().join("own.wasm");
    let loops = |folder: &Path| replace(folder, "own.wasm", endless());
    let is_half = |folder: &Path| replace(folder, "own.wasm", &CONSERVATIVE[..CONSERVATIVE.len() / 2]);
    let is_gone = |_: &Path| std::fs::remove_file(&path).unwrap();
    let never_ends = |_: &Path| std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    let cases: [(Becomes<'_>, &str); 4] = [
        (&loops, "tried on the present evidence"),
        (&is_half, "could not be read"),
        (&is_gone, "cannot be read"),
        (&never_ends, "is no regular file"),
    ];
    for (becomes, why) in cases {
        becomes(folder.path());
        let engine = Engine::start_configured(folder.path());
        let note = is_outdated(&engine, &good["sha256"]);
        assert!(note.contains(why), "{why}: {note}");
    }
}

#[test]
fn a_policy_that_never_was_good_costs_its_own_jobs_alone() {
    let folder = folder(&CONSERVATIVE[..1000]);
    let engine = Engine::start_configured(folder.path());
    assert_eq!(own(&engine)["standing"], "unusable");
    let ready = engine.get("/readyz");
    assert_eq!(
        (&ready["ready"], &ready["policies"]),
        (&Value::from(true), &serde_json::json!(["other"]))
    );
    let orders = engine.wait_for("/api/v1/jobs/-/-/orders", "it is not said", |job| {
        condition(job, "PolicyFailing").is_some()
    });
    let said = condition(&orders, "PolicyFailing").unwrap();
    assert!(
        said.contains("cannot be used") && said.contains("policy `own`"),
        "{said}"
    );
    assert_eq!(orders["confidence"], "stale");
    assert_eq!(
        condition(&engine.get("/api/v1/jobs/-/-/payments"), "PolicyFailing"),
        None
    );
}

#[test]
fn a_module_that_became_huge_is_refused_and_not_read() {
    let folder = folder(CONSERVATIVE);
    let engine = Engine::start_configured(folder.path());
    let before = engine.peak_memory_kib();
    let sparse = |path: &Path| std::fs::File::create(path).unwrap().set_len(3 << 30).unwrap();
    let zero = |path: &Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    let cases: [(Becomes<'_>, &str); 2] = [(&sparse, "holds more than"), (&zero, "is no file")];
    for (make, why) in cases {
        let beside = folder.path().join("beside");
        make(&beside);
        std::fs::rename(&beside, folder.path().join("own.wasm")).unwrap();
        engine.wait_for("/api/v1/policies", why, |policies| {
            let message = policies["lastReload"]["message"].as_str().unwrap_or_default();
            message.contains(why)
        });
        let (status, problem) = engine.post("/api/v1/reload");
        assert_eq!(status, 422, "{problem}");
    }
    let grown = engine.peak_memory_kib() - before;
    assert!(grown < 128 << 10, "{grown} KiB more");
    assert_eq!(own(&engine)["standing"], "as-configured", "the running one goes on");
}

/// What the process that compiles prints of a component, if it ends well.
fn compiled(mebibytes: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["compile-module", "--seconds", "60", "--mebibytes", mebibytes];
    let mut child = steadfast(folder.path(), &arguments)
        // As whoever starts it sets it.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It may have ended already.
    drop(child.stdin.take().unwrap().write_all(&Guest::default().component()));
    let output = child.wait_with_output().unwrap();
    output.status.success().then_some(output.stdout)
}

#[test]
fn what_compiles_a_module_keeps_to_its_limits() {
    assert!(compiled("1024").unwrap().starts_with(b"+"));
    assert_eq!(compiled("1"), None);
}

/// With one limit of processor time the kernel would end it as it ends whoever it takes the memory from: nobody could tell which.
#[cfg(target_os = "linux")]
#[test]
fn the_time_of_what_compiles_a_module_ends_with_a_signal_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["compile-module", "--seconds", "60", "--mebibytes", "1024"];
    let mut child = steadfast(folder.path(), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let began = Instant::now();
    let of_time = || -> Option<Vec<String>> {
        let limits = std::fs::read_to_string(&limits).ok()?;
        let line = limits.lines().find(|line| line.starts_with("Max cpu time"))?;
        Some(line.split_whitespace().skip(3).map(str::to_owned).collect())
    };
    while of_time().is_none_or(|limits| limits[..2] != ["60", "61"]) {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", of_time());
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
