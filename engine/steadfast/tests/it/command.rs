//! Running the binary.

use std::path::Path;
use std::process::{Command, Output};

/// What a run of the binary ended with.
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The binary, in a folder, without what the surroundings may have set.
pub fn steadfast(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1");
    // Compiled policies stay with the build, out of the home of whoever runs the tests.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    for variable in [
        "STEADFAST_LOG",
        "STEADFAST_SERVER",
        "STEADFAST_TOKEN_FILE",
        "STEADFAST_CA_FILE",
        "STEADFAST_CLIENT_CERT_FILE",
        "STEADFAST_CLIENT_KEY_FILE",
    ] {
        command.env_remove(variable);
    }
    // As people read it, though no terminal is there.
    command.env("STEADFAST_LOG_FORMAT", "text");
    command
}

/// Runs the binary to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Ended {
    Ended::of(&mut steadfast(folder, arguments))
}

impl Ended {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            code: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }
}
