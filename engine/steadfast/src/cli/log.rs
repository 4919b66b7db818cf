//! Logging, to standard error: one line for each event, whatever its texts hold.
//!
//! Whoever logs never waits for whoever reads: a thread of its own writes the lines. Where they cannot be written as fast as they
//! come, as to a pipe that nobody empties, they are dropped and counted; where they cannot be written at all, as to a disk that is
//! full, they are lost, and nothing else is.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use anyhow::Context;
use clap::ValueEnum;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::terminal::{Passes, plain};

/// Where libraries log an ERROR for each request that fails. The engine tells once that a source is lost, with its address and
/// the cause, and once that it is back.
const EACH_REQUEST: [&str; 2] = ["kube_client::client", "rustls_platform_verifier"];

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

impl Format {
    /// How it is written if nobody says: what an engine says on and on, to nobody at a terminal, is collected by programs.
    pub(super) fn usual(runs_on: bool, is_terminal: bool) -> Self {
        if runs_on && !is_terminal {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// How many lines wait to be written before more are dropped.
const WAITING: usize = 16_384;

/// Counts the lines that were dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Starts it. What is returned writes what still waits when it is dropped, for a second at most.
pub(super) fn start(filter: &str, format: Format) -> anyhow::Result<WorkerGuard> {
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let filter = parse(filter)?;
    // Which module says it helps those who look for a fault of the engine.
    let names_modules = asks_for_more(&filter);
    // Beside the standard library's own, whose lock would be held as long as a line cannot be written.
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .thread_name("log")
        .finish(Gaps::new(stderr, format, || dropped() as u64));
    DROPPED.get_or_init(|| writer.error_counter());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || OneLine(writer.clone()))
        .with_ansi(color);
    match format {
        Format::Text => log.with_target(names_modules).init(),
        Format::Json => log.json().init(),
    }
    Ok(guard)
}

fn dropped() -> usize {
    DROPPED.get().map_or(0, ErrorCounter::dropped_lines)
}

/// `steadfast_log_dropped_lines_total`.
#[derive(Debug)]
pub(crate) struct DroppedLines;

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let lines = ConstCounter::new(dropped() as u64);
        let help = "Lines of the log that could not be written as fast as they came.";
        lines.encode(encoder.encode_descriptor("steadfast_log_dropped_lines", help, None, MetricType::Counter)?)
    }
}

/// Says how many lines are missing, as soon as one can be written again.
struct Gaps<W, F> {
    to: W,
    format: Format,
    dropped: F,
    told: u64,
}

impl<W: Write, F: Fn() -> u64> Gaps<W, F> {
    fn new(to: W, format: Format, dropped: F) -> Self {
        Self {
            to,
            format,
            dropped,
            told: 0,
        }
    }

    fn tell(&mut self, missing: u64) -> io::Result<()> {
        let message =
            format!("{missing} lines of the log were dropped: they could not be written as fast as they came");
        match self.format {
            Format::Text => writeln!(self.to, "({message})"),
            Format::Json => {
                let line = serde_json::json!({ "level": "WARN", "fields": { "message": message } });
                writeln!(self.to, "{line}")
            }
        }
    }
}

impl<W: Write, F: Fn() -> u64> Write for Gaps<W, F> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let dropped = (self.dropped)();
        if dropped > self.told {
            self.tell(dropped - self.told)?;
            self.told = dropped;
        }
        // Whole, so that no other line comes between.
        self.to.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
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

/// Whether more is logged than what an operator needs.
fn asks_for_more(filter: &EnvFilter) -> bool {
    filter.max_level_hint().is_none_or(|level| level >= LevelFilter::DEBUG)
}

/// The filter as it was asked for; what libraries say of each request is left to those who ask for debug, or for that library.
fn parse(text: &str) -> anyhow::Result<EnvFilter> {
    let mut filter: EnvFilter = text
        .parse()
        .with_context(|| format!("--log `{text}` is not a filter; write a level such as info, or target=level"))?;
    if asks_for_more(&filter) {
        return Ok(filter);
    }
    for target in EACH_REQUEST {
        let library = target.split(['_', ':']).next().unwrap_or(target);
        if !text.contains(library) {
            filter = filter.add_directive(format!("{target}=off").parse()?);
        }
    }
    Ok(filter)
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
    fn lines_that_are_missing_are_told_once() {
        let dropped = std::cell::Cell::new(0);
        let mut log = Gaps::new(Vec::new(), Format::Text, || dropped.get());
        for (so_far, line) in [(0, "one\n"), (3, "two\n"), (3, "three\n"), (4, "four\n")] {
            dropped.set(so_far);
            log.write_all(line.as_bytes()).unwrap();
        }
        let written = String::from_utf8(log.to).unwrap();
        let gap = |lines| {
            format!("({lines} lines of the log were dropped: they could not be written as fast as they came)\n")
        };
        assert_eq!(written, format!("one\n{}two\nthree\n{}four\n", gap(3), gap(1)));
    }

    #[test]
    fn an_engine_at_no_terminal_writes_for_programs() {
        let usual = |runs_on, is_terminal| Format::usual(runs_on, is_terminal);
        assert_eq!(usual(true, false), Format::Json);
        assert_eq!(
            [usual(true, true), usual(false, false), usual(false, true)],
            [Format::Text; 3]
        );
    }

    #[test]
    fn what_libraries_say_of_each_request_is_for_debug_and_for_those_who_ask() {
        for (text, is_quiet) in [
            ("info", true),
            ("warn,steadfast_reconcile=info", true),
            ("debug", false),
            ("info,kube_client=error", false),
        ] {
            let filter = parse(text).unwrap().to_string();
            assert_eq!(filter.contains("kube_client::client=off"), is_quiet, "{filter}");
            assert_eq!(
                filter.contains("rustls_platform_verifier=off"),
                text != "debug",
                "{filter}"
            );
        }
        assert!(parse("=nonsense=").is_err());
    }
}
