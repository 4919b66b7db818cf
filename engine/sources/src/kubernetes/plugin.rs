//! Credential plugins of kubeconfigs (`users[].user.exec`, client.authentication.k8s.io): run, and what they answer.
//!
//! `kube` runs them too, but it waits for one without an end, starts another for each request meanwhile, and puts command line,
//! environment and output into its errors, where tokens are. Here a plugin has a deadline, is ended with it, and nothing of
//! what it said is shown.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
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

/// Runs the plugin, if the user has one, and puts what it answers in its place. Returns when that expires, if it says so.
pub(super) async fn replace(user: &mut AuthInfo) -> Result<Option<Instant>, PluginError> {
    // A token of the user's own goes before its plugin, as everywhere.
    let is_needed = user.token.is_none() && user.token_file.is_none();
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
    let command = exec.command.clone().ok_or(PluginError::NoCommand)?;
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(PluginError::Interactive(command));
    }
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
    let mut answer = Vec::new();
    if let Some(output) = child.stdout.take() {
        output.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    }
    Ok((child.wait().await?, answer))
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
