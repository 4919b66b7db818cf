//! The command line: what can be asked for, and what each exit code means.

mod age;
mod alerts;
mod check;
mod client;
mod clusters;
mod complete;
mod configuration;
mod doctor;
mod explain;
mod filter;
mod follow;
mod forget;
mod help;
mod history;
mod intent;
mod job_arg;
#[cfg(not(feature = "author"))]
mod left_out;
pub(crate) mod log;
mod look;
#[cfg(feature = "man")]
mod man;
mod named_store;
mod names;
mod output;
mod policies;
mod policy;
pub mod printer;
mod reload;
mod replay;
mod runtime;
pub(crate) mod screen;
mod silence;
#[cfg(feature = "author")]
mod simulate;
mod sink;
mod status;
mod store;
pub(crate) mod table;
mod terminal;
mod token;
#[cfg(feature = "top")]
mod top;
mod wait;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use steadfast_host::{CompileLimits, compile_for_parent};
use tokio::runtime::Runtime;

use self::configuration::ConfigOptions;
use self::output::{Detail, Format, OutputOption};
use self::printer::PrintError;
use crate::config::ConfigError;
use crate::run::{locate_in_config, survive_limits_of_files};

/// Keeps a truthful record of Flink jobs on Kubernetes: unknown is never absent, and a watch never ends by itself.
#[derive(Debug, Parser)]
#[command(name = "steadfast", version, after_help = help::AFTER_HELP, propagate_version = true)]
struct Arguments {
    /// What is logged to standard error, such as `info` or `steadfast_reconcile=debug` [default: info; warn for demo, off for simulate, replay and policy].
    #[arg(
        long,
        global = true,
        env = "STEADFAST_LOG",
        value_name = "FILTER",
        help_heading = "Global options"
    )]
    log: Option<String>,
    /// How it is logged: `text` for people, `json` for programs [default: text; json for run unless standard error is a terminal].
    #[arg(
        long,
        global = true,
        value_enum,
        env = "STEADFAST_LOG_FORMAT",
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    log_format: Option<log::Format>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the engine until it is told to end (SIGINT, SIGTERM or SIGQUIT).
    Run {
        #[command(flatten)]
        config: ConfigOptions,
    },
    /// See it at work without a cluster: a world in this process, the packet-loss experiment, the dashboard.
    #[cfg(feature = "author")]
    Demo {
        /// Where the dashboard listens on 127.0.0.1; 0 takes any free port.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// End with the story, even if a person watches.
        #[arg(long, conflicts_with = "again")]
        no_stay: bool,
        /// Begin the story anew each time it is over.
        #[arg(long = "loop")]
        again: bool,
        /// A policy to run beside the default one, as a shadow: `builtin:NAME` or a module's path.
        #[arg(long, value_name = "MODULE")]
        policy: Option<String>,
        /// The parameters of that policy, as JSON or as a TOML table such as `{ patience = "20s" }`.
        #[arg(long, value_name = "TABLE", requires = "policy")]
        params: Option<String>,
    },
    /// Check a configuration: every mistake with its line and its fix.
    Check {
        /// The configuration [default: config.toml].
        #[arg(value_name = "FILE", conflicts_with = "config")]
        file: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigOptions,
        /// Also ask everything that it leads to, as `steadfast doctor` does.
        #[arg(long)]
        live: bool,
    },
    /// Ask everything that a configuration leads to, and say what is wrong and what mends it.
    #[command(after_help = doctor::AFTER_HELP)]
    Doctor {
        #[command(flatten)]
        config: ConfigOptions,
        #[command(flatten)]
        output: OutputOption,
    },
    /// Write a configuration, and show what one comes to.
    #[command(subcommand)]
    Config(configuration::Command),
    /// Show the jobs of a running engine, and above them each cluster that it cannot read.
    ///
    /// Exit code 1: a cluster of the configuration (or, for one job, its cluster) was never read since the engine started, so
    /// that jobs may be missing; or the store takes nothing, so that what is shown is what was written before. With `--output
    /// json` and the like the lines about clusters and the store are on standard error; `steadfast clusters --output json` has them as data.
    #[command(after_help = status::AFTER_HELP)]
    Status(status::Options),
    /// Show what a running engine can read of each cluster, since when not, and why.
    Clusters(clusters::Options),
    /// List the policies of a configuration.
    #[command(hide = true)]
    Policies(policies::Options),
    /// Write, build, test, compare and publish policies.
    #[command(subcommand)]
    #[cfg_attr(
        not(feature = "author"),
        command(about = "Inspect, compare, sign, publish and promote policies")
    )]
    Policy(policy::Command),
    /// Decide recorded snapshots again, and report what would have been different.
    #[command(after_help = replay::AFTER_HELP)]
    Replay(replay::Options),
    /// Play stories against the engine and a policy, and judge the record: in virtual time, or over real sockets.
    #[cfg(feature = "author")]
    #[command(after_help = simulate::AFTER_HELP)]
    Simulate(simulate::Options),
    /// Try who is told.
    #[command(subcommand)]
    Sink(sink::Command),
    /// Check, repair, back up and export the store that the record is kept in.
    #[command(subcommand)]
    Store(store::Command),
    /// Say what is wanted of a job, so that what follows is not taken for an accident.
    ///
    /// Steadfast itself starts, cancels and saves nothing: do that in Flink, or where you deploy. The intent explains what is seen
    /// then; `none` takes it back.
    Intent(intent::Options),
    /// Show why a job's record says what it says: the evidence with its ages, the rule that decided, what it waits
    /// for, and what would change its mind.
    Explain(explain::Options),
    /// Show what was written about a job: its transitions, its alerts, and who asked for what; newest last.
    History(history::HistoryOptions),
    /// Show what was written about all jobs, newest last, and follow what is written from now on.
    Events(history::EventsOptions),
    /// Show the alerts that stand, the oldest first, and above them each cluster that cannot be read.
    #[command(after_help = alerts::AFTER_HELP)]
    Alerts(alerts::Options),
    /// Show the jobs on a whole screen, the worst first, as they change.
    #[cfg(feature = "top")]
    #[command(after_help = top::AFTER_HELP)]
    Top(top::Options),
    /// Wait until a job is in a state, has an alert or none, or is gone.
    #[command(after_help = wait::AFTER_HELP)]
    Wait(wait::Options),
    /// Have Flink and Kubernetes asked about a job now, and show what comes of it.
    Look(look::Options),
    /// Tell no sink of an alert of a job for a while.
    #[command(after_help = silence::AFTER_HELP)]
    Silence(silence::Options),
    /// Have a running engine read the policies of its configuration anew.
    Reload(reload::Options),
    /// Remove a discovered job's record for good.
    Forget(forget::Options),
    /// Make tokens for those who call an engine.
    #[command(subcommand)]
    Token(token::Command),
    /// Print a completion script for a shell.
    #[command(visible_alias = "completion", after_help = complete::AFTER_HELP)]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the version.
    Version,
    /// Write the manual pages, for who packs the program.
    #[cfg(feature = "man")]
    #[command(hide = true)]
    Man {
        /// Where to.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
}

