//! The commands that README and quick starts tell people do what they say.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::command::{Ended, steadfast};
use crate::process::Process;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands in a document's shell blocks, without their remarks.
pub fn commands_of(document: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => commands.extend(line.split(" #").next().map(|command| command.trim().to_owned())),
            _ => {}
        }
    }
    commands
}

/// Whose commands are carried out here.
const DOCUMENTS: [&str; 4] = [
    "README.md",
    "docs/quick-start.md",
    "docs/quick-start-cluster.md",
    "docs/simulate.md",
];

/// Each of them once.
fn commands() -> BTreeSet<String> {
    DOCUMENTS.into_iter().flat_map(commands_of).collect()
}

/// Documented commands that are not carried out here, each with the reason.
const ELSEWHERE: [(&str, &str); 7] = [
    (
        "steadfast doctor --config config.toml",
        "no cluster answers here, which it calls wrong; `doctor` of these tests has both",
    ),
    (
        "cargo run -- demo",
        "it builds; the demo is run by this test, with the binary it has",
    ),
    ("cargo test --workspace", "it is what runs this test"),
    (
        "cargo install --locked --path engine/steadfast",
        "it builds; the binary that it would install is what this test runs",
    ),
    (
        "steadfast policy build night-shift",
        "it gets Python's tools from PyPI; `five minutes` in .ci/run carries it out",
    ),
    (
        "steadfast policy test night-shift/night-shift.wasm night-shift/stories",
        "the module is what the build made; `five minutes` carries it out",
    ),
    (
        "steadfast policy verify night-shift/night-shift.wasm",
        "the same, and to its usual depth it takes a release build",
    ),
];

/// Documented commands that go on until they are ended, with what they write at some time.
const ENDLESS: [(&str, &str); 3] = [
    ("steadfast run --config config.toml", "the API and the dashboard are at"),
    ("steadfast status --watch", "local/default/orders"),
    (
        "curl -N http://127.0.0.1:8080/api/v1/events",
        "\"job\":\"local/default/",
    ),
];

/// What the other commands write to one of their outputs.
const WRITTEN: [(&str, &str); 18] = [
    ("steadfast check --config config.toml", "config.toml has no mistakes"),
    ("steadfast status", "local/default/orders"),
    ("steadfast clusters", "local"),
    ("steadfast explain local/default/orders", "local/default/orders is "),
    ("steadfast explain orders", "local/default/orders is "),
    ("steadfast history orders", "RUNNING"),
    ("steadfast alerts", ""),
    (
        "steadfast intent local/default/orders cancel",
        "noted for local/default/orders: an end will not be called an accident. Steadfast cancels nothing",
    ),
    ("steadfast policy list", "builtin:conservative"),
    ("curl http://127.0.0.1:8080/api/v1/clusters", "\"neverRead\":false"),
    (
        "curl http://127.0.0.1:8080/api/v1/jobs",
        "\"id\":\"local/default/orders\"",
    ),
    (
        "curl http://127.0.0.1:8080/api/v1/jobs/local/default/orders/transitions",
        "\"from\":\"UNKNOWN\"",
    ),
    (
        "curl -X PUT -H 'Content-Type: application/json' -d '{\"intent\":\"cancel\"}' \
         http://127.0.0.1:8080/api/v1/jobs/local/default/orders/intent",
        "\"id\":\"local/default/orders\"",
    ),
    (
        "steadfast policy new night-shift --lang python",
        "night-shift holds the policy",
    ),
    ("steadfast simulate examples/stories", " 0 failed"),
    (
        "steadfast simulate --timeline examples/stories/network-loss.toml",
        " 0 failed",
    ),
    ("steadfast simulate --config config.toml examples/stories", " 0 failed"),
    ("steadfast simulate --real --scale 20 examples/stories", " 0 failed"),
];

/// The folder of somebody who follows the documents, and a demo that stands for their cluster.
struct Reader {
    folder: tempfile::TempDir,
    demo: Process,
    /// The address at which the demo answers, in place of the usual one.
    server: String,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        // The quick start's own configuration; what it leaves to the surroundings leads to no real cluster and no taken port.
        let start = std::fs::read_to_string(root().join("docs/quick-start-cluster.md")).unwrap();
        let config = start.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let config = format!("{config}\n[server]\nlisten = \"127.0.0.1:0\"\n");
        std::fs::write(at("config.toml"), config).unwrap();
        std::fs::write(at("kubeconfig"), KUBECONFIG).unwrap();
        std::fs::create_dir(at("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_steadfast"), at("bin/steadfast")).unwrap();
        symlink(root().canonicalize().unwrap().join("examples"), at("examples")).unwrap();
        let mut demo = Process::start(&mut steadfast(folder.path(), &["demo", "--port", "0"]));
        let server = demo.wait_for("dashboard: ");
        let server = server
            .trim_start_matches("dashboard: ")
            .trim_end_matches('/')
            .to_owned();
        // From now on there is something to ask for.
        demo.wait_for("orders     RUNNING, confirmed");
        Self { folder, demo, server }
    }

    /// A documented command, as a shell takes it.
    fn command(&self, documented: &str) -> Command {
        // curl is content with any answer; here one that refuses is a failure. In the place of the shell, so that what
        // ends the one ends the other.
        let line = documented.replace("http://127.0.0.1:8080", &self.server);
        let line = line.replacen("curl ", "curl --silent --show-error --fail --noproxy '*' ", 1);
        let script = format!("exec {line}");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()))
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env("STEADFAST_SERVER", &self.server)
            .env_remove("STEADFAST_TOKEN_FILE")
            .env_remove("STEADFAST_LOG");
        shell
    }
}

