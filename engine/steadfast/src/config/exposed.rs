//! Files with secrets that more people may read or change than should.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use steadfast_sources::authorized::{FlinkAccess, FlinkAuth};

use super::Config;

/// A file with a secret that everybody on its machine may read or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposedFile {
    /// Which one, and what may be done with it.
    pub what: String,
    /// The command that mends it.
    pub fix: String,
}

impl fmt::Display for ExposedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.fix)
    }
}

/// What others may do with a file.
const OTHERS_READ: u32 = 0o004;
const OTHERS_WRITE: u32 = 0o002;

impl Config {
    /// A warning for each file with a secret that everybody on its machine may read or change. One that is not there is none
    /// of them: what needs it says so.
    pub fn exposed_files(&self) -> Vec<ExposedFile> {
        let token = self
            .server
            .token_file
            .iter()
            .map(|file| ("server.token_file", file.as_path()));
        let tls = self.server.tls.iter();
        let token = token.chain(tls.map(|tls| ("server.tls.key_file", tls.files.key_file.as_path())));
        let kubeconfigs = self.clusters.iter().filter_map(|cluster| cluster.kubeconfig.as_deref());
        let flinks = self.clusters.iter().map(|cluster| &cluster.flink_access);
        let flinks = flinks.chain(self.jobs.iter().map(|job| &job.flink_access));
        let registries = self.registries.iter().filter_map(|registry| registry.login.as_ref());
        let sinks = self.sinks.iter().flat_map(|sink| sink.receiver.secret_files());
        let telemetry = self.telemetry.iter();
        let telemetry = telemetry.filter_map(|telemetry| telemetry.collector.token_file.as_ref());
        let all = token
            .chain(kubeconfigs.map(|file| ("kubernetes.kubeconfig", file)))
            .chain(flinks.filter_map(of_flink))
            .chain(registries.map(|(_, file)| ("registry.password_file", file.as_path())))
            .chain(sinks.map(|(key, file)| (key, file.as_path())))
            .chain(telemetry.map(|file| ("telemetry.token_file", file.as_path())));
        let secrets = all.filter_map(|(key, file)| warning(key, file, OTHERS_READ | OTHERS_WRITE));
        // Their digests lead to no token, but who adds one comes in.
        let tokens = self.server.tokens_file.iter();
        let tokens = tokens.filter_map(|file| warning("server.tokens_file", file, OTHERS_WRITE));
        secrets.chain(tokens).collect()
    }
}

fn of_flink(access: &FlinkAccess) -> Option<(&'static str, &Path)> {
    match access.auth.as_ref()? {
        FlinkAuth::Basic { password_file, .. } => Some(("flink_auth.password_file", password_file)),
        FlinkAuth::Bearer { token_file } => Some(("flink_auth.token_file", token_file)),
    }
}

fn warning(key: &str, file: &Path, of_account: u32) -> Option<ExposedFile> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    let others = mode & of_account;
    let may = match (others & OTHERS_READ != 0, others & OTHERS_WRITE != 0) {
        (false, false) => return None,
        (true, false) => "read",
        (false, true) => "change",
        (true, true) => "read and change",
    };
    let shown = file.display();
    Some(ExposedFile {
        what: format!(
            "{key}: everybody on this machine may {may} {shown} (mode {:04o})",
            mode & 0o7777
        ),
        fix: format!("let its owner alone: chmod 600 {shown}"),
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};

    use super::*;

    #[test]
    fn who_else_may_read_or_change_a_secret_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let token = folder.path().join("token");
        write(&token, "0123456789abcdef").unwrap();
        let config = Config::parse(&path, "[server]\ntoken_file = \"token\"\n").unwrap();
        for (mode, told) in [
            (0o600, None),
            (0o640, None),
            (0o644, Some("read")),
            (0o602, Some("change")),
            (0o666, Some("read and change")),
        ] {
            set_permissions(&token, Permissions::from_mode(mode)).unwrap();
            let warnings = config.exposed_files();
            match told {
                None => assert!(warnings.is_empty(), "{warnings:?}"),
                Some(told) => assert!(warnings[0].what.contains(&format!("may {told} ")), "{warnings:?}"),
            }
        }
    }
}