/// Compile a module for the process that starts this one, within limits: from the standard input to the standard output.
#[derive(Debug, Parser)]
#[command(name = crate::run::COMPILE)]
struct CompileModule {
    /// How much processor time it may take.
    #[arg(long)]
    seconds: u64,
    /// How much memory it may take.
    #[arg(long)]
    mebibytes: u64,
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
    /// 3: an engine that answers, and will answer the same again.
    Refused(anyhow::Error),
    /// 3: the engine has no such thing; of a job, it may be of an earlier version or not know.
    Missing(anyhow::Error),
    /// 3: whether there is such a job is not known, since what may have it could not be read.
    NotKnown(anyhow::Error),
    /// 1: the engine could look everywhere, and there is no such job.
    NoSuchJob(anyhow::Error),
    /// 3: an engine of an earlier version does not know this parameter.
    UnknownParameter(String),
    /// 1, and standard output has said why.
    Reported,
    /// 0: whoever read standard output has gone away, and there is no end of what it would be told.
    Unread,
}

impl From<PrintError> for Failure {
    fn from(error: PrintError) -> Self {
        match error {
            PrintError::Gone => Self::Unread,
            PrintError::Failed(_) => Self::Failed(error.into()),
        }
    }
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
    // Within limits of its own, it has no thread but this one: one that is still about to start when they come aborts the process.
    // Nor has it parsed the command line of all commands, whose memory would be there for it beside what it may have.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == crate::run::COMPILE)
    {
        return match CompileModule::try_parse_from(std::env::args_os().skip(1)) {
            Ok(CompileModule { seconds, mebibytes }) => told(compile_module(seconds, mebibytes)),
            Err(error) => refused(&error),
        };
    }
    if let Some(answered) = complete::answer() {
        return told(answered);
    }
    // The parser would not say which of them it is.
    if let Some(name) = ["STEADFAST_LOG", "STEADFAST_LOG_FORMAT", "STEADFAST_SERVER"]
        .into_iter()
        .find(|name| is_unreadable(name))
    {
        printer::error(&anyhow::anyhow!(
            "the environment's {name} is not UTF-8; correct or unset it"
        ));
        return ExitCode::from(2);
    }
    let arguments = match parsed(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => return refused(&error),
    };
    // Before the log, which has a thread too, and may be a file with a limit.
    let runtime = match runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => return printer::fail(&error),
    };
    let code = main_in(&runtime, arguments);
    // A thread that waits for a disk or a pipe must not keep a process that has said why it ends.
    runtime.shutdown_background();
    code
}

