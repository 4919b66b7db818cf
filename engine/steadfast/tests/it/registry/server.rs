//! Debian's docker-registry, started on a port and a folder of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use steadfast_modules::Digest;

/// The password of `ann`.
pub const PASSWORD: &str = "s3cret-enough";
/// `ann` and that password, as htpasswd keeps it.
const USERS: &str = "ann:$2b$04$gny664GYs.ya5bm.GgDIB.Yt2NlI.rnenTjEsxsglhRCnjuQcM606\n";

/// Who may push and pull, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Open,
    Password,
    /// Over TLS, with a certificate that only `AUTHORITY` vouches for.
    Tls,
}

/// The certificates of tests.
const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sources/tests/tls");
/// Who vouches for the registry.
pub const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sources/tests/tls/ca.pem");

pub struct Server {
    pub host: String,
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    pub fn start(access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let tls = match access {
            Access::Tls => {
                format!(", tls: {{ certificate: {CERTIFICATES}/server.pem, key: {CERTIFICATES}/server.key }}")
            }
            Access::Open | Access::Password => String::new(),
        };
        let mut config = format!(
            "version: 0.1\nlog: {{ level: info }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n\
             http: {{ addr: \"127.0.0.1:0\"{tls} }}\n",
            path("storage")
        );
        if access == Access::Password {
            std::fs::write(path("users"), USERS).unwrap();
            config += &format!("auth: {{ htpasswd: {{ realm: registry, path: {} }} }}\n", path("users"));
        }
        std::fs::write(path("config.yml"), config).unwrap();
        let mut process = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry is not installed: apt-get install docker-registry");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let host = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, rest) = line.split_once("listening on ")?;
                Some(rest.split(['"', ' ', ',']).next().unwrap_or_default().to_owned())
            })
            .expect("docker-registry ended before it listened");
        // What it logs later is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { host, folder, process }
    }

    pub fn reference(&self, artifact: &str) -> String {
        format!("oci://{}/{artifact}", self.host)
    }

    /// Changes the last byte of a blob where the registry keeps it.
    pub fn tamper(&self, blob: &[u8]) {
        let digest = Digest::of(blob).to_string();
        let blobs = self.folder.path().join("storage/docker/registry/v2/blobs/sha256");
        let file: PathBuf = blobs.join(&digest[..2]).join(&digest).join("data");
        let mut changed = std::fs::read(&file).unwrap();
        assert_eq!(changed, blob);
        *changed.last_mut().unwrap() ^= 1;
        std::fs::write(&file, changed).unwrap();
    }

    /// What `docker login` would keep for `ann`.
    pub fn docker_config(&self) -> String {
        let auth = "YW5uOnMzY3JldC1lbm91Z2g=";
        format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{auth}\"}}}}}}", self.host)
    }

    /// Ends it; whoever connects is refused.
    pub fn stop(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
