//! `steadfast policy`: what an author does with a module, from its first line to its release.

#[cfg(feature = "author")]
mod bench;
#[cfg(feature = "author")]
mod build;
#[cfg(feature = "author")]
mod decide;
mod diff;
pub(super) mod inspect;
mod keygen;
mod keys;
#[cfg(feature = "author")]
mod language;
#[cfg(feature = "author")]
mod memory;
#[cfg(feature = "author")]
mod new;
pub(super) mod policy_arg;
mod promote;
mod pull;
mod push;
mod registries;
#[cfg(feature = "author")]
mod sample;
#[cfg(feature = "author")]
mod schema;
mod sign;
mod snapshot;
#[cfg(feature = "author")]
mod snapshot_file;
#[cfg(feature = "author")]
mod template;
#[cfg(feature = "author")]
mod template_conservative;
#[cfg(feature = "author")]
mod template_rust;
#[cfg(feature = "author")]
mod test;
#[cfg(feature = "author")]
mod verify;

use clap::Subcommand;
use tokio::runtime::Runtime;

use super::{Failure, policies, printer};
#[cfg(feature = "author")]
pub(super) use policy_arg::usable_params;
pub(super) use promote::replace;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the project of a new policy, in Rust, Python, JavaScript, C or Go.
    #[cfg(feature = "author")]
    #[command(after_help = new::AFTER_HELP)]
    New(new::Options),
    /// Build a project's module with its language's own tools, and load it.
    #[cfg(feature = "author")]
    #[command(after_help = build::AFTER_HELP)]
    Build(build::Options),
    /// List the policies of a running engine, or of a configuration; `-o wide` has their digests and parameters.
    List(policies::Options),
    /// Say what a module is: form, contract, size, digest, imports, parameters and rules.
    Inspect(inspect::Options),
    /// Hold a policy to determinism and purity, to stories, and to snapshots with expected decisions.
    #[cfg(feature = "author")]
    #[command(after_help = test::AFTER_HELP)]
    Test(test::Options),
    /// Print what a policy decides on one snapshot, and why.
    #[cfg(feature = "author")]
    #[command(after_help = decide::AFTER_HELP)]
    Decide(decide::Options),
    /// Take one snapshot out of a recording: what a policy was shown of a job at a time.
    #[command(after_help = snapshot::AFTER_HELP)]
    Snapshot(snapshot::Options),
    /// Print the JSON Schema of snapshots and fixtures, or of laws, for editors.
    #[cfg(feature = "author")]
    #[command(after_help = schema::AFTER_HELP)]
    Schema(schema::Options),
    /// Measure what a policy costs: loading, deciding, memory.
    #[cfg(feature = "author")]
    #[command(after_help = bench::AFTER_HELP)]
    Bench(bench::Options),
    /// Show every sequence of evidence to a policy, to a depth, and hold what it records to laws.
    #[cfg(feature = "author")]
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

pub(super) fn run(command: &Command, runtime: &Runtime) -> Result<(), Failure> {
    match command {
        #[cfg(feature = "author")]
        Command::New(options) => new::run(options),
        #[cfg(feature = "author")]
        Command::Build(options) => build::run(options),
        Command::List(options) => policies::list(options, runtime),
        Command::Inspect(options) => inspect::run(options),
        #[cfg(feature = "author")]
        Command::Test(options) => test::run(options),
        #[cfg(feature = "author")]
        Command::Decide(options) => decide::run(options, runtime),
        Command::Snapshot(options) => snapshot::run(options, runtime),
        #[cfg(feature = "author")]
        Command::Schema(options) => schema::run(options),
        #[cfg(feature = "author")]
        Command::Bench(options) => bench::run(options),
        #[cfg(feature = "author")]
        Command::Verify(options) => verify::run(options, runtime),
        Command::Diff(options) => diff::run(options, runtime),
        Command::Wit => {
            printer::data(steadfast_wit::POLICY_WIT)?;
            Ok(())
        }
        Command::Keygen(options) => keygen::run(options),
        Command::Sign(options) => sign::run(options),
        Command::Push(options) => runtime.block_on(push::run(options)),
        Command::Pull(options) => runtime.block_on(pull::run(options)),
        Command::Promote(options) => promote::run(options, runtime),
    }
}
