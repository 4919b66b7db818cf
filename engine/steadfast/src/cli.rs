//! The command line: what can be asked for, and what each exit code means.

mod client;
mod explain;
mod follow;
mod log;
mod policies;
mod policy;
pub mod printer;
mod replay;
mod simulate;
mod status;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::config::{Config, ConfigError};
use crate::demo::Afterwards;

const AFTER_HELP: &str = "\
Examples:
  steadfast demo                           see it at work without a cluster
  steadfast check --config config.toml     find mistakes before the engine does
  steadfast run --config config.toml       keep the record, serve the API and the dashboard
  steadfast status --watch                 follow all jobs of a running engine
  steadfast explain local/default/orders   what is known of a job, and which rule decided
  steadfast simulate stories/              play your own stories against your policy
  steadfast replay --policy my.wasm        what another policy would have said of what was recorded

Exit codes:
  0  done
  1  failed; the reason is on standard error (of `simulate`: a story failed; it is on standard output)
  2  the command line or the configuration is wrong; nothing was changed
  3  the engine could not be reached, or refused the request";

/// Keeps a truthful record of Flink jobs on Kubernetes: unknown is never absent, and a watch never ends by itself.
#[derive(Debug, Parser)]
#[command(name = "steadfast", version, after_help = AFTER_HELP, propagate_version = true)]
struct Arguments {
    /// What is logged to standard error, such as `info` or `steadfast_reconcile=debug` [default: info; warn for demo, off for simulate, replay and policy].
    #[arg(long, global = true, env = "STEADFAST_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged: `text` for people, `json` for programs.
    #[arg(long, global = true, value_enum, default_value_t = log::Format::Text, value_name = "FORMAT")]
    log_format: log::Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the engine until it is told to end (SIGINT or SIGTERM).
    Run {
        /// The configuration.
        #[arg(long, default_value = "config.toml", value_name = "FILE")]
        config: PathBuf,
    },
    /// See it at work without a cluster: a world in this process, the packet-loss experiment, the dashboard.
    Demo {
        /// Where the dashboard listens on 127.0.0.1; 0 takes any free port.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// End with the story, even if a person watches.
        #[arg(long)]
        no_stay: bool,
    },
    /// Check a configuration: every mistake with its line and its fix.
    Check {
        /// The configuration.
        #[arg(long, default_value = "config.toml", value_name = "FILE")]
        config: PathBuf,
    },
    /// Show the jobs of a running engine.
    Status {
        #[command(flatten)]
        server: client::ServerOptions,
        /// Follow changes instead of showing the present once.
        #[arg(long)]
        watch: bool,
        /// How to print: `table` for people, `json` for programs (with --watch, a line for each change).
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
        /// Only this job: CLUSTER/NAMESPACE/NAME, with /FLINK-JOB-ID for one of a session cluster.
        #[arg(allow_hyphen_values = true)]
        job: Option<String>,
    },
    /// List the policies of a configuration: module, digest, version, parameters.
    Policies {
        /// The configuration.
        #[arg(long, default_value = "config.toml", value_name = "FILE")]
        config: PathBuf,
    },
    /// Write, build, test, compare and publish policies.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Decide recorded snapshots again, and report what would have been different.
    #[command(after_help = replay::AFTER_HELP)]
    Replay(replay::Options),
    /// Play stories against the engine and a policy, and judge the record: in virtual time, or over real sockets.
    #[command(after_help = simulate::AFTER_HELP)]
    Simulate(simulate::Options),
    /// Say what is wanted of a job, so that what follows is not taken for an accident.
    Intent {
        #[command(flatten)]
        server: client::ServerOptions,
        /// CLUSTER/NAMESPACE/NAME, with /FLINK-JOB-ID for one of a session cluster.
        #[arg(allow_hyphen_values = true)]
        job: String,
        /// What is wanted.
        #[arg(value_parser = ["start", "cancel", "savepoint", "none"])]
        intent: String,
    },
    /// Show why a job's record says what it says: the evidence with its ages, the rule that decided, what it waits
    /// for, and what would change its mind.
    Explain {
        #[command(flatten)]
        server: client::ServerOptions,
        /// How to print: `table` for people, `json` for programs.
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
        /// CLUSTER/NAMESPACE/NAME, with /FLINK-JOB-ID for one of a session cluster.
        #[arg(allow_hyphen_values = true)]
        job: String,
    },
    /// Remove a discovered job's record for good.
    Forget {
        #[command(flatten)]
        server: client::ServerOptions,
        /// Even if the job is seen alive, and will be back at once without its history.
        #[arg(long)]
        force: bool,
        /// CLUSTER/NAMESPACE/NAME, with /FLINK-JOB-ID for one of a session cluster.
        #[arg(allow_hyphen_values = true)]
        job: String,
    },
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// Why a command failed, by exit code.
#[derive(Debug)]
enum Failure {
    /// 1.
    Failed(anyhow::Error),
    /// 2.
    Config(ConfigError),
    /// 2 as well: an argument that the parser cannot check.
    Usage(anyhow::Error),
    /// 3.
    Unreachable(anyhow::Error),
    /// 1, and standard output has said why.
    Told,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Reads the command line and does what it asks for.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The demo tells its story on the terminal; a log between its lines would spoil it.
    // So do stories, in which everything that can go wrong does: their timelines tell what a log would warn of. What is
    // done to policies is told by its results.
    let usual = match arguments.command {
        Command::Demo { .. } => "warn",
        Command::Simulate(_) | Command::Policy(_) | Command::Replay(_) => "off",
        Command::Run { .. }
        | Command::Check { .. }
        | Command::Status { .. }
        | Command::Policies { .. }
        | Command::Intent { .. }
        | Command::Explain { .. }
        | Command::Forget { .. }
        | Command::Completions { .. } => "info",
    };
    if let Err(error) = log::start(arguments.log.as_deref().unwrap_or(usual), arguments.log_format) {
        printer::error(&error);
        return ExitCode::from(2);
    }
    match carry_out(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Failed(error)) => printer::fail(&error),
        Err(Failure::Config(error)) => {
            printer::error(&anyhow::Error::new(error));
            ExitCode::from(2)
        }
        Err(Failure::Usage(error)) => {
            printer::error(&error);
            ExitCode::from(2)
        }
        Err(Failure::Unreachable(error)) => {
            printer::error(&error);
            ExitCode::from(3)
        }
    }
}

