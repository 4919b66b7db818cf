//! What takes the place of a file or of an answer may have no end, or never begin: neither memory nor patience is lost to it, at the
//! first reading as at each one after.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Ended, run, steadfast};
use crate::process::Process;
use crate::running::{BASE, Engine};

const TOKEN: &str = "a-token-that-is-long-enough";
/// No file here is waited for; a machine may be slow.
const PROMPT: Duration = Duration::from_secs(20);
/// Far above what an engine takes, and far below what is endless.
const MODEST_KIB: u64 = 500 << 10;

/// What may stand where a file was.
#[derive(Clone, Copy, Debug)]
enum Place {
    Pipe,
    Zeros,
    Sparse,
}

const PLACES: [Place; 3] = [Place::Pipe, Place::Zeros, Place::Sparse];

impl Place {
    fn make(self, path: &Path) {
        match self {
            Self::Pipe => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            Self::Zeros => symlink("/dev/zero", path).unwrap(),
            Self::Sparse => std::fs::File::create(path).unwrap().set_len(3 << 30).unwrap(),
        }
    }

    /// Puts it where a file is, at once.
    fn replace(self, path: &Path) {
        let beside = path.with_extension("beside");
        self.make(&beside);
        std::fs::rename(beside, path).unwrap();
    }
}

fn replace(path: &Path, content: &str) {
    let beside = path.with_extension("beside");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// Ends soon, or the test fails and nothing is left.
fn soon(command: &mut Command) -> Ended {
    let began = Instant::now();
    let mut limited = Command::new("timeout");
    limited.args(["-s", "KILL", "60"]).arg(command.get_program());
    limited.args(command.get_args());
    limited.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let ended = Ended::of(&mut limited);
    assert!(began.elapsed() < PROMPT, "{:?}: {}", command.get_args(), ended.err);
    ended
}

#[test]
fn secrets_are_read_again_as_they_were_read_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("token"), TOKEN).unwrap();
    std::fs::write(path("flink-token"), "another").unwrap();
    let config = BASE.replacen("[server]\n", "[server]\ntoken_file = \"token\"\n", 1);
    let config = format!("{config}flink_auth = {{ token_file = \"flink-token\" }}\n[timing]\npoll = \"100ms\"\n");
    let config = config.replacen("[timing]\n", "\n[timing]\n", 1);
    std::fs::write(path("config.toml"), config).unwrap();
    let engine = Engine::start_configured(folder.path());
    let ask = || {
        let began = Instant::now();
        let ended = engine.ask(folder.path(), &["status", "--token-file", "kept"]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        began.elapsed()
    };
    std::fs::write(path("kept"), TOKEN).unwrap();
    ask();
    for place in PLACES {
        place.replace(&path("token"));
        place.replace(&path("flink-token"));
        // Longer than what was read counts for.
        std::thread::sleep(Duration::from_millis(1_500));
        let took = ask();
        assert!(took < PROMPT, "{place:?}: {took:?}");
    }
    let peak = engine.peak_memory_kib();
    assert!(peak < MODEST_KIB, "{peak} KiB");
    replace(&path("token"), "one-that-was-made-later");
    std::thread::sleep(Duration::from_millis(1_500));
    let refused = engine.ask(folder.path(), &["status", "--token-file", "kept"]);
    assert_eq!(refused.code, Some(3), "the file is still followed: {}", refused.out);
}

#[test]
fn a_configuration_that_was_a_pipe_for_a_while_is_followed_again_and_holds_up_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, BASE).unwrap();
    let mut engine = Process::start(&mut steadfast(folder.path(), &["run"]));
    engine.wait_for("the API and the dashboard are at");
    for place in PLACES {
        place.replace(&path);
        engine.wait_for("policies not reloaded");
        let policy = "[[policy]]\nname = \"default\"\nmodule = \"builtin:conservative\"\n";
        replace(&path, &format!("{BASE}{policy}# after {place:?}\n"));
        engine.wait_for("policies reloaded");
    }
    Place::Pipe.replace(&path);
    engine.wait_for("policies not reloaded");
    let began = Instant::now();
    engine.signal("TERM");
    let (status, said) = engine.end();
    assert!(status.success() && began.elapsed() < PROMPT, "{said}");
}

#[test]
fn no_command_waits_for_a_file_or_reads_it_without_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = ["--server", "http://127.0.0.1:9"];
    std::fs::write(folder.path().join("module.wasm"), "module").unwrap();
    for place in PLACES {
        let name = format!("{place:?}");
        place.make(&folder.path().join(&name));
        let name = name.as_str();
        let commands: Vec<Vec<&str>> = vec![
            vec!["check", "--config", name],
            vec!["policies", "--config", name],
            [&["status", "--token-file", name], nobody.as_slice()].concat(),
            vec!["policy", "sign", "module.wasm", "--key", name],
            vec!["policy", "sign", name, "--key", name],
            vec!["policy", "inspect", name],
            #[cfg(feature = "author")]
            vec!["simulate", name],
            #[cfg(feature = "author")]
            vec!["policy", "test", "builtin:conservative", name],
        ];
        for arguments in commands {
            let ended = soon(&mut steadfast(folder.path(), &arguments));
            assert!(matches!(ended.code, Some(1..=3)), "{arguments:?}: {}", ended.err);
            let is_said = ended.err.contains("no regular file") || ended.err.contains("holds more than");
            assert!(is_said, "{arguments:?}: {}", ended.err);
        }
    }
}