fn main_in(runtime: &Runtime, arguments: Arguments) -> ExitCode {
    let _entered = runtime.enter();
    if let Err(error) = survive_limits_of_files() {
        return printer::fail(&error.into());
    }
    let filter = arguments.log.as_deref().unwrap_or(usual_log(&arguments.command));
    let format = arguments.log_format.unwrap_or_else(|| {
        let runs_on = matches!(arguments.command, Command::Run { .. });
        log::Format::usual(runs_on, std::io::stderr().is_terminal())
    });
    let _written_at_the_end = match log::start(filter, format) {
        Ok(log) => log,
        Err(error) => {
            printer::error(&error);
            return ExitCode::from(2);
        }
    };
    crate::run::compile_in_processes();
    told(run(runtime, arguments.command))
}

/// The command line. A link to the program by the name of one makes it a plugin of kubectl, whose usage lines say so.
fn parsed(words: impl Iterator<Item = OsString>) -> Result<Arguments, clap::Error> {
    let mut words = words.peekable();
    let called = words
        .peek()
        .map(|path| Path::new(path).file_name().unwrap_or_default().to_owned());
    let mut command = Arguments::command();
    if called.is_some_and(|name| name == "kubectl-steadfast") {
        command = command.bin_name("kubectl steadfast");
    }
    let mut matches = command.try_get_matches_from_mut(job_arg::written_as_values(words))?;
    Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn is_unreadable(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value.to_str().is_none())
}

/// How a command ended, told to whoever called it.
fn told(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::Unread) => ExitCode::SUCCESS,
        Err(Failure::Reported) => ExitCode::FAILURE,
        Err(Failure::Failed(error) | Failure::NoSuchJob(error)) => printer::fail(&error),
        Err(Failure::Config(error)) => {
            printer::mistakes(error);
            ExitCode::from(2)
        }
        Err(Failure::Usage(error)) => {
            printer::error(&error);
            ExitCode::from(2)
        }
        Err(
            Failure::Unreachable(error) | Failure::Refused(error) | Failure::Missing(error) | Failure::NotKnown(error),
        ) => {
            printer::error(&error);
            ExitCode::from(3)
        }
        Err(Failure::UnknownParameter(parameter)) => {
            printer::error(&filter::unknown_to_the_engine(&parameter));
            ExitCode::from(3)
        }
    }
}