/// A policy that cannot be used is a mistake of the configuration that names it.
fn blame(config: &Path, error: anyhow::Error) -> Failure {
    match Config::blamed(config, &error) {
        Some(mistake) => Failure::Config(mistake),
        None => Failure::Failed(error),
    }
}

fn carry_out(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::new)?;
    match command {
        Command::Run { config } => {
            let loaded = Config::load(&config)?;
            runtime
                .block_on(crate::run::until_told(loaded, config.clone()))
                .map_err(|error| blame(&config, error))
        }
        Command::Demo { port, no_stay } => {
            let afterwards = if no_stay { Afterwards::End } else { Afterwards::Stay };
            Ok(runtime.block_on(crate::demo::tell(port, afterwards))?)
        }
        Command::Check { config } => {
            let loaded = Config::load(&config)?;
            let policies = crate::run::load_policies(&loaded.policies, &loaded.registries);
            for policy in policies.map_err(|error| blame(&config, error))? {
                printer::note(&policies::provenance(&policy));
            }
            if loaded.clusters.is_empty() && loaded.jobs.is_empty() {
                printer::note("note: without a [[kubernetes]] or a [[job]] there is nothing to watch");
            }
            printer::note(&format!("{} has no mistakes", config.display()));
            Ok(())
        }
        Command::Status {
            server,
            watch,
            output,
            job,
        } => runtime.block_on(status::show(&server, watch, output, job.as_deref())),
        Command::Policies { config } => policies::list(&Config::load(&config)?).map_err(|error| blame(&config, error)),
        Command::Intent { server, job, intent } => {
            let body = serde_json::json!({ "intent": intent });
            runtime.block_on(client::Client::new(&server)?.put(&client::job_path(&job, "/intent")?, &body))?;
            printer::note(&format!("{job}: {intent}"));
            Ok(())
        }
        Command::Explain { server, output, job } => {
            let explanation =
                runtime.block_on(client::Client::new(&server)?.get(&client::job_path(&job, "/explain")?))?;
            match output {
                Output::Table => printer::data(&explain::page(&job, &explanation)),
                Output::Json => printer::json(&explanation),
            }
            Ok(())
        }
        Command::Forget { server, force, job } => {
            let below = if force { "?force=true" } else { "" };
            runtime.block_on(client::Client::new(&server)?.delete(&client::job_path(&job, below)?))?;
            printer::note(&format!("{job} is forgotten"));
            Ok(())
        }
        Command::Policy(command) => policy::carry_out(&command, &runtime),
        Command::Replay(options) => replay::tell(&options, &runtime),
        Command::Simulate(options) => simulate::play_all(&options, &runtime),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "steadfast", &mut script);
            printer::data(&String::from_utf8_lossy(&script));
            Ok(())
        }
    }
}
