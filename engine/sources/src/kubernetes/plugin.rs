//! Credential plugins of kubeconfigs (`users[].user.exec`, client.authentication.k8s.io): run, and what they answer.
//!
//! `kube` runs them too, but it waits for one without an end, starts another for each request meanwhile, and puts command line,
//! environment and output into its errors, where tokens are. Here a plugin has a deadline, is ended with all that it
//! has started when it is passed, and nothing of what it said is shown.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::Instant;

use crate::json;

/// How long a plugin may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// The most that is read of what it prints, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// Why a plugin gave no credentials. It never shows arguments, environment or output: they may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// `exec` names no command.
    #[error("its `exec` names no command")]
    NoCommand,
    /// Nobody sits before a daemon.
    #[error("the credential plugin {0} wants to talk to a person (interactiveMode: Always)")]
    Interactive(String),
    /// The command cannot be started.
    #[error("the credential plugin {command} cannot be started")]
    NotStarted {
        /// The command, without arguments.
        command: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It took too long, and was ended.
    #[error("the credential plugin {command} gave no answer within {} s", deadline.as_secs())]
    TimedOut {
        /// The command, without arguments.
        command: String,
        /// How long it was given.
        deadline: Duration,
    },
    /// It failed.
    #[error("the credential plugin {command} failed ({status}); run it by hand to see why")]
    Failed {
        /// The command, without arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// What it answered holds no credentials.
    #[error("the credential plugin {0} answered without a token or a certificate (an ExecCredential is expected)")]
    NoCredentials(String),
}

#[derive(Deserialize)]
struct ExecCredential {
    status: ExecStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecStatus {
    expiration_timestamp: Option<Time>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// The plugin of a user. A token of the user's own goes before it, as everywhere.
fn needed(user: &AuthInfo) -> Option<&ExecConfig> {
    let has_token = user.token.is_some() || user.token_file.is_some();
    user.exec.as_ref().filter(|_| !has_token)
}

/// The command of a plugin that may be run.
fn runnable(exec: &ExecConfig) -> Result<&str, PluginError> {
    let command = exec.command.as_deref().ok_or(PluginError::NoCommand)?;
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(PluginError::Interactive(command.to_owned()));
    }
    Ok(command)
}

/// Whether the user needs a plugin. Fails if it may not be run; it is not looked for.
pub(super) fn check(user: &AuthInfo) -> Result<bool, PluginError> {
    needed(user).map_or(Ok(false), |exec| runnable(exec).map(|_| true))
}

/// The program of the user's plugin, if it has one and the program is not on this machine.
pub(super) fn missing(user: &AuthInfo) -> Option<String> {
    let command = needed(user)?.command.as_deref()?;
    let is_program = |path: &Path| {
        let about = path.metadata();
        about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    let is_there = if command.contains(std::path::MAIN_SEPARATOR) {
        is_program(Path::new(command))
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| is_program(&folder.join(command)))
    };
    (!is_there).then(|| command.to_owned())
}

/// Runs the plugin, if the user has one, and puts what it answers in its place. Returns when that expires, if it says so.
pub(super) async fn replace(user: &mut AuthInfo) -> Result<Option<Instant>, PluginError> {
    let is_needed = needed(user).is_some();
    let Some(exec) = user.exec.take().filter(|_| is_needed) else {
        return Ok(None);
    };
    let status = run(&exec, DEADLINE).await?;
    user.token = status.token.map(Into::into);
    if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
        user.client_certificate_data = Some(STANDARD.encode(certificate));
        user.client_key_data = Some(STANDARD.encode(key).into());
    }
    Ok(status.expiration_timestamp.map(|Time(at)| {
        let left = u64::try_from(at.as_millisecond()).unwrap_or(0);
        let expires = SystemTime::UNIX_EPOCH + Duration::from_millis(left);
        Instant::now() + expires.duration_since(SystemTime::now()).unwrap_or_default()
    }))
}

async fn run(exec: &ExecConfig, deadline: Duration) -> Result<ExecStatus, PluginError> {
    let command = runnable(exec)?.to_owned();
    let spec = match exec.cluster.as_ref().filter(|_| exec.provide_cluster_info) {
        Some(cluster) => json!({ "interactive": false, "cluster": cluster }),
        None => json!({ "interactive": false }),
    };
    let info = json!({ "kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec });
    let mut process = Command::new(&command);
    process
        .args(exec.args.iter().flatten())
        .envs(
            exec.env
                .iter()
                .flatten()
                .filter_map(|pair| pair.get("name").zip(pair.get("value"))),
        )
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    let Ok(ended) = tokio::time::timeout(deadline, answer(process)).await else {
        return Err(PluginError::TimedOut { command, deadline });
    };
    let (status, answer) = match ended {
        Ok(ended) => ended,
        Err(source) => return Err(PluginError::NotStarted { command, source }),
    };
    if !status.success() {
        return Err(PluginError::Failed { command, status });
    }
    match json::from_slice(&answer) {
        Ok(ExecCredential { status }) if status.token.is_some() || status.client_certificate_data.is_some() => {
            Ok(status)
        }
        Ok(_) | Err(_) => Err(PluginError::NoCredentials(command)),
    }
}

/// How the process ended, and what it printed, as far as that is read: one that goes on printing finds nobody who listens.
async fn answer(mut process: Command) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut child = process.spawn()?;
    // Declared later, so that it is dropped before the child is, whose number is its own until then.
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)));
    let mut answer = Vec::new();
    if let Some(output) = child.stdout.take() {
        output.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    }
    let status = child.wait().await?;
    // What a plugin that has answered leaves behind is its own affair.
    std::mem::forget(group);
    Ok((status, answer))
}

