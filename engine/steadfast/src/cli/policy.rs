//! `steadfast policy`: what an author does with a module, from its first line to its release.

mod bench;
mod build;
pub(super) mod chosen;
mod diff;
pub(super) mod inspect;
mod keygen;
mod keys;
mod language;
mod new;
mod promote;
mod pull;
mod push;
mod registries;
mod sample;
mod sign;
mod template;
mod template_rust;
mod test;
mod verify;

use clap::Subcommand;
use tokio::runtime::Runtime;

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
    /// Hold a policy to determinism and purity, to stories, and to snapshots with expected decisions.
    #[command(after_help = test::AFTER_HELP)]
    Test(test::Options),
    /// Measure what a policy costs: loading, deciding, memory.
    #[command(after_help = bench::AFTER_HELP)]
    Bench(bench::Options),
    /// Show every sequence of evidence to a policy, to a depth, and hold what it records to laws.
    #[command(after_help = verify::AFTER_HELP)]
    Verify(verify::Options),
    /// Show two policies the same recorded snapshots, and tell where they part.
    #[command(after_help = diff::AFTER_HELP)]
    Diff(diff::Options),
    /// Print the contract that this engine serves, as WIT: what a policy exports, and all it may know.
    Wit,
    /// Make a pair of keys: one to sign modules with, one for the configuration that trusts them.
    Keygen(keygen::Options),
    /// Sign a module's file: MODULE.sig, as `cosign sign-blob` would write it.
    Sign(sign::Options),
    /// Put a module into an OCI registry, and print the reference by digest.
    Push(push::Options),
    /// Get a module from an OCI registry, and print what pins it.
    Pull(pull::Options),
    /// Let a shadow decide: edit the configuration, and ask the running engine to take it up.
    Promote(promote::Options),
}

pub(super) fn carry_out(command: &Command, runtime: &Runtime) -> Result<(), Failure> {
    match command {
        Command::New(options) => new::write(options),
        Command::Build(options) => build::build(options),
        Command::Inspect(options) => inspect::tell(options),
        Command::Test(options) => test::tell(options),
        Command::Bench(options) => bench::tell(options),
        Command::Verify(options) => verify::explore(options),
        Command::Diff(options) => diff::tell(options, runtime),
        Command::Wit => {
            printer::data(steadfast_wit::POLICY_WIT);
            Ok(())
        }
        Command::Keygen(options) => keygen::make(options),
        Command::Sign(options) => sign::sign(options),
        Command::Push(options) => runtime.block_on(push::push(options)),
        Command::Pull(options) => runtime.block_on(pull::pull(options)),
        Command::Promote(options) => promote::promote(options, runtime),
    }
}
