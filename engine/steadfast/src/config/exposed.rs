//! Files with secrets that more people may read or change than should.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use steadfast_sources::authorized::{FlinkAccess, FlinkAuth};

use super::Config;

/// What others may do with a file.
const OTHERS_READ: u32 = 0o004;
const OTHERS_WRITE: u32 = 0o002;

impl Config {
    /// A warning for each file with a secret that everybody on its machine may read or change. One that is not there is none
    /// of them: what needs it says so.
    pub fn exposed_files(&self) -> Vec<String> {
        let token = self
            .server
            .token_file
            .iter()
            .map(|file| ("server.token_file", file.as_path()));
        let kubeconfigs = self.clusters.iter().filter_map(|cluster| cluster.kubeconfig.as_deref());
        let flinks = self.clusters.iter().map(|cluster| &cluster.flink_access);
        let flinks = flinks.chain(self.jobs.iter().map(|job| &job.flink_access));
        let registries = self.registries.iter().filter_map(|registry| registry.login.as_ref());
        let all = token
            .chain(kubeconfigs.map(|file| ("kubernetes.kubeconfig", file)))
            .chain(flinks.filter_map(of_flink))
            .chain(registries.map(|(_, file)| ("registry.password_file", file.as_path())));
        all.filter_map(|(key, file)| warning(key, file)).collect()
    }
}

fn of_flink(access: &FlinkAccess) -> Option<(&'static str, &Path)> {
    match access.auth.as_ref()? {
        FlinkAuth::Basic { password_file, .. } => Some(("flink_auth.password_file", password_file)),
        FlinkAuth::Bearer { token_file } => Some(("flink_auth.token_file", token_file)),
    }
}

fn warning(key: &str, file: &Path) -> Option<String> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    let may = match (mode & OTHERS_READ != 0, mode & OTHERS_WRITE != 0) {
        (false, false) => return None,
        (true, false) => "read",
        (false, true) => "change",
        (true, true) => "read and change",
    };
    Some(format!(
        "{key}: everybody on this machine may {may} {} (mode {:04o}); let its owner alone: chmod 600",
        file.display(),
        mode & 0o7777
    ))
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
                Some(told) => assert!(warnings[0].contains(&format!("may {told} ")), "{warnings:?}"),
            }
        }
    }
}
