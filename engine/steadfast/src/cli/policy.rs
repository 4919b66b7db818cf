//! `steadfast policy`: what an author does with a module, from its first line to its release.

pub(super) mod chosen;
pub(super) mod inspect;
mod promote;

use clap::Subcommand;

use super::{Failure, printer};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what a module is: form, contract, size, digest, imports, parameters and rules.
    Inspect(inspect::Options),
    /// Print the contract that this engine serves, as WIT: what a policy exports, and all it may know.
    Wit,
    /// Let a shadow decide: edit the configuration, and ask the running engine to take it up.
    Promote(promote::Options),
}

pub(super) fn carry_out(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Inspect(options) => inspect::tell(options),
        Command::Wit => {
            printer::data(steadfast_wit::POLICY_WIT);
            Ok(())
        }
        Command::Promote(options) => promote::promote(options),
    }
}

/// Carries out what waits for a network, for a command that does nothing else meanwhile.
fn waiting<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}
