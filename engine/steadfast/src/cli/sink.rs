//! `steadfast sink`: what can be asked of who is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use steadfast_core::error_chain::error_chain;
use steadfast_core::time::Clock as _;
use steadfast_server::sinks::DeliveryError;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::{Failure, printer};
use crate::config::{Config, Sink};
use crate::run::{SystemClock, Way, writer_once};

const TEST_HELP: &str = "\
It sends one message that says that it is a test, as the engine sends them: with the sink's headers, token, signature,
authorities and proxy. A webhook gets a CloudEvent of type dev.steadfast.test; an Alertmanager an alert SteadfastSinkTest that ends
after a minute; a chat and a mailbox a line of text; a cluster an Event on a namespace. What waits for the sink is not touched, and the engine need not run.

Exit codes:
  0  the receiver took it
  1  it did not; standard output says what it answered, and what mends it
  2  the configuration is wrong, or has no sink of that name

Example:
  steadfast sink test on-call --config config.toml";

/// What is asked.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send a test message to a sink, and say what came of it.
    #[command(after_help = TEST_HELP)]
    Test {
        /// The configuration.
        #[arg(long, default_value = "config.toml", value_name = "FILE")]
        config: PathBuf,
        /// The sink's name.
        name: String,
    },
}

pub(super) fn run(command: &Command, runtime: &Runtime) -> Result<(), Failure> {
    match command {
        Command::Test { config, name } => test(runtime, config, name),
    }
}

fn test(runtime: &Runtime, config: &Path, name: &str) -> Result<(), Failure> {
    let config = Config::load(config)?;
    let sink = config.sinks.iter().find(|sink| sink.name == name).ok_or_else(|| {
        let known: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
        let known = if known.is_empty() {
            "the configuration has no [[sink]]".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        Failure::Usage(anyhow::anyhow!("no sink has that name; {known}"))
    })?;
    let address = sink.receiver.address();
    match runtime.block_on(send(&config, sink)) {
        Ok(()) => Ok(printer::data(&format!("{address} took the test message\n"))?),
        Err(refused) => {
            let DeliveryError { message, fix, .. } = refused;
            let fix = if fix.is_empty() {
                String::new()
            } else {
                format!("  -> {fix}\n")
            };
            printer::data(&format!("{address} did not take it: {message}\n{fix}"))?;
            Err(Failure::Reported)
        }
    }
}

async fn send(config: &Config, sink: &Sink) -> Result<(), DeliveryError> {
    let writer = writer_once(config, &sink.receiver)
        .await
        .map_err(|error| DeliveryError {
            fix: "`steadfast doctor` says what is wrong with the cluster",
            ..DeliveryError::for_now(error_chain(error.as_ref()))
        })?;
    let way = Way::to(sink, writer, Arc::new(SystemClock)).map_err(|error| DeliveryError {
        fix: "correct that key of the sink",
        ..DeliveryError::for_now(error.to_string())
    })?;
    let message = sink.receiver.renderer().test(&sink.name, SystemClock.now());
    let to = way.into_deliver();
    let deadline = to.deadline();
    let offered = timeout(deadline, to.deliver(&message)).await;
    offered.unwrap_or_else(|_| {
        Err(DeliveryError {
            fix: "correct sink.url or what sink.url_file holds, or let this machine reach it",
            ..DeliveryError::for_now(format!("no answer within {deadline:?}"))
        })
    })
}
