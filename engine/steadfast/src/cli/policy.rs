//! `steadfast policy`: what an author does with a module, from its first line to its release.

mod build;
pub(super) mod chosen;
pub(super) mod inspect;
mod language;
mod new;
mod template;
mod template_rust;

use clap::Subcommand;

use super::{Failure, printer};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the project of a new policy, in Rust, Python, JavaScript, C or Go.
    #[command(after_help = new::AFTER_HELP)]
    New(new::Options),
    /// Build a project's module with its language's own tools, and load it.
    #[command(after_help = build::AFTER_HELP)]
    Build(build::Options),
    /// Say what a module is: form, contract, size, digest, imports, parameters and rules.
    Inspect(inspect::Options),
    /// Print the contract that this engine serves, as WIT: what a policy exports, and all it may know.
    Wit,
}

pub(super) fn carry_out(command: &Command) -> Result<(), Failure> {
    match command {
        Command::New(options) => new::write(options),
        Command::Build(options) => build::build(options),
        Command::Inspect(options) => inspect::tell(options),
        Command::Wit => {
            printer::data(steadfast_wit::POLICY_WIT);
            Ok(())
        }
    }
}
