//! A canary in every place that takes a secret, and everything that is written or answered searched for it.
//!
//! The engine runs at its most talkative, and each configuration is also broken beside the secrets and within them: a report of
//! a mistake is where a secret is quoted most easily.

mod receivers;

use std::fmt::Write as _;
use std::path::Path;

use reqwest::Method;

use crate::collector::Collector;
use crate::command::{Ended, steadfast};
use crate::process::Process;

const CANARY: &str = "c4n4ry-0badc0de-5ecret";
/// All but the compiler of policies, which knows no secret and tells of each register.
const LOG: &str = "trace,cranelift=off,regalloc2=off,wasmtime=off,wasm=off,wit=off";
/// The middle of it as base64 has it, behind as many bytes as each alignment takes.
const ENCODED: [&str; 3] = [
    "RuNHJ5LTBiYWRjMGRlLTVl",
    "0bjRyeS0wYmFkYzBkZS01Z",
    "jNG40cnktMGJhZGMwZGUtN",
];

/// As a URL may have it.
const PERCENT: &str = "c4n4ry%2D0badc0de%2D5ecret";

/// A folder with a configuration in which each key that takes a secret, or names a file with one, has the canary. Nobody
/// answers at port 9.
struct World {
    folder: tempfile::TempDir,
    /// Takes traces, which must not tell what it is shown beside them.
    collector: Collector,
}

impl World {
    fn new() -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            collector: Collector::start(200),
        };
        world.write("token", CANARY);
        world.write("password", CANARY);
        let nobodys = format!(
            "[[token]]\nname = \"eye\"\nscopes = [\"read\"]\nhash = \"sha256:{:064}\"\n",
            7
        );
        world.write("tokens.toml", &nobodys);
        world.write(
            "url",
            &format!("http://ann:{CANARY}@127.0.0.1:9/{CANARY}?key={CANARY}\n"),
        );
        world.write("kubeconfig", &kubeconfig(&format!("{{token: {CANARY}}}")));
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).unwrap();
    }

    fn configure(&self, more: &str) {
        self.write("config.toml", &format!("{}{more}", config(&self.collector)));
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = steadfast(self.path(), &[&["--log", LOG], arguments].concat());
        command
            .env("AWS_ACCESS_KEY_ID", CANARY)
            .env("AWS_SECRET_ACCESS_KEY", CANARY)
            .env("AWS_SESSION_TOKEN", CANARY)
            .env("AWS_ENDPOINT", "http://127.0.0.1:9")
            .env("AWS_ALLOW_HTTP", "true")
            .env("RUST_BACKTRACE", "1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let ended = Ended::of(&mut self.command(arguments));
        let said = format!("{}{}", ended.out, ended.err);
        assert_silent(&format!("{arguments:?}"), &said);
        ended
    }
}

