//! The commands that this build lacks, since it is without the feature `author`.

use anyhow::anyhow;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The word that the parser stumbles over, and the whole command.
const COMMANDS: [(&str, &str); 8] = [
    ("demo", "demo"),
    ("top", "top"),
    ("simulate", "simulate"),
    ("new", "policy new"),
    ("build", "policy build"),
    ("test", "policy test"),
    ("bench", "policy bench"),
    ("verify", "policy verify"),
];

/// What is to be said of a command line that asks for one of them.
pub(super) fn explained(error: &clap::Error) -> Option<anyhow::Error> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let (_, command) = COMMANDS.iter().find(|(word, _)| word == unknown)?;
    Some(anyhow!(
        "`steadfast {command}` is not in this build, which holds the daemon alone; the default build has it: `cargo \
         build --release -p steadfast` where Steadfast's sources are"
    ))
}
