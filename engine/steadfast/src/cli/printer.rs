//! The only place that writes to the terminal: standard output is data, standard error the rest. Neither takes a command to
//! the terminal along.

use std::io::Write;
use std::process::ExitCode;

use super::terminal::{Passes, plain};
use crate::config::ConfigError;

/// Data, on standard output. A reader that has gone away is no error.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    let text = plain(text, Passes::Lines);
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Standard output, for data that comes piece by piece and must be there whole: what fails is the writer's to tell.
pub fn stream() -> impl Write {
    std::io::BufWriter::new(std::io::stdout().lock())
}

/// A JSON document, on standard output.
pub fn json(value: &serde_json::Value) {
    data(&format!("{value:#}\n"));
}

/// A word to the person at the terminal.
pub fn note(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{}", plain(text, Passes::Lines)));
}

/// An error with its causes, one to a line.
pub fn error(error: &anyhow::Error) {
    note(&report(error));
}

fn report(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  because: {cause}"));
    }
    text
}

/// A configuration that cannot be used, with its lines where it can be read, in the colours that their report has for a
/// terminal.
pub fn mistakes(error: ConfigError) {
    match error.for_terminal() {
        Some(report) => drop(writeln!(
            std::io::stderr().lock(),
            "{}",
            plain(&format!("error: {report}"), Passes::LinesAndColors)
        )),
        None => self::error(&error.into()),
    }
}

/// Prints an error and gives the exit code of a failure.
pub fn fail(cause: &anyhow::Error) -> ExitCode {
    error(cause);
    ExitCode::FAILURE
}

/// `1 story`, `2 stories`.
pub fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}