fn config(collector: &Collector) -> String {
    let collector = collector.address;
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n\
         tokens_file = \"tokens.toml\"\nkubernetes_auth = {{ cluster = \"local\" }}\n\
         [timing]\npoll = \"100ms\"\ntimeout = \"1s\"\nretry_initial = \"50ms\"\nretry_max = \"100ms\"\n\
         [[kubernetes]]\nname = \"local\"\nkubeconfig = \"kubeconfig\"\n\
         flink_rest = \"http://ann:{CANARY}@127.0.0.1:9/{CANARY}/{{namespace}}/{{name}}\"\n\
         flink_auth = {{ token_file = \"token\" }}\n\
         history_server = \"http://ann:{CANARY}@127.0.0.1:9/{CANARY}\"\narchive = [\"s3://bucket/archive\"]\n\
         [[job]]\nname = \"orders\"\nkubernetes = \"local\"\nflink_auth = {{ user = \"ann\", password_file = \"password\" }}\n\
         [[job]]\nname = \"bills\"\nmode = \"standalone\"\nflink_rest = \"http://ann:{CANARY}@127.0.0.1:9/{CANARY}\"\n\
         [[registry]]\nhost = \"127.0.0.1:9\"\nusername = \"ann\"\npassword_file = \"password\"\n\
         [[sink]]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/{CANARY}?key={CANARY}\"\n\
         headers = {{ \"X-Key\" = \"{CANARY}\" }}\ntoken_file = \"token\"\nsecret_file = \"password\"\n\
         proxy = \"http://ann:{CANARY}@127.0.0.1:9\"\ntemplate = \"{CANARY} {{{{ title }}}}\"\n\
         [[sink]]\nkind = \"alertmanager\"\nname = \"am\"\nurl = \"http://ann:{CANARY}@127.0.0.1:9/{CANARY}\"\nresend = \"50ms\"\n\
         [[sink]]\nkind = \"slack\"\nname = \"slack\"\nurl = \"http://127.0.0.1:9/{CANARY}\"\n\
         [[sink]]\nkind = \"slack\"\nname = \"slack-file\"\nurl_file = \"url\"\n\
         [[sink]]\nkind = \"webhook\"\nname = \"hook-file\"\nurl_file = \"url\"\n\
         [[sink]]\nkind = \"alertmanager\"\nname = \"am-file\"\nurl_file = \"url\"\nresend = \"50ms\"\n\
         [[sink]]\nkind = \"dingtalk\"\nname = \"dingtalk\"\nurl = \"http://127.0.0.1:9/?access_token={CANARY}\"\nsecret_file = \"password\"\n\
         [[sink]]\nkind = \"wecom\"\nname = \"wecom\"\nurl = \"http://127.0.0.1:9/?key={CANARY}\"\n\
         [[sink]]\nkind = \"feishu\"\nname = \"feishu\"\nurl = \"http://127.0.0.1:9/{CANARY}\"\nsecret_file = \"password\"\n\
         [[sink]]\nkind = \"email\"\nname = \"mail\"\nurl = \"smtp://127.0.0.1:9\"\ninsecure = true\nusername = \"ann\"\npassword_file = \"password\"\n\
         from = \"a@example.com\"\nto = \"b@example.com\"\n\
         [telemetry]\nendpoint = \"http://{collector}/{CANARY}?key={CANARY}\"\nsample = 1.0\n\
         headers = {{ \"X-Key\" = \"{CANARY}\" }}\ntoken_file = \"token\"\n"
    )
}

/// A file of tokens with one that nobody has.
fn nobodys_token() -> String {
    format!(
        "[[token]]\nname = \"eye\"\nscopes = [\"read\"]\nhash = \"sha256:{:064}\"\n",
        7
    )
}

