//! Logging, to standard error: one line for each event, whatever its texts hold.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::terminal::{Passes, plain};

/// Where kube's client logs an ERROR for each request that fails. The engine tells once that a source is lost, with its
/// address and the cause, and once that it is back.
const EACH_REQUEST: &str = "kube_client::client";

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Starts it.
pub(super) fn start(filter: &str, format: Format) -> anyhow::Result<()> {
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_env_filter(parse(filter)?)
        .with_writer(|| OneLine(io::stderr()))
        .with_ansi(color);
    match format {
        Format::Text => log.init(),
        Format::Json => log.json().init(),
    }
    Ok(())
}

/// Takes each event whole, as `tracing_subscriber` writes it, and keeps it one line: a line feed in what somebody else wrote
/// would begin another, which then says whatever they like.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = plain(text.strip_suffix('\n').unwrap_or(&text), Passes::Colors);
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The filter as it was asked for; what kube says of each request is left to those who ask for debug, or for kube.
fn parse(text: &str) -> anyhow::Result<EnvFilter> {
    let filter: EnvFilter = text
        .parse()
        .with_context(|| format!("--log `{text}` is not a filter; write a level such as info, or target=level"))?;
    let asks_for_more = filter.max_level_hint().is_none_or(|level| level >= LevelFilter::DEBUG);
    if asks_for_more || text.contains("kube") {
        return Ok(filter);
    }
    Ok(filter.add_directive(format!("{EACH_REQUEST}=off").parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_forges_a_line_of_the_log() {
        let mut written = Vec::new();
        let forged =
            "2026-11-28T00:00:00Z  WARN steadfast: policy failed: no\nERROR steadfast: \u{9b}2Jall is lost\r\n";
        OneLine(&mut written).write_all(forged.as_bytes()).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(
            written,
            "2026-11-28T00:00:00Z  WARN steadfast: policy failed: no\\nERROR steadfast: \\u009b2Jall is lost\\u000d\n"
        );
    }

    #[test]
    fn what_kube_says_of_each_request_is_for_debug_and_for_those_who_ask() {
        for (text, is_quiet) in [
            ("info", true),
            ("warn,steadfast_reconcile=info", true),
            ("debug", false),
            ("info,kube_client=error", false),
        ] {
            let filter = parse(text).unwrap().to_string();
            assert_eq!(filter.contains("kube_client::client=off"), is_quiet, "{filter}");
        }
        assert!(parse("=nonsense=").is_err());
    }
}