/// A plugin with all that it has started, which ends when this is dropped: a script that waits for a program of its own would
/// else end alone.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // All of it may have ended by itself.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(script: &str) -> ExecConfig {
        ExecConfig {
            command: Some("sh".to_owned()),
            args: Some(vec!["-c".to_owned(), script.to_owned()]),
            ..ExecConfig::default()
        }
    }

    #[tokio::test]
    async fn a_plugin_that_hangs_is_ended_and_named() {
        let error = run(&exec("exec sleep 600"), Duration::from_millis(50))
            .await
            .err()
            .unwrap();
        assert!(matches!(error, PluginError::TimedOut { .. }), "{error}");
    }

    #[tokio::test]
    async fn what_a_plugin_has_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", file.display());
        let running = tokio::spawn(async move { run(&exec(&script), DEADLINE).await.map(drop) });
        let started = async {
            loop {
                if let Ok(pid) = std::fs::read_to_string(&file) {
                    return pid;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let pid = tokio::time::timeout(DEADLINE, started).await.unwrap();
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            // Nobody may be there to take in that it has ended.
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
        };
        assert!(runs());
        running.abort();
        let ended = async {
            while runs() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ended).await.expect("its end");
    }

    #[tokio::test]
    async fn no_error_shows_what_a_plugin_was_told_or_said() {
        let said = "echo SECRET; echo SECRET >&2";
        for script in [
            format!("{said}; exit 3"),
            said.to_owned(),
            format!("{said}; kill -9 $$"),
        ] {
            let error = run(&exec(&script), DEADLINE).await.err().unwrap();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("SECRET"), "{shown}");
        }
    }

    #[tokio::test]
    async fn a_token_and_its_expiry_take_the_plugins_place() {
        let answer = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
            "status":{"token":"two","expirationTimestamp":"2126-01-01T00:00:00Z"}}"#;
        let mut user = AuthInfo {
            exec: Some(exec(&format!("test -n \"$KUBERNETES_EXEC_INFO\" && echo '{answer}'"))),
            ..AuthInfo::default()
        };
        let expires = replace(&mut user).await.unwrap().unwrap();
        assert!(user.token.is_some() && user.exec.is_none());
        assert!(expires > Instant::now() + Duration::from_secs(86_400));
    }
}
