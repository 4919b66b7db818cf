//! Ending by signals: in order, at once when somebody insists, and with nothing left behind.

use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::command::steadfast;
use crate::process::Process;
use crate::running::BASE;

fn engine(folder: &Path) -> Process {
    std::fs::write(folder.join("config.toml"), BASE).unwrap();
    let mut engine = Process::start(&mut steadfast(folder, &["run"]));
    engine.wait_for("the API and the dashboard are at");
    engine
}

#[test]
fn either_signal_ends_the_engine_in_order() {
    for signal in ["TERM", "INT", "QUIT"] {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        // None of them means anything to it.
        for nothing in ["USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "XFSZ", "PIPE"] {
            engine.signal(nothing);
        }
        engine.signal(signal);
        let (status, said) = engine.end();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(said.contains(&format!("stopping, as SIG{signal} says")), "{said}");
    }
}

/// A decision that would go on for an hour is broken off: the stop would else have cut it off, which is an error.
#[cfg(feature = "author")]
#[test]
fn a_policy_that_never_ends_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let endless = crate::guest::Guest::deciding("(loop $again (br $again)) (unreachable)").module();
    std::fs::write(folder.path().join("own.wasm"), endless).unwrap();
    let policy = "[[policy]]\nname = \"own\"\nmodule = \"own.wasm\"\ndeadline = \"1h\"\n";
    std::fs::write(folder.path().join("config.toml"), format!("{BASE}{policy}")).unwrap();
    let mut engine = Process::start(&mut steadfast(folder.path(), &["run"]));
    engine.wait_for("the API and the dashboard are at");
    engine.signal("TERM");
    let (status, said) = engine.end();
    assert_eq!(status.code(), Some(0), "{said}");
}

/// Deeper than it could come in a day.
#[cfg(feature = "author")]
#[test]
fn what_was_found_until_a_signal_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["policy", "verify", "builtin:naive", "--depth", "12"];
    let mut verify = Process::start(&mut steadfast(folder.path(), &arguments));
    verify.wait_for("BROKEN: unknown-is-not-absent; how is told when the exploration is over");
    verify.wait_for("depth  2: ");
    verify.signal("INT");
    let (status, said) = verify.end();
    assert_eq!(status.code(), Some(1), "{said}");
    for wanted in [
        "SIGINT: the exploration ends here",
        "BROKEN at depth 1   unknown-is-not-absent: ",
        "the exploration was interrupted: everything was tried to depth ",
    ] {
        assert!(said.contains(wanted), "no `{wanted}` in\n{said}");
    }
    assert!(
        folder.path().join("naive-breaks-unknown-is-not-absent.toml").is_file(),
        "its story is written"
    );
}

/// The configuration names a module of a registry that takes questions and answers none: whoever asks it waits, and so does a stop
/// that waits for him.
#[test]
fn a_stop_says_whom_it_waits_for_and_a_second_signal_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = engine(folder.path());
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let reference = format!("oci://{}/own@sha256:{}", registry.local_addr().unwrap(), "0".repeat(64));
    let policy = format!("[[policy]]\nname = \"own\"\nmodule = \"{reference}\"\n");
    std::fs::write(folder.path().join("config.toml"), format!("{BASE}{policy}")).unwrap();
    let (to, asked) = channel();
    thread::spawn(move || to.send(registry.accept().unwrap()));
    let _silent = asked.recv_timeout(Duration::from_secs(60)).unwrap();

    engine.signal("TERM");
    engine.wait_for("the stop waits for: reload");
    engine.signal("INT");
    let (status, said) = engine.end();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("ended at once by a second signal (SIGINT)"), "{said}");
}

#[cfg(feature = "author")]
#[test]
fn a_demo_that_is_ended_leaves_nothing_behind() {
    use std::os::unix::fs::PermissionsExt;

    for signal in ["INT", "TERM"] {
        let room = tempfile::tempdir().unwrap();
        let folders = || -> Vec<_> { std::fs::read_dir(room.path()).unwrap().map(Result::unwrap).collect() };
        let mut demo = Process::start(steadfast(room.path(), &["demo", "--port", "0"]).env("TMPDIR", room.path()));
        // Its first lines are told when the engine is at work, with its record in the folder.
        demo.wait_for("orders     ");
        let made = folders();
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(made[0].metadata().unwrap().permissions().mode() & 0o777, 0o700);
        demo.signal(signal);
        let (status, said) = demo.end();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(said.contains(&format!("ended by SIG{signal}")), "{said}");
        assert!(folders().is_empty(), "{:?} is left", folders());
    }
}