/// Says what is wrong with the command line, or prints the help that it asks for.
fn refused(error: &clap::Error) -> ExitCode {
    #[cfg(not(feature = "author"))]
    if let Some(left_out) = left_out::explained(error) {
        printer::error(&left_out);
        return ExitCode::from(2);
    }
    let printed = error.print();
    if !error.use_stderr()
        && let Err(source) = printed
        && source.kind() != std::io::ErrorKind::BrokenPipe
    {
        return printer::fail(&PrintError::Failed(source).into());
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// What is logged if nothing is asked for. The demo tells its story on the terminal, where a log between its lines would
/// spoil it; and in stories everything that can go wrong does, so their timelines say what a log would warn of. What is
/// done to policies is told by its results.
fn usual_log(command: &Command) -> &'static str {
    match command {
        #[cfg(feature = "author")]
        Command::Demo { .. } => "warn,steadfast_reconcile::sources=off",
        #[cfg(feature = "author")]
        Command::Simulate(_) => "off",
        #[cfg(feature = "man")]
        Command::Man { .. } => "off",
        // A line of the log would stand in the middle of the screen.
        #[cfg(feature = "top")]
        Command::Top(_) => "off",
        Command::Policy(_) | Command::Replay(_) => "off",
        Command::Run { .. }
        | Command::Check { .. }
        | Command::Doctor { .. }
        | Command::Config(_)
        | Command::Status(_)
        | Command::Clusters(_)
        | Command::Policies(_)
        | Command::Sink(_)
        | Command::Store(_)
        | Command::Token(_)
        | Command::Intent(_)
        | Command::Explain(_)
        | Command::History(_)
        | Command::Events(_)
        | Command::Alerts(_)
        | Command::Wait(_)
        | Command::Look(_)
        | Command::Silence(_)
        | Command::Reload(_)
        | Command::Forget(_)
        | Command::Completions { .. }
        | Command::Version => "info",
    }
}

/// A policy that cannot be used is a mistake of the configuration that names it.
fn located(config: &Path, error: anyhow::Error) -> Failure {
    match locate_in_config(config, &error) {
        Some(mistake) => Failure::Config(mistake),
        None => Failure::Failed(error),
    }
}

/// Within limits that the system enforces on this process.
fn compile_module(seconds: u64, mebibytes: u64) -> Result<(), Failure> {
    let limits = CompileLimits {
        processor: Duration::from_secs(seconds),
        memory_bytes: mebibytes << 20,
        ..CompileLimits::default()
    };
    let compiled = compile_for_parent(limits, std::io::stdin().lock(), std::io::stdout().lock());
    Ok(compiled.map_err(anyhow::Error::new)?)
}

fn run(runtime: &Runtime, command: Command) -> Result<(), Failure> {
    match command {
        Command::Run { config } => {
            let file = config.file();
            let loaded = crate::run::config_to_run(file)?;
            runtime
                .block_on(crate::run::run_until_signal(loaded, file.to_owned()))
                .map_err(|error| located(file, error))
        }
        #[cfg(feature = "author")]
        Command::Demo {
            port,
            no_stay,
            again,
            policy,
            params,
        } => {
            use crate::demo::{Afterwards, Options};
            let params = policy::usable_params("--policy", policy.as_deref(), params.as_deref())?;
            let afterwards = match (again, no_stay) {
                (true, _) => Afterwards::Again,
                (false, true) => Afterwards::End,
                (false, false) => Afterwards::Stay,
            };
            Ok(runtime.block_on(crate::demo::run(Options {
                port,
                afterwards,
                policy,
                params,
            }))?)
        }
        Command::Check { file, config, live } => {
            let named = config.file();
            let file = file.as_deref().unwrap_or(named);
            check::run(file)?;
            if live {
                doctor::run(runtime, file, &Format::People(Detail::Usual))?;
            }
            Ok(())
        }
        Command::Doctor { config, output } => doctor::run(runtime, config.file(), &output.format),
        Command::Config(command) => configuration::run(&command, runtime),
        Command::Status(options) => runtime.block_on(status::show(&options)),
        Command::Policies(options) => policies::run(&options),
        Command::Clusters(options) => runtime.block_on(clusters::show(&options)),
        Command::Intent(options) => runtime.block_on(intent::note(&options)),
        Command::Explain(options) => runtime.block_on(explain::show(&options)),
        Command::Forget(options) => runtime.block_on(forget::run(&options)),
        Command::History(options) => runtime.block_on(history::of_job(&options)),
        Command::Events(options) => runtime.block_on(history::of_all(&options)),
        Command::Alerts(options) => runtime.block_on(alerts::show(&options)),
        #[cfg(feature = "top")]
        Command::Top(options) => runtime.block_on(top::run(&options)),
        Command::Wait(options) => runtime.block_on(wait::run(&options)),
        Command::Look(options) => runtime.block_on(look::run(&options)),
        Command::Silence(options) => runtime.block_on(silence::run(&options)),
        Command::Reload(options) => runtime.block_on(reload::run(&options)),
        Command::Policy(command) => policy::run(&command, runtime),
        Command::Replay(options) => replay::run(&options, runtime),
        #[cfg(feature = "author")]
        Command::Simulate(options) => simulate::run(&options, runtime),
        Command::Sink(command) => sink::run(&command, runtime),
        Command::Store(command) => store::run(&command),
        Command::Token(command) => token::run(&command),
        Command::Completions { shell } => Ok(print_completions(shell)?),
        Command::Version => Ok(printer::data(&Arguments::command().render_version())?),
        #[cfg(feature = "man")]
        Command::Man { folder } => Ok(man::write(Arguments::command(), &folder)?),
    }
}

fn print_completions(shell: Shell) -> Result<(), PrintError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "steadfast", &mut script);
    printer::data(&String::from_utf8_lossy(&script))
}
