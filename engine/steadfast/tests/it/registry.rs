//! A real registry: what is pushed, pulled, cached and refused. Debian's docker-registry is started for each test.

mod server;

use std::path::Path;

use server::{Access, Server};

use crate::command::{Ended, steadfast};

/// A folder with a module, keys, and a cache of its own.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.wasm"), steadfast_host::builtin::CONSERVATIVE).unwrap();
        std::fs::write(folder.path().join("other.wasm"), steadfast_host::builtin::NAIVE).unwrap();
        let desk = Self { folder };
        desk.done(&["policy", "keygen", "--out", "mine"]);
        desk.done(&["policy", "keygen", "--out", "other", "--algorithm", "ed25519"]);
        desk
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = steadfast(self.folder.path(), arguments);
        command
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("DOCKER_CONFIG", self.path("docker"));
        Ended::of(&mut command)
    }

    fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
        ended.out
    }

    /// Runs a script in the folder that must succeed.
    fn openssl(&self, script: &str) {
        let mut shell = std::process::Command::new("sh");
        let ended = Ended::of(shell.args(["-ec", script]).current_dir(self.folder.path()));
        assert_eq!(ended.code, Some(0), "{script}: {}", ended.err);
    }

    /// Pushes, and gives the reference by digest.
    fn push(&self, module: &str, reference: &str, more: &[&str]) -> String {
        let arguments = [&["policy", "push", module, reference], more].concat();
        self.done(&arguments).trim().to_owned()
    }

    /// Checks a configuration with that module and those keys.
    fn check(&self, module: &str, keys: &str) -> Ended {
        let text = format!("[[policy]]\nname = \"p\"\nmodule = \"{module}\"\n{keys}\n");
        std::fs::write(self.path("config.toml"), text).unwrap();
        self.run(&["check"])
    }

    fn accepted(&self, module: &str, keys: &str, wanted: &str) {
        let ended = self.check(module, keys);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.err.contains(wanted), "no `{wanted}` in {}", ended.err);
    }

    fn refused(&self, module: &str, keys: &str, code: i32, wanted: &str) {
        let ended = self.check(module, keys);
        assert_eq!(ended.code, Some(code), "{}", ended.err);
        assert!(ended.err.contains(wanted), "no `{wanted}` in {}", ended.err);
    }
}

/// `sha256 = "..."` for a file.
fn pin(file: &Path) -> String {
    let digest = steadfast_modules::Digest::of(&std::fs::read(file).unwrap());
    format!("sha256 = \"{digest}\"")
}

#[test]
#[ignore = "needs Debian's docker-registry; .ci/run installs it"]
fn what_is_pushed_and_signed_is_pulled_and_loaded() {
    let server = Server::start(Access::Open);
    let desk = Desk::new();
    let tagged = server.reference("team/mine:v1");
    let reference = desk.push("mine.wasm", &tagged, &["--sign", "mine.key"]);
    assert!(
        reference.starts_with(&format!("oci://{}/team/mine@sha256:", server.host)),
        "{reference}"
    );
    assert_eq!(desk.push("mine.wasm", &tagged, &["--sign", "mine.key"]), reference);

    let again = [
        "policy",
        "push",
        "mine.wasm",
        &tagged,
        "--sign",
        "mine.key",
        "-o",
        "jsonpath={.reference} {.signedBy}",
    ];
    let again = desk.done(&again);
    assert!(again.starts_with(&format!("{reference} sha256:")), "{again}");

    let told = desk.done(&[
        "policy",
        "pull",
        &tagged,
        "--output",
        "pulled.wasm",
        "--public-key",
        "mine.pub",
    ]);
    assert_eq!(
        std::fs::read(desk.path("pulled.wasm")).unwrap(),
        steadfast_host::builtin::CONSERVATIVE
    );
    assert!(
        told.contains(&reference) && told.contains("signed by   sha256:"),
        "{told}"
    );
    let over = desk.run(&["policy", "pull", &tagged, "--output", "other.wasm"]);
    assert_eq!(over.code, Some(1));
    assert!(over.err.contains("holds something else"), "{}", over.err);
    assert_eq!(
        std::fs::read(desk.path("other.wasm")).unwrap(),
        steadfast_host::builtin::NAIVE
    );

    desk.accepted(&reference, "", "from the registry, pinned");
    desk.accepted(&tagged, &pin(&desk.path("mine.wasm")), "from the local cache, pinned");
    desk.accepted(
        &tagged,
        "public_key = [\"other.pub\", \"mine.pub\"]",
        "signed by sha256:",
    );
    desk.refused(&reference, "public_key = \"other.pub\"", 2, "signed by nobody who may");
    let inspected = desk.done(&["policy", "inspect", &reference]);
    assert!(inspected.contains("conservative"), "{inspected}");
}