/// A cluster where nothing listens.
const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: none\n\
                          clusters: [{name: none, cluster: {server: \"http://127.0.0.1:9\"}}]\n\
                          users: [{name: none, user: {}}]\n\
                          contexts: [{name: none, context: {cluster: none, user: none}}]\n";

#[test]
fn every_command_of_the_quick_starts_does_what_it_says() {
    let mut reader = Reader::new();
    thread::scope(|scope| {
        for documented in commands() {
            if ELSEWHERE.iter().any(|(command, _)| *command == documented) {
                continue;
            }
            let mut command = reader.command(&documented);
            scope.spawn(move || {
                if let Some((_, written)) = ENDLESS.iter().find(|(command, _)| *command == documented) {
                    Process::start(&mut command).wait_for(written);
                    return;
                }
                let Some((_, written)) = WRITTEN.iter().find(|(command, _)| *command == documented) else {
                    panic!("`{documented}` is new in the documents: add it to a list of this test");
                };
                let ended = Ended::of(&mut command);
                assert_eq!(ended.code, Some(0), "`{documented}`: {}{}", ended.out, ended.err);
                let all = format!("{}{}", ended.out, ended.err);
                assert!(all.contains(written), "`{documented}` lacks `{written}`:\n{all}");
            });
        }
    });
    // The last line that the quick start shows.
    reader.demo.wait_for("orders     RUNNING, stale");
    reader.demo.signal("TERM");
    let (status, said) = reader.demo.end();
    assert_eq!(status.code(), Some(0), "{said}");
    let said: BTreeSet<String> = said.lines().flat_map(facts).collect();
    for fact in shown_of_the_demo().iter().flat_map(|line| facts(line)) {
        assert!(said.contains(&fact), "the demo does not say `{fact}`:\n{said:#?}");
    }
}

/// What the quick start shows of the demo.
fn shown_of_the_demo() -> Vec<String> {
    let start = std::fs::read_to_string(root().join("docs/quick-start.md")).unwrap();
    let block = start
        .split("<!-- demo: ")
        .nth(1)
        .unwrap()
        .split("```text\n")
        .nth(1)
        .unwrap();
    let shown: Vec<String> = block.split("```").next().unwrap().lines().map(str::to_owned).collect();
    assert!(shown.len() > 5, "{shown:?}");
    shown
}

/// What a line of the demo says, without the second in which it comes: what happens in the world, or what each of the two watchers
/// says of a job, who say it on one line where they say it at the same time.
fn facts(line: &str) -> Vec<String> {
    let fields: Vec<&str> = line
        .split("  ")
        .map(str::trim)
        .filter(|field| !field.is_empty())
        .collect();
    match fields.as_slice() {
        [_, job, steadfast, rest @ ..] => {
            let why = if rest.len() > 1 {
                without_ids(rest[1])
            } else {
                String::new()
            };
            let naive = rest.first().filter(|naive| **naive != "·");
            let naive = naive.map(|naive| format!("{job}, naive: {naive}"));
            let steadfast = (*steadfast != "·").then(|| format!("{job}: {steadfast}, {why}"));
            steadfast.into_iter().chain(naive).collect()
        }
        [_, world] => vec![(*world).to_owned()],
        _ => Vec::new(),
    }
}

/// A text without the ids that are drawn.
fn without_ids(text: &str) -> String {
    let is_id = |part: &str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = text
        .split('-')
        .map(|part| if is_id(part) { "ID" } else { part })
        .collect();
    parts.join("-")
}

#[test]
fn the_documents_have_all_that_is_listed_here_and_the_root_runs_this_binary() {
    let commands = commands();
    let listed = ELSEWHERE
        .iter()
        .chain(&ENDLESS)
        .chain(&WRITTEN)
        .map(|(command, _)| *command);
    for command in listed {
        assert!(commands.contains(command), "no `{command}` in {commands:#?}");
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("default-members = [\"engine/steadfast\"]"));
}
