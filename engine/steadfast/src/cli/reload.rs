//! `steadfast reload`: the engine reads its configuration anew.

use clap::Args;
use serde_json::Value;

use super::client::{Client, ServerOptions, no_engine};
use super::output::{Format, OutputOption};
use super::status::text;
use super::{Failure, printer};

/// Which engine.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// Has the engine take up what its configuration says of policies now.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let reply = ask(&Client::new(&options.server)?).await?;
    printer::note(&format!("reloaded{}", restart(&reply)));
    match &options.output.format {
        Format::People(_) => {
            let policies = reply.get("policies").and_then(Value::as_array).into_iter().flatten();
            let line = |policy: &Value| {
                let changed = policy.get("changed") == Some(&Value::Bool(true));
                let changed = if changed { "changed" } else { "as before" };
                format!(
                    "policy {}: {changed}, sha256 {}\n",
                    text(policy, "/name"),
                    text(policy, "/sha256")
                )
            };
            Ok(printer::data(&policies.map(line).collect::<String>())?)
        }
        Format::Data(data) => Ok(printer::data(&data.shown(&reply)?)?),
    }
}

/// Asks an engine to reload. An answer that does not say so is none of an engine's.
pub(super) async fn ask(client: &Client) -> Result<Value, Failure> {
    let reply = client.post("/api/v1/reload").await?;
    if reply.get("reloaded") == Some(&Value::Bool(true)) {
        return Ok(reply);
    }
    Err(no_engine("answered a reload without saying that it reloaded"))
}

/// What a reload cannot take up.
pub(super) fn restart(reply: &Value) -> String {
    let keys = reply.get("restartNeeded").and_then(Value::as_array);
    let keys: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
    if keys.is_empty() {
        return String::new();
    }
    format!("; other changes in the file need a restart: {}", keys.join(", "))
}