#[test]
#[ignore = "needs Debian's docker-registry; .ci/run installs it"]
fn without_the_registry_the_cache_does() {
    let server = Server::start(Access::Open);
    let desk = Desk::new();
    let tagged = server.reference("mine:v1");
    let reference = desk.push("mine.wasm", &tagged, &["--sign", "mine.key"]);
    let unknown = desk.push("other.wasm", &server.reference("other:v1"), &[]);
    let pinned = pin(&desk.path("mine.wasm"));
    desk.accepted(&reference, "public_key = \"mine.pub\"", "from the registry");
    desk.accepted(&tagged, &pinned, "from the local cache");
    server.stop();
    desk.accepted(&reference, "public_key = \"mine.pub\"", "from the local cache");
    desk.accepted(&tagged, &pinned, "the cached module is used");
    desk.accepted(&tagged, "public_key = \"mine.pub\"", "the cached module is used");
    desk.refused(&reference, "public_key = \"other.pub\"", 1, "cannot be reached");
    desk.refused(&unknown, "", 1, "cannot be reached");
}

#[test]
#[ignore = "needs Debian's docker-registry; .ci/run installs it"]
fn a_tag_that_was_moved_is_refused_by_its_pin() {
    let server = Server::start(Access::Open);
    let desk = Desk::new();
    let tagged = server.reference("mine:v1");
    desk.push("mine.wasm", &tagged, &[]);
    let pinned = pin(&desk.path("mine.wasm"));
    desk.accepted(&tagged, &pinned, "pinned");
    desk.push("other.wasm", &tagged, &[]);
    desk.refused(&tagged, &pinned, 2, "is not the module that was pinned");
    desk.refused(&tagged, "public_key = \"mine.pub\"", 2, "is not signed");
}

#[test]
#[ignore = "needs Debian's docker-registry; .ci/run installs it"]
fn what_was_changed_where_the_registry_keeps_it_is_refused() {
    let server = Server::start(Access::Open);
    let desk = Desk::new();
    let reference = desk.push("mine.wasm", &server.reference("mine:v1"), &[]);
    server.tamper(steadfast_host::builtin::CONSERVATIVE);
    desk.refused(&reference, "", 2, "do not run it");
    let pulled = desk.run(&["policy", "pull", &reference]);
    assert_eq!(pulled.code, Some(1), "{}", pulled.err);
    assert!(
        !desk.path("mine.wasm.wasm").exists() && pulled.err.contains("do not run it"),
        "{}",
        pulled.err
    );
}

#[test]
#[ignore = "needs Debian's docker-registry; .ci/run installs it"]
fn what_is_not_there_is_reported() {
    let server = Server::start(Access::Open);
    let desk = Desk::new();
    let pulled = desk.run(&["policy", "pull", &server.reference("nothing:v1")]);
    assert_eq!(pulled.code, Some(1));
    assert!(pulled.err.contains("has no manifest v1 in nothing"), "{}", pulled.err);
    desk.refused(
        &server.reference("nothing:v1"),
        &pin(&desk.path("mine.wasm")),
        2,
        "has no manifest v1",
    );
}

