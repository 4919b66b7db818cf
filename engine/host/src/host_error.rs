//! Why the WebAssembly engine of the process cannot be set up.

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Wasmtime refused the machine or the address space.
    #[error(
        "the WebAssembly engine could not be set up; it needs 64-bit addresses without a limit (`ulimit -v unlimited`)"
    )]
    Engine(#[source] wasmtime::Error),
    /// The thread that watches deadlines could not be started.
    #[error("the thread that ends calls at their deadline could not be started")]
    Ticker(#[source] std::io::Error),
}