/// A kubeconfig with that user.
fn kubeconfig(user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters:\n- name: c\n  cluster:\n    server: http://127.0.0.1:9\n\
         users: [{{name: u, user: {user}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    )
}

/// Mistakes in the configuration, each beside the secrets or within one.
fn mistakes() -> Vec<String> {
    let sink = |more: &str| format!("[[sink]]\nkind = \"webhook\"\n{more}\n");
    let cluster = |more: &str| format!("[[kubernetes]]\nname = \"other\"\n{more}\n");
    let job = |more: &str| format!("[[job]]\nname = \"third\"\nmode = \"standalone\"\n{more}\n");
    vec![
        format!("[[sink]]\nkind = \"webhok\"\nurl = \"https://hooks.example/{CANARY}\"\n"),
        sink(&format!("url = \"ftp://ann:{CANARY}@hooks.example/{CANARY}\"")),
        sink(&format!("url = \"http://127.0.0.1:9\"\nproxy = \"{CANARY}\"")),
        sink(&format!(
            "url = \"http://127.0.0.1:9\"\nheaders = {{ \"{CANARY} \" = \"{CANARY}\" }}"
        )),
        sink(&format!(
            "url = \"http://127.0.0.1:9\"\nheaders = {{ \"X-Key\" = \"{CANARY}\\n\" }}"
        )),
        sink(&format!(
            "url = \"http://127.0.0.1:9\"\ntemplate = \"{{{{ {CANARY} }}}}\""
        )),
        sink(&format!(
            "url = \"http://127.0.0.1:9\"\ntemplate = \"{{% {CANARY} %}}\""
        )),
        format!(
            "[[sink]]\nkind = \"email\"\nname = \"m\"\nurl = \"smtp://ann:{CANARY}@127.0.0.1\"\nfrom = \"{CANARY}\"\nto = \"{CANARY}\"\n"
        ),
        format!(
            "[[sink]]\nkind = \"wecom\"\nname = \"w\"\nurl = \"http://127.0.0.1:9/{CANARY}\"\nsecret_file = \"password\"\n"
        ),
        sink(&format!("ur1 = \"https://hooks.example/{CANARY}\"")),
        sink(&format!("name = \"f\"\nurl_file = \"https://hooks.example/{CANARY}\"")),
        sink(&format!(
            "name = \"f\"\nurl = \"http://127.0.0.1:9/{CANARY}\"\nurl_file = \"url\""
        )),
        sink("name = \"f\"\nurl_file = \"password\""),
        sink(&format!("url = \"https://hooks.example/{CANARY}")),
        sink(&format!("url = [\"https://hooks.example/{CANARY}\"]")),
        sink(&format!("url = \"https:hooks.example/{CANARY}\" \"")),
        sink(&format!(
            "url = \"\"\"\nhttps://hooks.example/{CANARY}\nname = \"{CANARY}\"\n\"\"\""
        )),
        sink(&format!(
            "name = \"https://hooks.example/{CANARY}\"\nurl = \"http://127.0.0.1:9\""
        )),
        sink(&format!(
            "max_age = \"5\" # {CANARY}\nurl = \"http://127.0.0.1:9/{CANARY}\""
        )),
        format!("sink = \"https://hooks.example/{CANARY}\"\n"),
        format!("[sinks]\nurl = \"https://hooks.example/{CANARY}\"\n"),
        job(&format!("flink_rest = \"http://ann:{CANARY}@{{pod}}:80\"")),
        job(&format!("flink_rest = \"ann:{CANARY}@flink:8081\"")),
        job(&format!("flink_rest = \"{CANARY}\"")),
        job(&format!("flink_auth = {{ user = \"ann\", password = \"{CANARY}\" }}")),
        job(&format!("flink_auth = \"ann:{CANARY}\"")),
        cluster(&format!("history_server = \"ftp://ann:{CANARY}@history/{CANARY}\"")),
        cluster(&format!("history_server = \"{CANARY}\"")),
        cluster(&format!("archive = [\"s4://ann:{CANARY}@bucket?key={CANARY}\"]")),
        format!("[server.tls]\nkey = \"{CANARY}\"\n"),
        format!("[server.tls]\nclient_scopes = [\"ann:{CANARY}\"]\n"),
        format!("[server.tls]\nkey_file = \"\"\"\n-----BEGIN PRIVATE KEY-----\n{CANARY}\n\"\"\"\n"),
        "[server.tls]\ncert_file = \"password\"\nkey_file = \"password\"\n".to_owned(),
        format!("[[registry]]\nhost = \"ann:{CANARY}@registry.example\"\n"),
        format!("[[registry]]\nhost = \"r\"\nusername = \"ann\"\npassword = \"{CANARY}\"\n"),
        format!("[telemetry.more]\nkey = \"{CANARY}\"\n"),
        format!("[[policy]]\nname = \"p\"\nmodule = \"oci://ann:{CANARY}@registry.example/x:v1\"\n"),
        format!("[[policy]]\nname = \"p\"\nmodule = \"https://ann:{CANARY}@registry.example/x.wasm?key={CANARY}\"\n"),
    ]
}

fn assert_silent(who: &str, said: &str) {
    for secret in [CANARY, PERCENT].iter().chain(&ENCODED) {
        if let Some(at) = said.find(secret) {
            let before = said[..at].char_indices().rev().nth(300).map_or(0, |(from, _)| from);
            panic!("{who} tells the secret: …{}", &said[before..at + secret.len()]);
        }
    }
}

/// A running engine, asked with its token.
struct Engine<'a> {
    world: &'a World,
    process: Process,
    server: String,
}

impl<'a> Engine<'a> {
    fn start(world: &'a World) -> Self {
        let mut process = Process::start(&mut world.command(&["run"]));
        let line = process.wait_for("the API and the dashboard are at");
        let at = line.find("http://").unwrap();
        let server = line[at..].trim_end_matches('/').to_owned();
        Self { world, process, server }
    }

    /// The status and the answer, which holds no secret.
    fn ask(&self, method: Method, path: &str, token: Option<&str>) -> (u16, String) {
        drop(rustls::crypto::ring::default_provider().install_default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let client = steadfast_http::client().no_proxy().build().unwrap();
            let mut request = client.request(method.clone(), format!("{}{path}", self.server));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let mut response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let mut text = format!("{:?}\n", response.headers());
            let is_endless = path.contains("/events");
            while let Some(chunk) = response.chunk().await.unwrap() {
                write!(text, "{}", String::from_utf8_lossy(&chunk)).unwrap();
                if is_endless {
                    break;
                }
            }
            assert_silent(&format!("{method} {path}"), &text);
            (status, text)
        })
    }

    fn wait_for(&self, path: &str, what: &str) {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !self.ask(Method::GET, path, Some(CANARY)).1.contains(what) {
            assert!(std::time::Instant::now() < until, "{path} never says `{what}`");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    fn command(&self, arguments: &[&str]) -> Ended {
        let more = ["--server", &self.server, "--token-file", "token"];
        self.world.run(&[arguments, &more].concat())
    }

    fn stop(self) {
        self.process.signal("TERM");
        let (_, said) = self.process.end();
        assert_silent("the log", &said);
    }
}

const PATHS: &[&str] = &[
    "/",
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/api/v1/jobs",
    "/api/v1/clusters",
    "/api/v1/shadows",
    "/api/v1/policies",
    "/api/v1/jobs/local/default/orders",
    "/api/v1/jobs/local/default/orders/explain",
    "/api/v1/jobs/local/default/orders/transitions",
    "/api/v1/jobs/-/-/bills",
    "/api/v1/jobs/-/-/bills/explain",
    "/api/v1/jobs/-/-/bills/transitions",
    "/api/v1/jobs/-/-/bills/audit",
    "/api/v1/events?after=0",
];

#[test]
fn a_running_engine_tells_no_secret_whatever_is_asked_of_it() {
    let world = World::new();
    world.configure("");
    assert_eq!(world.run(&["check"]).code, Some(0));
    world.run(&["policies"]);
    for sink in [
        "am",
        "slack",
        "slack-file",
        "hook-file",
        "am-file",
        "dingtalk",
        "wecom",
        "feishu",
        "mail",
    ] {
        let tested = world.run(&["sink", "test", sink]);
        assert_eq!(tested.code, Some(1), "{sink}: {}{}", tested.out, tested.err);
    }
    // Nobody answers, which is told of each.
    assert_eq!(world.run(&["doctor"]).code, Some(1));
    let engine = Engine::start(&world);
    engine.wait_for("/api/v1/jobs/-/-/bills/explain", "127.0.0.1:9");
    engine.wait_for("/api/v1/clusters", "refused");
    for path in PATHS {
        let (status, text) = engine.ask(Method::GET, path, Some(CANARY));
        assert_eq!(status, 200, "{path}: {text}");
        engine.ask(Method::GET, path, None);
        engine.ask(Method::GET, path, Some("another-token-altogether"));
    }
    // Nobody but the API server could know these, and it is asked in vain.
    for token in [format!("{CANARY}.{CANARY}.{CANARY}"), format!("sft_{CANARY}")] {
        let (status, told) = engine.ask(Method::GET, "/api/v1/jobs", Some(&token));
        assert_eq!(status, 503, "{told}");
    }
    let (status, told) = engine.ask(Method::POST, "/api/v1/reload", Some(CANARY));
    assert_eq!(status, 200, "{told}");
    for arguments in [
        &["status"][..],
        &["status", "--output", "json"],
        &["clusters"],
        &["explain", "-/-/bills"],
        &["explain", "local/default/orders"],
        &["intent", "-/-/bills", "cancel"],
    ] {
        engine.command(arguments);
    }
    for mistake in mistakes() {
        world.configure(&mistake);
        let (status, told) = engine.ask(Method::POST, "/api/v1/reload", Some(CANARY));
        assert_eq!(status, 422, "{mistake}: {told}");
        assert!(told.contains("config.toml:"), "{told}");
        let (_, policies) = engine.ask(Method::GET, "/api/v1/policies", Some(CANARY));
        assert!(policies.contains("refused"), "{policies}");
    }
    engine.stop();
    let traces = world.collector.text();
    assert!(traces.contains("-/-/bills"), "{traces}");
    assert_silent("a trace", &traces);
    for entry in std::fs::read_dir(world.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("steadfast.db") {
            let bytes = std::fs::read(&path).unwrap();
            assert_silent(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn no_report_of_a_mistake_quotes_a_secret() {
    let world = World::new();
    for mistake in mistakes() {
        world.configure(&mistake);
        for command in ["check", "run"] {
            let ended = world.run(&[command]);
            assert_eq!(ended.code, Some(2), "{command}: {mistake}: {}", ended.err);
            assert!(ended.err.contains("config.toml:"), "{}", ended.err);
        }
    }
}

#[test]
fn no_kubeconfig_that_cannot_be_used_is_quoted_and_none_is_a_panic() {
    let world = World::new();
    world.configure("");
    // Whether `check` can tell, too: it starts no plugin.
    for (is_checked, text) in [
        (true, kubeconfig(&format!("{{token: \"{CANARY}\\n\"}}"))),
        (true, kubeconfig(&format!("{{token: {CANARY}, token: {CANARY}}}"))),
        (true, kubeconfig(&format!("{{token: [{CANARY}]}}"))),
        (
            true,
            format!("{}\n{CANARY}: {{[", kubeconfig(&format!("{{token: {CANARY}}}"))),
        ),
        (
            true,
            kubeconfig(&format!(
                "{{client-key-data: {CANARY}, client-certificate-data: {CANARY}}}"
            )),
        ),
    ] {
        world.write("kubeconfig", &text);
        let checked = world.run(&["check"]);
        assert_eq!(
            checked.code,
            Some(if is_checked { 2 } else { 0 }),
            "{text}\n{}",
            checked.err
        );
        let run = world.run(&["run"]);
        assert!(matches!(run.code, Some(1 | 2)), "{:?} {text}\n{}", run.code, run.err);
        assert!(
            !run.err.contains("panicked") && !checked.err.contains("panicked"),
            "{}",
            run.err
        );
    }
}

#[test]
fn no_plugin_that_gives_nothing_is_quoted_and_none_ends_the_engine() {
    let world = World::new();
    world.configure("");
    let exec = |command: &str, argument: &str| {
        kubeconfig(&format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command}, args: [\"-c\", \"{argument}\"], \
             env: [{{name: SECRET, value: {CANARY}}}]}}}}"
        ))
    };
    for text in [
        exec("sh", &format!("echo {CANARY} $SECRET >&2; exit 3")),
        exec("sh", "printf '{\\\"status\\\":{\\\"token\\\":\\\"a\\\\nb\\\"}}'"),
        exec("nowhere", CANARY),
    ] {
        world.write("kubeconfig", &text);
        assert_eq!(world.run(&["check"]).code, Some(0), "it starts no plugin");
        assert_eq!(world.run(&["doctor"]).code, Some(1), "{text}");
        let mut engine = Process::start(&mut world.command(&["run"]));
        engine.wait_for("there are no credentials yet for http://127.0.0.1:9");
        engine.signal("TERM");
        let (status, said) = engine.end();
        assert_eq!(status.code(), Some(0), "{text}\n{said}");
        assert!(!said.contains("panicked"), "{said}");
        assert_silent("the log", &said);
    }
}

#[test]
fn no_secret_file_that_cannot_be_used_is_quoted() {
    let world = World::new();
    world.configure("");
    world.write("token", &format!("{CANARY} {CANARY}\n{CANARY}"));
    for command in ["check", "run", "doctor"] {
        let ended = world.run(&[command]);
        assert_eq!(ended.code, Some(2), "{command}: {}", ended.err);
    }
    world.write("token", CANARY);
    for tokens in [
        CANARY.to_owned(),
        format!("[[token]]\nname = \"{CANARY} \"\nscopes = [\"read\"]\nhash = \"sha256:00\"\n"),
        format!("[[token]]\nname = \"a\"\nscopes = [\"{CANARY}\"]\nhash = \"sha256:00\"\n"),
        format!("[[token]]\nname = \"a\"\nscopes = [\"read\"]\nhash = \"{CANARY}\"\n"),
        format!("[[token]]\nname = \"a\"\nscopes = [\"read\"]\ntoken = \"{CANARY}\"\n"),
    ] {
        world.write("tokens.toml", &tokens);
        for command in ["check", "run", "doctor"] {
            let ended = world.run(&[command]);
            assert_eq!(ended.code, Some(2), "{command}: {}", ended.err);
        }
        let added = world.run(&["token", "new", "b", "--scope", "read", "--tokens-file", "tokens.toml"]);
        assert_eq!(added.code, Some(2), "{}", added.err);
    }
    world.write("tokens.toml", &nobodys_token());
    // A registry that nobody answers at.
    world.configure(&format!(
        "[[policy]]\nname = \"p\"\nmodule = \"oci://127.0.0.1:9/x@sha256:{}\"\n",
        "0".repeat(64)
    ));
    assert_eq!(world.run(&["check"]).code, Some(1));
}