#[test]
#[ignore = "needs Debian's docker-registry; .ci/run installs it"]
fn who_may_not_hears_why_and_who_may_needs_a_password_or_docker_s_login() {
    let server = Server::start(Access::Password);
    let desk = Desk::new();
    let tagged = server.reference("mine:v1");
    let stranger = desk.run(&["policy", "push", "mine.wasm", &tagged]);
    assert_eq!(stranger.code, Some(1));
    assert!(
        stranger.err.contains("without credentials") && stranger.err.contains("docker login"),
        "{}",
        stranger.err
    );

    let entry = format!(
        "[[registry]]\nhost = \"{}\"\nusername = \"ann\"\npassword_file = \"password\"",
        server.host
    );
    std::fs::write(desk.path("registries.toml"), &entry).unwrap();
    std::fs::write(desk.path("password"), "wrong\n").unwrap();
    let push = ["policy", "push", "mine.wasm", &tagged, "--config", "registries.toml"];
    let wrong = desk.run(&push);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("the user `ann`"), "{}", wrong.err);
    std::fs::write(desk.path("password"), format!("{}\n", server::PASSWORD)).unwrap();
    let reference = desk.done(&push);
    desk.accepted(reference.trim(), &entry, "from the registry");

    std::fs::create_dir(desk.path("docker")).unwrap();
    std::fs::write(desk.path("docker/config.json"), server.docker_config()).unwrap();
    desk.done(&["policy", "pull", &tagged]);
}

#[test]
#[ignore = "needs Debian's docker-registry; .ci/run installs it"]
fn a_registry_with_an_authority_of_its_own_is_believed_if_that_is_named() {
    let server = Server::start(Access::Tls);
    let desk = Desk::new();
    let tagged = server.reference("mine:v1");
    let push = |authority: &str| {
        let entry = format!("[[registry]]\nhost = \"{}\"\nca_file = \"{authority}\"\n", server.host);
        std::fs::write(desk.path("registries.toml"), entry).unwrap();
        desk.run(&["policy", "push", "mine.wasm", &tagged, "--config", "registries.toml"])
    };
    let believed = push(server::AUTHORITY);
    assert_eq!(believed.code, Some(0), "{}", believed.err);
    // The public key is no certificate, and a stranger's certificate vouches for nobody.
    let none = push("mine.pub");
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("holds no certificates"), "{}", none.err);
    desk.openssl("openssl req -x509 -newkey ed25519 -nodes -keyout k -out stranger.pem -days 9 -subj /CN=stranger");
    let stranger = push("stranger.pem");
    assert_eq!(stranger.code, Some(1));
    assert!(stranger.err.contains("invalid peer certificate"), "{}", stranger.err);
}

#[test]
#[ignore = "needs openssl; .ci/run installs it"]
fn openssl_believes_what_is_signed_here_and_signs_what_is_believed() {
    let desk = Desk::new();
    desk.done(&["policy", "sign", "mine.wasm", "--key", "mine.key"]);
    desk.openssl("base64 -d mine.wasm.sig > sig && openssl dgst -sha256 -verify mine.pub -signature sig mine.wasm");
    desk.done(&["policy", "sign", "mine.wasm", "--key", "other.key"]);
    desk.openssl(
        "base64 -d mine.wasm.sig > sig && openssl pkeyutl -verify -pubin -inkey other.pub -rawin -in mine.wasm -sigfile sig",
    );
    for key in ["mine", "other"] {
        desk.openssl(&format!("openssl pkey -in {key}.key -pubout | cmp - {key}.pub"));
    }
    desk.openssl(
        "openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out theirs.key && \
         openssl pkey -in theirs.key -pubout -out theirs.pub && \
         openssl dgst -sha256 -sign theirs.key mine.wasm | base64 > mine.wasm.sig",
    );
    desk.accepted("mine.wasm", "public_key = \"theirs.pub\"", "signed by sha256:");
    desk.done(&["policy", "sign", "mine.wasm", "--key", "theirs.key"]);
    desk.accepted("mine.wasm", "public_key = \"theirs.pub\"", "signed by sha256:");
}
