//! The only place that writes to the terminal: standard output is data, standard error the rest. Neither takes a command to
//! the terminal along.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::process::ExitCode;

use steadfast_core::foreign_text::is_harmful;

use super::terminal::{Passes, plain};
use crate::config::ConfigError;

/// Why data is not on standard output.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// A full disk, for one.
    #[error("standard output cannot be written")]
    Failed(#[source] io::Error),
    /// Whoever read it has gone away.
    #[error("nobody reads standard output any more")]
    Gone,
}

/// Data, on standard output. A reader that has gone away (`| head`) has seen enough: what the command does and how it ends is the
/// same without one.
pub fn data(text: &str) -> Result<(), PrintError> {
    match endless(text) {
        Err(PrintError::Gone) => Ok(()),
        written => written,
    }
}

/// A page of our own making, in colours where the terminal has them; what it holds of others has been made harmless before.
pub fn page(text: &str) -> Result<(), PrintError> {
    match endless_page(text) {
        Err(PrintError::Gone) => Ok(()),
        written => written,
    }
}

/// The same without an end.
pub fn endless_page(text: &str) -> Result<(), PrintError> {
    written(text, Passes::LinesAndColors, std::io::stdout().lock())
}

/// Data of which there is no end: a reader that has gone away ends the command too.
pub fn endless(text: &str) -> Result<(), PrintError> {
    written(text, Passes::Lines, std::io::stdout().lock())
}

fn written(text: &str, passes: Passes, mut out: impl Write) -> Result<(), PrintError> {
    let text = plain(text, passes);
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| {
        if error.kind() == ErrorKind::BrokenPipe {
            PrintError::Gone
        } else {
            PrintError::Failed(error)
        }
    })
}

/// Standard output, for data that comes piece by piece and must be there whole: what fails is the writer's to tell.
pub fn stream() -> impl Write {
    std::io::BufWriter::new(std::io::stdout().lock())
}

/// A JSON document, on standard output.
pub fn json(value: &serde_json::Value) -> Result<(), PrintError> {
    data(&format!("{value:#}\n"))
}

/// A word to the person at the terminal.
pub fn note(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{}", plain(text, Passes::Lines)));
}

/// How far something is that takes a while, for the person at the terminal; a log of a pipeline goes without.
pub fn progress(text: &str) {
    if io::stderr().is_terminal() {
        note(text);
    }
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
        None => {
            let help = error.help();
            self::error(&error.into());
            if let Some(help) = help {
                note(&format!("  help: {help}"));
            }
        }
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

/// A text that others wrote, as a part of one line: it ends no line, and what a terminal would obey is written out.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => line.extend(character.escape_default()),
            harmful if is_harmful(harmful) => line.extend(harmful.escape_unicode()),
            plain => line.push(plain),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_text_of_others_is_one_line() {
        assert_eq!(
            one_line("rule\n  alert  none\r\t\u{1b}[2J\u{2028}x ü"),
            "rule\\n  alert  none\\r\\t\\u{1b}[2J\\u{2028}x ü"
        );
    }

    #[test]
    fn what_is_not_written_is_told_apart_from_what_nobody_reads() {
        assert!(written("text", Passes::Lines, Vec::new()).is_ok());
        let full = written("text", Passes::Lines, Refusing(ErrorKind::StorageFull));
        assert!(matches!(full, Err(PrintError::Failed(_))));
        let gone = written("text", Passes::Lines, Refusing(ErrorKind::BrokenPipe));
        assert!(matches!(gone, Err(PrintError::Gone)));
    }
}