#[test]
fn every_file_of_a_configuration_is_looked_at_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = "current-context: c\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:9', \
                      certificate-authority: X}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n";
    std::fs::write(folder.path().join("authority"), kubeconfig).unwrap();
    let token = kubeconfig.replace(", certificate-authority: X", "") + "users: [{name: u, user: {tokenFile: X}}]\n";
    std::fs::write(folder.path().join("token"), token).unwrap();
    let cluster = |kubeconfig: &str| format!("[[kubernetes]]\nname = \"k\"\nkubeconfig = \"{kubeconfig}\"\n");
    let key = "[[policy]]\nname = \"p\"\nmodule = \"m.wasm\"\npublic_key = \"X\"\n";
    std::fs::write(folder.path().join("m.wasm"), "m").unwrap();
    for place in PLACES {
        place.replace(&folder.path().join("X"));
        for config in [cluster("X"), cluster("authority"), cluster("token"), key.to_owned()] {
            std::fs::write(folder.path().join("config.toml"), &config).unwrap();
            let ended = soon(&mut steadfast(folder.path(), &["check"]));
            assert_eq!(ended.code, Some(2), "{place:?} {config}: {}", ended.err);
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

#[test]
fn a_start_does_not_wait_for_what_stands_in_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let module = include_bytes!("../../../../policies/prebuilt/naive.wasm");
    std::fs::write(folder.path().join("own.wasm"), module).unwrap();
    let policy = "[[policy]]\nname = \"own\"\nmodule = \"own.wasm\"\n";
    std::fs::write(folder.path().join("config.toml"), format!("{BASE}{policy}")).unwrap();
    let cache = folder.path().join("cache");
    let start = || {
        let mut command = steadfast(folder.path(), &["run"]);
        let began = Instant::now();
        let engine = Engine::of(command.env("XDG_CACHE_HOME", &cache));
        let policies = engine.get("/api/v1/policies");
        assert_eq!(policies["items"][0]["standing"], "as-configured", "{policies:#}");
        assert!(began.elapsed() < PROMPT);
        engine.peak_memory_kib()
    };
    start();
    let kept = files(&cache);
    assert!(
        kept.iter()
            .any(|file| file.extension().is_some_and(|kind| kind == "compiled")),
        "{kept:?}"
    );
    assert!(
        kept.iter()
            .any(|file| file.extension().is_some_and(|kind| kind == "good")),
        "{kept:?}"
    );
    for place in PLACES {
        for file in &kept {
            place.replace(file);
        }
        let peak = start();
        assert!(peak < MODEST_KIB, "{place:?}: {peak} KiB");
    }
}

/// A server that begins so, and goes on with the same for ever.
fn endless(head: &'static str, rest: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            std::thread::spawn(move || {
                let rest = rest.repeat(1 << 12);
                drop(client.read(&mut [0; 4096]));
                drop(client.write_all(head.as_bytes()));
                while client.write_all(&rest).is_ok() {}
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn an_answer_without_an_end_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let list = endless(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"items\":[",
        br#"{"id":"a/b/c"},"#,
    );
    for arguments in [
        vec!["status"],
        vec!["status", "--watch"],
        vec!["explain", "a/b/c"],
        vec!["clusters"],
        vec!["intent", "a/b/c", "cancel"],
    ] {
        let ended = soon(&mut steadfast(
            folder.path(),
            &[arguments.as_slice(), &["--server", &list]].concat(),
        ));
        assert_eq!(ended.code, Some(3), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("holds more than"), "{arguments:?}: {}", ended.err);
    }
    let refusal = endless("HTTP/1.1 500 No\r\n\r\n", b"no");
    let ended = soon(&mut steadfast(folder.path(), &["clusters", "--server", &refusal]));
    assert!(
        ended.code == Some(3) && ended.err.contains("no reason given"),
        "{}",
        ended.err
    );
}

#[test]
fn data_that_cannot_be_written_is_an_error_and_a_reader_who_has_gone_is_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), BASE).unwrap();
    let engine = Engine::start_configured(folder.path());
    let asks = |arguments: &[&'static str]| [arguments, &["--server", engine.server.clone().leak()]].concat();
    for arguments in [
        asks(&["status"]),
        asks(&["status", "--output", "json"]),
        asks(&["status", "--watch"]),
        asks(&["clusters"]),
        asks(&["explain", "-/-/orders"]),
        vec!["store", "check", "--store", "sqlite://steadfast.db"],
        vec!["store", "export", "--store", "sqlite://steadfast.db"],
        vec!["policies"],
        vec!["policy", "inspect", "builtin:conservative"],
        vec!["completions", "bash"],
        vec!["--help"],
        vec!["--version"],
    ] {
        let mut full = steadfast(folder.path(), &arguments);
        full.stdout(OpenOptions::new().write(true).open("/dev/full").unwrap());
        let ended = full.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("No space left"), "{arguments:?}: {said}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut unread = steadfast(folder.path(), &arguments);
        unread.stdout(writer).stderr(Stdio::piped());
        if arguments.contains(&"--watch") {
            continue;
        }
        let ended = unread.spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success() && !said.contains("error"),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(run(folder.path(), &["policies"]).code, Some(0));
}
