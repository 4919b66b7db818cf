//! `steadfast policy`: what an author does with a module, from its first line to its release.

pub(super) mod chosen;
mod diff;
pub(super) mod inspect;
pub(super) mod verify;

use clap::Subcommand;
use tokio::runtime::Runtime;

use super::{Failure, printer};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what a module is: form, contract, size, digest, imports, parameters and rules.
    Inspect(inspect::Options),
    /// Show every sequence of evidence to a policy, to a depth, and hold what it records to laws.
    #[command(after_help = verify::AFTER_HELP)]
    Verify(verify::Options),
    /// Show two policies the same recorded snapshots, and tell where they part.
    #[command(after_help = diff::AFTER_HELP)]
    Diff(diff::Options),
    /// Print the contract that this engine serves, as WIT: what a policy exports, and all it may know.
    Wit,
}

pub(super) fn carry_out(command: &Command, runtime: &Runtime) -> Result<(), Failure> {
    match command {
        Command::Inspect(options) => inspect::tell(options),
        Command::Verify(options) => verify::explore(options),
        Command::Diff(options) => runtime.block_on(diff::tell(options)),
        Command::Wit => {
            printer::data(steadfast_wit::POLICY_WIT);
            Ok(())
        }
    }
}
