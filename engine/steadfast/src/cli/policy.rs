//! `steadfast policy`: what an author does with a module, from its first line to its release.

pub(super) mod chosen;
pub(super) mod inspect;
pub(super) mod verify;

use clap::Subcommand;

use super::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what a module is: form, contract, size, digest, imports, parameters and rules.
    Inspect(inspect::Options),
    /// Show every sequence of evidence to a policy, to a depth, and hold what it records to laws.
    #[command(after_help = verify::AFTER_HELP)]
    Verify(verify::Options),
}

pub(super) fn carry_out(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Inspect(options) => inspect::tell(options),
        Command::Verify(options) => verify::explore(options),
    }
}
