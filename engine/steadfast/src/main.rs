//! The `steadfast` command.

use std::process::ExitCode;

/// Decisions and snapshots are many small texts, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Both kube and reqwest take TLS from whatever provider the process has installed.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return steadfast::cli::printer::fail(&anyhow::anyhow!("another TLS provider is installed already"));
    }
    steadfast::cli::main()
}
